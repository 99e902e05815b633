"""What the model `max` goes by: numbers as a matrix, guesses, decisions (formats/max.md)."""

from mixing import limit

MASK = 0xffffffff
MASK64 = (1 << 64) - 1
POINT = 40  # fractional bits of a number whose exponent is the tensor's largest
VALUE_MOST = POINT + 2
WIDTH = 4096  # columns at most
LINEAR_LEAST = 8  # columns, for linear prediction
USUAL = 1024  # a number as large as its row and column promise
ASSUMED = 4


def top_bit(v):
    """The place of the highest one; 0 for 0."""
    return max(v.bit_length() - 1, 0)


def log_of(v):
    """The binary logarithm in 1/256, straight between powers of two; 0 for 0."""
    top = top_bit(v)
    return top << 8 | (v >> top - 8 if top >= 8 else v << 8 - top) & 255


def hash32(a, b):
    x = (a & MASK) * 0x9E3779B97F4A7C15 ^ ((b & MASK) + 0x7F4A7C15) * 0xD6E8FEB86659FD93
    x &= MASK64
    x ^= x >> 29
    return (x * 0xBF58476D1CE4E5B9 & MASK64) >> 32


def mix(i, a, b):
    return hash32(a << 3 | i, b)


def z_step(v):
    """Finer near the mean; v in 1/256."""
    u = ~v if v < 0 else v
    if u < 512:
        q = u >> 5
    elif u < 1024:
        q = 16 + (u - 512 >> 6)
    elif u < 2048:
        q = 24 + (u - 1024 >> 8)
    else:
        q = 28 + (u - 2048 >> 11) if u < 8192 else 31
    return 31 - q if v < 0 else 32 + q


class Guess:
    """A mean and a spread in fixed point."""

    def __init__(self, mean, spread):
        self.mean = mean
        self.spread = max(spread, 1)
        self.log = log_of(self.spread)
        self.shift = top_bit(self.spread) - 15
        self.inverse = (1 << 31) // self.scaled(self.spread)

    def scaled(self, v):
        return v >> self.shift if self.shift >= 0 else v << -self.shift

    def cell(self, cells, decision):
        """By where the split lies from the mean, and how wide the interval is, in spreads."""
        z = decision.split - (-self.mean if decision.sign else self.mean)
        z = limit(self.scaled(z), 1 << 22) * self.inverse >> 23
        w = log_of(decision.width) - self.log + (6 << 8) >> 6
        return cells[decision.kind, max(0, min(w, 63)), z_step(z)]


class Column:
    def __init__(self):
        self.size = 0  # mean magnitude over the row's
        self.last = self.last2 = 0  # the values above
        self.miss = 0  # how far off carrying on was
        self.rank = self.rank2 = 0  # of the numbers above
        self.exponent = 0
        self.hits = [0, 0]  # whether above was right, or carrying on


class Recall:
    """A number that is expected to the last bit."""

    def __init__(self, parts, alive, confidence):
        self.sign, self.exponent, self.mantissa = parts
        self.alive, self.confidence = alive, confidence

    def speaks(self):
        return self.alive and self.confidence > 0


class Decision:
    def __init__(self, kind, clas, node, sign=0, split=0, width=0, recalled=(), own=None):
        self.kind, self.clas, self.node, self.sign = kind, clas, node, sign
        self.split, self.width = split, width
        self.recalled = recalled  # what each recall says
        self.own = own  # a cell in place of the third context's


class Row:
    def __init__(self, usual):
        self.rest, self.count = usual * ASSUMED, ASSUMED  # of what the linear guess left
        self.all = 0
        self.left = 0  # the exponent before


class Matrix:
    """The slab as rows along its longer side."""

    def __init__(self, value, count, row, quants=None, steps=None, raw=None):
        if not 0 < row <= count:
            row = count
        rows = -(-count // row)
        if min(rows, row) > WIDTH:
            row, rows = count, 1
        self.value, self.count = value, count
        self.rows, self.columns, self.step_row, self.step_column = rows, row, row, 1
        if row > rows:
            self.rows, self.columns, self.step_row, self.step_column = row, rows, 1, row
        self.linear = self.columns >= LINEAR_LEAST
        self.level = 1 << POINT - 2
        self.usual = USUAL
        self.top = 0
        self.unit = 0  # left shift from 2^-24 to POINT fractional bits
        self.quants = quants  # these blocks' quants are coded
        self.steps = steps  # these blocks' steps are coded
        self.raw = raw  # the blocks
        self.seen = {}  # of each grid: which ends were met

    def power(self, exponent):
        """The smallest value with an exponent."""
        s = POINT + exponent - self.top
        return 0 if exponent == 0 or s < 0 else 1 << min(s, VALUE_MOST)

    def value_of(self, sign, exponent, mantissa):
        bits = self.value.mantissa_bits(exponent)
        e = 1 if self.value.exponent and not exponent else exponent
        if e > self.top:
            mantissa = 0
        x = (1 << bits if exponent else 0) | mantissa
        s = POINT + (1 if e > self.top else e - self.top) - bits
        r = x << s if s >= 0 else x >> -s
        return -r if sign else r

    def to_point(self, v):
        """From 2^-24."""
        if self.unit < 0:
            return v >> min(-self.unit, 63)
        return limit(v, 1 << VALUE_MOST + 2 >> self.unit) << self.unit

    def step_offset(self, place):
        """The minimum of the block whose step is coded."""
        return 0 if self.steps.offset is None else self.steps.half(self.raw, place,
                                                                   self.steps.offset)


class Places:
    """Numbers that lie `stride` bytes apart."""

    def __init__(self, raw, first, stride, size):
        self.raw, self.first, self.stride, self.size = raw, first, stride, size

    def put(self, place, u):
        at = self.first + place * self.stride
        self.raw[at:at + self.size] = u.to_bytes(self.size, "little")
