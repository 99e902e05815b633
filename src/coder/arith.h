/* 32-bit binary arithmetic coder with 16-bit probabilities (carry-less range, as in lpaq).
 *
 * The interval [lo, hi] is inclusive. For p in [1, 65535] and lo < hi the split
 * mid = lo + ((hi - lo) * p >> 16) satisfies lo <= mid < hi, so neither half is ever empty, and
 * bytes are shifted out while the leading bytes agree, which keeps hi - lo >= 2^16 or the leading
 * bytes adjacent; both ends cost at most four bytes. */
#ifndef NZ_CODER_ARITH_H
#define NZ_CODER_ARITH_H

#include "base/base.h"

typedef struct nz_arith {
    uint32_t lo, hi, code; /* code: decoder only */
    uint8_t *at, *end;     /* output, or input; past the end the decoder reads zeros */
    int over; /* encoder: the output did not fit; decoder: bytes read past the end, up to 5 */
} nz_arith;

void nz_arith_write(nz_arith *a, uint8_t *out, size_t cap);
void nz_arith_read(nz_arith *a, const uint8_t *in, size_t n);
/* Writes what is left; returns 0 when all of it fitted. */
int nz_arith_flush(nz_arith *a);
/* After the last bit was read: 0 when the input ends exactly as nz_arith_flush() would end it. */
int nz_arith_check(const nz_arith *a);

NZ_INLINE uint32_t nz_arith_mid(const nz_arith *a, uint32_t p)
{
    return a->lo + (uint32_t)(((uint64_t)(a->hi - a->lo) * p) >> 16);
}

/* p: probability of a one, 1..65535 of 65536. */
NZ_INLINE void nz_arith_encode(nz_arith *a, uint32_t p, int bit)
{
    uint32_t mid = nz_arith_mid(a, p);
    if (bit)
        a->hi = mid;
    else
        a->lo = mid + 1;
    while (NZ_UNLIKELY(!((a->lo ^ a->hi) >> 24))) {
        if (a->at < a->end)
            *a->at++ = (uint8_t)(a->hi >> 24);
        else
            a->over = 1;
        a->lo <<= 8;
        a->hi = a->hi << 8 | 255;
    }
}

NZ_INLINE uint32_t nz_arith_next(nz_arith *a)
{
    if (NZ_LIKELY(a->at < a->end))
        return *a->at++;
    a->over += a->over < 5;
    return 0;
}

NZ_INLINE int nz_arith_decode(nz_arith *a, uint32_t p)
{
    uint32_t mid = nz_arith_mid(a, p);
    int bit = a->code <= mid;
    if (bit)
        a->hi = mid;
    else
        a->lo = mid + 1;
    while (NZ_UNLIKELY(!((a->lo ^ a->hi) >> 24))) {
        a->lo <<= 8;
        a->hi = a->hi << 8 | 255;
        a->code = a->code << 8 | nz_arith_next(a);
    }
    return bit;
}

#endif
