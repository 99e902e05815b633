"""The shape of a stream of the bytes engine, and its priors (formats/bytes.md)."""

import os

import xxh3
from errors import NotRead, Refused, require
from span import Span

NUMERICS = 9
ENGINE_FAST, ENGINE_DEEP = 0, 1
TEXT, BINARY, CODE = range(3)
MACHINES = (1, 2, 3)
LEVELS = {ENGINE_FAST: range(1, 5), ENGINE_DEEP: range(5, 10)}
TABLE_BITS = {1: 25, 2: 25, 3: 27, 4: 27}  # the most of each level; the least are 16
MATCH_BITS = {1: 18, 2: 18, 3: 20, 4: 20}  # 10
READ_MOST = 64 << 10

PRIORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "priors")
PRIOR_FILES = {1: "prose.txt", 2: "markup.txt", 3: "code.txt", 4: "data.txt"}
PRIOR_HASHES = {1: 0xad69a47187d0ee43, 2: 0xc859052ca0ed09cf,
                3: 0xb37fa2f4eb6823e1, 4: 0xc1e29efdafaf46c9}


class Shape:
    SIZE = 16

    def __init__(self, data):
        span = Span(data)
        self.numerics = span.byte()
        require(self.numerics == NUMERICS, "made with arithmetic that is not known here")
        self.engine, self.level, self.kind = span.byte(), span.byte(), span.byte()
        self.table_bits, self.match_bits = span.byte(), span.byte()
        network = span.take(4)
        self.prior = span.byte()
        require(self.prior <= len(PRIOR_FILES), "made with a prior that is not known here")
        require(self.level in LEVELS.get(self.engine, ()), "a level of another engine")
        if self.engine == ENGINE_DEEP:
            raise NotRead("the deep engine, levels 5 to 9, is not known to this reader")
        self.machine = span.byte() if self.kind == CODE else 0
        require(self.kind <= CODE and (self.kind != CODE or self.machine in MACHINES) and
                (not self.prior or self.kind <= BINARY) and
                16 <= self.table_bits <= TABLE_BITS[self.level] and
                10 <= self.match_bits <= MATCH_BITS[self.level] and
                not any(network) and not any(span.rest()),
                "a shape that no encoder writes")


def prior_text(prior, size):
    """What is read of a prior before `size` bytes."""
    with open(os.path.join(PRIORS, PRIOR_FILES[prior]), "rb") as file:
        text = file.read()
    if xxh3.hash64(text) != PRIOR_HASHES[prior]:
        raise Refused("the text of the prior is not the right one: " + PRIOR_FILES[prior])
    return text[-min(READ_MOST, (16 << 10) + 8 * size):]
