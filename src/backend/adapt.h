/* Adaptive probability: 22 bits of P(1) over a 10-bit count. Each update moves it by
 * 1 / (count + 1.5) of the error until the count reaches a limit, so it starts as an average and
 * ends as a moving one. */
#ifndef NZ_BACKEND_ADAPT_H
#define NZ_BACKEND_ADAPT_H

#include "base/base.h"

extern const int16_t nz_adapt_rate[1024]; /* 32768 / (2 n + 3), rounded down */

NZ_INLINE uint32_t nz_adapt_start(uint32_t p22, uint32_t count)
{
    return p22 << 10 | count;
}

/* v after a bit. The error is taken in 2^-17, so that its product with a rate fits 32 bits. */
NZ_INLINE uint32_t nz_adapt_next(uint32_t v, int bit, uint32_t limit)
{
    uint32_t n = v & 1023;
    int32_t p = (int32_t)(v >> 10), error = (bit << 22) - bit - p;
    p += (error >> 5) * nz_adapt_rate[n] >> 9;
    return (uint32_t)p << 10 | (n + (n < limit));
}

NZ_INLINE void nz_adapt_update(uint32_t *v, int bit, uint32_t limit)
{
    *v = nz_adapt_next(*v, bit, limit);
}

#endif
