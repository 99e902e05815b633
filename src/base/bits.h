/* Numbers of any number of bits behind each other: each, and each byte, filled from its lowest bit
 * on, the last byte with zeros. */
#ifndef NZ_BASE_BITS_H
#define NZ_BASE_BITS_H

#include "base/base.h"
#include "base/buf.h"

typedef struct nz_bits_out {
    nz_buf *to;
    uint64_t v; /* fewer than 8 bits that do not yet fill a byte */
    unsigned n;
} nz_bits_out;

/* v below 2^n, n up to 56. */
NZ_INLINE void nz_bits_put(nz_bits_out *b, uint64_t v, unsigned n)
{
    b->v |= v << b->n;
    for (b->n += n; b->n >= 8; b->n -= 8, b->v >>= 8)
        nz_buf_byte(b->to, (unsigned)b->v & 255);
}

NZ_INLINE void nz_bits_flush(nz_bits_out *b)
{
    if (b->n)
        nz_bits_put(b, 0, 8 - b->n);
}

typedef struct nz_bits_in {
    nz_span in; /* bad when more was asked for than there is */
    uint64_t v;
    unsigned n;
} nz_bits_in;

/* n up to 32. */
NZ_INLINE uint32_t nz_bits_get(nz_bits_in *b, unsigned n)
{
    if (b->n < n && nz_span_left(&b->in) >= 4) {
        b->v |= (uint64_t)nz_load32(b->in.at) << b->n;
        b->in.at += 4;
        b->n += 32;
    }
    for (; b->n < n; b->n += 8)
        b->v |= (uint64_t)nz_span_byte(&b->in) << b->n;
    uint32_t v = (uint32_t)(b->v & ((UINT64_C(1) << n) - 1));
    b->v >>= n;
    b->n -= n;
    return v;
}

/* Whether just what there is was read, but for what fills the last byte. */
NZ_INLINE bool nz_bits_all(const nz_bits_in *b)
{
    return !b->in.bad && !nz_span_left(&b->in) && b->n < 8;
}

#endif
