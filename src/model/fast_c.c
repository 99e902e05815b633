/* The fast engine in plain C: the definition. */
#define FAST_TARGET
#define FAST_FRAMES nz_fast_frames_c
#include "fast.h"

typedef struct lanes {
    fast_cell cell[FAST_LANES];
} lanes;
typedef int32_t sums;

NZ_INLINE lanes lanes_load(fast_cell *const *cell)
{
    lanes in;
    for (int i = 0; i < FAST_LANES; i++)
        in.cell[i] = *cell[i];
    return in;
}

NZ_INLINE sums sums_zero(void)
{
    return 0;
}

NZ_INLINE sums dot(sums acc, lanes in, const int32_t *w)
{
    uint32_t sum = (uint32_t)acc;
    for (int i = 0; i < FAST_LANES; i++)
        sum += (uint32_t)(in.cell[i].stretch * (w[i] >> 16));
    return (int32_t)sum;
}

NZ_INLINE int32_t sums_fold(sums acc)
{
    return acc;
}

NZ_INLINE void train(int32_t *w, lanes in, int err)
{
    for (int i = 0; i < FAST_LANES; i++)
        w[i] = (int32_t)((uint32_t)w[i] + (uint32_t)(in.cell[i].stretch * err));
}

NZ_INLINE void lanes_learn(fast_cell *const *cell, lanes in, int bit, const int16_t *stretch)
{
    for (int i = 0; i < FAST_LANES; i++) {
        fast_cell c = in.cell[i];
        uint32_t fall = (uint32_t)c.rate * c.rate >> 16, rate = c.rate - fall;
        c.p += (((bit << 22) - c.p) >> 4) * (c.rate >> 4) >> 8;
        c.stretch = stretch[c.p >> 10];
        c.rate = (uint16_t)(rate > FAST_RATE_MIN ? rate : FAST_RATE_MIN);
        *cell[i] = c;
    }
}

#include "fast_loop.h"
