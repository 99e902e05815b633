"""The form `max`: numbers by a model that learns from slab to slab (formats/max.md)."""

import slabs
from arith import Arith
from dtype import DTYPES, F16, I8, VALUES
from errors import require
from linear import Linear
from matrix import (MASK, POINT, USUAL, VALUE_MOST, Column, Decision, Guess, Matrix, Places,
                    Recall, Row, hash32, log_of, mix, top_bit)
from mixing import WEIGHT_ONE, Cell, Cells, Mixer, limit, quotient
from quants import QUANTS, half_value

HISTORY = 1 << 20  # numbers
MATCH_LEAST, MATCH_MOST = 3, 16
BITS_SURE = 3
STEPS_MOST = 10
RATE_FIRST, RATE_LAST = 12000, 3000
MEMORY = 250  # rows that a column's size remembers
LOW_LEARN, LOW_LEAST, LOW_NOISE = 8, 64, 1 << 27

SIGN, ABOVE, BELOW, MANTISSA, QUANT = range(5)
CLASS_SIGN, CLASS_ABOVE, CLASS_UP = 0, 1, 2
CLASS_DOWN = CLASS_UP + STEPS_MOST
CLASS_QUANT = CLASS_DOWN + STEPS_MOST
CLASS_MANTISSA = CLASS_QUANT + 8
CLASSES = 72
SEEN_LOWEST, SEEN_HIGHEST = 1, 2


class Model:
    def __init__(self):
        self.linear = Linear()
        self.mixer = Mixer(10, WEIGHT_ONE // 6)
        self.rate = RATE_FIRST
        self.tensor = 0
        self.number = 0
        self.shape = (Cells(), Cells())
        self.cells = [Cells() for _ in range(4)]
        self.right = Cells()
        self.points = Cells()
        self.far = Cells()
        self.hits = [0, 0]
        self.past = {}  # the numbers before, by their count modulo HISTORY
        self.recent = {}
        self.match = self.match_length = 0

    # ---- A decision ----

    def context_cell(self, i, node):
        line = (self.context[i] ^ (node >> 4) * 0x9E3779B1) * 0x85EBCA6B & MASK
        return self.cells[i][line >> 20, node & 15]

    def rows_of(self, decision):
        first, second, match = self.recalls
        told = (first.speaks() | second.speaks() << 1 |
                (0 if not match.alive else 2 if match.confidence > 8 else 1) << 2)
        return decision.clas, (self.age, decision.kind), (told, decision.kind)

    def decide(self, d):
        shapes = [guess.cell(cells, d) for guess, cells in zip(self.guesses, self.shape)]
        contexts = [self.context_cell(i, d.node) for i in range(4)]
        if d.own:
            contexts[2] = d.own
        inputs = [cell.stretch() for cell in shapes + contexts]
        right = []
        for i, recall in enumerate(self.recalls):
            cell = self.right[i, recall.confidence, d.clas]
            right.append(cell)
            st = cell.stretch() if recall.alive else 0
            inputs.append(st if d.recalled[i] else -st)
        inputs.append(256)
        bit = self.coder.bit(self.mixer.mix(inputs, self.rows_of(d)))
        self.mixer.learn(bit, self.rate)
        for cell in shapes:
            cell.learn(bit, 1023)
        for cell in contexts:
            cell.learn(bit, 400)
        for recall, cell, said in zip(self.recalls, right, d.recalled):
            if recall.alive:
                recall.alive = bit == said
                cell.learn(int(recall.alive), 255)
        return bit

    def code_cell(self, cell):
        bit = self.coder.bit(max(cell.p >> 6, 1))
        cell.learn(bit, 1023)
        return bit

    # ---- A number ----

    def sharper(self):
        first, second = self.guesses
        return second if second.spread < first.spread else first

    def some_recall(self):
        return any(recall.speaks() for recall in self.recalls)

    def recalled_bits(self, place):
        return [recall.mantissa >> place & 1 for recall in self.recalls]

    def recalled_exponents(self, least, most):
        return [int(least <= recall.exponent <= most) for recall in self.recalls]

    def code_number(self, place):
        at = self.at
        sign = self.decide(Decision(SIGN, CLASS_SIGN, 0,
                                    recalled=[recall.sign for recall in self.recalls]))
        exponent = self.code_exponent(sign, self.expected_exponent())
        for recall in self.recalls:
            recall.alive = recall.alive and recall.exponent == exponent
        if at.steps:
            mantissa = self.code_step_mantissa(sign, exponent, at.step_offset(place))
        else:
            mantissa = self.code_mantissa(sign, exponent)
        return sign, exponent, mantissa

    def expected_exponent(self):
        guess = self.sharper()
        e = top_bit(max(abs(guess.mean), guess.spread)) - POINT + self.at.top
        return max(1, min(e, self.at.value.exponent_most))

    def code_exponent(self, sign, e):
        """From the expected exponent, e, step by step."""
        at, most = self.at, self.at.value.exponent_most
        node = 1 << 16
        power = at.power(e)
        up = self.decide(Decision(ABOVE, CLASS_ABOVE, node | e << 2, sign, power, power,
                                  self.recalled_exponents(e, most)))
        e -= 1 - up
        steps = 0
        while steps < STEPS_MOST and (e < most if up else e > 0):
            power = at.power(e + up)
            recalled = (self.recalled_exponents(e + 1, most) if up
                        else self.recalled_exponents(0, e - 1))
            decision = Decision(ABOVE if up else BELOW, (CLASS_UP if up else CLASS_DOWN) + steps,
                                node | e << 2 | 2 - up, sign, power, power, recalled)
            if not self.decide(decision):
                return e
            e += 1 if up else -1
            steps += 1
        return self.code_far(up) if steps == STEPS_MOST else e

    def code_far(self, up):
        most = self.at.value.exponent_most
        node = 1
        for _ in range(most.bit_length()):
            node = node * 2 + self.code_cell(self.far[up, node])
        return min(node - (1 << most.bit_length()), most)

    def code_mantissa(self, sign, exponent):
        at = self.at
        bits = at.value.mantissa_bits(exponent)
        fine = self.sharper().spread >> 2
        low, width = at.power(exponent), at.power(exponent or 1)
        r = 0
        for i in range(bits):
            place = bits - 1 - i
            if i >= BITS_SURE and width <= 2 * fine and not self.some_recall():
                return r << place + 1 | self.code_low(place + 1)
            width >>= 1
            clas = CLASS_MANTISSA + min(i, CLASSES - CLASS_MANTISSA - 1)
            node = 2 << 20 | exponent << 10 | 1 << i | r if i < 10 else 4 << 20 | i
            bit = self.decide(Decision(MANTISSA, clas, node, sign, low + width, width,
                                       self.recalled_bits(place)))
            low += width if bit else 0
            r = r << 1 | bit
        return r

    def is_noise(self, place):
        cell = self.low[place]
        return abs((cell.p << 10 | cell.seen) - 0x7fffffff) <= LOW_NOISE

    def code_low(self, bits):
        """The lowest bits, which are mostly noise."""
        r = 0
        while bits > 0:
            if not self.is_noise(bits - 1):
                bits -= 1
                r = r << 1 | self.code_cell(self.low[bits])
                continue
            n = 1
            while n < 8 and n < bits and self.is_noise(bits - 1 - n):
                n += 1
            bits -= n
            v = self.coder.even(n)
            if self.low[bits].seen < LOW_LEAST or self.number % LOW_LEARN == 0:
                for i in range(n):
                    self.low[bits + i].learn(v >> i & 1, 1023)
            r = r << n | v
        return r

    # ---- The steps of blocks ----

    def code_step_mantissa(self, sign, exponent, offset):
        """No bit of it is noise."""
        at = self.at
        low, width = at.power(exponent), at.power(exponent or 1)
        self.context[1] = mix(4, at.steps.dtype, 0)
        r = 0
        for i in range(at.value.mantissa):
            place = at.value.mantissa - 1 - i
            split = low + width * r + width // 2
            width //= 2
            own = self.points_cell(sign, exponent, r << place + 1, 2 << place, offset)
            r = r << 1 | self.decide(Decision(MANTISSA, CLASS_MANTISSA + i, 1 << i | r, sign,
                                              split, width, self.recalled_bits(place), own))
        return r

    def points_cell(self, sign, exponent, low, size, offset):
        """By how many numbers of eight bits a next bit of 0 would leave, and of 1."""
        extreme = self.at.steps.extreme * (-1 if sign else 1)
        ulp = 1 << (exponent - 1 if exponent > 1 else 0)
        ends = []
        for k in range(3):
            least = 2 * half_value((exponent << 10) + low + k * size // 2) - ulp
            ends.append(extreme * least + 2 * offset)
        return self.points[points_between(ends[0], ends[1]), points_between(ends[1], ends[2])]

    def guess_step(self, place):
        offset = abs(self.at.step_offset(place))
        if offset:
            step = quotient(self.at.to_point(2 * offset), self.at.steps.extreme)
            self.guesses[1] = Guess(step, quotient(step, 8))

    # ---- A quant ----

    def code_quant(self, step, offset):
        at = self.at
        bits = at.quants.bits
        fine = self.sharper().spread >> 2
        sign = int(step < 0)
        if sign:
            step, offset = -step, -offset
        r = 0
        for i in reversed(range(bits)):
            known = bits - 1 - i
            width = max(at.to_point(step << i), 1)
            end = r == 0 or r >> i + 1 == (1 << known) - 1
            if known >= BITS_SURE and width <= fine and not end and not self.some_recall():
                return r | self.code_low(i + 1)
            upper = step * (r + (1 << i)) + offset
            bit = self.decide(Decision(QUANT, CLASS_QUANT + known, 1 << known | r >> i + 1, sign,
                                       at.to_point(upper - step // 2), width,
                                       self.recalled_bits(i)))
            r |= bit << i
        return r

    def quant_contexts(self, j, place, step, offset):
        at, f = self.at, self.at.quants
        seen = at.seen.get(place // f.each, 0)
        left = f.each - place % f.each
        distance = ratio(offset, step) if offset else 0
        spread = ratio(self.sharper().spread, at.to_point(step)) >> 1
        self.context = [mix(4, self.tensor, distance),
                        mix(5, self.tensor, j),
                        mix(6, f.dtype, seen << 8 | left),
                        mix(7, spread, distance << 2 | seen)]

    # ---- Before a number ----

    def make_guesses(self, i, j, row):
        """(the linear guess in units of the column, the spread of an ordinary column as 4096)."""
        at, c = self.at, self.columns[j]
        mean, spread = 0, 4096
        if i == 0:
            c.size = at.level
        if at.linear:
            mean, spread = self.linear.expect(j)
            mean = limit(mean, 32 * USUAL)
        size = max(1, min(row.rest // row.count, 64 * USUAL))
        part = min(size * spread >> 12, 256 * USUAL)
        first = Guess(quotient(mean * c.size, USUAL), part * c.size // USUAL)
        if i > 1:
            second = Guess(2 * c.last - c.last2, c.miss)
        else:
            second = Guess(c.last, c.size if i else 2 * c.size)
        self.guesses = [first, second]
        ahead = first.log - second.log >> 9
        age = 0 if i < 4 else 1 if i < 16 else 2 if i < 64 else 3
        self.age = max(0, min(ahead, 3)) * 4 + age
        column_size = (log_of(c.size) + (at.top << 8) & MASK) >> 6
        self.context = [mix(0, self.tensor, 0),
                        mix(1, self.tensor, j),
                        mix(2, column_size, log_of(size) >> 6),
                        mix(3, row.left << 16 | c.exponent, first.log >> 7)]
        return mean, spread

    def make_recalls(self, j):
        value, c = self.at.value, self.columns[j]
        ranks = c.rank, 2 * c.rank - c.rank2
        matched = self.past.get(self.match % HISTORY, 0) & value.mask
        quants = self.at.quants is not None
        self.recalls = [
            Recall(value.split(value.unrank(rank)), not quants,
                   (self.hits[k] & 7) << 1 | c.hits[k]) for k, rank in enumerate(ranks)]
        self.recalls.append(Recall((0, 0, matched) if quants else value.split(matched),
                                   self.match_length > 0, min(self.match_length, 15)))

    # ---- After a number ----

    def learn_match(self, u):
        past = self.past
        if self.match_length and past.get(self.match % HISTORY, 0) == u:
            self.match += 1
            self.match_length = min(self.match_length + 1, 1 << 16)
        else:
            self.match_length = 0
        past[self.number % HISTORY] = u
        self.number += 1
        a, b = (past.get((self.number - k) % HISTORY, 0) for k in (2, 3))
        h = hash32(fold(u) + fold(a) * 0x9E3779B1, fold(b)) >> 16
        last = self.recent.get(h, 0)
        if not self.match_length and last and self.number - last < HISTORY - 1 - MATCH_MOST:
            n = 0
            while (n < min(MATCH_MOST, last) and
                   past.get((last - 1 - n) % HISTORY, 0) == past[(self.number - 1 - n) % HISTORY]):
                n += 1
            self.match = last
            self.match_length = n if n >= MATCH_LEAST else 0
        self.recent[h] = self.number

    def learn_column(self, i, c, u, x, exponent):
        value = self.at.value
        rank = value.rank(u)
        expected = c.rank, 2 * c.rank - c.rank2 & value.mask
        for k in range(2):
            c.hits[k] = int(rank == expected[k])
            self.hits[k] = self.hits[k] << 1 & MASK | c.hits[k]
        miss = abs(x - self.guesses[1].mean)
        c.miss = c.miss + quotient(miss - c.miss, min(i, 8)) if i > 1 else 2 * miss
        c.last2, c.last = c.last, x
        c.rank2, c.rank = c.rank, rank
        c.exponent = exponent

    def learn_row(self, i, row):
        at = self.at
        size = max(row.all // at.columns if at.linear else USUAL, 16)
        for c in self.columns:
            now = abs(c.last) * USUAL // size
            if i == 0:
                c.size = (now + 3 * at.level) // 4
            else:
                c.size += quotient(now - c.size, i + 2 if i < MEMORY else MEMORY)
            c.size = max(1, min(c.size, 1 << VALUE_MOST))
        if at.linear:
            self.linear.end(size)
        at.usual += quotient(row.rest // row.count - at.usual, 4)

    # ---- A slab ----

    def code_float(self, place, raw):
        """(the number's bits, its value, its exponent)."""
        at = self.at
        parts = self.code_number(place)
        u = at.value.join(*parts)
        raw.put(place, u)
        return u, at.value_of(*parts), parts[1]

    def code_block_quant(self, j, place, raw):
        at, f = self.at, self.at.quants
        step, offset = f.grid(raw, place)
        self.quant_contexts(j, place, step, offset)
        q = self.code_quant(step, offset)
        f.put(raw, place, q)
        grid = place // f.each
        if q <= (f.bits == 8):
            at.seen[grid] = at.seen.get(grid, 0) | SEEN_LOWEST
        if q == (1 << f.bits) - 1:
            at.seen[grid] = at.seen.get(grid, 0) | SEEN_HIGHEST
        return q, at.to_point(step * q + offset), q

    def code_place(self, i, j, place, raw, row):
        at, c = self.at, self.columns[j]
        mean, spread = self.make_guesses(i, j, row)
        if at.steps:
            self.guess_step(place)
        self.make_recalls(j)
        if at.quants:
            u, x, exponent = self.code_block_quant(j, place, raw)
        else:
            u, x, exponent = self.code_float(place, raw)
        q = limit(quotient(x * USUAL, c.size), 1 << 20)
        if at.linear:
            self.linear.see(j, q)
        if i == 0:
            at.level += quotient(abs(x) - at.level, j + 2 if j < 200 else 200)
            at.level = max(at.level, 1)
        row.rest += abs(q - mean) * 4096 // spread
        row.count += 1
        row.all += abs(q)
        row.left = exponent
        self.learn_column(i, c, u, x, exponent)
        self.learn_match(u)
        if self.rate > RATE_LAST and self.number % 64 == 0:
            self.rate -= (self.rate >> 10) + 1

    def code_matrix(self, raw):
        at = self.at
        self.tensor += 1
        self.columns = [Column() for _ in range(at.columns)]
        self.low = [Cell() for _ in range(64)]
        if at.linear:
            self.linear.start(at.columns)
        for i in range(at.rows):
            row = Row(at.usual)
            for j in range(at.columns):
                place = i * at.step_row + j * at.step_column
                if place >= at.count:
                    break
                self.code_place(i, j, place, raw, row)
            self.learn_row(i, row)

    def code_floats(self, matrix, raw):
        self.at = matrix
        for _ in range(11):
            matrix.top = matrix.top << 1 | self.coder.bit(1 << 15)
        matrix.unit = POINT - matrix.top - 9
        self.code_matrix(raw)

    def code_quants(self, f, raw, count, row):
        self.at = at = Matrix(VALUES[I8], count, row, quants=f, raw=raw)
        most = 1
        for i in range(0, count, f.each):
            step, offset = f.grid(raw, i)
            most = max(most, (abs(step) << f.bits - 1) + abs(offset))
        at.unit = POINT - top_bit(most)
        self.code_matrix(raw)

    def code_blocks(self, f, raw, slab):
        if f.extreme and f.offset is not None:
            minima = Places(raw, f.offset, f.block, 2)
            self.code_floats(Matrix(VALUES[F16], slab.n, slab.row), minima)
        if f.extreme:
            steps = Places(raw, f.step, f.block, 2)
            self.code_floats(Matrix(VALUES[F16], slab.n, slab.row, steps=f, raw=raw), steps)
        self.code_quants(f, raw, slab.n * f.elements, slab.row * f.elements)


def fold(u):
    return (u ^ u >> 32) & MASK


def ratio(a, b):
    """Binades between two sizes, in 1/8."""
    return log_of(abs(a)) - log_of(abs(b)) + (64 << 8) >> 5


def points_between(a, b):
    """How many numbers of eight bits lie between two, in 2^-25, of about a size."""
    ulp = max(top_bit(abs(b)) - 7, 0)
    return min(abs((b >> ulp) - (a >> ulp)), 15)


def decode(model, slab, tables, span):
    """A slab's bytes; the span begins behind its form."""
    require(slab.dtype in VALUES or slab.dtype in QUANTS, "numbers that the model is not for")
    quants = QUANTS.get(slab.dtype)
    raw = bytearray(slabs.size_of(slab))
    if quants and not quants.extreme:
        code = span.cut(span.varint())
        raw = slabs.decode_fields(slab, tables, code, quants)
        code.finished("the fields")
    model.coder = Arith(span.rest())
    if quants:
        model.code_blocks(quants, raw, slab)
    else:
        size = DTYPES[slab.dtype].size
        model.code_floats(Matrix(VALUES[slab.dtype], slab.n, slab.row),
                          Places(raw, 0, size, size))
    model.coder.finish()
    return raw
