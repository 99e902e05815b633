"""The form `turbo`: exponents of almost fixed length (formats/weights.md)."""

from collections import namedtuple

from errors import require
from floats import rotate_right
from span import Bits

CHUNK, BLOCK, GROUP = 1 << 18, 512, 32
Format = namedtuple("Format", "size exponent rest")  # bytes, bits
FORMATS = {16: Format(2, 5, 11), 17: Format(2, 8, 8), 18: Format(4, 8, 24)}
LATER = 3  # digits behind the first
# How far an exponent is from its block's base, by its digits.
FROM_BASE = {
    (0,): 0, (1,): -1, (2,): -2,
    (3, 0): 1, (3, 1): -3, (3, 2): -4,
    (3, 3, 0): -5, (3, 3, 1): -6, (3, 3, 2): -7,
    (3, 3, 3, 0): 2, (3, 3, 3, 1): -8, (3, 3, 3, 2): -9,
}


def decode(slab, span):
    require(slab.dtype in FORMATS, "turbo for numbers of another format")
    form = FORMATS[slab.dtype]
    raw = bytearray()
    for at in range(0, slab.n, CHUNK):
        for x in read_chunk(form, min(CHUNK, slab.n - at), span):
            raw += x.to_bytes(form.size, "little")
    return raw


def read_chunk(form, count, span):
    listed = span.varint()
    require(listed <= count, "more exponents are listed than there are numbers")
    lengths = [span.varint() for _ in range(LATER)]
    require(all(length <= 2 * count for length in lengths), "more digits than numbers have")
    bases = span.take(-(-count // BLOCK))
    listed = iter(span.take(listed))
    streams = [Bits(span.take(-(-length // 8))) for length in lengths]
    numbers = []
    for at in range(0, count, GROUP):
        numbers += read_group(form, bases[at // BLOCK], listed, streams, span)
    require(next(listed, None) is None and
            all(s.at == length for s, length in zip(streams, lengths)),
            "digits or exponents are left over")
    return numbers[:count]


def word_bits(span):
    word = span.unsigned(4)
    return [word >> i & 1 for i in range(GROUP)]


def read_group(form, base, listed, streams, span):
    """32 numbers."""
    low, high = word_bits(span), word_bits(span)
    digits = [[a | b << 1] for a, b in zip(low, high)]
    rest = read_rest(form, span)
    for stream in streams:
        more = [d for d in digits if d[-1] == 3]
        low = [stream.get(1) for _ in more]
        high = [stream.get(1) for _ in more]
        for d, a, b in zip(more, low, high):
            d.append(a | b << 1)
    numbers = []
    for d, r in zip(digits, rest):
        if tuple(d) in FROM_BASE:
            exponent = base + FROM_BASE[tuple(d)]
        else:
            exponent = next(listed, None)
            require(exponent is not None, "fewer exponents are listed than needed")
        v = (exponent & (1 << form.exponent) - 1) << form.rest | r
        numbers.append(rotate_right(v, 8 * form.size))
    return numbers


def read_rest(form, span):
    """All but the exponents of 32 numbers."""
    if form.rest == 11:
        words = [word_bits(span) for _ in range(3)]
        return [low | words[0][i] << 8 | words[1][i] << 9 | words[2][i] << 10
                for i, low in enumerate(span.take(GROUP))]
    rest = list(span.take(GROUP))
    if form.rest == 24:
        rest = [high << 16 | span.unsigned(2) for high in rest]
    return rest
