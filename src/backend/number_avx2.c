/* The number kernels with AVX2: by hand for numbers of 16 and 32 bits, which most weights are; the
 * others are loops that the compiler does well. */
#include "kern.h"

void nz_kern_number_avx2(nz_kern *k);

#if defined(__x86_64__)
#include <immintrin.h>
#define LOOPS __attribute__((target("avx2,bmi,popcnt")))
#include "number_loops.h"

NZ_INLINE LOOPS __m256i load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

NZ_INLINE LOOPS void store(void *p, __m256i v)
{
    _mm256_storeu_si256((__m256i *)p, v);
}

/* Turned by one bit. */
NZ_INLINE LOOPS __m256i left_16(__m256i v)
{
    return _mm256_or_si256(_mm256_slli_epi16(v, 1), _mm256_srli_epi16(v, 15));
}

NZ_INLINE LOOPS __m256i right_16(__m256i v)
{
    return _mm256_or_si256(_mm256_srli_epi16(v, 1), _mm256_slli_epi16(v, 15));
}

NZ_INLINE LOOPS __m256i left_32(__m256i v)
{
    return _mm256_or_si256(_mm256_slli_epi32(v, 1), _mm256_srli_epi32(v, 31));
}

NZ_INLINE LOOPS __m256i right_32(__m256i v)
{
    return _mm256_or_si256(_mm256_srli_epi32(v, 1), _mm256_slli_epi32(v, 31));
}

/* Sixteen bytes, each as a word. */
NZ_INLINE LOOPS __m256i words(const uint8_t *p)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p));
}

/* Words below 256 as bytes, in order; what is higher becomes 255. */
NZ_INLINE LOOPS __m256i bytes(__m256i a, __m256i b)
{
    return _mm256_permute4x64_epi64(_mm256_packus_epi16(a, b), 0xd8);
}

/* Sixteen symbols, as words, those of escaped numbers 255 or more; see symbol_of(). */
NZ_INLINE LOOPS __m256i symbols(__m256i top, const int16_t *base, nz_number_reach r)
{
    const __m256i dense = _mm256_set1_epi16(r.dense), zero = _mm256_set1_epi16(NZ_NUMBER_ZERO);
    __m256i d = _mm256_sub_epi16(top, load(base)), low = _mm256_srai_epi16(d, 15);
    __m256i near = _mm256_xor_si256(d, low);
    __m256i below = _mm256_add_epi16(_mm256_srl_epi16(near, _mm_cvtsi32_si128(r.kept)), dense);
    near = _mm256_blendv_epi8(near, below, low);
    __m256i end = _mm256_blendv_epi8(dense, zero, low);
    __m256i escape = _mm256_srli_epi16(_mm256_cmpgt_epi16(end, near), 8);
    near = _mm256_or_si256(near, _mm256_xor_si256(escape, _mm256_set1_epi16(255)));
    return _mm256_blendv_epi8(near, zero, _mm256_cmpeq_epi16(top, _mm256_setzero_si256()));
}

/* Sixteen tops; see top_of(). */
NZ_INLINE LOOPS __m256i tops(const uint8_t *symbol, const int16_t *base)
{
    __m256i s = words(symbol);
    __m256i zero = _mm256_cmpeq_epi16(s, _mm256_set1_epi16(NZ_NUMBER_ZERO));
    return _mm256_andnot_si256(zero, _mm256_add_epi16(s, load(base)));
}

/* Four bits of each of 32 numbers, two a byte. */
NZ_INLINE LOOPS void store_fours(uint8_t *to, __m256i a, __m256i b)
{
    const __m256i four = _mm256_set1_epi16(15);
    __m256i both =
        _mm256_or_si256(_mm256_and_si256(a, four), _mm256_slli_epi16(_mm256_and_si256(b, four), 4));
    _mm_storeu_si128((__m128i *)to, _mm256_castsi256_si128(bytes(both, both)));
}

/* The twelve bits of the top and the four below it, of number g + half + 0..15. */
NZ_INLINE LOOPS __m256i upper_16(const nz_number_parts *from, const int16_t *base, size_t g,
                                 size_t half)
{
    __m256i fours = words(from->rest[0] + g / 2);
    __m256i four =
        half ? _mm256_srli_epi16(fours, 4) : _mm256_and_si256(fours, _mm256_set1_epi16(15));
    __m256i top = tops(from->symbol + g + half, base + g + half);
    return _mm256_or_si256(_mm256_slli_epi16(top, 4), four);
}

LOOPS static void split_16_8_avx2(const nz_number_parts *to, const uint8_t *raw,
                                  const int16_t *base, nz_number_reach r, size_t n)
{
    const __m256i byte = _mm256_set1_epi16(255);
    uint8_t *symbol = to->symbol, *rest0 = to->rest[0];
    for (size_t g = 0; g < n; g += GROUP) {
        __m256i rest[2], s[2];
        for (size_t k = 0; k < 2; k++) {
            __m256i v = left_16(load(raw + 2 * g + 32 * k));
            s[k] = symbols(_mm256_srli_epi16(v, 8), base + g + 16 * k, r);
            rest[k] = _mm256_and_si256(v, byte);
        }
        store(symbol + g, bytes(s[0], s[1]));
        store(rest0 + g, bytes(rest[0], rest[1]));
    }
}

LOOPS static void merge_16_8_avx2(uint8_t *raw, const nz_number_parts *from, const int16_t *base,
                                  size_t n)
{
    const nz_number_parts p = *from;
    for (size_t i = 0; i < n; i += 16) {
        __m256i top = _mm256_slli_epi16(tops(p.symbol + i, base + i), 8);
        store(raw + 2 * i, right_16(_mm256_or_si256(top, words(p.rest[0] + i))));
    }
}

LOOPS static void split_16_4_avx2(const nz_number_parts *to, const uint8_t *raw,
                                  const int16_t *base, nz_number_reach r, size_t n)
{
    uint8_t *symbol = to->symbol, *rest0 = to->rest[0];
    for (size_t g = 0; g < n; g += GROUP) {
        __m256i v[2], s[2];
        for (size_t k = 0; k < 2; k++) {
            v[k] = left_16(load(raw + 2 * g + 32 * k));
            s[k] = symbols(_mm256_srli_epi16(v[k], 4), base + g + 16 * k, r);
        }
        store(symbol + g, bytes(s[0], s[1]));
        store_fours(rest0 + g / 2, v[0], v[1]);
    }
}

LOOPS static void merge_16_4_avx2(uint8_t *raw, const nz_number_parts *from, const int16_t *base,
                                  size_t n)
{
    const nz_number_parts p = *from;
    for (size_t g = 0; g < n; g += GROUP)
        for (size_t half = 0; half < GROUP; half += 16)
            store(raw + 2 * (g + half), right_16(upper_16(&p, base, g, half)));
}

LOOPS static void split_32_avx2(const nz_number_parts *to, const uint8_t *raw, const int16_t *base,
                                nz_number_reach r, size_t n)
{
    const nz_number_parts p = *to;
    const __m256i byte = _mm256_set1_epi16(255);
    for (size_t g = 0; g < n; g += GROUP) {
        __m256i upper[2], lower[2], s[2];
        for (size_t k = 0; k < 2; k++) {
            __m256i v[2];
            for (size_t j = 0; j < 2; j++)
                v[j] = left_32(load(raw + 4 * g + 64 * k + 32 * j));
            __m256i zero = _mm256_setzero_si256();
            upper[k] = _mm256_permute4x64_epi64(
                _mm256_packus_epi32(_mm256_srli_epi32(v[0], 16), _mm256_srli_epi32(v[1], 16)),
                0xd8);
            lower[k] = _mm256_packus_epi32(_mm256_blend_epi16(v[0], zero, 0xaa),
                                           _mm256_blend_epi16(v[1], zero, 0xaa));
            lower[k] = _mm256_permute4x64_epi64(lower[k], 0xd8);
            s[k] = symbols(_mm256_srli_epi16(upper[k], 4), base + g + 16 * k, r);
        }
        store(p.symbol + g, bytes(s[0], s[1]));
        store_fours(p.rest[0] + g / 2, upper[0], upper[1]);
        store(p.rest[1] + g, bytes(_mm256_srli_epi16(lower[0], 8), _mm256_srli_epi16(lower[1], 8)));
        store(p.rest[2] + g,
              bytes(_mm256_and_si256(lower[0], byte), _mm256_and_si256(lower[1], byte)));
    }
}

LOOPS static void merge_32_avx2(uint8_t *raw, const nz_number_parts *from, const int16_t *base,
                                size_t n)
{
    const nz_number_parts p = *from;
    for (size_t g = 0; g < n; g += GROUP)
        for (size_t half = 0; half < GROUP; half += 16) {
            size_t i = g + half;
            __m256i upper = upper_16(&p, base, g, half);
            __m256i lower =
                _mm256_or_si256(_mm256_slli_epi16(words(p.rest[1] + i), 8), words(p.rest[2] + i));
            __m256i a = _mm256_unpacklo_epi16(lower, upper);
            __m256i b = _mm256_unpackhi_epi16(lower, upper);
            store(raw + 4 * i, right_32(_mm256_permute2x128_si256(a, b, 0x20)));
            store(raw + 4 * i + 32, right_32(_mm256_permute2x128_si256(a, b, 0x31)));
        }
}

/* Two places are written for every group, and kept when there are so many: a branch for each would
 * be taken at random. */
LOOPS static size_t number_odd_avx2(uint16_t *where, const uint8_t *symbol, unsigned dense,
                                    size_t n)
{
    const __m256i first = _mm256_set1_epi8((char)dense);
    const __m256i zero = _mm256_set1_epi8((char)NZ_NUMBER_ZERO);
    size_t count = 0, whole = n / GROUP * GROUP;
    for (size_t i = 0; i < whole; i += GROUP) {
        __m256i s = load(symbol + i);
        __m256i high = _mm256_cmpeq_epi8(_mm256_max_epu8(s, first), s);
        __m256i odd = _mm256_andnot_si256(_mm256_cmpeq_epi8(s, zero), high);
        uint32_t m = (uint32_t)_mm256_movemask_epi8(odd);
        uint16_t *at = where + count;
        count += (size_t)__builtin_popcount(m);
        for (int k = 0; k < 2; k++, m &= m - 1)
            *at++ = (uint16_t)(i + _tzcnt_u32(m));
        for (; m; m &= m - 1)
            *at++ = (uint16_t)(i + _tzcnt_u32(m));
    }
    for (size_t i = whole; i < n; i++)
        if (symbol[i] >= dense && symbol[i] != NZ_NUMBER_ZERO)
            where[count++] = (uint16_t)i;
    return count;
}

void nz_kern_number_avx2(nz_kern *k)
{
    fill(k);
    k->number_split[NZ_NUMBER_16_8] = split_16_8_avx2;
    k->number_merge[NZ_NUMBER_16_8] = merge_16_8_avx2;
    k->number_split[NZ_NUMBER_16_4] = split_16_4_avx2;
    k->number_merge[NZ_NUMBER_16_4] = merge_16_4_avx2;
    k->number_split[NZ_NUMBER_32] = split_32_avx2;
    k->number_merge[NZ_NUMBER_32] = merge_32_avx2;
    k->number_odd = number_odd_avx2;
}
#else
void nz_kern_number_avx2(nz_kern *k)
{
    (void)k;
}
#endif
