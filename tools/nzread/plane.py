"""Tables, rANS, planes and chunks (formats/weights.md)."""

from arith import Arith
from errors import require
from span import Bits

SLOTS = 4096
LANES, LANES_FROM = 32, 4096
TABLES_MOST = 2047
RAW, FILL, RANS, REPEATS = range(4)
CHUNK, CHUNK_REPEATS = 1 << 18, 1 << 22  # elements


# ---- Tables ----


class Table:
    """Which symbol each of 4096 slots stands for."""

    def __init__(self, frequencies):
        self.symbol, self.start, self.frequency = [], [], frequencies
        for symbol, frequency in enumerate(frequencies):
            self.start.append(len(self.symbol))
            self.symbol += [symbol] * frequency


class TableReader:
    SIZES = 14

    def __init__(self, data):
        self.coder = Arith(data)
        self.size = {}  # probabilities by their contexts
        self.below = {}

    def bit(self, model, context):
        p = model.get(context, 1 << 15)
        bit = self.coder.bit(max(64, min(p, 65472)))
        model[context] = p + (65535 - p >> 4) if bit else p - (p >> 4)
        return bit

    def number(self, before, above):
        node = 1
        for _ in range(4):
            node = node * 2 + self.bit(self.size, (before.bit_length(), above.bit_length(), node))
        size = node - 16
        require(size < self.SIZES, "a frequency of too many bits")
        if size < 2:
            return size
        value = 2 + self.bit(self.below, (size, None))
        if size > 2:
            value = value * 2 + self.bit(self.below, (size, value & 1))
        for _ in range(size - 3):
            value = value * 2 + self.coder.bit(1 << 15)
        return value

    def table(self):
        frequencies, left = [], SLOTS
        for i in range(256):
            value = 0
            if left:
                value = self.number(frequencies[i - 1] if i else 0,
                                    frequencies[i - 16] if i > 15 else 0)
            require(value <= left and value < SLOTS, "frequencies that make too much")
            frequencies.append(value)
            left -= value
        require(left == 0, "frequencies that make too little")
        return Table(frequencies)


def read_tables(span):
    count = span.varint()
    require(count <= TABLES_MOST, "too many tables")
    if count == 0:
        return []
    reader = TableReader(span.take(span.varint()))
    tables = [reader.table() for _ in range(count)]
    reader.coder.finish()
    return tables


# ---- rANS ----


def rans(span, count, tables, sets):
    """The symbols that all of the span stands for; sets[i]: which of the tables tells symbol i."""
    low = 1 << 15
    lanes = LANES if count >= LANES_FROM else 1
    states = [span.unsigned(4) for _ in range(lanes)]
    symbols = bytearray()
    for i in range(count):
        table = tables[sets[i] if sets else 0]
        require(table is not None, "a symbol of a set without a table")
        x = states[i % lanes]
        slot = x % SLOTS
        symbol = table.symbol[slot]
        x = table.frequency[symbol] * (x // SLOTS) + slot - table.start[symbol]
        if x < low:
            x = x << 16 | span.unsigned(2)
        states[i % lanes] = x
        symbols.append(symbol)
    require(all(x == low for x in states), "rANS ends in another state")
    span.finished("a rANS code")
    return bytes(symbols)


# ---- Planes ----


class Plane:
    """Reads a plane's head; then each chunk."""

    def __init__(self, span, tables, nested=False):
        head = span.byte()
        self.kind, self.sets = head & 15, (head >> 4) + 1
        require(self.kind <= (RANS if nested else REPEATS), "an unknown kind of plane")
        require(not nested or self.sets == 1, "repeats with sets")
        if self.kind == FILL:
            self.fill = span.take(1)
        elif self.kind == RANS:
            self.tables = []
            for _ in range(self.sets):
                index = span.varint()
                require(index <= len(tables), "a table that is not there")
                self.tables.append(tables[index - 1] if index else None)
        elif self.kind == REPEATS:
            self.streams = [Plane(span, tables, nested=True) for _ in range(5)]

    def read(self, span, count, sets=None):
        """A chunk of so many bytes."""
        if count == 0:
            return b""
        if self.kind == RAW:
            return span.take(count)
        if self.kind == FILL:
            return self.fill * count
        if self.kind == RANS:
            return rans(span.cut(span.varint()), count, self.tables,
                        sets if self.sets > 1 else None)
        return self.read_repeats(span, count)

    def read_repeats(self, span, count):
        steps, literals, extra = span.varint(), span.varint(), span.varint()
        require(count <= CHUNK_REPEATS and literals <= count and
                steps <= (count - literals) // 2 and extra <= 8 * steps,
                "repeats of impossible sizes")
        sizes = (literals, steps, steps, steps, extra)
        return expand([stream.read(span, size) for stream, size in zip(self.streams, sizes)],
                      count)


def expand(streams, count):
    """Bytes told as copies of bytes before them."""
    literals, runs, offsets, lengths, extra = streams
    bits = Bits(extra)
    last = [1, 2, 4]
    out = bytearray()
    used = 0

    def number(symbol):
        require(symbol < 54, "a symbol out of range")
        if symbol < 16:
            return symbol
        more = (symbol - 16) // 2 + 3
        return (2 | symbol & 1) << more | bits.get(more)

    for i, run in enumerate(runs):
        run, offset, length = number(run), number(offsets[i]), number(lengths[i]) + 2
        require(run <= len(literals) - used, "more literals than there are")
        out += literals[used:used + run]
        used += run
        if offset < 3:
            offset = last.pop(offset)
        else:
            offset -= 2
            last.pop()
        last.insert(0, offset)
        require(offset <= len(out) and length <= count - len(out), "a copy from or to nowhere")
        for _ in range(length):
            out.append(out[-offset])
    out += literals[used:]
    require(len(out) == count, "repeats make another number of bytes")
    bits.finished()
    require(bits.value >> bits.at == 0, "bits that fill the last byte are not 0")
    return bytes(out)


def short_plane(span, tables, count):
    """A head of one set and one chunk."""
    plane = Plane(span, tables)
    require(plane.sets == 1, "a short plane with sets")
    return plane.read(span, count)


# ---- Chunks ----


def chunks(span, count, planes=()):
    """(first element, elements, code) of each chunk of a slab's, which is all of the span."""
    each = CHUNK_REPEATS if any(p.kind == REPEATS for p in planes) else CHUNK
    starts = range(0, count, each)
    sizes = [span.unsigned(4) for _ in starts[1:]]
    for at, size in zip(starts, sizes + [None]):
        code = span.cut(span.left() if size is None else size)
        yield at, min(each, count - at), code
        code.finished("a chunk")
