"""Adaptive probabilities and their mixture (formats/max.md, Arithmetic)."""

from operator import mul

from history import STRETCH, limit_stretch, squash

WEIGHT_ONE = 1 << 29


def signed32(v):
    return (v + (1 << 31) & 0xffffffff) - (1 << 31)


def quotient(a, b):
    """Rounded towards zero."""
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def limit(v, most):
    return max(-most, min(most, v))


class Cell:
    """A probability in 2^-22, and how many bits it has seen."""

    __slots__ = ("p", "seen")

    def __init__(self):
        self.p = 1 << 21
        self.seen = 0

    def learn(self, bit, most):
        error = (bit << 22) - bit - self.p
        self.p += (error >> 5) * (32768 // (2 * self.seen + 3)) >> 9
        self.seen += self.seen < most

    def stretch(self):
        return STRETCH[self.p >> 10]


class Cells(dict):
    """Cells by any key, each there from its first use on."""

    def __missing__(self, key):
        self[key] = cell = Cell()
        return cell


class Mixer:
    """Sets of rows of weights; the mean of what a row of each set makes of the inputs."""

    def __init__(self, inputs, start):
        self.start = [start] * inputs
        self.rows = {}

    def mix(self, inputs, selected):
        """The probability in 1/65536."""
        self.inputs = inputs
        self.selected = [self.rows.setdefault((s, row), list(self.start))
                         for s, row in enumerate(selected)]
        self.outputs = []
        for row in self.selected:
            dot = sum(map(mul, inputs, (signed32(w) >> 16 for w in row)))
            self.outputs.append(limit_stretch(signed32(dot) >> 13))
        return squash(quotient(sum(self.outputs), len(self.outputs)))

    def learn(self, bit, rate):
        for row, output in zip(self.selected, self.outputs):
            error = ((bit << 16) - squash(output)) * rate
            step = limit(error + (1 << 15) >> 16, 32767)
            row[:] = [w + x * step for w, x in zip(row, self.inputs)]
