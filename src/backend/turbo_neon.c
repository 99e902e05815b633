/* Turbo kernels with NEON: those that join; splitting is left to C. */
#include "base/base.h"
#include "kern.h"

void nz_kern_turbo_neon(nz_kern *k);

#if defined(__aarch64__)
#include <arm_neon.h>

enum { GROUP = NZ_TURBO_GROUP, BLOCK = NZ_TURBO_BLOCK, HALF = GROUP / 2 };

/* All ones in the bytes whose bits are set, of 16 numbers. */
NZ_INLINE uint8x16_t spread(const uint8_t *word)
{
    const uint8x8_t bit = vcreate_u8(0x8040201008040201);
    return vtstq_u8(vcombine_u8(vdup_n_u8(word[0]), vdup_n_u8(word[1])), vcombine_u8(bit, bit));
}

/* Exponents of half a group. */
NZ_INLINE uint8x16_t codes_get(const uint8_t *group, nz_turbo_state *s)
{
    const uint8x16_t none = vdupq_n_u8(0);
    uint8x16_t a = spread(group), b = spread(group + 4), c = spread(group + 8);
    uint8x16_t minus = vaddq_u8(a, vandq_u8(b, vdupq_n_u8(254)));
    minus = vaddq_u8(minus, vandq_u8(c, vdupq_n_u8(252)));
    uint8x16_t near = vaddq_u8(vdupq_n_u8(s->base[s->at / BLOCK]), minus);
    /* How many odd ones there are up to each number, negative; from it, which of them it has. */
    uint8x16_t odd = vandq_u8(vandq_u8(a, b), c), sum = odd;
    sum = vaddq_u8(sum, vextq_u8(none, sum, 15));
    sum = vaddq_u8(sum, vextq_u8(none, sum, 14));
    sum = vaddq_u8(sum, vextq_u8(none, sum, 12));
    sum = vaddq_u8(sum, vextq_u8(none, sum, 8));
    uint8x16_t list = vqtbl1q_u8(vld1q_u8(s->odd), vmvnq_u8(sum));
    s->odd += (uint8_t)(0 - vgetq_lane_u8(sum, 15));
    return vbslq_u8(odd, list, near);
}

NZ_INLINE void store16(uint8_t *p, uint8x16_t low, uint8x16_t high)
{
    uint16x8_t a = vreinterpretq_u16_u8(vzip1q_u8(low, high));
    uint16x8_t b = vreinterpretq_u16_u8(vzip2q_u8(low, high));
    vst1q_u8(p, vreinterpretq_u8_u16(vsriq_n_u16(vshlq_n_u16(a, 15), a, 1)));
    vst1q_u8(p + 16, vreinterpretq_u8_u16(vsriq_n_u16(vshlq_n_u16(b, 15), b, 1)));
}

NZ_INLINE void store32(uint8_t *p, const uint8_t *low, uint16x8_t high)
{
    uint16x8_t words = vreinterpretq_u16_u8(vld1q_u8(low));
    uint32x4_t a = vreinterpretq_u32_u16(vzip1q_u16(words, high));
    uint32x4_t b = vreinterpretq_u32_u16(vzip2q_u16(words, high));
    vst1q_u8(p, vreinterpretq_u8_u32(vsriq_n_u32(vshlq_n_u32(a, 31), a, 1)));
    vst1q_u8(p + 16, vreinterpretq_u8_u32(vsriq_n_u32(vshlq_n_u32(b, 31), b, 1)));
}

static void join_f16(uint8_t *raw, nz_turbo_state *s, size_t n)
{
    for (size_t end = s->at + n; s->at < end && s->odd <= s->end; s->at += GROUP) {
        const uint8_t *group = s->groups + s->at / GROUP * NZ_TURBO_F16_BYTES;
        for (int k = 0; k < 2; k++, raw += 2 * HALF) {
            const uint8_t *word = group + 2 * k;
            uint8x16_t high = vshlq_n_u8(codes_get(word, s), 3);
            high = vsubq_u8(high, spread(word + 12));
            high = vorrq_u8(high, vandq_u8(spread(word + 16), vdupq_n_u8(2)));
            high = vorrq_u8(high, vandq_u8(spread(word + 20), vdupq_n_u8(4)));
            store16(raw, vld1q_u8(group + 24 + HALF * k), high);
        }
    }
}

static void join_bf16(uint8_t *raw, nz_turbo_state *s, size_t n)
{
    for (size_t end = s->at + n; s->at < end && s->odd <= s->end; s->at += GROUP) {
        const uint8_t *group = s->groups + s->at / GROUP * NZ_TURBO_BF16_BYTES;
        for (int k = 0; k < 2; k++, raw += 2 * HALF)
            store16(raw, vld1q_u8(group + 12 + HALF * k), codes_get(group + 2 * k, s));
    }
}

static void join_f32(uint8_t *raw, nz_turbo_state *s, size_t n)
{
    for (size_t end = s->at + n; s->at < end && s->odd <= s->end; s->at += GROUP) {
        const uint8_t *group = s->groups + s->at / GROUP * NZ_TURBO_F32_BYTES;
        for (int k = 0; k < 2; k++, raw += 4 * HALF) {
            uint8x16_t high = codes_get(group + 2 * k, s), low = vld1q_u8(group + 12 + HALF * k);
            const uint8_t *words = group + 44 + 2 * HALF * k;
            store32(raw, words, vreinterpretq_u16_u8(vzip1q_u8(low, high)));
            store32(raw + 32, words + 16, vreinterpretq_u16_u8(vzip2q_u8(low, high)));
        }
    }
}

void nz_kern_turbo_neon(nz_kern *k)
{
    k->turbo_join[NZ_TURBO_F16] = join_f16;
    k->turbo_join[NZ_TURBO_BF16] = join_bf16;
    k->turbo_join[NZ_TURBO_F32] = join_f32;
}
#else
void nz_kern_turbo_neon(nz_kern *k)
{
    (void)k;
}
#endif
