#include "arith.h"

void nz_arith_write(nz_arith *a, uint8_t *out, size_t cap)
{
    *a = (nz_arith){.hi = UINT32_MAX, .at = out, .end = out + cap};
}

void nz_arith_read(nz_arith *a, const uint8_t *in, size_t n)
{
    /* The decoder never writes through `at`; one struct serves both ends. */
    *a = (nz_arith){
        .hi = UINT32_MAX, .at = (uint8_t *)(uintptr_t)in, .end = (uint8_t *)(uintptr_t)in + n};
    for (int i = 0; i < 4; i++)
        a->code = a->code << 8 | (a->at < a->end ? *a->at++ : 0);
}

int nz_arith_flush(nz_arith *a)
{
    /* One byte names a value inside [lo, hi] when zeros follow it, unless lo has lower bytes set
     * under the same leading byte; then the next leading byte is still <= hi. */
    uint32_t v = a->lo;
    for (int keep = 1; keep <= 4; keep++) {
        uint32_t low = keep == 4 ? 0 : UINT32_MAX >> 8 * keep;
        uint64_t up = ((uint64_t)a->lo + low) & ~(uint64_t)low;
        if (up <= a->hi) {
            v = (uint32_t)up;
            for (int i = 0; i < keep; i++) {
                if (a->at < a->end)
                    *a->at++ = (uint8_t)(v >> (24 - 8 * i));
                else
                    a->over = 1;
            }
            break;
        }
    }
    return a->over;
}
