"""The form `delta`: numbers told by their difference from a base (formats/weights.md)."""

from dtype import DTYPES, VALUES, Value, is_float
from errors import require
from plane import Plane, chunks
from span import Bits

SETS = 16


def decode(slab, tables, span, base):
    dtype = span.byte()
    at = span.varint()
    require(dtype in DTYPES and
            (dtype == slab.dtype or (is_float(dtype) and is_float(slab.dtype))),
            "a base of a type that cannot be brought to the slab's")
    source = DTYPES[dtype]
    require(base is not None and at <= len(base) and
            slab.n <= (len(base) - at) // source.size, "a base that is not there")
    base = base[at:at + slab.n * source.size]
    about = DTYPES[slab.dtype]
    size = about.size if about.elements == 1 and about.size in (2, 4, 8) else 1
    value = VALUES.get(slab.dtype, Value(8 * size))
    units = slab.n * about.size // size
    below = 1 if size == 8 else 2
    lowest = span.signed(2)
    plane = Plane(span, tables)
    require(plane.sets == SETS, "a plane with another number of sets")

    def base_unit(i):
        u = int.from_bytes(base[i * width:(i + 1) * width], "little")
        return u if dtype == slab.dtype else convert(VALUES[dtype], value, u)

    def set_of(u):
        return max(0, min(value.split(u)[1] - lowest, SETS - 1)) if value.exponent else 0

    width = size if dtype == slab.dtype else source.size
    raw = bytearray()
    for first, count, code in chunks(span, units):
        bases = [base_unit(first + i) for i in range(count)]
        symbols = plane.read(code, count, [set_of(u) for u in bases])
        bits = Bits(code.rest())
        for symbol, u in zip(symbols, bases):
            z = difference(symbol, below, value.bits, bits)
            step = -(z + 1) // 2 if z & 1 else z // 2
            u = value.unrank(value.rank(u) + step)
            raw += u.to_bytes(size, "little")
        bits.finished()
    return raw


def difference(symbol, below, most, bits):
    """A difference without its sign: doubled, and less one for a negative one."""
    if symbol == 0:
        return 0
    length = (symbol - 1 >> below) + 1
    require(length <= most, "a difference of too many bits")
    told = min(length - 1, below)
    first = 1 << told | symbol - 1 & (1 << told) - 1
    rest = length - 1 - told
    return first << rest | bits.get(rest)


def shift_round(mantissa, down):
    """mantissa / 2^down, to nearest, ties to even."""
    if down <= 0:
        return mantissa << -down
    quotient, rest = mantissa >> down, mantissa & (1 << down) - 1
    half = 1 << down - 1
    return quotient + (rest > half or (rest == half and quotient & 1))


def convert(source, target, u):
    """A number of one float format as one of another."""
    sign, exponent, mantissa = source.split(u)
    infinity = target.exponent_most << target.mantissa
    if exponent == source.exponent_most and (not source.is_finite or mantissa == 7):
        out = infinity | ((1 << target.mantissa) - 1 if mantissa else 0)
    elif exponent == 0 and mantissa == 0:
        out = 0
    else:
        scale = max(exponent, 1) - (source.exponent_most >> 1)
        if exponent:
            mantissa |= 1 << source.mantissa
        while not mantissa >> source.mantissa:
            mantissa <<= 1
            scale -= 1
        place = scale + (target.exponent_most >> 1)
        down = source.mantissa - target.mantissa
        if place < 1:
            out = shift_round(mantissa, down + 1 - place)
        else:
            out = (place - 1 << target.mantissa) + shift_round(mantissa, down)
        if target.is_finite:
            out = min(out, infinity | 6)
        else:
            out = min(out, infinity)
    return sign << target.bits - 1 | out
