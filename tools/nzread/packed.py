"""Files that deflate streams were unpacked from, put together again (formats/packed.md)."""

import zlib

from errors import require
from rebuild import rebuild
from span import Span

NONE, GZIP, ZLIB, PNG = range(4)


def join(contents, recipe, size):
    """The file, of at most `size` bytes."""
    contents = Span(contents)
    file = bytearray()
    while recipe.left():
        file += contents.take(recipe.varint())
        wrap = recipe.byte()
        require(wrap <= PNG, "a stream in an unknown wrap")
        head, chunks = b"", []
        if wrap == PNG:
            head = recipe.take(2)
            chunks = [recipe.varint() for _ in range(recipe.varint())]
        raw = contents.take(recipe.varint())
        description = recipe.take(recipe.varint())
        require(len(file) <= size, "a file that is too large")
        stream = head + rebuild(raw, description, size - len(file)) + sums(wrap, raw)
        file += idat(stream, chunks) if wrap == PNG else stream
    return file + contents.rest()


def sums(wrap, raw):
    if wrap == GZIP:
        return zlib.crc32(raw).to_bytes(4, "little") + (len(raw) % 2**32).to_bytes(4, "little")
    return b"" if wrap == NONE else zlib.adler32(raw).to_bytes(4, "big")


def idat(data, sizes):
    """The data in chunks of a PNG file."""
    data = Span(data)
    out = b""
    for size in sizes:
        chunk = b"IDAT" + data.take(size)
        out += size.to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    data.finished("the chunks of an image")
    return out
