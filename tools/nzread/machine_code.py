"""Distances in machine code that were coded as addresses (formats/code.md)."""

X86, X86_64, ARM64 = 1, 2, 3
TRUST = 8  # of a distance in code
MASK = 0xffffffff

# ---- x86: what follows an opcode, a letter each, see formats/code.md ----

ONE_BYTE = ("mmmmbz..mmmmbz.0mmmmbz..mmmmbz.."
            "mmmmbzp.mmmmbzp.mmmmbzp.mmmmbzp."
            "xxxxxxxxxxxxxxxx................"
            "..4mppppzZbB....jjjjjjjjjjjjjjjj"
            "BZBBmmmmmmmmmmmm..........f....."
            "oooo....bz......bbbbbbbbvvvvvvvv"
            "BBw.32BZe.w..b..mmmmbb..mmmmmmmm"
            "jjjjbbbbJJfj....p.pp..gG......mm")
TWO_BYTES = ("mmmm.........m.Bmmmmmmmmmmmmmmmm"
             "mmmm....mmmmmmmm........8.A....."
             "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
             "mmmmmmmmmmmmmmmmBBBBmmm.mmmmmmmm"
             "JJJJJJJJJJJJJJJJmmmmmmmmmmmmmmmm"
             "...mBmmm...mBmmmmmmmmmmmmmBmmmmm"
             "mmBmBBBm........mmmmmmmmmmmmmmmm"
             "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm")

# One-byte opcodes that compilers use, 32 to a number, the first in the lowest bit.
COMMON = (0x0a0a2f3a, 0x3f2a2a3f, 0xffff0000, 0xffff0f08,
          0x03016f3b, 0xff0f0f30, 0x230a12cf, 0xc0d80b00)

START, ESCAPED, VEX, MODRM, SIB, DISPLACEMENT, IMMEDIATE = range(7)
LENGTH_MOST = 15
TRUST_MOST = 15


class X86:
    """Instructions, read byte by byte."""

    def __init__(self, wide):
        self.wide = wide
        self.trust = 0
        self.begin()

    def begin(self):
        self.part = START
        self.left = 0  # bytes of this part still to come
        self.length = 0
        self.immediate = 0  # bytes it will have
        self.map = self.opcode = self.modrm = self.sib = self.rex = 0
        self.form = ""
        self.narrow = self.vex = False

    def end(self):
        if self.map:
            good = self.opcode >= 0x10
        else:
            good = COMMON[self.opcode >> 5] >> (self.opcode & 31) & 1
        self.trust = min(self.trust + 1, TRUST_MOST) if good else max(self.trust - 4, 0)
        self.begin()

    def next(self, byte):
        self.length += 1
        if self.length > LENGTH_MOST:
            self.end()
        elif self.part == START:
            self.read_start(byte)
        elif self.part == ESCAPED:
            self.read_escaped(byte)
        elif self.part == VEX:
            self.read_vex(byte)
        elif self.part == MODRM:
            self.read_modrm(byte)
        elif self.part == SIB:
            self.sib = byte
            self.then_displacement()
        else:
            self.left -= 1
            if self.left == 0:
                if self.part == DISPLACEMENT:
                    self.then_immediate()
                else:
                    self.end()

    def enter(self, part, left):
        self.part, self.left = part, left

    def read_start(self, byte):
        form = ONE_BYTE[byte]
        if form == "p":
            self.narrow |= byte == 0x66
        elif form == "x" and self.wide:
            self.rex = byte
        elif form == "0":
            self.map = 1
            self.enter(ESCAPED, 1)
        elif form in "234" and self.wide:
            self.vex, self.map = True, 1
            self.enter(VEX, int(form) - 1)
        else:
            self.read_opcode(byte)

    def read_escaped(self, byte):
        if self.map == 1 and not self.vex and byte in (0x38, 0x3a):
            self.map = 2 if byte == 0x38 else 3
        else:
            self.read_opcode(byte)

    def read_vex(self, byte):
        if self.left == 3 or (self.left == 2 and self.length == 2):
            self.map = byte & 3 or 1
        self.left -= 1
        if self.left == 0:
            self.enter(ESCAPED, 1)

    def read_opcode(self, byte):
        form = (ONE_BYTE[byte], TWO_BYTES[byte], "m", "B")[self.map]
        if form in "234":
            form = "m"
        self.opcode, self.form = byte, form
        z = 2 if self.narrow else 4
        sizes = {"b": 1, "B": 1, "j": 1, "w": 2, "e": 3, "J": 4, "z": z, "Z": z,
                 "v": 8 if self.rex & 8 else z,
                 "o": 8 if self.wide else 4,
                 "f": 0 if self.wide else 6}
        self.immediate = sizes.get(form, 0)
        if form in "mBZgG":
            self.enter(MODRM, 1)
        else:
            self.then_immediate()

    def read_modrm(self, byte):
        self.modrm = byte
        if self.form in "gG" and not byte & 0x30:
            self.immediate = 1 if self.form == "g" else 2 if self.narrow else 4
        if byte >> 6 == 3:
            self.then_immediate()
        elif byte & 7 == 4:
            self.enter(SIB, 1)
        else:
            self.then_displacement()

    def then_displacement(self):
        mod = self.modrm >> 6
        base = self.sib & 7 if self.modrm & 7 == 4 else self.modrm & 7
        size = 1 if mod == 1 else 4 if mod == 2 or (mod == 0 and base == 5) else 0
        if size:
            self.enter(DISPLACEMENT, size)
        else:
            self.then_immediate()

    def then_immediate(self):
        if self.immediate:
            self.enter(IMMEDIATE, self.immediate)
        else:
            self.end()

    def bytes_behind_distance(self):
        """If the next four bytes are a distance: how many of the instruction follow it."""
        if self.left == 4 and self.part == IMMEDIATE and self.form == "J":
            return 0
        if (self.left == 4 and self.part == DISPLACEMENT and self.wide and
                self.modrm & 0xc7 == 5):
            return self.immediate
        return None


REACH = 1 << 24


def restore_x86(wide, coded):
    raw = bytearray(coded)
    walk = X86(wide)
    at = 0
    while at < len(raw):
        behind = walk.bytes_behind_distance()
        if walk.trust < TRUST or len(raw) - at < 4 or behind is None:
            walk.next(raw[at])
            at += 1
            continue
        value = int.from_bytes(raw[at:at + 4], "big", signed=True)
        if -REACH <= value < REACH:
            end = at + 4 + behind
            value = (value - end + REACH) % (2 * REACH) - REACH
        raw[at:at + 4] = value.to_bytes(4, "little", signed=True)
        at += 4
        for _ in range(4):
            walk.next(0)
    return raw


# ---- ARM64 ----

LIKELY = frozenset(bytes.fromhex(
    "0a0b0e101112131417 1a1b1e1f 28292a2d2e 3435363738393d 4a4b4e 51525354 6a6b6d6e 7172"
    "78797a 8a8b 9091929394979a9b a8a9aaad b0b4b5b8b9 cacb d0d1d2d3d5d6 eaeb f0f1f2f8f9fafd"))


def restore_arm64(coded):
    raw = bytearray(coded)
    trust = 0
    for at in range(0, len(raw) - 3, 4):
        if trust < TRUST:
            word = int.from_bytes(raw[at:at + 4], "little")
        else:
            word = int.from_bytes(raw[at:at + 4], "big")
            if word >> 26 == 0x25:
                word = word & 0xfc000000 | (word - at // 4) & 0x3ffffff
            elif word & 0x9f000000 == 0x90000000:
                page = (word >> 3 & 0x1ffffc | word >> 29 & 3) - at // 4096
                word = word & 0x9f00001f | (page & 0x1ffffc) << 3 | (page & 3) << 29
            raw[at:at + 4] = word.to_bytes(4, "little")
        trust = min(trust + 1, 2 * TRUST) if word >> 24 in LIKELY else max(trust - 3, 0)
    return raw


def restore(machine, coded):
    if machine == ARM64:
        return restore_arm64(coded)
    return restore_x86(machine == X86_64, coded) if machine else coded
