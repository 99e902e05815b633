/* NEON kernels (AArch64). */
#include "kern.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define WIDTH 4
#define KERN  static
typedef float vf __attribute__((vector_size(16), may_alias));
typedef int32_t vi __attribute__((vector_size(16), may_alias));

static inline vf limit(vf x, float max)
{
    return (vf)vmaxq_f32(vminq_f32((float32x4_t)x, vdupq_n_f32(max)), vdupq_n_f32(-max));
}

static inline vf larger(vf a, vf b)
{
    return (vf)vmaxq_f32((float32x4_t)a, (float32x4_t)b);
}

static inline int some(vi mask)
{
    return vmaxvq_u32((uint32x4_t)mask) != 0;
}

static inline vf load16(const int16_t *p)
{
    return (vf)vcvtq_f32_s32(vmovl_s16(vld1_s16(p)));
}

static inline void store16(int16_t *p, vi a, vi b)
{
    vst1q_s16(p, vcombine_s16(vmovn_s32((int32x4_t)a), vmovn_s32((int32x4_t)b)));
}

static inline float lanes(vf x)
{
    return (x[0] + x[2]) + (x[1] + x[3]);
}

static inline vf pairs(vf a, vf b)
{
    return (vf)vpaddq_f32((float32x4_t)a, (float32x4_t)b);
}

static inline void flip(float *dst, const float *src, size_t rows, size_t cols)
{
    float32x4x2_t a = vtrnq_f32(vld1q_f32(src), vld1q_f32(src + cols));
    float32x4x2_t b = vtrnq_f32(vld1q_f32(src + 2 * cols), vld1q_f32(src + 3 * cols));
    for (int i = 0; i < 2; i++) {
        vst1q_f32(dst + i * rows, vcombine_f32(vget_low_f32(a.val[i]), vget_low_f32(b.val[i])));
        vst1q_f32(dst + (i + 2) * rows,
                  vcombine_f32(vget_high_f32(a.val[i]), vget_high_f32(b.val[i])));
    }
}

#include "kern_simd.h"

static void mix_dot_neon(int32_t *out, const int16_t *x, int16_t *const *rows, size_t sets,
                         size_t n)
{
    for (size_t s = 0; s < sets; s++) {
        const int16_t *w = rows[s];
        int32x4_t a = vdupq_n_s32(0), b = a;
        for (size_t i = 0; i < n; i += 8) {
            int16x8_t u = vld1q_s16(w + i), v = vld1q_s16(x + i);
            a = vmlal_s16(a, vget_low_s16(u), vget_low_s16(v));
            b = vmlal_s16(b, vget_high_s16(u), vget_high_s16(v));
        }
        out[s] = vaddvq_s32(vaddq_s32(a, b));
    }
}

static void mix_train_neon(int16_t *const *rows, const int16_t *x, const int32_t *err, size_t sets,
                           size_t n)
{
    for (size_t s = 0; s < sets; s++) {
        int16x4_t e = vdup_n_s16((int16_t)err[s]);
        for (size_t i = 0; i < n; i += 8) {
            int16_t *high = rows[s] + i, *low = high + n;
            int16x8_t h = vld1q_s16(high), l = vld1q_s16(low), v = vld1q_s16(x + i);
            int32x4_t a = vreinterpretq_s32_s16(vzip1q_s16(l, h));
            int32x4_t b = vreinterpretq_s32_s16(vzip2q_s16(l, h));
            l = vreinterpretq_s16_s32(vmlal_s16(a, vget_low_s16(v), e));
            h = vreinterpretq_s16_s32(vmlal_s16(b, vget_high_s16(v), e));
            vst1q_s16(low, vuzp1q_s16(l, h));
            vst1q_s16(high, vuzp2q_s16(l, h));
        }
    }
}

/* The rate by division: 32768 / (2 n + 3) is never within rounding of an integer, so truncating the
 * quotient gives the table's value. */
static void adapt_neon(uint32_t *v, size_t n, int bit, uint32_t limit)
{
    const int32x4_t target = vdupq_n_s32((bit << 22) - bit), most = vdupq_n_s32((int32_t)limit);
    const uint32x4_t count_mask = vdupq_n_u32(1023);
    for (size_t i = 0; i < n; i += 4) {
        uint32x4_t x = vld1q_u32(v + i);
        int32x4_t count = vreinterpretq_s32_u32(vandq_u32(x, count_mask));
        int32x4_t p = vreinterpretq_s32_u32(vshrq_n_u32(x, 10));
        int32x4_t odd = vaddq_s32(vaddq_s32(count, count), vdupq_n_s32(3));
        int32x4_t rate = vcvtq_s32_f32(vdivq_f32(vdupq_n_f32(32768.0f), vcvtq_f32_s32(odd)));
        int32x4_t error = vshrq_n_s32(vsubq_s32(target, p), 5);
        p = vaddq_s32(p, vshrq_n_s32(vmulq_s32(error, rate), 9));
        count = vsubq_s32(count, vreinterpretq_s32_u32(vcgtq_s32(most, count)));
        vst1q_u32(v + i, vreinterpretq_u32_s32(vorrq_s32(vshlq_n_s32(p, 10), count)));
    }
}

void nz_kern_neon(nz_kern *k)
{
    k->adapt = adapt_neon;
    k->mix_dot = mix_dot_neon;
    k->mix_train = mix_train_neon;
    fill(k);
}
#else
void nz_kern_neon(nz_kern *k)
{
    (void)k;
}
#endif
