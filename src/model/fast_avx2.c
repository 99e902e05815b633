/* The fast engine with AVX2. */
#include "fast.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define FAST_TARGET __attribute__((target("avx2")))
#define FAST_FRAMES nz_fast_frames_avx2

typedef struct lanes {
    __m256i stretch, next;
} lanes;
typedef __m256i row;
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

FAST_TARGET NZ_INLINE void lanes_follow(uint8_t *const *slot, uint32_t node, int n, lanes x,
                                        int bit)
{
    __m256i next = _mm256_srl_epi32(x.next, _mm_cvtsi32_si128(bit * 8));
    __m128i lo = _mm256_castsi256_si128(next), hi = _mm256_extracti128_si256(next, 1);
    slot[0][node] = (uint8_t)_mm_extract_epi8(lo, 0);
    slot[1][node] = (uint8_t)_mm_extract_epi8(lo, 4);
    slot[2][node] = (uint8_t)_mm_extract_epi8(lo, 8);
    slot[3][node] = (uint8_t)_mm_extract_epi8(lo, 12);
    slot[4][node] = (uint8_t)_mm_extract_epi8(hi, 0);
    if (n > 5)
        slot[5][node] = (uint8_t)_mm_extract_epi8(hi, 4);
    if (n > 6)
        slot[6][node] = (uint8_t)_mm_extract_epi8(hi, 8);
    if (n > 7)
        slot[7][node] = (uint8_t)_mm_extract_epi8(hi, 12);
}

FAST_TARGET NZ_INLINE row row_load(const int32_t *w)
{
    return _mm256_load_si256((const __m256i *)w);
}

FAST_TARGET NZ_INLINE void row_store(int32_t *w, row r)
{
    _mm256_store_si256((__m256i *)w, r);
}

FAST_TARGET NZ_INLINE row row_add(row a, row b)
{
    return _mm256_add_epi32(a, b);
}

FAST_TARGET NZ_INLINE void lanes_learn(fast_cell *const *c, lanes x, row slope)
{
    __m256i s = _mm256_add_epi32(x.stretch, _mm256_srai_epi32(slope, FAST_SLOPE));
    s = _mm256_min_epi32(s, _mm256_set1_epi32(FAST_INPUT_MAX));
    s = _mm256_max_epi32(s, _mm256_set1_epi32(-FAST_INPUT_MAX));
    __m128i lo = _mm256_castsi256_si128(s), hi = _mm256_extracti128_si256(s, 1);
    c[0]->stretch = _mm_cvtsi128_si32(lo);
    c[1]->stretch = _mm_extract_epi32(lo, 1);
    c[2]->stretch = _mm_extract_epi32(lo, 2);
    c[3]->stretch = _mm_extract_epi32(lo, 3);
    c[4]->stretch = _mm_cvtsi128_si32(hi);
    c[5]->stretch = _mm_extract_epi32(hi, 1);
    c[6]->stretch = _mm_extract_epi32(hi, 2);
    c[7]->stretch = _mm_extract_epi32(hi, 3);
}

/* pmaddwd multiplies pairs of int16 and adds them: the lower halves must meet zeros. */
FAST_TARGET NZ_INLINE __m256i upper(__m256i x)
{
    return _mm256_and_si256(x, _mm256_set1_epi32(-65536));
}

FAST_TARGET NZ_INLINE row row_slope(row r, int err)
{
    return _mm256_madd_epi16(upper(r), _mm256_set1_epi32(err * 65536));
}

FAST_TARGET NZ_INLINE row row_step(lanes x, int err)
{
    return row_slope(x.stretch, err);
}

FAST_TARGET NZ_INLINE sums sums_zero(void)
{
    return _mm256_setzero_si256();
}

FAST_TARGET NZ_INLINE sums dot(sums acc, lanes x, row r)
{
    return _mm256_add_epi32(acc, _mm256_madd_epi16(upper(x.stretch), r));
}

FAST_TARGET NZ_INLINE int32_t sums_fold(sums acc)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(acc), _mm256_extracti128_si256(acc, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

#include "fast_loop.h"
#endif
