"""The archive: its heads, frames and ends (formats/archive.md)."""

import directory
import stream
import weights
import xxh3
from errors import Refused, require
from shape import Shape
from span import Span

MAGIC = bytes.fromhex("ce4e5a0a")
VERSION = 1
TAG_BASE, TAG_DIRECTORY, TAG_END, TAG_FRAME = 0xc0, 0xd0, 0xe0, 0xf0
STORED, BYTES, WEIGHTS, KV, LLM, MIXED = range(6)
METHODS = {KV: "kv", LLM: "llm"}
RAW_MOST = 1 << 30
FRAMES_MOST = 1 << 20
PARAMS = 16


class Archive:
    """One archive of a file."""

    def __init__(self, span, base):
        self.span = span
        self.base = base  # the bytes of the base file, or None
        self.needs_base = False
        self.entries = []  # (bytes with the header, raw bytes) of each frame
        self.directory = 0  # bytes of the directory

    def contents(self):
        """The raw bytes, frame by frame."""
        self.read_head()
        while True:
            self.start = self.span.at
            tag = self.span.byte()
            if tag == TAG_END:
                self.read_end()
                return
            if tag == TAG_BASE:
                self.read_base()
            elif tag == TAG_DIRECTORY:
                self.read_directory()
            else:
                require(tag & 0xf0 == TAG_FRAME, "neither a frame nor an end")
                yield self.read_frame(tag & 15)

    def check(self, bits):
        """Of all bytes since the tag."""
        data = bytes(self.span.data[self.start:self.span.at])
        require(self.span.unsigned(bits // 8) == xxh3.check(data, bits),
                "a checksum does not match")

    def read_head(self):
        self.start = self.span.at
        require(self.span.data[self.start:self.start + 4] == MAGIC[:self.span.left()],
                "not an archive" if self.start == 0 else "bytes behind the archive")
        self.span.take(4)
        version, flags = self.span.byte(), self.span.byte()
        self.check(16)
        require(version == VERSION and flags == 0, "a version that is not known here")

    def read_base(self):
        require(not (self.needs_base or self.entries or self.directory),
                "a base where none may be")
        digest = int.from_bytes(self.span.take(16), "big")
        size = self.span.unsigned(8)
        self.check(32)
        require(size > 0, "an empty base")
        self.needs_base = True
        self.base_fits = (self.base is not None and len(self.base) == size and
                          xxh3.hash128(self.base) == digest)

    def read_directory(self):
        require(not self.directory, "a second directory")
        size = self.span.varint()
        require(size <= directory.SIZE_MOST, "a directory that is too large")
        contents = self.span.cut(size)
        self.check(32)
        directory.read(contents, sum(raw for _, raw in self.entries))
        self.directory = self.span.at - self.start

    def read_frame(self, method):
        span = self.span
        require(not self.directory, "a frame behind the directory")
        raw = span.varint()
        packed, params = raw, b""
        if method != STORED:
            packed = span.varint()
            params = span.take(PARAMS)
        digest = span.unsigned(8)
        self.check(32)
        require(method not in METHODS, "a frame of the method " + METHODS.get(method, ""))
        require(method <= MIXED, "a frame of an unknown method")
        require(0 < raw <= RAW_MOST and (method == STORED or packed < raw), "a size out of range")
        require(len(self.entries) < FRAMES_MOST, "too many frames")
        require(not self.needs_base or self.base_fits,
                "the base file is needed and was not given, or is another one")
        data = self.decode(method, params, span.take(packed), raw)
        require(len(data) == raw and xxh3.hash64(data) == digest,
                "the checksum of the contents does not match")
        self.entries.append((span.at - self.start, raw))
        return bytes(data)

    def decode(self, method, params, payload, size):
        if method == STORED:
            return payload
        if method == BYTES:
            return stream.unpack(Shape(params), payload, size)
        if method == WEIGHTS:
            return weights.unpack(params, payload, size, self.base)
        import mixed
        return mixed.unpack(params, payload, size)

    def read_end(self):
        span = self.span
        require(span.varint() == len(self.entries), "the end tells another number of frames")
        require(span.varint() == sum(raw for _, raw in self.entries),
                "the end tells another number of bytes")
        for entry in self.entries:
            require((span.varint(), span.varint()) == entry, "the end tells another frame")
        if self.directory:
            require(span.varint() == self.directory, "the end tells another directory")
        size = span.at - self.start
        require(span.unsigned(4) == size, "the end tells another size of its own")
        self.check(32)


def contents(data, base=None):
    """All raw bytes of a file of archives, frame by frame."""
    span = Span(data)
    require(data, "an empty file")
    while span.left():
        archive = Archive(span, base)
        try:
            yield from archive.contents()
        except Refused as fault:
            if fault.offset is None:
                fault.offset = archive.start
            raise
