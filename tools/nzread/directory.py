"""The directory of tensors (formats/archive.md): decoding needs none of it, but it must be right."""

from dtype import DTYPES
from errors import require
from plane import Plane, read_tables
from span import Span

SIZE_MOST = 1 << 26
TENSORS_MOST = 1 << 20
DIMS_MOST = 8


def read(span, raw):
    """(name, dtype, dims, place in the raw data) of each tensor; raw: bytes of all frames."""
    count, size = span.varint(), span.varint()
    require(1 <= count <= TENSORS_MOST and size <= SIZE_MOST, "a directory of impossible sizes")
    tables = read_tables(span)
    plane = Plane(span, tables)
    require(plane.sets == 1, "a directory with sets")
    listed = Span(plane.read(span, size))
    span.finished("the directory")
    found, name, end, names = [], b"", 0, 0
    for _ in range(count):
        same = listed.byte()
        require(same <= len(name), "a name that begins with more than there was")
        name = name[:same] + rest_of_name(listed)
        names += len(name) + 1
        dtype, dims = listed.byte(), listed.byte()
        require(dtype in DTYPES and dims <= DIMS_MOST, "a malformed tensor")
        dims = [listed.varint() for _ in range(dims)]
        at = end + listed.varint()
        end = at + bytes_of(dtype, dims)
        require(end <= raw, "a tensor beyond the raw data")
        found.append((name, dtype, dims, at))
    require(names <= SIZE_MOST, "names that are too long")
    listed.finished("the list of tensors")
    return found


def rest_of_name(span):
    zero = span.data.find(b"\0", span.at)
    require(zero >= 0, "a name without an end")
    return span.take(zero + 1 - span.at)[:-1]


def bytes_of(dtype, dims):
    about = DTYPES[dtype]
    row = dims[-1] if dims else 1
    require(row % about.elements == 0, "a row that ends inside a block")
    size = row // about.elements * about.size
    for dim in dims[:-1]:
        size *= dim
    return size
