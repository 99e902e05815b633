/* The logarithm in integers, the same on every machine. */
#ifndef NZ_BASE_LOG_H
#define NZ_BASE_LOG_H

#include "base/base.h"

#define NZ_LOG_BITS 16 /* behind the point */

/* log2 of v > 0 without what is behind the point. */
NZ_INLINE uint32_t nz_log2_whole(uint32_t v)
{
    return 31 - (uint32_t)__builtin_clz(v);
}

/* log2 of v > 0, rounded down, by squaring. */
NZ_INLINE uint32_t nz_log2(uint32_t v)
{
    uint32_t whole = nz_log2_whole(v), log = whole << NZ_LOG_BITS;
    uint64_t x = (uint64_t)v << (31 - whole); /* 1.0 is 2^31 */
    for (int bit = NZ_LOG_BITS - 1; bit >= 0; bit--) {
        x = x * x >> 31;
        if (x >> 32) {
            x >>= 1;
            log |= UINT32_C(1) << bit;
        }
    }
    return log;
}

#endif
