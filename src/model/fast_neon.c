/* The fast engine with NEON. */
#include "fast.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#define FAST_TARGET
#define FAST_FRAMES nz_fast_frames_neon

/* Of eight cells: p, {stretch | rate << 16}, and the stretches alone. */
typedef struct lanes {
    int32x4_t p[2];
    uint32x4_t in[2];
    int16x4_t stretch[2];
} lanes;
typedef int32x4_t sums;

NZ_INLINE lanes lanes_load(fast_cell *const *c)
{
    lanes x;
    for (int h = 0; h < 2; h++, c += 4) {
        int32x4_t a = vreinterpretq_s32_u64(
            vcombine_u64(vld1_u64((const uint64_t *)c[0]), vld1_u64((const uint64_t *)c[1])));
        int32x4_t b = vreinterpretq_s32_u64(
            vcombine_u64(vld1_u64((const uint64_t *)c[2]), vld1_u64((const uint64_t *)c[3])));
        x.p[h] = vuzp1q_s32(a, b);
        x.in[h] = vreinterpretq_u32_s32(vuzp2q_s32(a, b));
        x.stretch[h] = vreinterpret_s16_u16(vmovn_u32(x.in[h]));
    }
    return x;
}

NZ_INLINE sums sums_zero(void)
{
    return vdupq_n_s32(0);
}

NZ_INLINE sums dot(sums acc, lanes x, const int32_t *w)
{
    for (int h = 0; h < 2; h++)
        acc = vmlal_s16(acc, x.stretch[h], vshrn_n_s32(vld1q_s32(w + 4 * h), 16));
    return acc;
}

NZ_INLINE int32_t sums_fold(sums acc)
{
    return vaddvq_s32(acc);
}

NZ_INLINE void train(int32_t *w, lanes x, int err)
{
    for (int h = 0; h < 2; h++, w += 4)
        vst1q_s32(w, vmlal_n_s16(vld1q_s32(w), x.stretch[h], (int16_t)err));
}

NZ_INLINE void lanes_learn(fast_cell *const *c, lanes x, int bit, const int16_t *stretch)
{
    for (int h = 0; h < 2; h++, c += 4) {
        uint32x4_t rate = vshrq_n_u32(x.in[h], 16);
        int32x4_t p = x.p[h], off = vshrq_n_s32(vsubq_s32(vdupq_n_s32(bit << 22), p), 4);
        off = vmulq_s32(off, vreinterpretq_s32_u32(vshrq_n_u32(rate, 4)));
        p = vaddq_s32(p, vshrq_n_s32(off, 8));
        rate = vsubq_u32(rate, vshrq_n_u32(vmulq_u32(rate, rate), 16));
        rate = vmaxq_u32(rate, vdupq_n_u32(FAST_RATE_MIN));
        int32_t at[4];
        vst1q_s32(at, vshrq_n_s32(p, 10));
        uint32x4_t in = vshlq_n_u32(rate, 16);
        const uint32_t found[4] = {(uint16_t)stretch[at[0]], (uint16_t)stretch[at[1]],
                                   (uint16_t)stretch[at[2]], (uint16_t)stretch[at[3]]};
        in = vorrq_u32(in, vld1q_u32(found));
        uint32x4_t up = vreinterpretq_u32_s32(p);
        uint64x2_t lo = vreinterpretq_u64_u32(vzip1q_u32(up, in));
        uint64x2_t hi = vreinterpretq_u64_u32(vzip2q_u32(up, in));
        vst1_u64((uint64_t *)c[0], vget_low_u64(lo));
        vst1_u64((uint64_t *)c[1], vget_high_u64(lo));
        vst1_u64((uint64_t *)c[2], vget_low_u64(hi));
        vst1_u64((uint64_t *)c[3], vget_high_u64(hi));
    }
}

#include "fast_loop.h"
#endif
