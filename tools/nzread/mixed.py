"""Frames of several kinds of data, or of packed data (formats/mixed.md)."""

import machine_code
import packed
import stream
from errors import require
from shape import BILEVEL, IMAGE, NUMERICS, Shape
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
    contents = Span(decode_views(views, segments, span.rest()))
    joined = bytearray()
    for segment, view, is_filtered in segments:
        raw = contents.take(segment)
        joined += filter_rows(views[view].shape, raw, types) if is_filtered else raw
    types.finished("the map")
    return packed.join(joined, recipe, size) if recipe.left() else joined


def read_map(span, views):
    """(the recipe, for each segment its bytes, its view and whether it is filtered, filters)."""
    recipe = span.cut(span.varint())
    segments = []
    left = sum(view.raw for view in views)
    require(left > 0, "a frame without contents")
    while left:
        size, view = span.varint(), span.byte()
        size, is_filtered = size >> 1, size & 1
        require(0 < size <= left and view < len(views), "a malformed segment")
        segments.append((size, view, is_filtered))
        left -= size
    for index, view in enumerate(views):
        own = sum(size for size, other, _ in segments if other == index)
        require(own == view.raw, "a view of another size")
    return recipe, segments, span


def decode_views(views, segments, codes):
    """The contents; levels 1 to 4 have one view."""
    require(len(views) == 1, "several views at a level that has one")
    shape = views[0].shape
    coded = Span(stream.decode(shape, codes, views[0].raw))
    return b"".join(machine_code.restore(shape.machine, coded.take(size))
                    for size, _, _ in segments)


def filter_rows(shape, pixels, types):
    """Rows of pixels as PNG has them; its images are of kinds that levels 1 to 4 do not have."""
    require(shape.kind in (IMAGE, BILEVEL), "pixels that are none")
