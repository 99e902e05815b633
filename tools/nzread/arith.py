"""The 32-bit binary arithmetic coder (formats/bytes.md, Stream)."""

from errors import require

TOP = 0xffffffff


class Arith:
    def __init__(self, data):
        self.data = data
        self.at = 0  # bytes taken in; behind the end there are zeros
        self.low, self.high = 0, TOP
        self.code = 0
        for _ in range(4):
            self.shift_in()

    def shift_in(self):
        byte = self.data[self.at] if self.at < len(self.data) else 0
        self.at += 1
        self.code = (self.code << 8 | byte) & TOP

    def settle(self):
        """Leading bytes on which both ends agree are done with."""
        while self.low >> 24 == self.high >> 24:
            self.low = self.low << 8 & TOP
            self.high = (self.high << 8 | 255) & TOP
            self.shift_in()

    def bit(self, p):
        """p: how likely a one is, in 1/65536."""
        middle = self.low + ((self.high - self.low) * p >> 16)
        bit = int(self.code <= middle)
        if bit:
            self.high = middle
        else:
            self.low = middle + 1
        if (self.low ^ self.high) >> 24 == 0:
            self.settle()
        return bit

    def even(self, bits):
        """A number of up to 8 bits, all values of which are as likely."""
        span = self.high - self.low
        value = 0
        if span < 1 << 24:
            for _ in range(bits):
                value = value << 1 | self.bit(1 << 15)
            return value
        most = (1 << bits) - 1
        part = span >> bits
        value = min((self.code - self.low) // part, most)
        self.low += part * value
        if value < most:
            self.high = self.low + part - 1
        self.settle()
        return value

    def finish(self):
        """The code must end as an encoder ends it: in the fewest bytes, the lowest such value."""
        keep = 1
        while True:
            zeros = TOP >> 8 * keep
            value = self.low + zeros & ~zeros
            if value <= self.high:
                break
            keep += 1
        require(self.code == value and self.at == len(self.data) + 4 - keep,
                "the code does not end as an encoder ends it")
