#include "row.h"

enum { WINDOW = 1024, DIFFERENT = 16 };

/* How little the last bytes before pos resemble those a row above them. */
static uint32_t cost_of(const uint8_t *raw, uint32_t pos, uint32_t row)
{
    const uint8_t *now = raw + pos - WINDOW, *above = now - row;
    uint32_t cost = 0;
    for (int i = 0; i < WINDOW; i++) {
        int d = now[i] - above[i];
        d = d < 0 ? -d : d;
        cost += (uint32_t)(d < DIFFERENT ? d : DIFFERENT);
    }
    return cost;
}

uint32_t nz_row_find(const uint8_t *raw, uint32_t pos, uint32_t known)
{
    if (pos < WINDOW + NZ_ROW_MAX)
        return known;
    uint32_t best = cost_of(raw, pos, known), row = known;
    for (uint32_t r = NZ_ROW_MIN; r <= NZ_ROW_MAX; r++) {
        uint32_t cost = cost_of(raw, pos, r);
        if (cost < best) {
            best = cost;
            row = r;
        }
    }
    return row;
}
