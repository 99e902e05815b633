"""Blocks of ggml as small integers on grids (formats/max.md, Blocks)."""

from collections import namedtuple

from dtype import DTYPES

# Some bits of every quant: `width` bytes hold those of as many quants in their lowest bits, then of
# the next as many in the bits above.
Part = namedtuple("Part", "at bits width")


class Quants:
    def __init__(self, dtype, bits, each, step, offset, middle, extreme, at, size, low, high=None):
        self.dtype = dtype
        self.bits = bits  # of a quant
        self.each = each  # quants that share a grid
        self.step = step  # where in a block the half is that scales the steps,
        self.offset = offset  # and that for the offsets, or None: then
        self.middle = middle  # this quant stands for 0
        self.extreme = extreme  # this times the step beside the offset is a number of the block
        self.at, self.size = at, size  # where the quants' bytes are
        self.parts = [Part(*part) for part in (low, high) if part]
        self.block = DTYPES[dtype].size
        self.elements = DTYPES[dtype].elements

    def put(self, raw, index, quant):
        """Its bits must be zero."""
        block, i = divmod(index, self.elements)
        value = quant ^ 128 if self.bits == 8 else quant
        for part in self.parts:
            group, inside = divmod(i, part.width * 8 // part.bits)
            turn, byte = divmod(inside, part.width)
            at = block * self.block + part.at + group * part.width + byte
            raw[at] |= (value & (1 << part.bits) - 1) << part.bits * turn
            value >>= part.bits

    def half(self, raw, block, at):
        start = block * self.block + at
        return half_value(int.from_bytes(raw[start:start + 2], "little"))

    def grid(self, raw, index):
        """(step, offset) of a quant, in 2^-24: it stands for quant * step + offset."""
        block, i = divmod(index, self.elements)
        b = raw[block * self.block:(block + 1) * self.block]
        scale, minimum = factors(DTYPES[self.dtype].name, b, i // self.each)
        step = self.half(raw, block, self.step) * scale
        if self.offset is None:
            return step, -self.middle * step
        return step, self.half(raw, block, self.offset) * minimum


def half_value(half):
    """An F16 in 2^-24; infinities and NaNs count as 0."""
    exponent, mantissa = half >> 10 & 31, half & 1023
    if exponent == 0:
        value = mantissa
    elif exponent == 31:
        value = 0
    else:
        value = 1024 + mantissa << exponent - 1
    return -value if half >> 15 else value


def factors(name, b, k):
    """What the halves of a block are multiplied with for its grid k."""
    if name == "Q2_K":
        return b[k] & 15, -(b[k] >> 4)
    if name == "Q3_K":
        low = b[96 + k % 8] >> (0 if k < 8 else 4) & 15
        return (low | (b[104 + k % 4] >> 2 * (k // 4) & 3) << 4) - 32, 1
    if name in ("Q4_K", "Q5_K"):
        b = b[4:16]
        if k < 4:
            return b[k] & 63, -(b[k + 4] & 63)
        return b[k + 4] & 15 | b[k - 4] >> 6 << 4, -(b[k + 4] >> 4 | b[k] >> 6 << 4)
    if name == "Q6_K":
        return b[192 + k] - 256 if b[192 + k] > 127 else b[192 + k], 1
    return 1, 1


QUANTS = {q.dtype: q for q in (
    Quants(66, 4, 32, 0, None, 8, -8, 2, 16, (2, 4, 16)),
    Quants(67, 4, 32, 0, 2, 0, 15, 4, 16, (4, 4, 16)),
    Quants(70, 5, 32, 0, None, 16, -16, 2, 20, (6, 4, 16), (2, 1, 1)),
    Quants(71, 5, 32, 0, 2, 0, 31, 4, 20, (8, 4, 16), (4, 1, 1)),
    Quants(72, 8, 32, 0, None, 128, 127, 2, 32, (2, 8, 32)),
    Quants(74, 2, 16, 80, 82, 0, 0, 16, 64, (16, 2, 32)),
    Quants(75, 3, 16, 108, None, 4, 0, 0, 96, (32, 2, 32), (0, 1, 32)),
    Quants(76, 4, 32, 0, 2, 0, 0, 16, 128, (16, 4, 32)),
    Quants(77, 5, 32, 0, 2, 0, 0, 16, 160, (48, 4, 32), (16, 1, 32)),
    Quants(78, 6, 16, 208, None, 32, 0, 0, 192, (0, 4, 64), (128, 2, 32)),
)}
