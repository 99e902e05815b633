/* rANS kernels with AVX2: eight lanes a vector. */
#include "base/base.h"
#include "kern.h"

void nz_kern_rans_avx2(nz_kern *k);

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,popcnt")))

/* For each set of lanes that take a word: which of the next words is whose. */
#define RANK(m, j) ((m) >> (j)&1 ? __builtin_popcount((m) & ((1 << (j)) - 1)) : 0)
/* For each set of lanes that give one away: the lane of the k-th of eight words, the last of them
 * the last that is given; found as the lane with just 8 - k given lanes from it on. */
#define GIVES(m, j, k) ((m) >> (j)&1 && __builtin_popcount((m) >> (j)) == 8 - (k) ? (j) : 0)
#define LANE(m, k)                                                                        \
    (GIVES(m, 0, k) | GIVES(m, 1, k) | GIVES(m, 2, k) | GIVES(m, 3, k) | GIVES(m, 4, k) | \
     GIVES(m, 5, k) | GIVES(m, 6, k) | GIVES(m, 7, k))
#define PAIR(m, k) (0x202 * LANE(m, k) + 0x100) /* its two bytes */
#define EIGHT(F, m)                                                            \
    {                                                                          \
        F(m, 0), F(m, 1), F(m, 2), F(m, 3), F(m, 4), F(m, 5), F(m, 6), F(m, 7) \
    }
#define ROWS4(F, m)  EIGHT(F, m), EIGHT(F, m + 1), EIGHT(F, m + 2), EIGHT(F, m + 3)
#define ROWS16(F, m) ROWS4(F, m), ROWS4(F, m + 4), ROWS4(F, m + 8), ROWS4(F, m + 12)
#define ROWS64(F, m) ROWS16(F, m), ROWS16(F, m + 16), ROWS16(F, m + 32), ROWS16(F, m + 48)
#define ROWS(F)                                                     \
    {                                                               \
        ROWS64(F, 0), ROWS64(F, 64), ROWS64(F, 128), ROWS64(F, 192) \
    }

static const uint8_t takes[256][8] = ROWS(RANK);
static const uint16_t gives[256][8] = ROWS(PAIR);

AVX2 static inline __m256i eight(const uint8_t *p)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
}

/* Eight loads, two an extracted pair: faster here than the gather instruction. */
AVX2 static inline __m256i pick(const nz_rans_slot *t, __m256i i)
{
    uint64_t a = (uint64_t)_mm256_extract_epi64(i, 0), b = (uint64_t)_mm256_extract_epi64(i, 1);
    uint64_t c = (uint64_t)_mm256_extract_epi64(i, 2), d = (uint64_t)_mm256_extract_epi64(i, 3);
    return _mm256_setr_epi32((int)t[(uint32_t)a], (int)t[a >> 32], (int)t[(uint32_t)b],
                             (int)t[b >> 32], (int)t[(uint32_t)c], (int)t[c >> 32],
                             (int)t[(uint32_t)d], (int)t[d >> 32]);
}

AVX2 NZ_INLINE size_t decode(nz_rans_state *s, const nz_rans_slot *tables, const uint8_t *set,
                             uint8_t *symbols, size_t n)
{
    const __m256i mask = _mm256_set1_epi32(NZ_RANS_SLOTS - 1), byte = _mm256_set1_epi32(255);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const uint8_t *at = s->at;
    __m256i x[4], slot[4];
    size_t i = 0;
    for (int k = 0; k < 4; k++)
        x[k] = _mm256_loadu_si256((const __m256i *)s->x + k);
    for (; i < n && s->end - at >= NZ_RANS_SLACK; i += NZ_RANS_LANES) {
        for (int k = 0; k < 4; k++) {
            __m256i at_slot = _mm256_and_si256(x[k], mask);
            if (set)
                at_slot = _mm256_or_si256(at_slot,
                                          _mm256_slli_epi32(eight(set + i + 8 * k), NZ_RANS_BITS));
            slot[k] = pick(tables, at_slot);
        }
        for (int k = 0; k < 4; k++) {
            __m256i freq = _mm256_srli_epi32(slot[k], 20);
            __m256i bias = _mm256_and_si256(_mm256_srli_epi32(slot[k], 8), mask);
            __m256i v = _mm256_add_epi32(
                _mm256_mullo_epi32(freq, _mm256_srli_epi32(x[k], NZ_RANS_BITS)), bias);
            __m256i low = _mm256_cmpeq_epi32(_mm256_srli_epi32(v, 15), _mm256_setzero_si256());
            unsigned m = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(low));
            __m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)at));
            words = _mm256_permutevar8x32_epi32(words, eight(takes[m]));
            at += 2 * __builtin_popcount(m);
            x[k] = _mm256_blendv_epi8(v, _mm256_or_si256(_mm256_slli_epi32(v, 16), words), low);
        }
        __m256i ab =
            _mm256_packus_epi32(_mm256_and_si256(slot[0], byte), _mm256_and_si256(slot[1], byte));
        __m256i cd =
            _mm256_packus_epi32(_mm256_and_si256(slot[2], byte), _mm256_and_si256(slot[3], byte));
        __m256i all = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), order);
        _mm256_storeu_si256((__m256i *)(symbols + i), all);
    }
    for (int k = 0; k < 4; k++)
        _mm256_storeu_si256((__m256i *)s->x + k, x[k]);
    s->at = at;
    return i;
}

AVX2 static size_t rans_decode_avx2(nz_rans_state *s, const nz_rans_slot *tables,
                                    const uint8_t *set, uint8_t *symbols, size_t n)
{
    return set ? decode(s, tables, set, symbols, n) : decode(s, tables, NULL, symbols, n);
}

AVX2 static inline __m128i two(const nz_rans_symbol *a, const nz_rans_symbol *b)
{
    __m128i low = _mm_loadl_epi64((const __m128i *)a);
    return _mm_castps_si128(_mm_loadh_pi(_mm_castsi128_ps(low), (const __m64 *)b));
}

AVX2 static inline __m256i four(const nz_rans_symbol *a, const nz_rans_symbol *b,
                                const nz_rans_symbol *c, const nz_rans_symbol *d)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(two(a, b)), two(c, d), 1);
}

/* The k-th of four indices of 16 bits. */
#define AT(four, k) (tables + (uint16_t)((four) >> 16 * (k)))

AVX2 NZ_INLINE uint8_t *encode(uint8_t *end, uint32_t *x, const nz_rans_symbol *tables,
                               const uint8_t *set, const uint8_t *symbols, size_t n)
{
    const __m256i most = _mm256_set1_epi32(NZ_RANS_SLOTS - 1);
    const __m256i lower = _mm256_set1_epi32(0xffff);
    uint8_t *p = end;
    __m256i states[4];
    for (int k = 0; k < 4; k++)
        states[k] = _mm256_loadu_si256((const __m256i *)x + k);
    while (n) {
        n -= NZ_RANS_LANES;
        for (int k = 3; k >= 0; k--) {
            __m256i v = states[k];
            __m128i at = _mm_loadl_epi64((const __m128i *)(symbols + n + 8 * k));
            at = _mm_unpacklo_epi8(at, set ? _mm_loadl_epi64((const __m128i *)(set + n + 8 * k))
                                           : _mm_setzero_si128());
            uint64_t a = (uint64_t)_mm_cvtsi128_si64(at), b = (uint64_t)_mm_extract_epi64(at, 1);
            __m256i even = four(AT(a, 0), AT(a, 2), AT(b, 0), AT(b, 2));
            __m256i odd = four(AT(a, 1), AT(a, 3), AT(b, 1), AT(b, 3));
            __m256i told = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
            __m256i rest = _mm256_and_si256(_mm256_srli_epi32(told, 16), most);

            __m256i sum = _mm256_add_epi32(_mm256_srli_epi32(v, 19), rest);
            __m256i full = _mm256_cmpgt_epi32(sum, most);
            unsigned m = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(full));
            __m256i low = _mm256_and_si256(v, lower);
            __m128i words =
                _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
            __m128i from = _mm_loadu_si128((const __m128i *)gives[m]);
            _mm_storeu_si128((__m128i *)(p - 16), _mm_shuffle_epi8(words, from));
            p -= 2 * __builtin_popcount(m);
            v = _mm256_blendv_epi8(v, _mm256_srli_epi32(v, 16), full);

            even = _mm256_srli_epi64(_mm256_mul_epu32(v, even), 32);
            odd = _mm256_mul_epu32(_mm256_srli_epi64(v, 32), odd);
            __m256i q = _mm256_blend_epi32(even, odd, 0xaa);
            q = _mm256_srlv_epi32(q, _mm256_srli_epi32(told, 28));
            q = _mm256_mullo_epi32(q, rest);
            states[k] = _mm256_add_epi32(_mm256_add_epi32(v, q), _mm256_and_si256(told, lower));
        }
    }
    for (int k = 0; k < 4; k++)
        _mm256_storeu_si256((__m256i *)x + k, states[k]);
    return p;
}

AVX2 static uint8_t *rans_encode_avx2(uint8_t *end, uint32_t *x, const nz_rans_symbol *tables,
                                      const uint8_t *set, const uint8_t *symbols, size_t n)
{
    return set ? encode(end, x, tables, set, symbols, n) : encode(end, x, tables, NULL, symbols, n);
}

void nz_kern_rans_avx2(nz_kern *k)
{
    k->rans_encode = rans_encode_avx2;
    k->rans_decode = rans_decode_avx2;
}
#else
void nz_kern_rans_avx2(nz_kern *k)
{
    (void)k;
}
#endif
