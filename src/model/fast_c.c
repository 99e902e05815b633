/* The fast engine in plain C: the definition. */
#define FAST_TARGET
#define FAST_FRAMES nz_fast_frames_c
#include "fast.h"

typedef struct lanes {
    fast_cell cell[FAST_LANES];
} lanes;
typedef struct row {
    uint32_t w[FAST_LANES];
} row;
typedef int32_t sums;

NZ_INLINE lanes lanes_load(fast_cell *const *cell)
{
    lanes x;
    for (int i = 0; i < FAST_LANES; i++)
        x.cell[i] = *cell[i];
    return x;
}

NZ_INLINE void lanes_follow(uint8_t *const *slot, uint32_t node, int n, lanes x, int bit)
{
    for (int i = 0; i < n && i < FAST_LANES; i++)
        slot[i][node] = x.cell[i].next[bit];
}

NZ_INLINE void lanes_learn(fast_cell *const *cell, lanes x, row slope)
{
    for (int i = 0; i < FAST_LANES; i++) {
        int32_t s = x.cell[i].stretch + ((int32_t)slope.w[i] >> FAST_SLOPE);
        cell[i]->stretch = s > FAST_INPUT_MAX    ? FAST_INPUT_MAX
                           : s < -FAST_INPUT_MAX ? -FAST_INPUT_MAX
                                                 : s;
    }
}

NZ_INLINE row row_load(const int32_t *w)
{
    row r;
    memcpy(r.w, w, sizeof r.w);
    return r;
}

NZ_INLINE void row_store(int32_t *w, row r)
{
    memcpy(w, r.w, sizeof r.w);
}

NZ_INLINE row row_add(row a, row b)
{
    for (int i = 0; i < FAST_LANES; i++)
        a.w[i] += b.w[i];
    return a;
}

NZ_INLINE row row_step(lanes x, int err)
{
    row r;
    for (int i = 0; i < FAST_LANES; i++)
        r.w[i] = (uint32_t)((x.cell[i].stretch >> 16) * err);
    return r;
}

NZ_INLINE row row_slope(row r, int err)
{
    for (int i = 0; i < FAST_LANES; i++)
        r.w[i] = (uint32_t)(((int32_t)r.w[i] >> 16) * err);
    return r;
}

NZ_INLINE sums sums_zero(void)
{
    return 0;
}

NZ_INLINE sums dot(sums acc, lanes x, row r)
{
    uint32_t sum = (uint32_t)acc;
    for (int i = 0; i < FAST_LANES; i++)
        sum += (uint32_t)((x.cell[i].stretch >> 16) * ((int32_t)r.w[i] >> 16));
    return (int32_t)sum;
}

NZ_INLINE int32_t sums_fold(sums acc)
{
    return acc;
}

#include "fast_loop.h"

#define FAST_EXPLAINED(name, plan)                                                             \
    static nz_err name(nz_fast *f, const nz_run *run, nz_arith *coder, uint8_t *raw, size_t n) \
    {                                                                                          \
        return code_frame(plan, 1, run->ledger, f, run, coder, raw, n);                        \
    }
FAST_EXPLAINED(explain1, FAST_PLAN1)
FAST_EXPLAINED(explain2, FAST_PLAN2)
FAST_EXPLAINED(explain3, FAST_PLAN3)
FAST_EXPLAINED(explain4, FAST_PLAN4)

fast_frame *const nz_fast_explained[4] = {explain1, explain2, explain3, explain4};
