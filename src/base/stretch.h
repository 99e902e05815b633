/* A look at data without reading all of it. */
#ifndef NZ_BASE_STRETCH_H
#define NZ_BASE_STRETCH_H

#include "base.h"

#include <stdbool.h>

/* The k-th of 16 stretches of 4 KB across n bytes, or the first and only one, all of them, where
 * they are fewer. False: there is none. */
NZ_INLINE bool nz_stretch_of(size_t *from, size_t *to, size_t n, unsigned k)
{
    enum { STRETCHES = 16, STRETCH = 4096 };
    bool whole = n <= STRETCHES * STRETCH;
    *from = whole ? 0 : (n - STRETCH) / (STRETCHES - 1) * k;
    *to = whole ? n : *from + STRETCH;
    return k < (whole ? 1 : STRETCHES);
}

#endif
