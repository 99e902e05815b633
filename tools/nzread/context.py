"""What the fast engine remembers, and the contexts it makes of it (formats/fast.md, Contexts).

All numbers are of 32 bits: sums and products are modulo 2^32.
"""

import copy

MASK = 0xffffffff
MARKS = frozenset(b"<>[]{}()\"=|&\n")
ROW_LEAST, ROW_MOST = 8, 2048
ROW_WINDOW, ROW_DIFFERENT = 1024, 16


def hash_of(a, b):
    h = a * 0x2F0B4C47 + b * 0x9E3779B1 & MASK
    h ^= h >> 15
    h = h * 0x85EBCA6B & MASK
    return h ^ h >> 13


def line_of(context, nibble):
    """Where a context's nibble is: upper bits a pair of lines, bit 8 one of them, then a check."""
    h = (context + nibble) * 0x2C1B3C6D & MASK
    h ^= h >> 15
    h = h * 0x297A2D39 & MASK
    return h ^ h >> 16


def class_of(byte):
    if byte >= 128:
        return 5
    char = chr(byte)
    if char.islower():
        return 0
    if char.isupper():
        return 1
    if char.isdigit():
        return 2
    return {" ": 3, "\n": 4, "[": 6, "{": 6, "<": 6}.get(char, 7)


def find_row(text, pos, known):
    """The distance at which the last bytes before pos resemble those above them most."""
    if pos < ROW_WINDOW + ROW_MOST:
        return known
    now = text[pos - ROW_WINDOW:pos]

    def cost(row):
        above = text[pos - ROW_WINDOW - row:pos - row]
        return sum(min(abs(a - b), ROW_DIFFERENT) for a, b in zip(now, above))

    best, least = known, cost(known)
    for row in range(ROW_LEAST, ROW_MOST + 1):
        this = cost(row)
        if this < least:
            best, least = row, this
    return best


class Past:
    """Before the first byte of a text; `older` is what an earlier text left."""

    def __init__(self, text, older=None):
        self.text = text
        self.pos = 0
        self.c4 = self.c8 = 0  # the last four bytes, the latest lowest, and the four before
        self.word = self.word1 = self.word2 = 0  # hashes: this word, the ones before
        self.length = 0  # of this word
        self.line = self.above = 0  # where this line and the one above begin
        self.mark = 0
        self.row = ROW_LEAST
        self.after1 = list(older.after1) if older else [0] * 256
        self.after2 = older.after2 if older else {}  # by two bytes; 0 where there is none

    def copy(self):
        """A copy shares what came after two bytes, but not what came after one."""
        other = copy.copy(self)
        other.after1 = list(self.after1)
        return other

    def next(self, byte):
        last, last2 = self.c4 & 255, self.c4 & 0xffff
        self.after1[last] = (self.after1[last] << 8 | byte) & MASK
        self.after2[last2] = (self.after2.get(last2, 0) << 8 | byte) & MASK
        self.c8 = (self.c8 << 8 | self.c4 >> 24) & MASK
        self.c4 = (self.c4 << 8 | byte) & MASK
        self.pos += 1
        self.next_word(byte)
        if byte in MARKS:
            self.mark = byte
        if byte == 10:
            self.above, self.line = self.line, self.pos

    def next_word(self, byte):
        letter = byte + 32 if 65 <= byte <= 90 else byte
        if 97 <= letter <= 122 or byte >= 128:
            self.word = (self.word + letter + 1) * 0x2F0B4C47 & MASK
            self.word ^= self.word >> 15
            self.length += 1
        elif self.word:
            self.word2, self.word1, self.word = self.word1, self.word, 0
            self.length = 0

    def back(self, distance):
        return self.text[self.pos - distance] if distance <= self.pos else 0

    def text_contexts(self, count, late_bits, last):
        """(hashes, those that do not depend on `last` at all); the latest byte is `last`, but for
        its late_bits lowest bits, which are 0."""
        c4 = (self.c4 << 8 | last) & MASK
        c8 = (self.c8 << 8 | self.c4 >> 24) & MASK
        word = self.word
        word1 = self.word1 * 0x3D4D51CB & MASK
        word2 = self.word2 * 0x1F123BB5 & MASK
        hashes = [
            hash_of(c4 & 0xffff, 2),
            hash_of(c4 & 0xffffff, 3),
            hash_of(c4, 4),
            hash_of(c4, 0x50000 + (c8 & 0xffff)),
            hash_of(word, 0x600 + last),
            hash_of(word ^ word1, 0x700 + last),
        ]
        if count <= 6:
            return hashes, ()
        # The latest byte may be a line's end, then the next one starts a line.
        fresh = last == 10 >> late_bits << late_bits
        line = self.pos + 1 if fresh else self.line
        above = self.line if fresh else self.above
        column = self.pos + 1 - line
        over = above + column
        up = self.text[over] if over < line and over < self.pos else 0
        hashes += [
            hash_of(self.mark, 0x160000 + (c4 & 0xffff)),
            hash_of(self.after2.get(c4 & 0xffff, 0), 0xb00 + (c4 & 0xffff) * 0x10001),
            hash_of(up << 8 | last, 0x15000000 + min(column, 255)),
            hash_of(c4 & 0xffff00, 10),
            hash_of(word ^ word2, 0x1200 + last),
            hash_of(c4 & 0xf0f0f0ff, 14 + ((c8 & 0xf0f0) << 8)),
        ]
        if count > 12:
            hashes += [
                hash_of(c4 & 0xff00ff, 13),
                hash_of(c4, 0x80000 + (c8 & 0xff)),
                hash_of(c4, 0x15000000 ^ c8),
                hash_of(self.after1[last] & 0xffff, 0x1700 + (last << 16)),
                hash_of(word1 ^ self.word2, 0x1400 + last),
                hash_of(word ^ word1 ^ word2, 0x1300 + last),
                hash_of(c4 & 0xf8f8ffff, 11 + ((c8 & 0xf0f0) << 8)),
                hash_of(c4 & 0xdfdfdfdf, 0x990000 + (c8 & 0xdfdf)),
            ]
        return hashes, (9,)

    def binary_contexts(self, count, last):
        c4 = (self.c4 << 8 | last) & MASK
        c8 = (self.c8 << 8 | self.c4 >> 24) & MASK
        up = self.back(self.row - 1)
        up2 = self.back(2 * self.row - 1)
        up_left = self.back(self.row)
        hashes = [
            hash_of(c4 & 0xffff, 2),
            hash_of(c4 & 0xffffff, 3),
            hash_of(up << 8 | last, 7),
            hash_of(c4, 0x50000 + (c8 & 0xffff)),
            hash_of(c4 & 0xffff00, 6),
            hash_of(c4, 4),
        ]
        if count <= 6:
            return hashes, (4,)
        hashes += [
            hash_of(c4 & 0xff0000ff, 8),
            hash_of(self.after2.get(c4 & 0xffff, 0), 0xb00 + (c4 & 0xffff) * 0x10001),
            hash_of(up << 8 | up2, 9),
            hash_of(c4 & 0xff00ff, 10),
            hash_of(c4 & 0xf0f0f0f0, 11 + (c8 & 0xf0f0) * 256),
            hash_of(last + up - up_left, 12),
        ]
        if count <= 12:
            return hashes, (4, 8)
        hashes += [
            hash_of(c4 & 0xff000000, 13 + (self.pos + 1 & 3) * 256),
            hash_of(c4, 0x80000 + (c8 & 0xff)),
            hash_of(c4, 0x15000000 ^ c8),
            hash_of(self.after1[last] & 0xffff, 0x1700 + (last << 16)),
            hash_of(c4 & 0xffffff00, 17),
            hash_of(c8 & 0xffff, 0x1800 + (last << 16)),
            hash_of(c4 & 0xf8f8ffff, 19),
            hash_of(up << 16 | up_left << 8 | last, 20),
        ]
        return hashes, (4, 8, 12, 16)
