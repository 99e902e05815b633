/* Number formats: what the bits of a weight mean, without ever making a float of it.
 *
 * A float is a sign, an exponent and a mantissa. An integer in two's complement is read the same
 * way: of the magnitude (~v where v is negative) the bit length is the exponent and what follows
 * the leading one the mantissa, which then has a length of its own. */
#ifndef NZ_WEIGHTS_VALUE_H
#define NZ_WEIGHTS_VALUE_H

#include "base/base.h"
#include "containers/dtype.h"

#include <stdbool.h>

typedef struct nz_value {
    uint8_t bits;               /* 8, 16, 32 or 64, little-endian */
    uint8_t exponent, mantissa; /* with the sign they fill `bits`; exponent 0: integers */
} nz_value;

/* NULL: neither a float with a sign nor a signed integer. */
const nz_value *nz_value_of(nz_dtype dtype);

/* E4M3 has no infinity: its largest exponent is one of numbers, but for a NaN. */
NZ_INLINE bool nz_value_is_finite(const nz_value *f)
{
    return f->exponent == 4;
}

typedef struct nz_value_parts {
    int sign, exponent;
    uint64_t mantissa;
} nz_value_parts;

NZ_INLINE uint64_t nz_value_load(const nz_value *f, const uint8_t *p)
{
    return nz_load(p, f->bits / 8);
}

NZ_INLINE void nz_value_store(const nz_value *f, uint8_t *p, uint64_t v)
{
    nz_store(p, v, f->bits / 8);
}

/* The lowest bits, 0 to 64 of them. */
NZ_INLINE uint64_t nz_value_mask(int bits)
{
    return bits >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1;
}

/* The place of the highest one; 0 for 0. */
NZ_INLINE int nz_value_top(uint64_t v)
{
    return 63 - __builtin_clzll(v | 1);
}

NZ_INLINE int nz_value_exponent_max(const nz_value *f)
{
    return f->exponent ? (1 << f->exponent) - 1 : f->bits - 1;
}

NZ_INLINE int nz_value_mantissa_bits(const nz_value *f, int exponent)
{
    return f->exponent ? f->mantissa : exponent ? exponent - 1 : 0;
}

NZ_INLINE nz_value_parts nz_value_split(const nz_value *f, uint64_t u)
{
    nz_value_parts r = {.sign = (int)(u >> (f->bits - 1) & 1)};
    if (f->exponent) {
        r.exponent = (int)(u >> f->mantissa & nz_value_mask(f->exponent));
        r.mantissa = u & nz_value_mask(f->mantissa);
    } else {
        uint64_t v = (r.sign ? ~u : u) & nz_value_mask(f->bits - 1);
        r.exponent = v ? nz_value_top(v) + 1 : 0;
        r.mantissa = v & nz_value_mask(nz_value_mantissa_bits(f, r.exponent));
    }
    return r;
}

NZ_INLINE uint64_t nz_value_join(const nz_value *f, nz_value_parts r)
{
    if (f->exponent)
        return (uint64_t)r.sign << (f->bits - 1) | (uint64_t)r.exponent << f->mantissa | r.mantissa;
    uint64_t v = r.exponent ? UINT64_C(1) << (r.exponent - 1) | r.mantissa : 0;
    return (r.sign ? ~v : v) & nz_value_mask(f->bits);
}

/* Between the bits and unsigned integers in the order of the numbers. */
NZ_INLINE uint64_t nz_value_rank(const nz_value *f, uint64_t u)
{
    uint64_t top = UINT64_C(1) << (f->bits - 1);
    return f->exponent && u & top ? ~u & nz_value_mask(f->bits) : u ^ top;
}

NZ_INLINE uint64_t nz_value_unrank(const nz_value *f, uint64_t rank)
{
    uint64_t top = UINT64_C(1) << (f->bits - 1);
    rank &= nz_value_mask(f->bits);
    return f->exponent && !(rank & top) ? ~rank & nz_value_mask(f->bits) : rank ^ top;
}

#endif
