#include "row.h"

enum { WINDOW = 1024, DIFFERENT = 16 };

uint32_t nz_row_find(const uint8_t *raw, uint32_t pos)
{
    uint32_t best = UINT32_MAX, row = NZ_ROW_MIN;
    if (pos < WINDOW + NZ_ROW_MAX)
        return row;
    const uint8_t *now = raw + pos - WINDOW;
    for (uint32_t r = NZ_ROW_MIN; r <= NZ_ROW_MAX; r++) {
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
