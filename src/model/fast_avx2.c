/* The fast engine with AVX2. */
#include "fast.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define FAST_TARGET __attribute__((target("avx2")))
#define FAST_FRAMES nz_fast_frames_avx2

/* p of eight cells, and {stretch | rate << 16}. */
typedef struct lanes {
    __m256i p, in;
} lanes;
typedef __m256i sums;

FAST_TARGET NZ_INLINE __m128i two(const fast_cell *a, const fast_cell *b)
{
    return _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)a),
                              _mm_loadl_epi64((const __m128i *)b));
}

FAST_TARGET NZ_INLINE lanes lanes_load(fast_cell *const *c)
{
    __m256 a = _mm256_castsi256_ps(
        _mm256_inserti128_si256(_mm256_castsi128_si256(two(c[0], c[1])), two(c[4], c[5]), 1));
    __m256 b = _mm256_castsi256_ps(
        _mm256_inserti128_si256(_mm256_castsi128_si256(two(c[2], c[3])), two(c[6], c[7]), 1));
    return (lanes){_mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88)),
                   _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd))};
}

FAST_TARGET NZ_INLINE sums sums_zero(void)
{
    return _mm256_setzero_si256();
}

/* pmaddwd multiplies pairs of int16; the weight's upper half, shifted down, leaves a zero to meet
 * the rate. */
FAST_TARGET NZ_INLINE sums dot(sums acc, lanes x, const int32_t *w)
{
    __m256i upper = _mm256_srli_epi32(_mm256_load_si256((const __m256i *)w), 16);
    return _mm256_add_epi32(acc, _mm256_madd_epi16(x.in, upper));
}

FAST_TARGET NZ_INLINE int32_t sums_fold(sums acc)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(acc), _mm256_extracti128_si256(acc, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

FAST_TARGET NZ_INLINE void train(int32_t *w, lanes x, int err)
{
    __m256i *at = (__m256i *)w;
    __m256i step = _mm256_madd_epi16(x.in, _mm256_set1_epi32(err & 0xffff));
    _mm256_store_si256(at, _mm256_add_epi32(_mm256_load_si256(at), step));
}

FAST_TARGET NZ_INLINE void lanes_learn(fast_cell *const *c, lanes x, int bit,
                                       const int16_t *stretch)
{
    __m256i rate = _mm256_srli_epi32(x.in, 16), p = x.p;
    __m256i off = _mm256_srai_epi32(_mm256_sub_epi32(_mm256_set1_epi32(bit << 22), p), 4);
    off = _mm256_mullo_epi32(off, _mm256_srli_epi32(rate, 4));
    p = _mm256_add_epi32(p, _mm256_srai_epi32(off, 8));
    rate = _mm256_sub_epi32(rate, _mm256_srli_epi32(_mm256_mullo_epi32(rate, rate), 16));
    rate = _mm256_max_epi32(rate, _mm256_set1_epi32(FAST_RATE_MIN));
    /* The table is read 32 bits at a time: the entry and the one after it. */
    __m256i st = _mm256_i32gather_epi32((const int *)stretch, _mm256_srli_epi32(p, 10), 2);
    __m256i in = _mm256_blend_epi16(st, _mm256_slli_epi32(rate, 16), 0xaa);
    __m256i lo = _mm256_unpacklo_epi32(p, in), hi = _mm256_unpackhi_epi32(p, in);
    __m128i a = _mm256_castsi256_si128(lo), b = _mm256_castsi256_si128(hi);
    __m128i d = _mm256_extracti128_si256(lo, 1), e = _mm256_extracti128_si256(hi, 1);
    _mm_storel_epi64((__m128i *)c[0], a);
    _mm_storel_epi64((__m128i *)c[1], _mm_unpackhi_epi64(a, a));
    _mm_storel_epi64((__m128i *)c[2], b);
    _mm_storel_epi64((__m128i *)c[3], _mm_unpackhi_epi64(b, b));
    _mm_storel_epi64((__m128i *)c[4], d);
    _mm_storel_epi64((__m128i *)c[5], _mm_unpackhi_epi64(d, d));
    _mm_storel_epi64((__m128i *)c[6], e);
    _mm_storel_epi64((__m128i *)c[7], _mm_unpackhi_epi64(e, e));
}

#include "fast_loop.h"
#endif
