#include "arith.h"

void nz_arith_write(nz_arith *a, uint8_t *out, size_t cap)
{
    *a = (nz_arith){.hi = UINT32_MAX, .at = out, .end = cap ? out + cap : out};
}

void nz_arith_read(nz_arith *a, const uint8_t *in, size_t n)
{
    /* The decoder never writes through `at`; one struct serves both ends. No bytes may be NULL. */
    uint8_t *at = (uint8_t *)(uintptr_t)in;
    *a = (nz_arith){.hi = UINT32_MAX, .at = at, .end = n ? at + n : at};
    for (int i = 0; i < 4; i++)
        a->code = a->code << 8 | nz_arith_next(a);
}

/* The shortest end: a value within [lo, hi] that needs `keep` bytes when zeros follow it. With four
 * bytes lo itself will do, so one is always found. */
static uint32_t shortest(const nz_arith *a, int *keep)
{
    for (*keep = 1;; ++*keep) {
        uint32_t low = *keep == 4 ? 0 : UINT32_MAX >> 8 * *keep;
        uint64_t up = ((uint64_t)a->lo + low) & ~(uint64_t)low;
        if (up <= a->hi)
            return (uint32_t)up;
    }
}

int nz_arith_flush(nz_arith *a)
{
    int keep;
    uint32_t v = shortest(a, &keep);
    for (int i = 0; i < keep; i++) {
        if (a->at < a->end)
            *a->at++ = (uint8_t)(v >> (24 - 8 * i));
        else
            a->over = 1;
    }
    return a->over;
}

int nz_arith_check(const nz_arith *a)
{
    int keep;
    uint32_t v = shortest(a, &keep);
    return a->code != v || a->at != a->end || a->over != 4 - keep;
}
