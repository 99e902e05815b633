"""Deflate (RFC 1951): its symbols, and blocks written in bits."""

LITERALS, DISTANCES = 286, 30
END = 256
CODE_MOST = 15
STORED, FIXED, DYNAMIC = range(3)

# (first value, extra bits) of each symbol.
LENGTH = [(3 + i, 0) for i in range(8)]
LENGTH += [(first + (i << k), k) for first, k in ((11, 1), (19, 2), (35, 3), (67, 4), (131, 5))
           for i in range(4)]
LENGTH.append((258, 0))
DISTANCE = [(1 + i, 0) for i in range(4)]
DISTANCE += [(1 + (half << k), k) for k in range(1, 14) for half in (2, 3)]
REPEAT = {16: (3, 2), 17: (3, 3), 18: (11, 7)}
RUN_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
FIXED_LITERALS = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8
FIXED_DISTANCES = [5] * 32


def symbol_of(ranges, value):
    return max(i for i, (first, _) in enumerate(ranges) if first <= value)


def codes_of(lengths):
    """(code, bits) of each symbol, the bit that comes first highest."""
    codes, code = {}, 0
    for bits in range(1, CODE_MOST + 1):
        code <<= 1
        for symbol, length in enumerate(lengths):
            if length == bits:
                codes[symbol] = code, bits
                code += 1
    return codes


class Codes:
    """What a dynamic block says of its codes."""

    def __init__(self, literals, distances):
        self.literals, self.distances = literals, distances  # lengths of codes, by symbol
        self.runs = []  # (symbol, how often): symbols below 16 once, others more often
        self.run_lengths = [0] * 19  # of the codes that runs are written in, by symbol
        self.run_count = 0  # as many of these as are written

    def lengths(self):
        return self.literals + self.distances


class Block:
    def __init__(self):
        self.kind, self.last = STORED, False
        self.tokens = []  # (length, distance); (1, 0) a literal
        self.stored = 0
        self.pad = 0
        self.codes = None


class Writer:
    def __init__(self):
        self.out = bytearray()
        self.value = self.count = 0

    def bits(self, value, count):
        self.value |= value << self.count
        self.count += count
        while self.count >= 8:
            self.out.append(self.value & 255)
            self.value >>= 8
            self.count -= 8

    def code(self, code):
        value, count = code
        for k in reversed(range(count)):
            self.bits(value >> k & 1, 1)

    def fill(self, pad):
        count = -self.count % 8
        self.bits(pad & (1 << count) - 1, count)

    def block(self, block, raw):
        """raw: the bytes it stands for."""
        self.bits(block.last, 1)
        self.bits(block.kind, 2)
        if block.kind == STORED:
            self.fill(block.pad)
            self.bits(block.stored, 16)
            self.bits(block.stored ^ 0xffff, 16)
            self.out += raw[:block.stored]
            return
        literals, distances = FIXED_LITERALS, FIXED_DISTANCES
        if block.kind == DYNAMIC:
            literals, distances = block.codes.literals, block.codes.distances
            self.codes(block.codes)
        self.tokens(block.tokens, raw, codes_of(literals), codes_of(distances))
        if block.last:
            self.fill(block.pad)

    def codes(self, codes):
        self.bits(len(codes.literals) - 257, 5)
        self.bits(len(codes.distances) - 1, 5)
        self.bits(codes.run_count - 4, 4)
        for symbol in RUN_ORDER[:codes.run_count]:
            self.bits(codes.run_lengths[symbol], 3)
        code = codes_of(codes.run_lengths)
        for symbol, times in codes.runs:
            self.code(code.get(symbol, (0, 0)))
            if symbol in REPEAT:
                first, extra = REPEAT[symbol]
                self.bits(times - first, extra)

    def tokens(self, tokens, raw, literals, distances):
        at = 0
        none = 0, 0  # a symbol without a code takes no bits
        for length, distance in tokens:
            if distance:
                for ranges, codes, first, value in ((LENGTH, literals, 257, length),
                                                    (DISTANCE, distances, 0, distance)):
                    symbol = symbol_of(ranges, value)
                    self.code(codes.get(first + symbol, none))
                    self.bits(value - ranges[symbol][0], ranges[symbol][1])
            else:
                self.code(literals.get(raw[at], none))
            at += length
        self.code(literals.get(END, none))
