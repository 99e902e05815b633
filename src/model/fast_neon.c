/* The fast engine with NEON. */
#include "fast.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#define FAST_TARGET
#define FAST_FRAMES nz_fast_frames_neon

/* Of eight cells: the stretches, the histories that follow, and the stretches' upper halves. */
typedef struct lanes {
    int32x4_t stretch[2];
    uint32x4_t next[2];
    int16x4_t upper[2];
} lanes;
typedef struct row {
    int32x4_t w[2];
} row;
typedef int32x4_t sums;

NZ_INLINE lanes lanes_load(fast_cell *const *c)
{
    lanes x;
    for (int h = 0; h < 2; h++, c += 4) {
        int32x4_t a =
            vcombine_s32(vld1_s32((const int32_t *)c[0]), vld1_s32((const int32_t *)c[1]));
        int32x4_t b =
            vcombine_s32(vld1_s32((const int32_t *)c[2]), vld1_s32((const int32_t *)c[3]));
        x.stretch[h] = vuzp1q_s32(a, b);
        x.next[h] = vreinterpretq_u32_s32(vuzp2q_s32(a, b));
        x.upper[h] = vshrn_n_s32(x.stretch[h], 16);
    }
    return x;
}

NZ_INLINE void lanes_follow(uint8_t *const *slot, uint32_t node, int n, lanes x, int bit)
{
    for (int h = 0; h < 2; h++, slot += 4, n -= 4) {
        uint8x16_t next = vreinterpretq_u8_u32(vshlq_u32(x.next[h], vdupq_n_s32(-8 * bit)));
        if (n > 0)
            slot[0][node] = vgetq_lane_u8(next, 0);
        if (n > 1)
            slot[1][node] = vgetq_lane_u8(next, 4);
        if (n > 2)
            slot[2][node] = vgetq_lane_u8(next, 8);
        if (n > 3)
            slot[3][node] = vgetq_lane_u8(next, 12);
    }
}

NZ_INLINE void lanes_learn(fast_cell *const *c, lanes x, row slope)
{
    for (int h = 0; h < 2; h++, c += 4) {
        int32x4_t s = vaddq_s32(x.stretch[h], vshrq_n_s32(slope.w[h], FAST_SLOPE));
        s = vminq_s32(s, vdupq_n_s32(FAST_INPUT_MAX));
        s = vmaxq_s32(s, vdupq_n_s32(-FAST_INPUT_MAX));
        c[0]->stretch = vgetq_lane_s32(s, 0);
        c[1]->stretch = vgetq_lane_s32(s, 1);
        c[2]->stretch = vgetq_lane_s32(s, 2);
        c[3]->stretch = vgetq_lane_s32(s, 3);
    }
}

NZ_INLINE row row_load(const int32_t *w)
{
    return (row){{vld1q_s32(w), vld1q_s32(w + 4)}};
}

NZ_INLINE void row_store(int32_t *w, row r)
{
    vst1q_s32(w, r.w[0]);
    vst1q_s32(w + 4, r.w[1]);
}

NZ_INLINE row row_add(row a, row b)
{
    return (row){{vaddq_s32(a.w[0], b.w[0]), vaddq_s32(a.w[1], b.w[1])}};
}

NZ_INLINE row row_step(lanes x, int err)
{
    return (row){{vmull_n_s16(x.upper[0], (int16_t)err), vmull_n_s16(x.upper[1], (int16_t)err)}};
}

NZ_INLINE row row_slope(row r, int err)
{
    for (int h = 0; h < 2; h++)
        r.w[h] = vmull_n_s16(vshrn_n_s32(r.w[h], 16), (int16_t)err);
    return r;
}

NZ_INLINE sums sums_zero(void)
{
    return vdupq_n_s32(0);
}

NZ_INLINE sums dot(sums acc, lanes x, row r)
{
    for (int h = 0; h < 2; h++)
        acc = vmlal_s16(acc, x.upper[h], vshrn_n_s32(r.w[h], 16));
    return acc;
}

NZ_INLINE int32_t sums_fold(sums acc)
{
    return vaddvq_s32(acc);
}

#include "fast_loop.h"
#endif
