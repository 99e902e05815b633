"""Weights frames: slabs of tensors and what lies between them (formats/weights.md)."""

import max_model
import slabs
import stream
from dtype import DTYPES
from errors import require
from floats import FORMATS
from plane import read_tables, short_plane
from shape import Shape
from slabs import Other, Slab
from span import Span

NUMERICS = 1
TURBO, FAST, MAX = range(3)
GAP_RAW, GAP_BYTES, GAP_PLANE = range(3)
PLANE_MOST = 1 << 22


def read_params(params):
    span = Span(params)
    require(span.byte() == NUMERICS, "made with arithmetic that is not known here")
    mode = span.byte()
    require(mode <= MAX and span.unsigned(2) == 0, "parameters that no encoder writes")
    span.unsigned(4)  # memory
    require(span.unsigned(8) == 0, "parameters that no encoder writes")
    return mode


def read_map(span, size):
    """For each slab: its place, the slab, bytes of its code."""
    placed, end = [], 0
    for _ in range(span.varint()):
        at = end + span.varint()
        slab = Slab(span.byte(), span.varint(), span.varint())
        packed = span.varint()
        require(slab.dtype in DTYPES and slab.n > 0 and slab.row > 0, "a malformed slab")
        end = at + slabs.size_of(slab)
        require(end <= size, "a slab beyond the frame")
        placed.append((at, slab, packed))
    return placed


def read_gaps(span, tables, size):
    """All bytes outside the slabs."""
    kind = span.byte()
    if kind == GAP_RAW:
        return span.take(size)
    require(kind <= GAP_PLANE, "an unknown kind of gaps")
    code = span.cut(span.varint())
    if kind == GAP_BYTES:
        return stream.unpack(Shape(code.take(Shape.SIZE)), code.rest(), size)
    require(size <= PLANE_MOST, "gaps too long for a plane")
    gaps = short_plane(code, tables, size)
    code.finished("the gaps")
    return gaps


def can_follow(before, slab):
    return before.n == slab.n and before.dtype in FORMATS and slab.dtype in FORMATS


def unpack(params, payload, size, base):
    mode = read_params(params)
    span = Span(payload)
    placed = read_map(span, size)
    tables = read_tables(span)
    between = size - sum(slabs.size_of(slab) for _, slab, _ in placed)
    gaps = Span(read_gaps(span, tables, between) if between else b"")
    raw = bytearray()
    model = None  # of slabs of the form max, from the first on
    before, before_code, before_raw = None, b"", b""
    for at, slab, packed in placed:
        raw += gaps.take(at - len(raw))
        code = span.take(packed)
        if code[:1] == bytes([slabs.MAX]):
            require(mode == MAX, "the model max in a frame of another mode")
            model = model or max_model.Model()
            part = max_model.decode(model, slab, tables, Span(code, 1))
        else:
            other = None
            if slabs.follows(code):
                require(before is not None and can_follow(before, slab) and
                        before_code[:1] != bytes([slabs.MAX]) and not slabs.follows(before_code),
                        "numbers that follow none")
                other = Other(before.dtype, before_raw)
            part = slabs.decode(slab, tables, Span(code), other, base)
        raw += part
        before, before_code, before_raw = slab, code, part
    span.finished("the payload")
    return raw + gaps.rest()
