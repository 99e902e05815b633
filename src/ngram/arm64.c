#include "arm64.h"

/* The highest bytes of the instructions that compilers use most. */
static const bool likely[256] = {
    [0x0a ... 0x0b] = true, [0x0e] = true,          [0x10 ... 0x14] = true, [0x17] = true,
    [0x1a ... 0x1b] = true, [0x1e ... 0x1f] = true, [0x28 ... 0x2a] = true, [0x2d ... 0x2e] = true,
    [0x34 ... 0x39] = true, [0x3d] = true,          [0x4a ... 0x4b] = true, [0x4e] = true,
    [0x51 ... 0x54] = true, [0x6a ... 0x6b] = true, [0x6d ... 0x6e] = true, [0x71 ... 0x72] = true,
    [0x78 ... 0x7a] = true, [0x8a ... 0x8b] = true, [0x90 ... 0x94] = true, [0x97] = true,
    [0x9a ... 0x9b] = true, [0xa8 ... 0xaa] = true, [0xad] = true,          [0xb0] = true,
    [0xb4 ... 0xb5] = true, [0xb8 ... 0xb9] = true, [0xca ... 0xcb] = true, [0xd0 ... 0xd3] = true,
    [0xd5 ... 0xd6] = true, [0xea ... 0xeb] = true, [0xf0 ... 0xf2] = true, [0xf8 ... 0xfa] = true,
    [0xfd] = true,
};

uint32_t nz_arm64_trust(uint32_t trust, uint32_t word)
{
    if (likely[word >> 24])
        return trust + (trust < 2 * NZ_ARM64_TRUST);
    return trust < 3 ? 0 : trust - 3;
}

void nz_arm64_start(nz_arm64 *a)
{
    a->place = 0;
    a->now = 1;
}

static void word_end(nz_arm64 *a, uint32_t word)
{
    memmove(a->word + 1, a->word, sizeof a->word - sizeof a->word[0]);
    memmove(a->op + 1, a->op, sizeof a->op - sizeof a->op[0]);
    a->word[0] = word;
    a->op[0] = nz_arm64_op(word);
    a->same[word >> 24] = word;
    if (nz_arm64_is_call(word)) {
        a->call[1] = a->call[0];
        a->call[0] = word;
    }
    if ((word >> 5 & 31) == 31 && (word >> 25 & 5) == 4) /* loads and stores */
        a->stack = word;
    a->trust = nz_arm64_trust(a->trust, word);
    nz_arm64_start(a);
}

void nz_arm64_next(nz_arm64 *a, uint8_t byte)
{
    uint32_t word = a->now << 8 | byte; /* the leading one is out by the fourth byte */
    a->now = word;
    if (++a->place == 4)
        word_end(a, word);
}
