/* Numbers with exponents of almost fixed length: what the kernels of the turbo form agree on.
 *
 * A float is turned left by one bit, as in number.h: its exponent leads, its sign ends the rest.
 * NZ_TURBO_BLOCK numbers share a base. Their exponents are told by how far they lie from it, in
 * digits of two bits, the digit 3 meaning that another follows:
 *
 *   0  1  2         base, base - 1, base - 2
 *   3, then 0 1 2   base + 1, base - 3, base - 4
 *   3 3 0 1 2       base - 5, base - 6, base - 7
 *   3 3 3 0 1 2     base + 2, base - 8, base - 9
 *   3 3 3 3         any other exponent, an odd one: a list has it
 *
 * NZ_TURBO_GROUP numbers lie together. Bit i of a word of 32 bits, little-endian, belongs to number
 * i of the group:
 *
 *   F16   2 words: the bits of the first digit, the lower first; 3 words: bits 8, 9, 10 of the
 *         rest; 32 bytes: bits 0 to 7 of the rest
 *   BF16  2 words: the first digit; 32 bytes: the rest
 *   F32   2 words: the first digit; 32 bytes: bits 16 to 23 of the rest; 32 times 2 bytes: 0 to 15
 *
 * The second, third and fourth digits have a stream each, of bits, the lowest of a byte first. Each
 * group has there the lower bit of all its numbers that have such a digit, then their higher bits.
 * One stream alone would do, but reading a group could not start before the one in front is read.
 */
#ifndef NZ_BACKEND_TURBO_H
#define NZ_BACKEND_TURBO_H

#include "base/base.h"

#include <stddef.h>
#include <stdint.h>

#define NZ_TURBO_GROUP 32
#define NZ_TURBO_BLOCK 512
#define NZ_TURBO_LATER 3  /* digits behind the first */
#define NZ_TURBO_NEAR  12 /* exponents that digits tell */
/* Bytes that can be read behind the odd exponents and behind each stream: a corrupt group may take
 * as many more than there are before this is noticed, and words are loaded whole. */
#define NZ_TURBO_SLACK 32

typedef enum nz_turbo_shape {
    NZ_TURBO_F16,
    NZ_TURBO_BF16,
    NZ_TURBO_F32,
    NZ_TURBO_SHAPES
} nz_turbo_shape;

/* Bytes of a group. */
enum { NZ_TURBO_F16_BYTES = 52, NZ_TURBO_BF16_BYTES = 40, NZ_TURBO_F32_BYTES = 104 };

/* By digits: how far from the base, those of one length after the other. */
static const int8_t NZ_TURBO_FROM_BASE[NZ_TURBO_NEAR] = {0,  -1, -2, 1, -3, -4,
                                                         -5, -6, -7, 2, -8, -9};

typedef struct nz_turbo_in {
    const uint8_t *base, *groups;        /* those of number 0 on */
    const uint8_t *odd, *odd_end;        /* the exponents not yet read */
    const uint8_t *bits[NZ_TURBO_LATER]; /* the streams */
    size_t bit[NZ_TURBO_LATER];          /* the next of each */
    size_t bit_end[NZ_TURBO_LATER];      /* how many there are */
    size_t at;                           /* the next number, first of its group */
} nz_turbo_in;

typedef struct nz_turbo_out {
    const uint8_t *base;
    uint8_t *groups;
    uint8_t *odd, *bits[NZ_TURBO_LATER]; /* where the next ones go */
    uint64_t last[NZ_TURBO_LATER];       /* bits that do not yet fill four bytes, */
    unsigned lasts[NZ_TURBO_LATER];      /* how many */
    size_t at;
} nz_turbo_out;

/* Appends n bits to the stream of digits k, 32 at most. */
NZ_INLINE void nz_turbo_bits_put(nz_turbo_out *to, int k, uint32_t v, unsigned n)
{
    to->last[k] |= (uint64_t)v << to->lasts[k];
    to->lasts[k] += n;
    if (to->lasts[k] >= 32) {
        nz_store32(to->bits[k], (uint32_t)to->last[k]);
        to->bits[k] += 4;
        to->last[k] >>= 32;
        to->lasts[k] -= 32;
    }
}

/* Passes n bits, 32 at most; those behind them in what is returned are any. */
NZ_INLINE uint32_t nz_turbo_bits_get(nz_turbo_in *in, int k, unsigned n)
{
    size_t bit = in->bit[k];
    in->bit[k] += n;
    return (uint32_t)(nz_load64(in->bits[k] + bit / 8) >> bit % 8);
}

/* Whether to go on, to number `end`: not when more was read than there is. */
NZ_INLINE int nz_turbo_more(const nz_turbo_in *in, size_t end)
{
    return in->at < end && in->odd <= in->odd_end && in->bit[0] <= in->bit_end[0] &&
           in->bit[1] <= in->bit_end[1] && in->bit[2] <= in->bit_end[2];
}

#endif
