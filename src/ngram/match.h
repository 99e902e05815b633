/* Match model: remembers where the last `min` bytes were seen before and expects what followed
 * there. After a miss it keeps its place for a few bytes (small edits), at a lower confidence. */
#ifndef NZ_NGRAM_MATCH_H
#define NZ_NGRAM_MATCH_H

#include "base/base.h"

enum { NZ_MATCH_LENGTHS = 32, NZ_MATCH_VERIFY = 1000 };

typedef struct nz_match {
    /* [2^bits] positions after the last occurrences: in cache lines by the hash of all bytes but
     * the last, so that the line can be fetched before that one is known. */
    uint32_t *last;
    uint32_t *line; /* for the byte to come, NULL at first */
    int bits;
    uint32_t min;  /* bytes hashed, 4 to 16, and the shortest match taken up */
    uint32_t at;   /* where the expected byte is, when expect >= 0 */
    uint32_t len;  /* verified bytes before it, saturating */
    uint32_t miss; /* wrong bytes since, 0 for an unbroken match */
    int expect;    /* the expected byte, -1 for none */
} nz_match;

int nz_match_new(nz_match *m, int bits, uint32_t min); /* 0, or -1 without memory */
/* Another text begins: as new. */
void nz_match_forget(nz_match *m);
void nz_match_free(nz_match *m);
/* raw[pos - 1] has just become known. */
void nz_match_next(nz_match *m, const uint8_t *raw, uint32_t pos);

/* The length in NZ_MATCH_LENGTHS steps that widen: 1 apart, then 4, 8, 128. */
NZ_INLINE uint32_t nz_match_bucket(uint32_t len)
{
    return len < 16    ? len
           : len < 32  ? 16 + ((len - 16) >> 2)
           : len < 64  ? 20 + ((len - 32) >> 3)
           : len < 512 ? 24 + ((len - 64) >> 7)
                       : 28 + (len >= NZ_MATCH_VERIFY);
}

/* 256 * (0 none .. 7 long) + the expected byte: one of the network's contexts. */
NZ_INLINE uint32_t nz_match_state(const nz_match *m)
{
    if (m->expect < 0)
        return 0;
    uint32_t n = m->len;
    uint32_t class = n < 8 ? 1 : n < 12 ? 2 : n < 16 ? 3 : n < 24 ? 4 : n < 32 ? 5 : n < 64 ? 6 : 7;
    return class << 8 | (uint32_t)m->expect;
}

/* 1 + the expected bit when the expected byte agrees with the bits so far, else 0. */
NZ_INLINE uint32_t nz_match_bit(int expect, uint32_t c0, uint32_t bit)
{
    uint32_t e = (uint32_t)expect | 256;
    return expect >= 0 && e >> (8 - bit) == c0 ? 1 + (e >> (7 - bit) & 1) : 0;
}

#endif
