"""Bit histories and the logistic pair (formats/fast.md, Tables)."""

STRETCH_MOST = 2815  # in 1/256


def make_logistic():
    """(stretch, squash): stretch[i] of the probability (i + 1/2) / 4096; squash[d + 2816]."""
    step = 1.0039138893383475734436096039034  # exp(1 / 256)
    half_step = 1.0019550335910028120465188980475
    squash = [0] * (2 * (STRETCH_MOST + 1))
    e = 1.0
    for d in range(STRETCH_MOST + 2):
        p = min(int(65536 * e / (1 + e) + .5), 65535)
        if d <= STRETCH_MOST:
            squash[STRETCH_MOST + 1 + d] = p
        squash[STRETCH_MOST + 1 - d] = 65536 - p
        e *= step
    stretch = [0] * 4096
    edge, d = half_step, 0
    for i in range(2048, 4096):
        odds = (i + .5) / (4095.5 - i)
        while odds > edge:
            d += 1
            edge *= step
        stretch[i] = d
        stretch[4095 - i] = -d
    return stretch, squash


STRETCH, SQUASH = make_logistic()


def limit_stretch(d):
    return max(-STRETCH_MOST, min(STRETCH_MOST, d))


def squash(d):
    """The probability in 1/65536, 1 to 65535, of d within +-STRETCH_MOST."""
    return SQUASH[d + STRETCH_MOST + 1]


# ---- Histories ----

LITERAL = 4  # bits that are kept as they came
MAJOR_MOST = (40, 20, 12, 8, 6, 5)  # of the larger count, by the smaller


def counted(zeros, ones):
    minor, major = min(zeros, ones), max(zeros, ones)
    return minor < len(MAJOR_MOST) and major <= MAJOR_MOST[minor] and zeros + ones > LITERAL


def discount(count):
    """What is left of a count when the other bit comes."""
    return count if count <= 3 else 3 if count <= 5 else 4 if count <= 9 else 5


def after(zeros, ones, bit):
    """The counts of a history of LITERAL bits or more and one more bit."""
    count = [zeros, ones]
    count[1 - bit] = discount(count[1 - bit])
    count[bit] += 1
    while sum(count) <= LITERAL:
        count[bit] += 1
    while not counted(*count):
        larger = bit if count[bit] > count[1 - bit] else 1 - bit
        count[larger] -= 1
    return count[0], count[1], bit


def make_histories():
    """(counts, following): zeros and ones of each history; the next one by history and bit."""
    counts, following = [], []
    for length in range(LITERAL + 1):
        for bits in range(1 << length):
            ones = bin(bits).count("1")
            counts.append((length - ones, ones))
            first = (2 << length) - 1 + 2 * bits
            following.append((first, first + 1))
    number = {}
    for zeros in range(MAJOR_MOST[0] + 1):
        for ones in range(MAJOR_MOST[0] + 1):
            for last in range(2):
                if counted(zeros, ones) and (zeros, ones)[last]:
                    number[zeros, ones, last] = len(counts)
                    counts.append((zeros, ones))
    following = following[:(1 << LITERAL) - 1]
    for zeros, ones in counts[len(following):]:
        following.append(tuple(number[after(zeros, ones, bit)] for bit in range(2)))
    return counts, following


COUNTS, FOLLOWING = make_histories()
