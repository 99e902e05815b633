"""What the numbers of a row tell about the next one (formats/max.md, Linear prediction; Kin)."""

from math import isqrt
from operator import mul

from mixing import limit, quotient, signed32

ONE = 1024
BLOCK, GROUP = 1024, 32  # columns
CELL_ONE, CELL_MOST = 64, 1023
SUM_MOST = 1 << 29
C_MOST = 32767
LEFT_LEAST = 1 << 20
SIZE_LEAST, SIZE_MOST = ONE // 64, ONE * 64
ROWS_FIRST, ROWS_KEPT = 24, 100
Z_MOST = 8191


class Linear:
    def __init__(self):
        self.columns = 0
        self.rows = 0
        self.kin = Kin()
        self.x, self.z, self.cell = [], [], []

    def start(self, columns):
        """A matrix of so many columns follows."""
        if columns == self.columns and self.rows:
            while self.weight > ROWS_KEPT:
                self.halve()
        else:
            count = -(-columns // BLOCK)
            self.block = -(-(-(-columns // count)) // GROUP) * GROUP
            self.columns = columns
            self.weight = 0
            # The covariance of two columns of a block, the first not before the second.
            self.covariance = [[0] * (i % self.block + 1) for i in range(columns)]
            self.z = [0] * columns
            self.x = [0] * columns
        self.kin.start(columns)
        self.rows, self.next_split = 0, ROWS_FIRST
        self.known = False

    # ---- A row ----

    def expect(self, column):
        """(what to expect of a column, the spread around it in 1/4096 of the usual)."""
        if not self.known:
            return 0, 4096
        first = column - column % self.block
        total = signed32(sum(map(mul, self.z[first:column], self.c[column])))
        self.expected[column] = total * self.size[column] >> 23
        kin = self.kin.expect(self.z, column)
        return ((total + kin * self.diagonal[column]) * self.size[column] >> 23,
                self.spread[column])

    def see(self, column, x):
        self.x[column] = x
        if self.known:
            rest = x - self.expected[column]
            self.z[column] = limit(rest * self.inverse[column] >> 20, Z_MOST)

    def end(self, size):
        """The row is complete; size: of its numbers, ONE for an ordinary row."""
        scale = (CELL_ONE << 20) // max(size, SIZE_LEAST)
        cell = [limit(x * scale >> 20, CELL_MOST) for x in self.x]
        full = False
        for i, row in enumerate(self.covariance):
            first = i - i % self.block
            row[:] = [v + cell[i] * other for v, other in zip(row, cell[first:])]
            full = full or row[-1] > SUM_MOST
        if full:
            self.halve()
        if self.known:
            self.kin.end(self.z, size)
        self.rows += 1
        self.weight += 1
        if self.rows >= self.next_split:
            self.split()
            self.next_split += self.next_split // 8

    def halve(self):
        self.weight = (self.weight + 1) // 2
        for row in self.covariance:
            row[:] = [quotient(v, 2) for v in row]

    # ---- The split ----

    def split(self):
        """Correlations as C times its transpose, block by block."""
        if not self.known:
            self.known = True
            self.expected = [0] * self.columns
        self.c, self.diagonal, self.size, self.spread, self.inverse = [], [], [], [], []
        for first in range(0, self.columns, self.block):
            self.split_block(first, min(self.block, self.columns - first))

    def split_block(self, first, columns):
        trust = (self.weight << 16) // (self.weight + columns // 2)
        inverse = []
        for i in range(columns):
            covariance = self.covariance[first + i]
            variance = covariance[-1]
            inverse.append((1 << 46) // isqrt(variance << 30) if variance else 0)
            c = []
            left = 1 << 30
            for k in range(i):
                dot = sum(map(mul, c, self.c[first + k]))
                a = (covariance[k] * inverse[i] >> 16) * inverse[k] >> 16
                value = quotient((a * trust >> 16) - dot, self.diagonal[first + k])
                c.append(limit(value, C_MOST))
                left -= c[-1] ** 2
            self.c.append(c)
            diagonal = isqrt(max(left, LEFT_LEAST))
            size = isqrt((variance << 16) // self.weight) * (ONE // CELL_ONE) >> 8
            size = max(SIZE_LEAST, min(size, SIZE_MOST))
            self.diagonal.append(diagonal)
            self.size.append(size)
            self.spread.append((size * diagonal >> 15) * 4096 // ONE + 1)
            self.inverse.append((1 << 43) // (size * diagonal))


# ---- Rows that resemble this one ----

STEP = 64  # columns between two searches
NUMBERS, ROWS = 12 << 20, 32768  # remembered at most
ROWS_LEAST = 200  # before the first search
LISTED, KIN = 32, 4
TRUST_ONE = 4096
MEMORY = 8


def sketch_of(z):
    return sum(1 << i for i, v in enumerate(z) if v < 0)


class Kin:
    def start(self, columns):
        self.columns = columns
        self.stride = -(-columns // STEP) * STEP
        self.room = min(NUMBERS // self.stride, ROWS) & ~15
        self.rows = 0
        steps = self.stride // STEP
        self.good, self.all, self.trust = [0] * steps, [0] * steps, [0] * steps
        self.expected = [0] * self.stride
        self.past = []  # rows of z
        self.sketches = []

    def expect(self, z, column):
        if self.rows < ROWS_LEAST or column < STEP:
            return 0
        if column % STEP == 0:
            self.search(z, column)
        return quotient(self.expected[column] * self.trust[column // STEP], TRUST_ONE)

    def search(self, z, at):
        """Expectations for the columns from `at` on, which are not known yet."""
        before = at // STEP - 1
        if before == 0:
            self.differ = [0] * len(self.past)
        sketch = sketch_of(z[before * STEP:at])
        self.differ = [d + bin(s[before] ^ sketch).count("1")
                       for d, s in zip(self.differ, self.sketches)]
        listed = sorted(range(len(self.past)), key=self.differ.__getitem__)[:LISTED]
        alike = [signed32(sum(map(mul, z[:at], self.past[r]))) for r in listed]
        total = [0] * STEP
        for _ in range(KIN):
            best = alike.index(max(alike))
            if alike[best] <= 0:
                break
            weight = alike[best] // at
            alike[best] = 0
            row = self.past[listed[best]][at:at + STEP]
            total = [t + weight * v for t, v in zip(total, row)]
        self.expected[at:at + STEP] = [limit(t >> 16, Z_MOST) for t in total]

    def end(self, z, size):
        scale = (ONE << 16) // max(size, SIZE_LEAST)
        row = [limit(v * scale >> 16, Z_MOST) for v in z]
        if self.rows >= ROWS_LEAST:
            self.learn_trust(row, scale)
        row += [0] * (self.stride - self.columns)
        sketches = [sketch_of(row[at:at + STEP]) for at in range(0, self.stride, STEP)]
        if self.rows < self.room:
            self.past.append(row)
            self.sketches.append(sketches)
        else:
            self.past[self.rows % self.room] = row
            self.sketches[self.rows % self.room] = sketches
        self.rows += 1

    def learn_trust(self, row, scale):
        """The factor that would have made the last expectations best."""
        expected = [limit(v * scale >> 16, Z_MOST) for v in self.expected]
        for s in range(1, self.stride // STEP):
            here = slice(s * STEP, min((s + 1) * STEP, self.columns))
            good = sum(map(mul, row[here], expected[here]))
            every = sum(v * v for v in expected[here])
            self.good[s] += good - (self.good[s] >> MEMORY)
            self.all[s] += every - (self.all[s] >> MEMORY)
            trust = quotient(self.good[s] * TRUST_ONE, self.all[s]) if self.all[s] > 0 else 0
            self.trust[s] = max(0, min(trust, 2 * TRUST_ONE))
