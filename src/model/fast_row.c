/* Tables, records and images repeat at a distance; the bytes one row above tell about the next. */
#include "fast_past.h"

enum { WINDOW = 1024, ROW_MIN = 8, DIFFERENT = 16 };

uint32_t fast_find_row(const uint8_t *raw, uint32_t pos)
{
    uint32_t best = UINT32_MAX, row = ROW_MIN;
    if (pos < WINDOW + FAST_STRIDE_MAX)
        return row;
    const uint8_t *now = raw + pos - WINDOW;
    for (uint32_t r = ROW_MIN; r <= FAST_STRIDE_MAX; r++) {
        const uint8_t *above = now - r;
        uint32_t cost = 0;
        for (int i = 0; i < WINDOW; i++) {
            int d = now[i] - above[i];
            d = d < 0 ? -d : d;
            cost += (uint32_t)(d < DIFFERENT ? d : DIFFERENT);
        }
        if (cost < best) {
            best = cost;
            row = r;
        }
    }
    return row;
}
