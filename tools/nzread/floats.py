"""The form `numbers`: floats as symbols relative to their scale, and planes of rest
(formats/weights.md)."""

from collections import namedtuple

from errors import require
from plane import REPEATS, Plane, chunks, short_plane
from span import Bits

# Bytes of a number; bits of its top, those of them below the exponent, bits of its rest.
Format = namedtuple("Format", "size top kept rest")
FORMATS = {
    32: Format(1, 8, 4, 0), 33: Format(1, 8, 3, 0), 16: Format(2, 8, 3, 8),
    17: Format(2, 12, 4, 4), 18: Format(4, 12, 4, 20), 19: Format(8, 12, 1, 52),
}
PLACE_BITS = {32: 7, 33: 8, 16: 8, 17: 11, 18: 11, 19: 14}  # exponent and three of mantissa
ROW_MOST = 1 << 17
ROW_LEAST, ROW_NONE = 64, 512
BINADES, BELOW = 10, 6  # with a symbol for each top; of them below the mean
ZERO, ESCAPE = 254, 255
SETS, CLASSES = 4, 8
GROUP = 32


def rotate_right(v, bits):
    return v >> 1 | (v & 1) << bits - 1


def place_of(dtype, raw, index):
    """Where a number is on the scale of its format, in eighths of a binade."""
    size = FORMATS[dtype].size
    x = int.from_bytes(raw[index * size:(index + 1) * size], "little")
    without_sign = x << 1 & (1 << 8 * size) - 1
    return without_sign >> 8 * size - PLACE_BITS[dtype]


class Scale:
    """What to expect of a number from its place, in quarters of a binade."""

    def __init__(self, span, tables, slab, other):
        row = slab.row
        self.period, self.block = 0, ROW_NONE
        if 1 < row < slab.n and row <= ROW_MOST:
            self.period = row
            self.block = row * -(-ROW_LEAST // row) if row < ROW_LEAST else row
        self.rows = -(-slab.n // self.block)
        flags = span.byte()
        by_row, by_column, self.follows = flags & 1, flags >> 1 & 1, flags >> 2
        require(flags < 16 and not (self.follows and flags & 3) and
                (self.period or not by_column), "scales that no encoder writes")
        self.other = other
        if self.follows:
            require(other is not None, "numbers that follow none")
            self.factor = span.signed(2)
        self.mean = span.signed(2)
        self.row = self.levels(span, tables, self.rows) if by_row else None
        self.column = self.levels(span, tables, self.period) if by_column else None

    def levels(self, span, tables, count):
        lowest = span.signed(2)
        return [lowest + above for above in short_plane(span, tables, count)]

    def at(self, i):
        """Of number i."""
        if self.follows:
            place = place_of(self.other.dtype, self.other.raw, i)
            return (place >> 3 - self.follows) + self.factor if place >= 8 else self.mean
        q = self.row[i // self.block] if self.row else self.mean
        return q + (self.column[i % self.period] if self.column else 0)


def nibble_bytes(count):
    """Bytes that hold four bits of so many numbers."""
    return count // GROUP * (GROUP // 2) + min(count % GROUP, GROUP // 2)


def decode(slab, tables, other, span):
    form = FORMATS[slab.dtype]
    scale = Scale(span, tables, slab, other)
    classes = span.byte()
    require(1 <= classes <= CLASSES, "classes out of range")
    class_of = short_plane(span, tables, scale.rows) if classes > 1 else bytes(scale.rows)
    require(max(class_of) < classes, "a class that there is not")
    symbol_plane = Plane(span, tables)
    rest_planes = [Plane(span, tables) for _ in range(-(-form.rest // 8))]
    planes = [symbol_plane] + rest_planes
    require(symbol_plane.sets == SETS and all(p.sets == classes for p in rest_planes),
            "a plane with another number of sets")
    require(not scale.follows or all(p.kind != REPEATS for p in planes),
            "repeats of numbers that follow others")
    raw = bytearray()
    for at, count, code in chunks(span, slab.n, planes):
        places = [scale.at(at + i) for i in range(count)]
        symbols = symbol_plane.read(code, count, [q & 3 for q in places])
        odd = Bits(code.take(code.varint()))
        tops = [top_of(form, symbol, q, odd) for symbol, q in zip(symbols, places)]
        odd.finished()
        rest = read_rest(form, rest_planes, code, count,
                         lambda i: class_of[(at + i) // scale.block])
        for top, low in zip(tops, rest):
            x = rotate_right(top << form.rest | low, 8 * form.size)
            raw += x.to_bytes(form.size, "little")
    return raw


def top_of(form, symbol, q, odd):
    base = (q // 4 - BELOW) << form.kept
    dense = BINADES << form.kept
    if symbol == ZERO:
        return 0
    if symbol == ESCAPE:
        top = odd.get(12)
    elif symbol < dense:
        top = base + symbol
    else:
        top = base - (symbol - dense + 1 << form.kept)
        top += odd.get(4) & (1 << form.kept) - 1
    return top & (1 << form.top) - 1


def read_rest(form, planes, code, count, class_of):
    """The bits below the tops."""
    rest = [0] * count
    left = form.rest
    for plane in planes:
        if left % 8 == 0:
            left -= 8
            part = plane.read(code, count, [class_of(i) for i in range(count)])
            for i in range(count):
                rest[i] |= part[i] << left
            continue
        left -= 4
        size = nibble_bytes(count)
        sets = [class_of(i // (GROUP // 2) * GROUP) for i in range(size)]
        part = plane.read(code, size, sets)
        for i in range(count):
            group, place = divmod(i, GROUP)
            byte = part[group * (GROUP // 2) + place % (GROUP // 2)]
            rest[i] |= (byte >> 4 if place >= GROUP // 2 else byte & 15) << left
    return rest
