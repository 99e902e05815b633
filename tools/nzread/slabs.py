"""Slabs: tensors or some rows of them, each in a form of its own (formats/weights.md)."""

from collections import namedtuple

import delta
import floats
import turbo
from dtype import DTYPES, F16
from errors import Refused, require
from fields import LAYOUTS
from plane import REPEATS, Plane, chunks, short_plane

RAW, NUMBERS, OCTETS, FIELDS, TURBO, DELTA, MAX = range(7)
OCTETS_MOST = 16
ROW_SETS, ROW_LEAST = 8, 64
RATIO_SETS = 16

Slab = namedtuple("Slab", "dtype n row")  # blocks, and blocks a row
Other = namedtuple("Other", "dtype raw")  # numbers to follow


def size_of(slab):
    return slab.n * DTYPES[slab.dtype].size


def decode(slab, tables, span, other=None, base=None):
    """The bytes of a slab; other: what it may follow, base: the base file."""
    form = span.byte()
    if form == RAW:
        raw = span.take(size_of(slab))
    elif form == NUMBERS:
        require(slab.dtype in floats.FORMATS, "numbers without an exponent")
        raw = floats.decode(slab, tables, other, span)
    elif form == OCTETS:
        raw = decode_octets(slab, tables, span)
    elif form == FIELDS:
        raw = decode_fields(slab, tables, span)
    elif form == TURBO:
        raw = turbo.decode(slab, span)
    elif form == DELTA:
        raw = delta.decode(slab, tables, span, base)
    else:
        raise Refused("an unknown form of a slab")
    span.finished("a slab")
    return raw


def follows(code):
    """Whether a slab needs the one before it."""
    return code[:1] == bytes([NUMBERS]) and len(code) > 1 and code[1] >> 2 > 0


# ---- Octets ----


def decode_octets(slab, tables, span, known=None):
    """Elements in planes of their bytes. known: the sets of all of them, told by others."""
    width = DTYPES[slab.dtype].size
    require(width <= OCTETS_MOST, "elements too large for planes")
    own = span.byte()
    require(own == 0 or (own == 1 and known is None), "sets that no encoder writes")
    sets, count = known, RATIO_SETS if known else 1
    if own:
        each = max(slab.row, ROW_LEAST)
        rows = short_plane(span, tables, -(-slab.n // each))
        require(max(rows) < ROW_SETS, "a set that there is not")
        sets, count = [rows[i // each] for i in range(slab.n)], ROW_SETS
    planes = [Plane(span, tables) for _ in range(width)]
    require(all(p.sets == count for p in planes), "a plane with another number of sets")
    require(known is None or all(p.kind != REPEATS for p in planes), "repeats in given sets")
    raw = bytearray(slab.n * width)
    for at, size, code in chunks(span, slab.n, planes):
        for k, plane in enumerate(planes):
            part = plane.read(code, size, sets and sets[at:at + size])
            raw[at * width + k:(at + size) * width:width] = part
    return raw


# ---- Fields of blocks ----


def decode_fields(slab, tables, span, without=None):
    """Blocks field by field; those of quants that others code stay zeros."""
    require(slab.dtype in LAYOUTS, "blocks whose fields are not known")
    layout = LAYOUTS[slab.dtype]
    block = DTYPES[slab.dtype].size
    raw = bytearray(slab.n * block)
    fields = layout.fields
    if without:
        left_out = range(without.at, without.at + without.size)
        fields = [f for f in fields if f.at not in left_out]
    sizes = [span.varint() for _ in fields]
    scale = None
    for field, size in zip(fields, sizes):
        code = span.cut(size)
        part = Slab(field.dtype, slab.n * field.count, slab.row * field.count)
        if field is layout.spread:
            sets = [ratio(layout, raw[i:i + block]) for i in range(0, len(raw), block)]
            known = [s for s in sets for _ in range(field.count)]
            values = decode_octets(part, tables, code, known)
            code.finished("a field")
        else:
            values = decode(part, tables, code, scale if field is layout.minimum else None)
        if field is layout.fields[0]:
            scale = Other(F16, values)
        width = field.count * DTYPES[field.dtype].size
        for k in range(width):
            raw[field.at + k::block] = values[k::width]
    return raw


def ratio(layout, block):
    """How far a block's minimum is from 0, in units of its scale, in about eighths of a binade."""
    scale, minimum = (int.from_bytes(block[f.at:f.at + 2], "little") & 0x7fff
                      for f in (layout.fields[0], layout.minimum))
    return max(0, min((minimum >> 7) - (scale >> 7) - 16, RATIO_SETS - 1))
