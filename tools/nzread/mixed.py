"""Frames of several kinds of data, or of packed data (formats/mixed.md)."""

import machine_code
import packed
import stream
from errors import require
from shape import NUMERICS, Shape
from span import Span

VERSION = 1
VIEWS_MOST = 64
SIZE_MOST = 1 << 30


class View:
    def __init__(self, span):
        self.raw, self.packed = span.varint(), span.varint()
        require(self.raw <= SIZE_MOST and self.packed <= SIZE_MOST, "a view of an impossible size")
        self.shape = Shape(span.take(Shape.SIZE))


def read_params(params):
    span = Span(params)
    require(span.byte() == VERSION, "made in a way that is not known here")
    level = span.byte()
    require(span.byte() == NUMERICS, "made with arithmetic that is not known here")
    require(1 <= level <= 9 and span.byte() == 0, "parameters that no encoder writes")
    span.unsigned(4)  # memory
    require(span.unsigned(8) == 0, "parameters that no encoder writes")


def unpack(params, payload, size):
    read_params(params)
    span = Span(payload)
    map_view = View(span)
    count = span.varint()
    require(1 <= count <= VIEWS_MOST and map_view.packed <= map_view.raw, "a malformed frame")
    views = [View(span) for _ in range(count)]
    codes = span.take(map_view.packed)
    if map_view.packed < map_view.raw:
        codes = stream.unpack(map_view.shape, codes, map_view.raw)
    recipe, segments, types = read_map(Span(codes), views)
    require(sum(view.packed for view in views) == span.left(), "views of another size")
    # Levels 1 to 4 have one view, and none of an image.
    require(count == 1 and not any(filtered for _, filtered in segments) and types.left() == 0,
            "views or pixels that levels 1 to 4 do not have")
    contents = decode_view(views[0].shape, segments, span.rest())
    return packed.join(contents, recipe, size) if recipe.left() else contents


def read_map(span, views):
    """(the recipe, for each segment its bytes and whether it is pixels, the filters)."""
    recipe = span.cut(span.varint())
    segments, own = [], [0] * len(views)
    left = sum(view.raw for view in views)
    require(left > 0, "a frame without contents")
    while left:
        size, view = span.varint(), span.byte()
        size, is_filtered = size >> 1, size & 1
        require(0 < size <= left and view < len(views), "a malformed segment")
        segments.append((size, is_filtered))
        own[view] += size
        left -= size
    require(own == [view.raw for view in views], "a view of another size")
    return recipe, segments, span


def decode_view(shape, segments, codes):
    """The contents, code being restored segment by segment."""
    coded = Span(stream.decode(shape, codes, sum(size for size, _ in segments)))
    return b"".join(machine_code.restore(shape.machine, coded.take(size)) for size, _ in segments)
