"""Number formats of tensors (formats/weights.md, Dtypes)."""

from collections import namedtuple

Dtype = namedtuple("Dtype", "name size elements")  # bytes and elements of a block

PLAIN = {
    0: ("BYTES", 1), 1: ("U8", 1), 2: ("I8", 1), 3: ("BOOL", 1), 4: ("U16", 2), 5: ("I16", 2),
    6: ("U32", 4), 7: ("I32", 4), 8: ("U64", 8), 9: ("I64", 8), 16: ("F16", 2), 17: ("BF16", 2),
    18: ("F32", 4), 19: ("F64", 8), 20: ("C64", 8), 21: ("C128", 16), 32: ("F8_E4M3", 1),
    33: ("F8_E5M2", 1), 34: ("F8_E4M3FNUZ", 1), 35: ("F8_E5M2FNUZ", 1), 36: ("F8_E8M0", 1),
}
BLOCKS = {
    37: ("F4", 1, 2), 38: ("F6_E2M3", 3, 4), 39: ("F6_E3M2", 3, 4), 40: ("U4", 1, 2),
    41: ("I4", 1, 2), 66: ("Q4_0", 18, 32), 67: ("Q4_1", 20, 32), 70: ("Q5_0", 22, 32),
    71: ("Q5_1", 24, 32), 72: ("Q8_0", 34, 32), 73: ("Q8_1", 36, 32), 74: ("Q2_K", 84, 256),
    75: ("Q3_K", 110, 256), 76: ("Q4_K", 144, 256), 77: ("Q5_K", 176, 256),
    78: ("Q6_K", 210, 256), 79: ("Q8_K", 292, 256), 80: ("IQ2_XXS", 66, 256),
    81: ("IQ2_XS", 74, 256), 82: ("IQ3_XXS", 98, 256), 83: ("IQ1_S", 50, 256),
    84: ("IQ4_NL", 18, 32), 85: ("IQ3_S", 110, 256), 86: ("IQ2_S", 82, 256),
    87: ("IQ4_XS", 136, 256), 93: ("IQ1_M", 56, 256), 98: ("TQ1_0", 54, 256),
    99: ("TQ2_0", 66, 256), 103: ("MXFP4", 17, 32), 104: ("NVFP4", 36, 64),
    105: ("Q1_0", 18, 128), 106: ("Q2_0", 18, 64),
}
DTYPES = {number: Dtype(*about, 1) for number, about in PLAIN.items()}
DTYPES.update((number, Dtype(*about)) for number, about in BLOCKS.items())


class Value:
    """What the bits of a number mean; without an exponent it is a signed integer."""

    def __init__(self, bits, exponent=0, mantissa=0):
        self.bits, self.exponent, self.mantissa = bits, exponent, mantissa
        self.mask = (1 << bits) - 1
        self.top = 1 << bits - 1
        self.exponent_most = (1 << exponent) - 1 if exponent else bits - 1
        self.is_finite = exponent == 4  # no infinities, one NaN

    def mantissa_bits(self, exponent):
        return self.mantissa if self.exponent else max(exponent - 1, 0)

    def split(self, u):
        """(sign, exponent, mantissa): of an integer the length of its magnitude and the bits
        below the first."""
        sign = u >> self.bits - 1
        if self.exponent:
            return (sign, u >> self.mantissa & self.exponent_most, u & (1 << self.mantissa) - 1)
        magnitude = (~u if sign else u) & self.top - 1
        exponent = magnitude.bit_length()
        return sign, exponent, magnitude - (1 << exponent - 1 if exponent else 0)

    def join(self, sign, exponent, mantissa):
        if self.exponent:
            return sign << self.bits - 1 | exponent << self.mantissa | mantissa
        magnitude = 1 << exponent - 1 | mantissa if exponent else 0
        return (~magnitude if sign else magnitude) & self.mask

    def rank(self, u):
        """An unsigned integer in the order of the numbers."""
        return ~u & self.mask if self.exponent and u & self.top else u ^ self.top

    def unrank(self, rank):
        rank &= self.mask
        return ~rank & self.mask if self.exponent and not rank & self.top else rank ^ self.top


VALUES = {
    32: Value(8, 4, 3), 33: Value(8, 5, 2), 16: Value(16, 5, 10), 17: Value(16, 8, 7),
    18: Value(32, 8, 23), 19: Value(64, 11, 52),
    2: Value(8), 5: Value(16), 7: Value(32), 9: Value(64),
}
F16 = 16
I8 = 2


def is_float(number):
    return number in VALUES and VALUES[number].exponent > 0
