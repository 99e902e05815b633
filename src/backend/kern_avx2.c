/* AVX2 kernels. Function attributes, not build flags, so one build runs on every x86-64. */
#include "kern.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>
#define AVX2 __attribute__((target("avx2")))

#define WIDTH 8
#define KERN  AVX2 static
typedef float vf __attribute__((vector_size(32), may_alias));
typedef int32_t vi __attribute__((vector_size(32), may_alias));

AVX2 static inline vf limit(vf x, float max)
{
    return _mm256_max_ps(_mm256_min_ps(x, _mm256_set1_ps(max)), _mm256_set1_ps(-max));
}

AVX2 static inline vf larger(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}

AVX2 static inline int some(vi mask)
{
    return _mm256_movemask_ps((__m256)mask);
}

AVX2 static inline vf load16(const int16_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_load_si128((const __m128i *)p)));
}

AVX2 static inline void store16(int16_t *p, vi a, vi b)
{
    __m256i ab = _mm256_packs_epi32((__m256i)a, (__m256i)b);
    _mm256_store_si256((__m256i *)p, _mm256_permute4x64_epi64(ab, 0xd8));
}

AVX2 static inline float lanes(vf x)
{
    __m128 a = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    a = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(a, _mm_shuffle_ps(a, a, 1)));
}

/* a0+a1 a2+a3 .. b6+b7 */
AVX2 static inline vf pairs(vf a, vf b)
{
    __m256 even = _mm256_shuffle_ps(a, b, 0x88), odd = _mm256_shuffle_ps(a, b, 0xdd);
    __m256d sum = _mm256_castps_pd(_mm256_add_ps(even, odd));
    return _mm256_castpd_ps(_mm256_permute4x64_pd(sum, 0xd8));
}

AVX2 static inline void flip(float *dst, const float *src, size_t rows, size_t cols)
{
    __m256 a[8], b[8];
    for (int i = 0; i < 8; i++)
        a[i] = _mm256_load_ps(src + i * cols);
    for (int i = 0; i < 8; i += 2) {
        b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            a[i + 2 * j] = _mm256_shuffle_ps(b[i + j], b[i + j + 2], 0x44);
            a[i + 2 * j + 1] = _mm256_shuffle_ps(b[i + j], b[i + j + 2], 0xee);
        }
    for (int i = 0; i < 4; i++) {
        _mm256_store_ps(dst + i * rows, _mm256_permute2f128_ps(a[i], a[i + 4], 0x20));
        _mm256_store_ps(dst + (i + 4) * rows, _mm256_permute2f128_ps(a[i], a[i + 4], 0x31));
    }
}

#include "kern_simd.h"

/* Four sets at a time; the last of them stands in for those that are missing. */
AVX2 static void mix_dot_avx2(int32_t *out, const int16_t *x, int16_t *const *rows, size_t sets,
                              size_t n)
{
    for (size_t s = 0; s < sets; s += 4) {
        const int16_t *w[4];
        __m256i a[4];
        for (size_t j = 0; j < 4; j++) {
            w[j] = rows[s + j < sets ? s + j : sets - 1];
            a[j] = _mm256_setzero_si256();
        }
        for (size_t i = 0; i < n; i += 16) {
            __m256i v = _mm256_load_si256((const __m256i *)(x + i));
            for (int j = 0; j < 4; j++) {
                __m256i u = _mm256_load_si256((const __m256i *)(w[j] + i));
                a[j] = _mm256_add_epi32(a[j], _mm256_madd_epi16(v, u));
            }
        }
        a[0] = _mm256_hadd_epi32(_mm256_hadd_epi32(a[0], a[1]), _mm256_hadd_epi32(a[2], a[3]));
        int32_t sum[4];
        _mm_storeu_si128((__m128i *)sum, _mm_add_epi32(_mm256_castsi256_si128(a[0]),
                                                       _mm256_extracti128_si256(a[0], 1)));
        memcpy(out + s, sum, (sets - s < 4 ? sets - s : 4) * sizeof *sum);
    }
}

AVX2 static void mix_train_avx2(int16_t *const *rows, const int16_t *x, const int32_t *err,
                                size_t sets, size_t n)
{
    const __m256i one = _mm256_set1_epi16(1);
    for (size_t s = 0; s < sets; s++) {
        if (!err[s])
            continue;
        __m256i e = _mm256_set1_epi16((int16_t)err[s]);
        for (size_t i = 0; i < n; i += 16) {
            __m256i *high = (__m256i *)(rows[s] + i), *low = (__m256i *)(rows[s] + n + i);
            __m256i v = _mm256_load_si256((const __m256i *)(x + i));
            __m256i add = _mm256_mullo_epi16(v, e);
            __m256i sum = _mm256_add_epi16(_mm256_load_si256(low), add);
            /* The lower half carried unless it grew: -1 or 0, and one for all. */
            __m256i carry = _mm256_cmpeq_epi16(_mm256_max_epu16(sum, add), sum);
            carry = _mm256_add_epi16(carry, one);
            add = _mm256_add_epi16(_mm256_mulhi_epi16(v, e), carry);
            _mm256_store_si256(low, sum);
            _mm256_store_si256(high, _mm256_add_epi16(_mm256_load_si256(high), add));
        }
    }
}

/* The rate by division: 32768 / (2 n + 3) is never within rounding of an integer, so truncating the
 * quotient gives the table's value. */
AVX2 static void adapt_avx2(uint32_t *v, size_t n, int bit, uint32_t limit)
{
    const __m256i target = _mm256_set1_epi32((bit << 22) - bit),
                  most = _mm256_set1_epi32((int)limit);
    const __m256i count_mask = _mm256_set1_epi32(1023), three = _mm256_set1_epi32(3);
    const __m256 whole = _mm256_set1_ps(32768.0f);
    for (size_t i = 0; i < n; i += 8) {
        __m256i *at = (__m256i *)(v + i), x = _mm256_load_si256(at);
        __m256i count = _mm256_and_si256(x, count_mask), p = _mm256_srli_epi32(x, 10);
        __m256i odd = _mm256_add_epi32(_mm256_add_epi32(count, count), three);
        __m256i rate = _mm256_cvttps_epi32(_mm256_div_ps(whole, _mm256_cvtepi32_ps(odd)));
        __m256i error = _mm256_srai_epi32(_mm256_sub_epi32(target, p), 5);
        p = _mm256_add_epi32(p, _mm256_srai_epi32(_mm256_mullo_epi32(error, rate), 9));
        count = _mm256_sub_epi32(count, _mm256_cmpgt_epi32(most, count));
        _mm256_store_si256(at, _mm256_or_si256(_mm256_slli_epi32(p, 10), count));
    }
}

/* Ones in each of four words. */
AVX2 static inline __m256i ones(__m256i v)
{
    const __m256i low = _mm256_set1_epi8(15),
                  table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                                           2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    __m256i a = _mm256_shuffle_epi8(table, _mm256_and_si256(v, low));
    __m256i b = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low));
    return _mm256_sad_epu8(_mm256_add_epi8(a, b), _mm256_setzero_si256());
}

AVX2 static void sketch_add_avx2(uint16_t *differ, const uint64_t *sketch, uint64_t own, size_t n)
{
    const __m256i x = _mm256_set1_epi64x((long long)own);
    for (size_t i = 0; i < n; i += 16) {
        __m256i c[4];
        for (int j = 0; j < 4; j++) {
            const __m256i *p = (const __m256i *)(sketch + i) + j;
            c[j] = ones(_mm256_xor_si256(_mm256_load_si256(p), x));
        }
        /* Packed, the halves of each are apart. */
        __m256i sum =
            _mm256_packus_epi32(_mm256_packus_epi32(c[0], c[1]), _mm256_packus_epi32(c[2], c[3]));
        sum = _mm256_permutevar8x32_epi32(sum, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        __m256i *d = (__m256i *)(differ + i);
        _mm256_store_si256(d, _mm256_add_epi16(_mm256_load_si256(d), sum));
    }
}

void nz_kern_avx2(nz_kern *k)
{
    k->adapt = adapt_avx2;
    k->sketch_add = sketch_add_avx2;
    k->mix_dot = mix_dot_avx2;
    k->mix_train = mix_train_avx2;
    fill(k);
}
#else
void nz_kern_avx2(nz_kern *k)
{
    (void)k;
}
#endif
