"""XXH3, 64 and 128 bits, seed 0.

Written from its specification (xxHash, doc/xxhash_spec.md). All sums and products are modulo 2^64
unless they say otherwise.
"""

MASK = (1 << 64) - 1

PRIME32_1 = 0x9E3779B1
PRIME32_2 = 0x85EBCA77
PRIME32_3 = 0xC2B2AE3D
PRIME64_1 = 0x9E3779B185EBCA87
PRIME64_2 = 0xC2B2AE3D27D4EB4F
PRIME64_3 = 0x165667B19E3779F9
PRIME64_4 = 0x85EBCA77C2B2AE63
PRIME64_5 = 0x27D4EB2F165667C5
PRIME_MX1 = 0x165667919E3779F9
PRIME_MX2 = 0x9FB21C651E98DF25

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")

STRIPE = 64
STRIPES_A_BLOCK = (len(SECRET) - STRIPE) // 8


def read32(data, at):
    return int.from_bytes(data[at:at + 4], "little")


def read64(data, at):
    return int.from_bytes(data[at:at + 8], "little")


def swap(value, count):
    """The bytes of a value in reverse."""
    return int.from_bytes(value.to_bytes(count, "little"), "big")


def rotate(value, by, bits):
    return (value << by | value >> (bits - by)) & ((1 << bits) - 1)


def multiply(a, b):
    """(low, high) of the product, of 128 bits."""
    product = a * b
    return product & MASK, product >> 64


def fold(a, b):
    low, high = multiply(a, b)
    return low ^ high


def avalanche(h):
    h ^= h >> 37
    h = h * PRIME_MX1 & MASK
    return h ^ h >> 32


def avalanche_xxh64(h):
    h ^= h >> 33
    h = h * PRIME64_2 & MASK
    h ^= h >> 29
    h = h * PRIME64_3 & MASK
    return h ^ h >> 32


def avalanche_rrmxmx(h, size):
    h ^= rotate(h, 49, 64) ^ rotate(h, 24, 64)
    h = h * PRIME_MX2 & MASK
    h ^= (h >> 35) + size
    h = h * PRIME_MX2 & MASK
    return h ^ h >> 28


def secret_pair(at, count):
    """Two neighbouring words of the secret, combined."""
    read = read32 if count == 4 else read64
    return read(SECRET, at) ^ read(SECRET, at + count)


def three_bytes(data):
    """1 to 3 bytes and how many they are, as one word."""
    size = len(data)
    return data[0] << 16 | data[size >> 1] << 24 | data[size - 1] | size << 8


def mix16(data, at, secret):
    return fold(read64(data, at) ^ read64(SECRET, secret),
                read64(data, at + 8) ^ read64(SECRET, secret + 8))


# ---- More than 240 bytes: eight lanes over stripes of 64 bytes ----


def accumulate(lanes, data, at, secret):
    for i in range(8):
        value = read64(data, at + 8 * i)
        key = value ^ read64(SECRET, secret + 8 * i)
        lanes[i ^ 1] = (lanes[i ^ 1] + value) & MASK
        lanes[i] = (lanes[i] + (key & 0xffffffff) * (key >> 32)) & MASK


def scramble(lanes):
    for i in range(8):
        lane = lanes[i] ^ lanes[i] >> 47 ^ read64(SECRET, len(SECRET) - STRIPE + 8 * i)
        lanes[i] = lane * PRIME32_1 & MASK


def lanes_of(data):
    lanes = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1]
    last = len(data) - STRIPE
    for index, at in enumerate(range(0, last, STRIPE)):
        accumulate(lanes, data, at, 8 * (index % STRIPES_A_BLOCK))
        if index % STRIPES_A_BLOCK == STRIPES_A_BLOCK - 1:
            scramble(lanes)
    accumulate(lanes, data, last, len(SECRET) - STRIPE - 7)
    return lanes


def merge(lanes, secret, start):
    for i in range(4):
        start += fold(lanes[2 * i] ^ read64(SECRET, secret + 16 * i),
                      lanes[2 * i + 1] ^ read64(SECRET, secret + 16 * i + 8))
    return avalanche(start & MASK)


# ---- 64 bits ----


def short64(data):
    """Up to 16 bytes."""
    size = len(data)
    if size == 0:
        return avalanche_xxh64(secret_pair(56, 8))
    if size < 4:
        return avalanche_xxh64(three_bytes(data) ^ secret_pair(0, 4))
    if size < 9:
        both = read32(data, size - 4) + (read32(data, 0) << 32)
        return avalanche_rrmxmx(both ^ secret_pair(8, 8), size)
    low = read64(data, 0) ^ secret_pair(24, 8)
    high = read64(data, size - 8) ^ secret_pair(40, 8)
    return avalanche(size + swap(low, 8) + high + fold(low, high) & MASK)


def medium64(data):
    """17 to 240 bytes."""
    size = len(data)
    h = size * PRIME64_1
    if size <= 128:
        for i in range((size - 1) // 32 + 1):
            h += mix16(data, 16 * i, 32 * i) + mix16(data, size - 16 * (i + 1), 32 * i + 16)
        return avalanche(h & MASK)
    for i in range(8):
        h += mix16(data, 16 * i, 16 * i)
    h = avalanche(h & MASK)
    for i in range(8, size // 16):
        h += mix16(data, 16 * i, 16 * (i - 8) + 3)
    return avalanche(h + mix16(data, size - 16, 136 - 17) & MASK)


def hash64(data):
    size = len(data)
    if size <= 16:
        return short64(data)
    if size <= 240:
        return medium64(data)
    return merge(lanes_of(data), 11, size * PRIME64_1)


# ---- 128 bits, as (low, high) ----


def short128(data):
    size = len(data)
    if size == 0:
        return avalanche_xxh64(secret_pair(64, 8)), avalanche_xxh64(secret_pair(80, 8))
    if size < 4:
        word = three_bytes(data)
        turned = rotate(swap(word, 4), 13, 32)
        return (avalanche_xxh64(word ^ secret_pair(0, 4)),
                avalanche_xxh64(turned ^ secret_pair(8, 4)))
    if size < 9:
        both = read32(data, 0) + (read32(data, size - 4) << 32)
        low, high = multiply(both ^ secret_pair(16, 8), PRIME64_1 + (size << 2))
        high = high + (low << 1) & MASK
        low ^= high >> 3
        low ^= low >> 35
        low = low * PRIME_MX2 & MASK
        return low ^ low >> 28, avalanche(high)
    first, last = read64(data, 0), read64(data, size - 8)
    low, high = multiply(first ^ last ^ secret_pair(32, 8), PRIME64_1)
    low = low + (size - 1 << 54) & MASK
    last ^= secret_pair(48, 8)
    high = high + last + (last & 0xffffffff) * (PRIME32_2 - 1) & MASK
    low ^= swap(high, 8)
    low, carried = multiply(low, PRIME64_2)
    return avalanche(low), avalanche(carried + high * PRIME64_2 & MASK)


def mix32(low, high, data, a, b, secret):
    low = low + mix16(data, a, secret) & MASK
    low ^= read64(data, b) + read64(data, b + 8) & MASK
    high = high + mix16(data, b, secret + 16) & MASK
    high ^= read64(data, a) + read64(data, a + 8) & MASK
    return low, high


def mix32_last(low, high, data):
    """The last 32 bytes of 129 to 240, whose part of the secret is its own."""
    return mix32(low, high, data, len(data) - 16, len(data) - 32, 136 - 17 - 16)


def medium128(data):
    size = len(data)
    low, high = size * PRIME64_1 & MASK, 0
    if size <= 128:
        for i in reversed(range((size - 1) // 32 + 1)):
            low, high = mix32(low, high, data, 16 * i, size - 16 * (i + 1), 32 * i)
    else:
        for at in range(0, 128, 32):
            low, high = mix32(low, high, data, at, at + 16, at)
        low, high = avalanche(low), avalanche(high)
        for at in range(128, size - 31, 32):
            low, high = mix32(low, high, data, at, at + 16, at - 128 + 3)
        low, high = mix32_last(low, high, data)
    last = low * PRIME64_1 + high * PRIME64_4 + size * PRIME64_2 & MASK
    return avalanche(low + high & MASK), -avalanche(last) & MASK


def hash128(data):
    """As one number; its canonical form is that number, high byte first."""
    size = len(data)
    if size <= 16:
        low, high = short128(data)
    elif size <= 240:
        low, high = medium128(data)
    else:
        lanes = lanes_of(data)
        low = merge(lanes, 11, size * PRIME64_1)
        high = merge(lanes, len(SECRET) - STRIPE - 11, ~(size * PRIME64_2))
    return high << 64 | low


def check(data, bits):
    """The low bits of XXH3-64 that headers end with."""
    return hash64(data) & ((1 << bits) - 1)
