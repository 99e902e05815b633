"""What zlib would do next (formats/packed.md, What zlib does)."""

from deflate import (CODE_MOST, DISTANCE, DISTANCES, END, FIXED_DISTANCES, FIXED_LITERALS, LENGTH,
                     LITERALS, REPEAT, RUN_ORDER, Codes, symbol_of)

MATCH_LEAST, MATCH_MOST = 3, 258
LOOK_AHEAD = MATCH_MOST + MATCH_LEAST + 1
TOO_FAR, FILTERED = 4096, 5
LAZY_LEVEL, GZIP_LEVEL = 4, 3
GZIP_STEP, GZIP_FULL = 4096, 32767
WALK_MOST, WINDOW_MOST = 4096, 32768
# (good, lazy, nice, chain) of levels 1 to 9.
EFFORTS = ((4, 4, 8, 4), (4, 5, 16, 8), (4, 6, 32, 32), (4, 4, 16, 16), (8, 16, 32, 32),
           (8, 16, 128, 128), (8, 32, 128, 256), (32, 128, 258, 1024), (32, 258, 258, 4096))
LITERAL = 1, 0
NO_MATCH = 0, 0


class Manner:
    def __init__(self, first, second):
        self.level, self.filtered, self.gzip = first & 15, first >> 4 & 1, first >> 5 & 1
        self.window, self.memory = second & 15, second >> 4

    def is_known(self, first):
        return first < 64 and 1 <= self.level <= 9 and self.window >= 9 and 1 <= self.memory <= 9

    def full(self):
        """Tokens of a block."""
        return GZIP_FULL if self.gzip else (1 << self.memory + 6) - 1


class Filling:
    """A block so far."""

    def __init__(self, manner):
        self.manner = manner
        self.tokens = self.matches = self.size = self.size_before = self.distance_bits = 0

    def add(self, token):
        length, distance = token
        self.tokens += 1
        self.size_before = self.size
        self.size += length
        if distance:
            self.matches += 1
            self.distance_bits += 5 + DISTANCE[symbol_of(DISTANCE, distance)][1]

    def is_full(self):
        if self.tokens == self.manner.full():
            return True
        if (not self.manner.gzip or self.manner.level < GZIP_LEVEL or
                not self.tokens or self.tokens % GZIP_STEP):
            return False
        packed = 8 * self.tokens + self.distance_bits >> 3
        raw = self.size_before + (self.manner.level >= LAZY_LEVEL)
        return self.matches < self.tokens // 2 and packed < raw // 2


class Guess:
    def __init__(self, manner, raw):
        self.manner = manner
        self.good, self.lazy, self.nice, self.chain = EFFORTS[manner.level - 1]
        self.raw = raw
        self.at = 0
        self.kept = 0  # places before this are in the chains, or never will be
        self.head, self.earlier = {}, {}  # 0 ends a chain: the first place is never found
        self.waiting, self.next = None, NO_MATCH  # where the next match is known, and which

    # ---- Chains of places with the same hash ----

    def hash_at(self, at):
        bits = self.manner.memory + 7
        shift = (bits + 2) // 3
        a, b, c = self.raw[at:at + 3]
        return (a << 2 * shift ^ b << shift ^ c) & (1 << bits) - 1

    def earlier_of(self, at):
        return self.earlier.get(at & (1 << self.manner.window) - 1, 0)

    def keep(self, to):
        while self.kept < to and len(self.raw) - self.kept >= MATCH_LEAST:
            key = self.hash_at(self.kept)
            self.earlier[self.kept & (1 << self.manner.window) - 1] = self.head.get(key, 0)
            self.head[key] = self.kept
            self.kept += 1

    def same(self, a, b, most):
        n = 0
        while n < most and self.raw[a + n] == self.raw[b + n]:
            n += 1
        return n

    def search(self, at, length):
        """A match longer than `length`; (length, 0): there is none."""
        left = len(self.raw) - at
        far = (1 << self.manner.window) - LOOK_AHEAD
        most = min(left, MATCH_MOST)
        nice = min(self.nice, most)
        chain = self.chain >> 2 if length >= self.good else self.chain
        best = length, 0
        if length >= most or left < MATCH_LEAST:
            return best
        self.keep(at)
        place = self.head.get(self.hash_at(at), 0)
        if not place or at - place > far:
            return best
        while True:
            if self.raw[place + best[0]] == self.raw[at + best[0]]:
                n = self.same(place, at, most)
                if n > best[0]:
                    best = n, at - place
                    if n >= nice:
                        return best
            place = self.earlier_of(place)
            chain -= 1 if place and at - place < far else 0
            if not place or at - place >= far or chain == 0:
                return best

    def worthy(self, match):
        """The match, unless it costs more than it saves."""
        length, distance = match
        if self.manner.filtered and length <= FILTERED:
            return NO_MATCH
        return NO_MATCH if length == MATCH_LEAST and distance > TOO_FAR else match

    # ---- Tokens ----

    def token(self):
        """(the next token, whether it is a literal since the next byte has a longer match)."""
        if self.manner.level < LAZY_LEVEL:
            match = self.search(self.at, MATCH_LEAST - 1)
            return (match if match[1] else LITERAL), False
        if self.waiting == self.at:
            match = self.next
        else:
            match = self.worthy(self.search(self.at, MATCH_LEAST - 1))
        if not match[1]:
            return LITERAL, False
        if match[0] < self.lazy and len(self.raw) - self.at > 1:
            later = self.worthy(self.search(self.at + 1, match[0]))
            if later[0] > match[0]:
                self.waiting, self.next = self.at + 1, later
                return LITERAL, True
        return match, False

    def take(self, token):
        """The token that really is there."""
        length, distance = token
        to = self.at + length
        if (self.manner.level < LAZY_LEVEL and distance and
                (length > self.lazy or len(self.raw) - to < MATCH_LEAST)):
            self.keep(self.at + 1)
            self.kept = to
        self.at = to

    def stored(self, most):
        """How many bytes zlib would store in a block; it looks for tokens for them."""
        filling, at = Filling(self.manner), self.at
        while self.at < len(self.raw) and not filling.is_full() and filling.size < most:
            token, _ = self.token()
            filling.add(token)
            self.take(token)
        self.at = at
        return filling.size

    def distance(self, length, skip):
        """Of an earlier place where `length` bytes are as here, so many nearer ones passed over;
        0: there is none."""
        if len(self.raw) - self.at < length:
            return 0
        self.keep(self.at)
        place, before = self.head.get(self.hash_at(self.at), 0), len(self.raw)
        for _ in range(WALK_MOST):
            if not 0 < place < before:
                return 0
            if (0 < self.at - place <= WINDOW_MOST and
                    self.same(place, self.at, length) == length):
                if skip == 0:
                    return self.at - place
                skip -= 1
            before, place = place, self.earlier_of(place)
        return 0


# ---- Codes ----


class Heap:
    """Nodes from 1 on: the least first, of equals the less deep, then the one in its place."""

    def __init__(self, count):
        self.count = dict(count)
        self.depth = {symbol: 0 for symbol in count}
        self.node = [None] + list(count)
        for at in reversed(range(1, len(count) // 2 + 1)):
            self.sink(at)

    def before(self, a, b):
        return (self.count[a], self.depth[a]) <= (self.count[b], self.depth[b])

    def sink(self, at):
        node = self.node
        v = node[at]
        below = 2 * at
        while below < len(node):
            if below + 1 < len(node) and self.before(node[below + 1], node[below]):
                below += 1
            if self.before(v, node[below]):
                break
            node[at] = node[below]
            at = below
            below *= 2
        node[at] = v

    def pop(self):
        least = self.node[1]
        last = self.node.pop()
        if len(self.node) > 1:
            self.node[1] = last
            self.sink(1)
        return least


def lengths_of(counts, longest):
    """Lengths of the codes that zlib gives to symbols with these counts, to the last that has
    one."""
    used = {symbol: count for symbol, count in enumerate(counts) if count}
    most = max(used, default=-1) + 1
    while len(used) < 2:
        extra = most if most < 3 else 0
        most += most < 3
        used[extra] = 1
    heap = Heap(used)
    up, order, node = {}, [], len(counts)
    while len(heap.node) > 2:
        a = heap.pop()
        b = heap.node[1]
        order += [a, b]
        heap.count[node] = heap.count[a] + heap.count[b]
        heap.depth[node] = max(heap.depth[a], heap.depth[b]) + 1
        up[a] = up[b] = node
        heap.node[1] = node
        heap.sink(1)
        node += 1
    bits, over = {node - 1: 0}, 0
    for v in reversed(order):
        bits[v] = bits[up[v]] + 1
        if bits[v] > longest:
            bits[v] = longest
            over += 1
    leaves = [v for v in order if v < len(counts)]
    if over:
        shorten(bits, leaves, longest, over)
    return [bits[symbol] if symbol in used else 0 for symbol in range(most)]


def shorten(bits, leaves, longest, over):
    """Leaves that lie too deep take the places of shallower ones."""
    lengths = [0] * (longest + 1)
    for v in leaves:
        lengths[bits[v]] += 1
    while over > 0:
        k = longest - 1
        while not lengths[k]:
            k -= 1
        lengths[k] -= 1
        lengths[k + 1] += 2
        lengths[longest] -= 1
        over -= 2
    rarest_first = iter(leaves)
    for k in reversed(range(1, longest + 1)):
        for _ in range(lengths[k]):
            bits[next(rarest_first)] = k


def runs_of(lengths):
    """How zlib writes lengths of codes: (symbol, how often)."""
    runs, at = [], 0
    while at < len(lengths):
        length = lengths[at]
        again = at > 0 and length > 0 and lengths[at - 1] == length
        most = 138 if not length else 6 if again else 7
        times = 1
        while times < most and at + times < len(lengths) and lengths[at + times] == length:
            times += 1
        symbol = 16 if length else 17 if times <= 10 else 18
        plain = 0 if again or not length else 1
        if times < 3 + plain:
            plain = times
        runs += [(length, 1)] * plain
        if times > plain:
            runs.append((symbol, times - plain))
        at += times
    return runs


def guess_runs(codes):
    codes.runs = runs_of(codes.literals) + runs_of(codes.distances)


def guess_run_lengths(codes):
    counts = [0] * 19
    for symbol, _ in codes.runs:
        counts[symbol] += 1
    lengths = lengths_of(counts, 7)
    codes.run_lengths = lengths + [0] * (19 - len(lengths))
    codes.run_count = 19
    while codes.run_count > 4 and not codes.run_lengths[RUN_ORDER[codes.run_count - 1]]:
        codes.run_count -= 1


def guess_codes(tokens, raw):
    """(the codes of a block, whether it would rather be a fixed one)."""
    literals, distances = [0] * LITERALS, [0] * DISTANCES
    literals[END] = 1
    at = 0
    for length, distance in tokens:
        if distance:
            literals[257 + symbol_of(LENGTH, length)] += 1
            distances[symbol_of(DISTANCE, distance)] += 1
        else:
            literals[raw[at]] += 1
        at += length
    codes = Codes(lengths_of(literals, CODE_MOST), lengths_of(distances, CODE_MOST))
    guess_runs(codes)
    guess_run_lengths(codes)

    def bits(counts, lengths):
        return sum(count * length for count, length in zip(counts, lengths))

    extra = (bits(literals[257:], [k for _, k in LENGTH]) +
             bits(distances, [k for _, k in DISTANCE]))
    own = (bits(literals, codes.literals) + bits(distances, codes.distances) + extra +
           sum(codes.run_lengths[symbol] + REPEAT.get(symbol, (0, 0))[1]
               for symbol, _ in codes.runs) + 14 + 3 * codes.run_count)
    fixed = bits(literals, FIXED_LITERALS) + bits(distances, FIXED_DISTANCES) + extra
    return codes, (fixed + 10) // 8 <= (own + 10) // 8
