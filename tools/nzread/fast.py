"""The engine of levels 1 to 4 (formats/fast.md)."""

from collections import namedtuple
from operator import add, mul

import context
from context import Past, class_of, hash_of, line_of
from history import COUNTS, FOLLOWING, STRETCH, STRETCH_MOST, limit_stretch, squash

Plan = namedtuple("Plan", "contexts lanes matches stages late close")
PLANS = {
    1: Plan(6, 8, 1, 0, 4, (2, 3, 5)),
    2: Plan(12, 16, 2, 1, 3, (3, 5)),
    3: Plan(12, 16, 2, 3, 3, (3, 5)),
    4: Plan(20, 24, 2, 3, 3, (3, 5)),
}

# Where a byte's or a nibble's slots are: contexts' hashes, which of them do not depend on the byte
# before at all, lines and their pairs.
Ahead = namedtuple("Ahead", "hashes fixed lines pairs")

LINE, PAIR, PAGE = 64, 128, 4096  # bytes
WAYS, NODES = 4, 15
SETS = 8
WEIGHT_ONE = 1 << 29
INPUT_MOST = STRETCH_MOST << 16
RATE_FIRST, RATE_LAST, RATE_STEP = 12 << 4, 3 << 4, 128
SURE = 128
MATCH_LEAST = (6, 4)  # bytes, of the first match and the second
VERIFY, LENGTH_MOST = 32, 65535
LONG = 400  # bytes a match must have held before bytes become flags
ROW_STEP = 16384
SSE_STEPS, SSE_SCALE, SSE_ROWS = 32, 22, 65536


def signed32(v):
    return (v + (1 << 31) & 0xffffffff) - (1 << 31)


def input_of(p):
    """A lane's value for a probability in 1/65536."""
    return STRETCH[p >> 4] << 16


def history_inputs():
    inputs = []
    for zeros, ones in COUNTS:
        a, b = zeros * 15 + 4, ones * 15 + 4
        inputs.append(input_of(65535 * b // (a + b)))
    return inputs


def match_inputs():
    """Two for each bucket of lengths: when a zero is expected, when a one is."""
    inputs = [0, 0]
    for length in range(1, 32):
        p = 65535 - 655350 // (length * 15 + 22)
        inputs += [input_of(65535 - p), input_of(p)]
    return inputs


def bucket_of(length):
    if length < 16:
        return length
    if length < 32:
        return 12 + length // 4
    if length < 64:
        return 16 + length // 8
    return min(22 + length // 32, 31)


class Match:
    """What followed the last few bytes when they were seen before."""

    def __init__(self, least):
        self.least = least
        self.places = {}  # by hash: the position after its last occurrence; 0: none
        self.entry = 0  # the hash of what came before the latest byte
        self.at = 0  # of the expected byte
        self.length = 0  # bytes verified before it
        self.byte = None  # the expected one, until a bit of it was wrong
        self.bucket = 0

    def next(self, past, entry):
        """past.text[past.pos - 1] has become known."""
        place = self.places.get(self.entry, 0)
        if self.length:
            self.at += 1
            self.length = min(self.length + 1, LENGTH_MOST)
        elif place:
            at, text, pos = place + 1, past.text, past.pos
            same = 0
            while same < min(VERIFY, at) and text[at - 1 - same] == text[pos - 1 - same]:
                same += 1
            if same >= self.least:
                self.at, self.length = at, same
        self.places[self.entry] = past.pos - 1
        self.entry = entry

    def expect(self, text):
        self.byte = text[self.at] if self.length else None
        self.bucket = bucket_of(self.length)

    def fail(self):
        self.byte, self.length, self.bucket = None, 0, 0

    def bit(self, index):
        return self.byte >> (7 - index) & 1


class Fast:
    def __init__(self, level, is_text, table_bits, match_bits):
        self.plan = plan = PLANS[level]
        self.is_text = is_text
        self.order1 = 1 << table_bits  # behind the hashed slots: 17 for each byte
        self.table = bytearray(self.order1 + 256 * 17 * NODES)
        self.pair_shift = 32 - (table_bits - 7)
        self.match_shift = 32 - match_bits
        self.past = None
        # The value of each lane's input, by what it is looked up with.
        self.histories = [history_inputs() for _ in range(plan.contexts + 1)]
        self.order0 = [0] * 256
        self.matched = [match_inputs() for _ in range(2)]
        start = WEIGHT_ONE // 10 * 3
        if level > 1:
            start = start * 2 // 3
        self.weight_start = start // SETS
        self.weights = [{} for _ in range(SETS)]
        self.sse = [{} for _ in range(plan.stages)]
        self.sse_start = [squash(limit_stretch(i * 4096 // SSE_SCALE - STRETCH_MOST - 1))
                          for i in range(SSE_STEPS)]

    # ---- A text ----

    def learn(self, text):
        """Reads a text that is known, as if it were decoded."""
        self.run(None, bytearray(text), len(text))

    def decode(self, coder, size):
        text = bytearray(size)
        self.run(coder, text, size)
        return text

    def run(self, coder, text, size):
        """One byte after the other of a text that is known, or that the coder tells."""
        self.coder, self.text = coder, text
        self.past = past = Past(text, self.past)
        self.matches = [Match(least) for least in MATCH_LEAST[:self.plan.matches]]
        self.rate = RATE_FIRST
        flags = [65000] * 16  # how likely a long match holds, by its length
        before = past
        ahead = None  # where this byte's slots are, if that was worked out with the byte before
        for pos in range(size):
            if not self.is_text and pos and pos % ROW_STEP == 0:
                past.row = context.find_row(text, pos, past.row)
            match = self.matches[0]
            if match.length >= LONG:
                flag = min(match.length // LONG, 15)
                expected = text[match.at]
                if self.code(flags[flag], int(text[pos] == expected)):
                    flags[flag] += 65535 - flags[flag] >> 5
                    text[pos] = expected
                    before = past.copy()
                    past.next(expected)
                    self.next_matches()
                    ahead = None
                    continue
                flags[flag] -= flags[flag] >> 5
                match.length = 0
            text[pos], ahead = self.code_byte(text[pos], ahead or self.look_ahead(before, past.c4))
            if self.rate > RATE_LAST and pos % RATE_STEP == 0:
                self.rate -= 1
            past.next(text[pos])
            self.next_matches()

    def code(self, p, known):
        return self.coder.bit(p) if self.coder else known

    def next_matches(self):
        past = self.past
        entries = (hash_of(past.c4, past.c8 & 255) >> self.match_shift,
                   hash_of(past.c4 & 0xffffff, 3) >> self.match_shift)
        for match, entry in zip(self.matches, entries):
            match.next(past, entry)

    # ---- Slots ----

    def look_ahead(self, past, last):
        """Where a byte's slots are, as far as is known while the late bits of the byte before it,
        `last`, are not; `past` is that before `last`."""
        plan = self.plan
        last = last & 255 & -1 << plan.late
        if self.is_text:
            hashes, fixed = past.text_contexts(plan.contexts, plan.late, last)
        else:
            hashes, fixed = past.binary_contexts(plan.contexts, last)
        lines = [line_of(h, 0) for h in hashes]
        return Ahead(hashes, fixed, lines, [self.pair_of(line) for line in lines])

    def pair_of(self, line):
        return (line >> self.pair_shift) * PAIR

    def find_slot(self, line, check):
        """Where the histories of a context's nibble are, in the line of the table at `line`."""
        table = self.table
        way = table.find(check, line, line + WAYS) - line
        if way < 0:
            first = [table[line + WAYS + k * NODES] for k in range(WAYS)]
            way = first.index(min(first))
            table[line + way] = check
            slot = line + WAYS + way * NODES
            table[slot:slot + NODES] = bytes(NODES)
        return line + WAYS + way * NODES

    def find_slots(self, ahead, at, late, order1):
        """Those of all contexts, in their lines, and how many of them have been met before."""
        slots, seen = [], 0
        for i, line in enumerate(at):
            tail = 0 if i in ahead.fixed else late
            slot = self.find_slot(line, (ahead.lines[i] ^ tail * 0x4D) & 255)
            slots.append(slot)
            seen += self.table[slot] != 0
        slots.append(self.order1 + order1 * NODES)
        return slots, seen + (self.table[slots[-1]] != 0)

    def first_lines(self, ahead, late):
        at = []
        for i, pair in enumerate(ahead.pairs):
            tail = 0 if i in ahead.fixed else late
            half = (ahead.lines[i] >> 8 ^ tail ^ tail >> self.plan.late - 1) & 1
            at.append(pair + half * LINE)
        return at

    def second_lines(self, ahead, first, late):
        at = []
        for i, line in enumerate(self.first_lines(ahead, late)):
            at.append(first[i] ^ LINE if i in self.plan.close
                      else (first[i] & -PAGE) | (line & PAGE - 1))
        return at

    # ---- A byte ----

    def code_byte(self, known, ahead):
        """The byte, and where the next one's slots are."""
        plan, past = self.plan, self.past
        for match in self.matches:
            match.expect(self.text)
        last, expected = past.c4 & 255, self.matches[0].byte
        self.sse_base = last << 8, hash_of(past.c4 & 0xffff, 99) & 0xff80, (expected or 0) << 8
        self.word_class = min(past.length, 7) << 6 | class_of(last) << 3
        late_mask = (1 << plan.late) - 1
        late = last & late_mask
        first = self.first_lines(ahead, late)
        slots, seen = self.find_slots(ahead, first, late, last * 17)
        hashes = [h if i in ahead.fixed else h + late * 0x51ED270B
                  for i, h in enumerate(ahead.hashes)]

        so_far = 1  # the bits of the byte, behind a one
        for index in range(4):
            if index == 4 - plan.late:
                lines = [line_of(h, so_far * 0x9E3779B1) for h in hashes]
            so_far = self.code_bit(known, index, so_far, slots, so_far, seen)
        ahead = Ahead(hashes, ahead.fixed, lines, [self.pair_of(line) for line in lines])
        late = so_far & late_mask
        slots, seen = self.find_slots(ahead, self.second_lines(ahead, first, late), late,
                                      last * 17 + so_far - 15)
        for index in range(4, 8):
            if index == 8 - plan.late:
                following = self.look_ahead(past, so_far << plan.late)
            node = 1 << index - 4 | so_far & (1 << index - 4) - 1
            so_far = self.code_bit(known, index, so_far, slots, node, seen)
        return so_far & 255, following

    # ---- A bit ----

    def cells(self, index, so_far, states):
        """Where each lane's input is kept: a list and an index."""
        cells = list(zip(self.histories, states))
        hits = []
        for match, inputs in zip(self.matches, self.matched):
            hits.append((inputs, 0 if match.byte is None
                         else match.bucket * 2 + match.bit(index)))
        if self.plan.matches == 1 and self.matches[0].byte is not None:
            return cells + hits
        cells.append((self.order0, so_far))
        return cells if self.plan.matches == 1 else cells + hits

    def rows(self, index, so_far, seen):
        """The row of each weight set."""
        past, match = self.past, self.matches[0]
        held = match.bucket
        hold = 0 if held == 0 else 1 if held < 12 else 2 if held < 20 else 3
        picks = (so_far,
                 hold << 8 | past.c4 & 255,
                 seen << 5 | hold << 3 | index,
                 self.word_class + index,
                 past.mark << 3 | index,
                 past.c4 >> 8 & 255,
                 0 if match.byte is None else 256 | match.byte,
                 past.c4 >> 16 & 255)
        rows = []
        for weights, pick in zip(self.weights, picks):
            if pick not in weights:
                weights[pick] = [self.weight_start] * self.plan.lanes
            rows.append(weights[pick])
        return rows

    def refine(self, so_far, mixed, p):
        """(the probability to code with, the entries that learn)."""
        place = (mixed + STRETCH_MOST + 1) * SSE_SCALE
        step, part = place >> 12, place & 4095
        near = step + (part >> 11)
        total, entries = p, []
        for sse, base in zip(self.sse, self.sse_base):
            row = sse.setdefault(base + so_far & SSE_ROWS - 1, None)
            if row is None:
                row = sse[base + so_far & SSE_ROWS - 1] = list(self.sse_start)
            total += row[step] * (4096 - part) + row[step + 1] * part >> 12
            entries.append((row, near))
        stages = len(entries)
        return (total + stages) // (stages + 1), entries

    def code_bit(self, known, index, so_far, slots, node, seen):
        """The bits of the byte so far, with one more."""
        table = self.table
        states = [table[slot + node - 1] for slot in slots]
        cells = self.cells(index, so_far, states)
        inputs = [values[k] for values, k in cells]
        x = [v >> 16 for v in inputs]
        rows = self.rows(index, so_far, seen)
        weights = [signed32(w) >> 16 for w in map(sum, zip(*rows))]
        mixed = limit_stretch(signed32(sum(map(mul, x, weights))) >> 13)
        p = squash(mixed)
        coded, entries = self.refine(so_far, mixed, p)
        bit = self.code(coded, known >> 7 - index & 1)

        off = (bit << 16) - p
        if abs(off) > SURE:
            error = off * self.rate >> 10
            steps = [v * error for v in x]
            for row in rows:
                row[:] = map(add, row, steps)
            for (values, k), v, w in zip(cells, inputs, weights):
                values[k] = max(-INPUT_MOST, min(INPUT_MOST, v + (w * error >> 4)))
        for slot, state in zip(slots, states):
            table[slot + node - 1] = FOLLOWING[state][bit]
        for match in self.matches:
            if match.byte is not None and match.bit(index) != bit:
                match.fail()
        for row, k in entries:
            v = row[k]
            row[k] = v + (65535 - v + 63 >> 6) if bit else v - (v + 63 >> 6)
        return so_far * 2 + bit
