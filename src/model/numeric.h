/* The logistic pair every mixer works with, in integers.
 *
 * stretch(p) = ln(p / (1 - p)) in units of 1/256, squash is its inverse. Both are tables made once
 * from additions, multiplications and divisions of doubles only: exactly rounded everywhere, so
 * the same on every machine, which exp() and log() are not. */
#ifndef NZ_MODEL_NUMERIC_H
#define NZ_MODEL_NUMERIC_H

#include "base/base.h"

#define NZ_STRETCH_UNIT 256                        /* 1.0 of natural log */
#define NZ_STRETCH_MAX  (11 * NZ_STRETCH_UNIT - 1) /* stretched values lie in +-2815 */

typedef struct nz_numeric {
    int16_t stretch[4096]; /* of (i + .5) / 4096 */
    uint16_t squash[5632]; /* of i - 2816, in 1/65536, from 1 to 65535 */
} nz_numeric;

/* The tables, made by the first caller and never changed again; any thread. */
const nz_numeric *nz_numeric_get(void);

NZ_INLINE int nz_stretch_clamp(int d)
{
    return d > NZ_STRETCH_MAX ? NZ_STRETCH_MAX : d < -NZ_STRETCH_MAX ? -NZ_STRETCH_MAX : d;
}

/* p12: probability in 1/4096. */
NZ_INLINE int nz_stretch(const nz_numeric *t, uint32_t p12)
{
    return t->stretch[p12];
}

/* d in +-NZ_STRETCH_MAX; the probability in 1/65536. */
NZ_INLINE int nz_squash(const nz_numeric *t, int d)
{
    return t->squash[d + NZ_STRETCH_MAX + 1];
}

#endif
