"""Bytes read from front to back, with a clear end."""

from errors import Refused, require


class Span:
    def __init__(self, data, at=0, end=None):
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end

    def left(self):
        return self.end - self.at

    def take(self, count):
        """The next bytes, which must be there."""
        require(count <= self.left(), "more bytes are needed than there are")
        self.at += count
        return bytes(self.data[self.at - count:self.at])

    def cut(self, count):
        """The same as a span of its own."""
        return Span(self.take(count))

    def rest(self):
        return self.take(self.left())

    def unsigned(self, count):
        """A number of so many bytes, the lowest first."""
        return int.from_bytes(self.take(count), "little")

    def signed(self, count):
        return int.from_bytes(self.take(count), "little", signed=True)

    def byte(self):
        return self.unsigned(1)

    def varint(self):
        """7 bits a byte, low bits first, in the shortest form only."""
        value = 0
        for index in range(10):
            byte = self.byte()
            value |= (byte & 127) << 7 * index
            if byte < 128:
                if (byte == 0 and index > 0) or value >= 1 << 64:
                    break
                return value
        raise Refused("a malformed varint")

    def finished(self, what):
        require(self.left() == 0, "bytes are left over in " + what)


class Bits:
    """Bits of a span, the lowest of each byte first."""

    def __init__(self, data):
        self.value = int.from_bytes(data, "little")
        self.size = 8 * len(data)
        self.at = 0

    def get(self, count):
        require(count <= self.size - self.at, "more bits are needed than there are")
        self.at += count
        return self.value >> (self.at - count) & ((1 << count) - 1)

    def finished(self):
        """Only what fills the last byte may be left."""
        require(self.size - self.at < 8, "bits are left over")
