/* Turbo kernels with AVX2: a group's exponents are one vector. */
#include "base/base.h"
#include "kern.h"

void nz_kern_turbo_avx2(nz_kern *k);

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))

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
AVX2 NZ_INLINE __m256i spread(uint32_t word)
{
    const __m256i which =
        _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
    __m256i v = _mm256_shuffle_epi8(_mm256_set1_epi32((int)word), which);
    return _mm256_cmpeq_epi8(_mm256_and_si256(v, bit), bit);
}

/* As bits of each byte. */
AVX2 NZ_INLINE __m256i spread_to(uint32_t word, int bits)
{
    return _mm256_and_si256(spread(word), _mm256_set1_epi8((char)bits));
}

/* Bit `bit` of each byte. */
AVX2 NZ_INLINE uint32_t word_of(__m256i v, int bit)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(v, 7 - bit));
}

/* ---- Exponents of a group ---- */

AVX2 NZ_INLINE void exponents_put(nz_turbo_out *to, uint8_t *group, __m256i exponent)
{
    /* Digits by how far an exponent lies above base - 9; those too far are made 15. */
    const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        (char)0xbf, 0x7f, 0x2f, 0x1f, 0x0f, 0x0b, 0x07, 2, 1, 0, 0x03, 0x3f, -1, -1, -1, -1));
    uint8_t all[GROUP];
    __m256i first = _mm256_set1_epi8((char)(to->base[to->at / BLOCK] - 9));
    __m256i far = _mm256_min_epu8(_mm256_sub_epi8(exponent, first), _mm256_set1_epi8(15));
    __m256i digits = _mm256_shuffle_epi8(table, far);
    uint32_t low = word_of(digits, 0), high = word_of(digits, 1);
    nz_store32(group, low);
    nz_store32(group + 4, high);
    for (int k = 0; k < NZ_TURBO_LATER; k++) {
        uint32_t more = low & high;
        unsigned n = (unsigned)__builtin_popcount(more);
        low = word_of(digits, 2 * k + 2);
        high = word_of(digits, 2 * k + 3);
        nz_turbo_bits_put(to, k, _pext_u32(low, more), n);
        nz_turbo_bits_put(to, k, _pext_u32(high, more), n);
    }
    store(all, exponent);
    for (uint32_t m = low & high; m; m &= m - 1)
        *to->odd++ = all[__builtin_ctz(m)];
}

AVX2 NZ_INLINE __m256i exponents_get(nz_turbo_in *in, const uint8_t *group)
{
    uint32_t a = nz_load32(group), b = nz_load32(group + 4), second = a & b;
    unsigned n = (unsigned)__builtin_popcount(second);
    uint32_t c = _pdep_u32(nz_turbo_bits_get(in, 0, n), second);
    uint32_t d = _pdep_u32(nz_turbo_bits_get(in, 0, n), second), third = c & d;
    n = (unsigned)__builtin_popcount(third);
    a = (a ^ third) | _pdep_u32(nz_turbo_bits_get(in, 1, n), third);
    b = (b ^ third) | _pdep_u32(nz_turbo_bits_get(in, 1, n), third);
    uint32_t fourth = a & b & third;
    n = (unsigned)__builtin_popcount(fourth);
    uint32_t g = _pdep_u32(nz_turbo_bits_get(in, 2, n), fourth);
    uint32_t h = _pdep_u32(nz_turbo_bits_get(in, 2, n), fourth), odd = g & h;

    /* Four bits now tell all that digits do. The first digit is a and b where it is the last. The
     * second is c and d, a and b being set. The third takes the place of a and b, c and d being
     * set; the fourth does, d alone being set. */
    const __m256i table = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, -2, 1, 0, 0, 0, -3, 2, -8, -9, -4, -5, -6, -7, 0));
    __m256i index = _mm256_or_si256(spread_to((a ^ fourth) | g, 1), spread_to((b ^ fourth) | h, 2));
    index = _mm256_or_si256(index, _mm256_or_si256(spread_to(c ^ fourth, 4), spread_to(d, 8)));
    __m256i exponent = _mm256_add_epi8(_mm256_set1_epi8((char)in->base[in->at / BLOCK]),
                                       _mm256_shuffle_epi8(table, index));
    if (NZ_LIKELY(!odd))
        return exponent;
    /* How many odd ones there are in a half up to each number, negative; from it, which of them a
     * number has: one less, 0 to 15 where it is used. */
    __m256i is_odd = spread(odd), sum = is_odd;
    sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 1));
    sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 2));
    sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 4));
    sum = _mm256_add_epi8(sum, _mm256_slli_si256(sum, 8));
    __m256i list = halves(in->odd, in->odd + __builtin_popcount(odd & 0xffff));
    in->odd += __builtin_popcount(odd);
    list = _mm256_shuffle_epi8(list, _mm256_andnot_si256(sum, _mm256_set1_epi8(-1)));
    return _mm256_blendv_epi8(exponent, list, is_odd);
}

/* ---- Numbers ---- */

AVX2 NZ_INLINE void split_16(nz_turbo_out *state, const uint8_t *raw, size_t n, int f16)
{
    const __m256i byte = _mm256_set1_epi16(255);
    const size_t bytes = f16 ? NZ_TURBO_F16_BYTES : NZ_TURBO_BF16_BYTES;
    nz_turbo_out to = *state;
    uint8_t *group = to.groups + to.at / GROUP * bytes;
    for (size_t end = to.at + n; to.at < end; to.at += GROUP, group += bytes, raw += 2 * GROUP) {
        __m256i x = load(raw), y = load(raw + 32);
        x = _mm256_or_si256(_mm256_slli_epi16(x, 1), _mm256_srli_epi16(x, 15));
        y = _mm256_or_si256(_mm256_slli_epi16(y, 1), _mm256_srli_epi16(y, 15));
        __m256i high =
            in_order(_mm256_packus_epi16(_mm256_srli_epi16(x, 8), _mm256_srli_epi16(y, 8)));
        __m256i low =
            in_order(_mm256_packus_epi16(_mm256_and_si256(x, byte), _mm256_and_si256(y, byte)));
        if (f16) {
            __m256i exponent = _mm256_and_si256(_mm256_srli_epi16(high, 3), _mm256_set1_epi8(31));
            exponents_put(&to, group, exponent);
            for (int k = 0; k < 3; k++)
                nz_store32(group + 8 + 4 * k, word_of(high, k));
            store(group + 20, low);
        } else {
            exponents_put(&to, group, high);
            store(group + 8, low);
        }
    }
    *state = to;
}

AVX2 static void split_f16(nz_turbo_out *to, const uint8_t *raw, size_t n)
{
    split_16(to, raw, n, 1);
}

AVX2 static void split_bf16(nz_turbo_out *to, const uint8_t *raw, size_t n)
{
    split_16(to, raw, n, 0);
}

AVX2 static void split_f32(nz_turbo_out *state, const uint8_t *raw, size_t n)
{
    const __m256i byte = _mm256_set1_epi16(255), word = _mm256_set1_epi32(0xffff);
    nz_turbo_out to = *state;
    for (size_t end = to.at + n; to.at < end; to.at += GROUP, raw += 4 * GROUP) {
        uint8_t *group = to.groups + to.at / GROUP * NZ_TURBO_F32_BYTES;
        __m256i high[2];
        for (int k = 0; k < 2; k++) {
            __m256i x = load(raw + 64 * k), y = load(raw + 64 * k + 32);
            x = _mm256_or_si256(_mm256_slli_epi32(x, 1), _mm256_srli_epi32(x, 31));
            y = _mm256_or_si256(_mm256_slli_epi32(y, 1), _mm256_srli_epi32(y, 31));
            high[k] =
                in_order(_mm256_packus_epi32(_mm256_srli_epi32(x, 16), _mm256_srli_epi32(y, 16)));
            store(group + 40 + 32 * k, in_order(_mm256_packus_epi32(_mm256_and_si256(x, word),
                                                                    _mm256_and_si256(y, word))));
        }
        exponents_put(&to, group,
                      in_order(_mm256_packus_epi16(_mm256_srli_epi16(high[0], 8),
                                                   _mm256_srli_epi16(high[1], 8))));
        store(group + 8, in_order(_mm256_packus_epi16(_mm256_and_si256(high[0], byte),
                                                      _mm256_and_si256(high[1], byte))));
    }
    *state = to;
}

AVX2 static void join_f16(uint8_t *raw, nz_turbo_in *state, size_t n)
{
    nz_turbo_in in = *state;
    for (size_t end = in.at + n; nz_turbo_more(&in, end); in.at += GROUP, raw += 2 * GROUP) {
        const uint8_t *group = in.groups + in.at / GROUP * NZ_TURBO_F16_BYTES;
        __m256i low = load(group + 20), high = _mm256_slli_epi16(exponents_get(&in, group), 3);
        high = _mm256_and_si256(high, _mm256_set1_epi8(-8));
        for (int k = 0; k < 3; k++)
            high = _mm256_or_si256(high, spread_to(nz_load32(group + 8 + 4 * k), 1 << k));
        store_woven(raw, raw + 32, turn16(_mm256_unpacklo_epi8(low, high)),
                    turn16(_mm256_unpackhi_epi8(low, high)));
    }
    *state = in;
}

AVX2 static void join_bf16(uint8_t *raw, nz_turbo_in *state, size_t n)
{
    nz_turbo_in in = *state;
    for (size_t end = in.at + n; nz_turbo_more(&in, end); in.at += GROUP, raw += 2 * GROUP) {
        const uint8_t *group = in.groups + in.at / GROUP * NZ_TURBO_BF16_BYTES;
        __m256i low = load(group + 8), high = exponents_get(&in, group);
        store_woven(raw, raw + 32, turn16(_mm256_unpacklo_epi8(low, high)),
                    turn16(_mm256_unpackhi_epi8(low, high)));
    }
    *state = in;
}

AVX2 static void join_f32(uint8_t *raw, nz_turbo_in *state, size_t n)
{
    nz_turbo_in in = *state;
    for (size_t end = in.at + n; nz_turbo_more(&in, end); in.at += GROUP, raw += 4 * GROUP) {
        const uint8_t *group = in.groups + in.at / GROUP * NZ_TURBO_F32_BYTES;
        __m256i low = load(group + 8), high = exponents_get(&in, group);
        /* Numbers 0-7 and 16-23, then 8-15 and 24-31: as weaving in halves leaves them. */
        __m256i top = _mm256_unpacklo_epi8(low, high), words = halves(group + 40, group + 72);
        store_woven(raw, raw + 64, turn32(_mm256_unpacklo_epi16(words, top)),
                    turn32(_mm256_unpackhi_epi16(words, top)));
        top = _mm256_unpackhi_epi8(low, high);
        words = halves(group + 56, group + 88);
        store_woven(raw + 32, raw + 96, turn32(_mm256_unpacklo_epi16(words, top)),
                    turn32(_mm256_unpackhi_epi16(words, top)));
    }
    *state = in;
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
