"""A stream of the bytes engine (formats/bytes.md)."""

import machine_code
from arith import Arith
from errors import require
from fast import Fast
from shape import TEXT, prior_text
from words import Words


def decode(shape, data, size):
    """The bytes as they were coded, code and images still as they were changed for it."""
    coder = Arith(data)
    words = Words(coder) if shape.kind == TEXT else None
    codes = size
    if words and words.code:
        codes = 0
        for _ in range(4):
            codes = codes << 8 | coder.even(8)
        require(0 < codes <= size, "more codes than bytes")
    engine = Fast(shape.level, shape.kind == TEXT, shape.table_bits, shape.match_bits)
    if shape.prior:
        text = prior_text(shape.prior, codes)
        engine.learn(words.shrink(text) if words else text)
    text = engine.decode(coder, codes)
    coder.finish()
    if words:
        text = words.expand(text)
        require(len(text) == size, "words make another number of bytes")
    return text


def unpack(shape, data, size):
    """The bytes that a stream of one shape holds."""
    return machine_code.restore(shape.machine, decode(shape, data, size))
