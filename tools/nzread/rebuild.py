"""A deflate stream from the bytes it holds and its description (formats/packed.md)."""

from arith import Arith
from deflate import DYNAMIC, FIXED, REPEAT, RUN_ORDER, STORED, Block, Codes, Writer
from errors import require
from zlib_guess import (LITERAL, MATCH_LEAST, Filling, Guess, Manner, guess_codes,
                        guess_run_lengths, guess_runs)

ONE = 1 << 22
SURE = ONE - ONE // 64
SEEN_MOST = 255
NUMBER_BITS = 31


class Coder:
    """Bits that adapt, by any key."""

    def __init__(self, data):
        self.arith = Arith(data)
        self.chances = {}

    def bit(self, *key, start=ONE // 2):
        one, seen = self.chances.get(key, (start, 1))
        bit = self.arith.bit(max(1, min(one >> 6, 65535)))
        seen = min(seen + 1, SEEN_MOST)
        one = one + (ONE - one) // seen if bit else one - one // seen
        self.chances[key] = one, seen
        return bit

    def same(self, *key):
        """Whether it is as guessed."""
        return self.bit("same", *key, start=SURE)

    def symbol(self, bits, *key):
        at = 1
        for _ in range(bits):
            at = at * 2 + self.bit(*key, at)
        return at - (1 << bits)

    def plain(self, bits):
        value = 0
        for _ in range(bits):
            value = value * 2 + self.arith.bit(1 << 15)
        return value

    def number(self, *key):
        bits = 0
        while bits < NUMBER_BITS - 1 and not self.bit(*key, bits):
            bits += 1
        return (1 << bits | self.plain(bits)) - 1


class Rebuilder:
    def __init__(self, raw, description):
        require(len(description) >= 2, "a description that is too short")
        self.manner = Manner(*description[:2])
        require(self.manner.is_known(description[0]), "parameters that zlib does not have")
        self.raw = raw
        self.guess = Guess(self.manner, raw)
        self.coder = Coder(description[2:])
        self.past = 0  # whether the last two tokens were as guessed

    def left(self):
        return len(self.raw) - self.guess.at

    def block(self):
        coder, block, start = self.coder, Block(), self.guess.at
        stored = not coder.same("coded")
        if stored:
            self.stored(block)
        else:
            self.tokens(block)
            codes, fixed = guess_codes(block.tokens, self.raw[start:])
            fixed ^= not coder.same("fixed")
            block.kind = FIXED if fixed else DYNAMIC
            if not fixed:
                block.codes = self.codes(codes)
        ends = self.left() == 0
        block.last = ends ^ (not coder.same("last"))
        if (stored or block.last) and not coder.same("pad"):
            block.pad = coder.plain(7)
        require(not block.last or ends, "a last block with bytes left")
        return block

    def stored(self, block):
        if self.coder.same("stored"):
            size = self.guess.stored(len(self.raw))
        else:
            size = self.coder.plain(16)
            self.guess.stored(size)
        require(size <= min(65535, self.left()), "more bytes are stored than there are")
        block.kind, block.stored = STORED, size
        self.guess.at += size

    # ---- Tokens ----

    def tokens(self, block):
        filling = Filling(self.manner)
        if self.coder.same("filled"):
            while self.left() and not filling.is_full():
                self.add_token(block, filling)
            return
        for _ in range(self.coder.number("tokens")):
            require(self.left(), "more tokens than bytes")
            self.add_token(block, filling)

    def add_token(self, block, filling):
        token = self.token()
        require(token[0] <= self.left(), "a match that is longer than the bytes left")
        block.tokens.append(token)
        filling.add(token)
        self.guess.take(token)

    def token(self):
        coder = self.coder
        want, eager = self.guess.token()
        kind = class_of(want, eager)
        right = coder.same("token", kind, self.past)
        self.past = self.past << 1 & 3 | (not right)
        if right:
            return want
        match = want[1] > 0
        if match and coder.bit("literal", kind):
            return LITERAL
        length = want[0]
        if not match or not coder.bit("length same", kind):
            length = MATCH_LEAST + coder.symbol(8, "length", match)
        require(length <= self.left(), "a match that is longer than the bytes left")
        if coder.bit("known", length > MATCH_LEAST):
            distance = self.guess.distance(length, coder.number("skip"))
            require(distance > 0, "a distance that is not known")
            return length, distance
        return length, 1 + coder.plain(15)

    # ---- Codes ----

    def codes(self, guess):
        coder = self.coder
        codes = Codes(guess.literals, guess.distances)
        if not coder.same("lengths"):
            self.lengths(codes)
        guess_runs(codes)
        if not coder.same("runs"):
            self.runs(codes)
        guess_run_lengths(codes)
        if not coder.same("run lengths"):
            self.run_lengths(codes)
        return codes

    def lengths(self, codes):
        coder = self.coder
        literals, distances = 257 + coder.plain(5), 1 + coder.plain(5)
        require(literals <= 286 and distances <= 30, "more codes than there are symbols")

        def read(count, guess):
            return [coder.symbol(4, "length of code", guess[i] if i < len(guess) else 0)
                    for i in range(count)]

        codes.literals = read(literals, codes.literals)
        codes.distances = read(distances, codes.distances)

    def runs(self, codes):
        coder, lengths = self.coder, codes.lengths()
        codes.runs, at = [], 0
        while at < len(lengths):
            again = at > 0 and lengths[at] == lengths[at - 1]
            run = coder.symbol(2, "run", again, lengths[at] == 0)
            symbol, times = lengths[at], 1
            if run:
                symbol = run + 15
                first, extra = REPEAT[symbol]
                times = first + coder.symbol(extra, "repeat", run)
            require(times <= len(lengths) - at and (symbol != 16 or at > 0), "a run beyond the end")
            codes.runs.append((symbol, times))
            at += times

    def run_lengths(self, codes):
        coder, guess = self.coder, codes.run_lengths
        codes.run_count = 4 + coder.plain(4)
        require(codes.run_count <= 19, "more runs' codes than there are symbols")
        codes.run_lengths = [0] * 19
        for symbol in RUN_ORDER[:codes.run_count]:
            codes.run_lengths[symbol] = coder.symbol(3, "run's length", guess[symbol])


def class_of(token, eager):
    """What a guess tells of how likely it is right."""
    length, distance = token
    if not distance:
        return int(eager)
    return length - 1 if length < 5 else 4 if length < 9 else 5 if length < 33 else 6


def rebuild(raw, description, most):
    """The stream, of at most `most` bytes."""
    rebuilder, writer = Rebuilder(raw, description), Writer()
    while True:
        start = rebuilder.guess.at
        block = rebuilder.block()
        writer.block(block, raw[start:])
        require(len(writer.out) <= most, "a stream that is too long")
        if block.last:
            return bytes(writer.out)
