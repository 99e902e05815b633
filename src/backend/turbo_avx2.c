/* Turbo kernels with AVX2: a group's exponents are one vector. */
#include "base/base.h"
#include "kern.h"

void nz_kern_turbo_avx2(nz_kern *k);

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,bmi,popcnt")))

enum { GROUP = NZ_TURBO_GROUP, BLOCK = NZ_TURBO_BLOCK };

AVX2 NZ_INLINE __m256i load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

AVX2 NZ_INLINE void store(uint8_t *p, __m256i v)
{
    _mm256_storeu_si256((__m256i *)p, v);
}

/* 16 bytes for each half. */
AVX2 NZ_INLINE __m256i halves(const uint8_t *low, const uint8_t *high)
{
    __m128i a = _mm_loadu_si128((const __m128i *)low), b = _mm_loadu_si128((const __m128i *)high);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
}

/* Packing works in halves of a vector; this puts its quarters in order. */
AVX2 NZ_INLINE __m256i in_order(__m256i v)
{
    return _mm256_permute4x64_epi64(v, 0xd8);
}

/* Two vectors woven together in halves: the lower halves to p, the upper ones to q. */
AVX2 NZ_INLINE void store_woven(uint8_t *p, uint8_t *q, __m256i a, __m256i b)
{
    store(p, _mm256_permute2x128_si256(a, b, 0x20));
    store(q, _mm256_permute2x128_si256(a, b, 0x31));
}

AVX2 NZ_INLINE __m256i turn16(__m256i v)
{
    return _mm256_or_si256(_mm256_srli_epi16(v, 1), _mm256_slli_epi16(v, 15));
}

AVX2 NZ_INLINE __m256i turn32(__m256i v)
{
    return _mm256_or_si256(_mm256_srli_epi32(v, 1), _mm256_slli_epi32(v, 31));
}

/* ---- Bits of 32 numbers as a word ---- */

/* All ones in the bytes whose bits are set. */
AVX2 NZ_INLINE __m256i spread(const uint8_t *word)
{
    const __m256i which =
        _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
    __m256i v = _mm256_set1_epi32((int)nz_load32(word));
    return _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_shuffle_epi8(v, which), bit), bit);
}

/* The lowest three bits of each byte; returns where all of them are set. */
AVX2 NZ_INLINE uint32_t words_put(uint8_t *to, __m256i v)
{
    uint32_t a = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(v, 7));
    uint32_t b = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(v, 6));
    uint32_t c = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(v, 5));
    nz_store32(to, a);
    nz_store32(to + 4, b);
    nz_store32(to + 8, c);
    return a & b & c;
}

/* ---- Exponents of a group ---- */

AVX2 NZ_INLINE uint8_t *codes_put(uint8_t *group, uint8_t *odd, __m256i exponent, uint8_t base)
{
    uint8_t all[GROUP];
    __m256i below = _mm256_sub_epi8(_mm256_set1_epi8((char)base), exponent);
    store(all, exponent);
    uint32_t m = words_put(group, _mm256_min_epu8(below, _mm256_set1_epi8(NZ_TURBO_ODD)));
    for (; m; m &= m - 1)
        *odd++ = all[__builtin_ctz(m)];
    return odd;
}

AVX2 NZ_INLINE __m256i codes_get(const uint8_t *group, nz_turbo_state *s)
{
    __m256i a = spread(group), b = spread(group + 4), c = spread(group + 8);
    __m256i minus = _mm256_add_epi8(a, _mm256_and_si256(b, _mm256_set1_epi8(-2)));
    minus = _mm256_add_epi8(minus, _mm256_and_si256(c, _mm256_set1_epi8(-4)));
    __m256i near = _mm256_add_epi8(_mm256_set1_epi8((char)s->base[s->at / BLOCK]), minus);

    /* How many odd ones there are in a half up to each number, negative; from it, which of them a
     * number has. Without a branch, which would be taken at random. */
    __m256i odd = _mm256_and_si256(_mm256_and_si256(a, b), c), sum = odd;
    sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 1));
    sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 2));
    sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 4));
    sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 8));
    uint32_t m = nz_load32(group) & nz_load32(group + 4) & nz_load32(group + 8);
    __m256i list = halves(s->odd, s->odd + __builtin_popcount(m & 0xffff));
    s->odd += __builtin_popcount(m);
    /* ~sum is one less than the count: 0 to 15 where it is used, bytes with bit 7 set give 0. */
    list = _mm256_shuffle_epi8(list, _mm256_andnot_si256(sum, _mm256_set1_epi8(-1)));
    return _mm256_blendv_epi8(near, list, odd);
}

/* ---- Numbers ---- */

AVX2 NZ_INLINE size_t split_16(uint8_t *groups, uint8_t *odd, const uint8_t *raw,
                               const uint8_t *base, size_t n, int f16)
{
    const __m256i byte = _mm256_set1_epi16(255);
    uint8_t *to = odd;
    for (size_t i = 0; i < n; i += GROUP, raw += 2 * GROUP) {
        __m256i x = load(raw), y = load(raw + 32);
        x = _mm256_or_si256(_mm256_slli_epi16(x, 1), _mm256_srli_epi16(x, 15));
        y = _mm256_or_si256(_mm256_slli_epi16(y, 1), _mm256_srli_epi16(y, 15));
        __m256i high =
            in_order(_mm256_packus_epi16(_mm256_srli_epi16(x, 8), _mm256_srli_epi16(y, 8)));
        __m256i low =
            in_order(_mm256_packus_epi16(_mm256_and_si256(x, byte), _mm256_and_si256(y, byte)));
        if (f16) {
            __m256i exponent = _mm256_and_si256(_mm256_srli_epi16(high, 3), _mm256_set1_epi8(31));
            to = codes_put(groups, to, exponent, base[i / BLOCK]);
            words_put(groups + 12, high);
            store(groups + 24, low);
            groups += NZ_TURBO_F16_BYTES;
        } else {
            to = codes_put(groups, to, high, base[i / BLOCK]);
            store(groups + 12, low);
            groups += NZ_TURBO_BF16_BYTES;
        }
    }
    return (size_t)(to - odd);
}

AVX2 static size_t split_f16(uint8_t *groups, uint8_t *odd, const uint8_t *raw, const uint8_t *base,
                             size_t n)
{
    return split_16(groups, odd, raw, base, n, 1);
}

AVX2 static size_t split_bf16(uint8_t *groups, uint8_t *odd, const uint8_t *raw,
                              const uint8_t *base, size_t n)
{
    return split_16(groups, odd, raw, base, n, 0);
}

AVX2 static size_t split_f32(uint8_t *groups, uint8_t *odd, const uint8_t *raw, const uint8_t *base,
                             size_t n)
{
    const __m256i byte = _mm256_set1_epi16(255), word = _mm256_set1_epi32(0xffff);
    uint8_t *to = odd;
    for (size_t i = 0; i < n; i += GROUP, raw += 4 * GROUP, groups += NZ_TURBO_F32_BYTES) {
        __m256i high[2];
        for (int k = 0; k < 2; k++) {
            __m256i x = load(raw + 64 * k), y = load(raw + 64 * k + 32);
            x = _mm256_or_si256(_mm256_slli_epi32(x, 1), _mm256_srli_epi32(x, 31));
            y = _mm256_or_si256(_mm256_slli_epi32(y, 1), _mm256_srli_epi32(y, 31));
            high[k] =
                in_order(_mm256_packus_epi32(_mm256_srli_epi32(x, 16), _mm256_srli_epi32(y, 16)));
            store(groups + 44 + 32 * k, in_order(_mm256_packus_epi32(_mm256_and_si256(x, word),
                                                                     _mm256_and_si256(y, word))));
        }
        __m256i exponent = in_order(
            _mm256_packus_epi16(_mm256_srli_epi16(high[0], 8), _mm256_srli_epi16(high[1], 8)));
        store(groups + 12, in_order(_mm256_packus_epi16(_mm256_and_si256(high[0], byte),
                                                        _mm256_and_si256(high[1], byte))));
        to = codes_put(groups, to, exponent, base[i / BLOCK]);
    }
    return (size_t)(to - odd);
}

AVX2 static void join_f16(uint8_t *raw, nz_turbo_state *state, size_t n)
{
    nz_turbo_state s = *state;
    const uint8_t *group = s.groups + s.at / GROUP * NZ_TURBO_F16_BYTES;
    for (size_t end = s.at + n; s.at < end && s.odd <= s.end; s.at += GROUP) {
        __m256i high = _mm256_slli_epi16(codes_get(group, &s), 3);
        high = _mm256_and_si256(high, _mm256_set1_epi8(-8));
        high = _mm256_sub_epi8(high, spread(group + 12));
        high = _mm256_or_si256(high, _mm256_and_si256(spread(group + 16), _mm256_set1_epi8(2)));
        high = _mm256_or_si256(high, _mm256_and_si256(spread(group + 20), _mm256_set1_epi8(4)));
        __m256i low = load(group + 24);
        store_woven(raw, raw + 32, turn16(_mm256_unpacklo_epi8(low, high)),
                    turn16(_mm256_unpackhi_epi8(low, high)));
        group += NZ_TURBO_F16_BYTES;
        raw += 2 * GROUP;
    }
    *state = s;
}

AVX2 static void join_bf16(uint8_t *raw, nz_turbo_state *state, size_t n)
{
    nz_turbo_state s = *state;
    const uint8_t *group = s.groups + s.at / GROUP * NZ_TURBO_BF16_BYTES;
    for (size_t end = s.at + n; s.at < end && s.odd <= s.end; s.at += GROUP) {
        __m256i high = codes_get(group, &s), low = load(group + 12);
        store_woven(raw, raw + 32, turn16(_mm256_unpacklo_epi8(low, high)),
                    turn16(_mm256_unpackhi_epi8(low, high)));
        group += NZ_TURBO_BF16_BYTES;
        raw += 2 * GROUP;
    }
    *state = s;
}

AVX2 static void join_f32(uint8_t *raw, nz_turbo_state *state, size_t n)
{
    nz_turbo_state s = *state;
    const uint8_t *group = s.groups + s.at / GROUP * NZ_TURBO_F32_BYTES;
    for (size_t end = s.at + n; s.at < end && s.odd <= s.end; s.at += GROUP) {
        __m256i high = codes_get(group, &s), low = load(group + 12);
        /* Numbers 0-7 and 16-23, then 8-15 and 24-31: as weaving in halves leaves them. */
        __m256i top = _mm256_unpacklo_epi8(low, high), words = halves(group + 44, group + 76);
        store_woven(raw, raw + 64, turn32(_mm256_unpacklo_epi16(words, top)),
                    turn32(_mm256_unpackhi_epi16(words, top)));
        top = _mm256_unpackhi_epi8(low, high);
        words = halves(group + 60, group + 92);
        store_woven(raw + 32, raw + 96, turn32(_mm256_unpacklo_epi16(words, top)),
                    turn32(_mm256_unpackhi_epi16(words, top)));
        group += NZ_TURBO_F32_BYTES;
        raw += 4 * GROUP;
    }
    *state = s;
}

void nz_kern_turbo_avx2(nz_kern *k)
{
    k->turbo_split[NZ_TURBO_F16] = split_f16;
    k->turbo_split[NZ_TURBO_BF16] = split_bf16;
    k->turbo_split[NZ_TURBO_F32] = split_f32;
    k->turbo_join[NZ_TURBO_F16] = join_f16;
    k->turbo_join[NZ_TURBO_BF16] = join_bf16;
    k->turbo_join[NZ_TURBO_F32] = join_f32;
}
#else
void nz_kern_turbo_avx2(nz_kern *k)
{
    (void)k;
}
#endif
