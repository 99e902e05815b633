/* The loops that take numbers apart and put them together, for a compiler to vectorise; included by
 * each backend that has a use for them, with LOOPS naming the functions and their target. Integers
 * alone: any order of work gives the same bits. */
#include "base/base.h"
#include "kern.h"

#define GROUP NZ_NUMBER_GROUP

/* Raw numbers lie anywhere. */
typedef uint16_t __attribute__((aligned(1), may_alias)) loose16;
typedef uint32_t __attribute__((aligned(1), may_alias)) loose32;
typedef uint64_t __attribute__((aligned(1), may_alias)) loose64;

LOOPS NZ_INLINE uint8_t symbol_of(uint16_t top, int16_t base, nz_number_reach r)
{
    int16_t d = (int16_t)(top - base);
    uint16_t below = (uint16_t)((uint16_t)(-1 - d) >> r.kept) + r.dense;
    uint16_t near = (uint16_t)(d < 0 ? below : d);
    uint16_t most = (uint16_t)(d < 0 ? NZ_NUMBER_ZERO : r.dense);
    near = near < most ? near : NZ_NUMBER_ESCAPE;
    return (uint8_t)(top ? near : NZ_NUMBER_ZERO);
}

/* Of an odd number nothing that is right. */
LOOPS NZ_INLINE uint16_t top_of(uint8_t symbol, int16_t base)
{
    return (uint16_t)(symbol == NZ_NUMBER_ZERO ? 0 : base + symbol);
}

LOOPS static void split_8(const nz_number_parts *to, const uint8_t *raw,
                          const int16_t *restrict base, nz_number_reach r, size_t n)
{
    uint8_t *restrict symbol = to->symbol;
    for (size_t i = 0; i < n; i++)
        symbol[i] = symbol_of((uint8_t)(raw[i] << 1 | raw[i] >> 7), base[i], r);
}

LOOPS static void merge_8(uint8_t *raw, const nz_number_parts *from, const int16_t *restrict base,
                          size_t n)
{
    const uint8_t *restrict symbol = from->symbol;
    for (size_t i = 0; i < n; i++) {
        uint8_t v = (uint8_t)top_of(symbol[i], base[i]);
        raw[i] = (uint8_t)(v >> 1 | v << 7);
    }
}

LOOPS static void split_16_8(const nz_number_parts *to, const uint8_t *raw,
                             const int16_t *restrict base, nz_number_reach r, size_t n)
{
    uint8_t *restrict symbol = to->symbol;
    uint8_t *restrict rest0 = to->rest[0];
    const loose16 *restrict x = (const loose16 *)(const void *)raw;
    for (size_t i = 0; i < n; i++) {
        uint16_t v = (uint16_t)(x[i] << 1 | x[i] >> 15);
        symbol[i] = symbol_of(v >> 8, base[i], r);
        rest0[i] = (uint8_t)v;
    }
}

LOOPS static void merge_16_8(uint8_t *raw, const nz_number_parts *from,
                             const int16_t *restrict base, size_t n)
{
    const uint8_t *restrict symbol = from->symbol;
    const uint8_t *restrict rest0 = from->rest[0];
    loose16 *restrict x = (loose16 *)(void *)raw;
    for (size_t i = 0; i < n; i++) {
        uint16_t v = (uint16_t)(top_of(symbol[i], base[i]) << 8 | rest0[i]);
        x[i] = (uint16_t)(v >> 1 | v << 15);
    }
}

LOOPS static void split_16_4(const nz_number_parts *to, const uint8_t *raw,
                             const int16_t *restrict base, nz_number_reach r, size_t n)
{
    uint8_t *restrict symbol = to->symbol;
    uint8_t *restrict rest0 = to->rest[0];
    const loose16 *restrict x = (const loose16 *)(const void *)raw;
    for (size_t g = 0; g < n; g += GROUP) {
        uint16_t v[GROUP];
        for (size_t i = 0; i < GROUP; i++) {
            v[i] = (uint16_t)(x[g + i] << 1 | x[g + i] >> 15);
            symbol[g + i] = symbol_of(v[i] >> 4, base[g + i], r);
        }
        for (size_t i = 0; i < GROUP / 2; i++)
            rest0[g / 2 + i] = (uint8_t)((v[i] & 15) | v[i + GROUP / 2] << 4);
    }
}

LOOPS static void merge_16_4(uint8_t *raw, const nz_number_parts *from,
                             const int16_t *restrict base, size_t n)
{
    const uint8_t *restrict symbol = from->symbol;
    const uint8_t *restrict rest0 = from->rest[0];
    loose16 *restrict x = (loose16 *)(void *)raw;
    for (size_t g = 0; g < n; g += GROUP)
        for (size_t half = 0; half < GROUP; half += GROUP / 2)
            for (size_t i = 0; i < GROUP / 2; i++) {
                size_t j = g + half + i;
                uint16_t four = (uint16_t)(rest0[g / 2 + i] >> (half ? 4 : 0) & 15);
                uint16_t v = (uint16_t)(top_of(symbol[j], base[j]) << 4 | four);
                x[j] = (uint16_t)(v >> 1 | v << 15);
            }
}

LOOPS static void split_32(const nz_number_parts *to, const uint8_t *raw,
                           const int16_t *restrict base, nz_number_reach r, size_t n)
{
    uint8_t *restrict symbol = to->symbol;
    uint8_t *restrict rest0 = to->rest[0];
    uint8_t *restrict rest1 = to->rest[1];
    uint8_t *restrict rest2 = to->rest[2];
    const loose32 *restrict x = (const loose32 *)(const void *)raw;
    for (size_t g = 0; g < n; g += GROUP) {
        uint32_t v[GROUP];
        for (size_t i = 0; i < GROUP; i++) {
            v[i] = x[g + i] << 1 | x[g + i] >> 31;
            symbol[g + i] = symbol_of((uint16_t)(v[i] >> 20), base[g + i], r);
            rest1[g + i] = (uint8_t)(v[i] >> 8);
            rest2[g + i] = (uint8_t)v[i];
        }
        for (size_t i = 0; i < GROUP / 2; i++)
            rest0[g / 2 + i] = (uint8_t)((v[i] >> 16 & 15) | (v[i + GROUP / 2] >> 16 & 15) << 4);
    }
}

LOOPS static void merge_32(uint8_t *raw, const nz_number_parts *from, const int16_t *restrict base,
                           size_t n)
{
    const uint8_t *restrict symbol = from->symbol;
    const uint8_t *restrict rest0 = from->rest[0];
    const uint8_t *restrict rest1 = from->rest[1];
    const uint8_t *restrict rest2 = from->rest[2];
    loose32 *restrict x = (loose32 *)(void *)raw;
    for (size_t g = 0; g < n; g += GROUP)
        for (size_t half = 0; half < GROUP; half += GROUP / 2)
            for (size_t i = 0; i < GROUP / 2; i++) {
                size_t j = g + half + i;
                uint32_t four = rest0[g / 2 + i] >> (half ? 4 : 0) & 15;
                uint32_t v = (uint32_t)top_of(symbol[j], base[j]) << 20 | four << 16 |
                             (uint32_t)rest1[j] << 8 | rest2[j];
                x[j] = v >> 1 | v << 31;
            }
}

LOOPS static void split_64(const nz_number_parts *to, const uint8_t *raw,
                           const int16_t *restrict base, nz_number_reach r, size_t n)
{
    uint8_t *restrict symbol = to->symbol;
    uint8_t *restrict rest0 = to->rest[0];
    const loose64 *restrict x = (const loose64 *)(const void *)raw;
    for (size_t g = 0; g < n; g += GROUP) {
        uint64_t v[GROUP];
        for (size_t i = 0; i < GROUP; i++) {
            v[i] = x[g + i] << 1 | x[g + i] >> 63;
            symbol[g + i] = symbol_of((uint16_t)(v[i] >> 52), base[g + i], r);
            for (size_t k = 1; k < 7; k++)
                to->rest[k][g + i] = (uint8_t)(v[i] >> 8 * (6 - k));
        }
        for (size_t i = 0; i < GROUP / 2; i++)
            rest0[g / 2 + i] = (uint8_t)((v[i] >> 48 & 15) | (v[i + GROUP / 2] >> 48 & 15) << 4);
    }
}

LOOPS static void merge_64(uint8_t *raw, const nz_number_parts *from, const int16_t *restrict base,
                           size_t n)
{
    const uint8_t *restrict symbol = from->symbol;
    const uint8_t *restrict rest0 = from->rest[0];
    loose64 *restrict x = (loose64 *)(void *)raw;
    for (size_t g = 0; g < n; g += GROUP)
        for (size_t i = 0; i < GROUP; i++) {
            size_t j = g + i;
            uint64_t four = rest0[g / 2 + i % (GROUP / 2)] >> (i < GROUP / 2 ? 0 : 4) & 15;
            uint64_t v = (uint64_t)top_of(symbol[j], base[j]) << 52 | four << 48;
            for (size_t k = 1; k < 7; k++)
                v |= (uint64_t)from->rest[k][j] << 8 * (6 - k);
            x[j] = v >> 1 | v << 63;
        }
}

LOOPS static void place(int16_t *restrict base, uint8_t *restrict set,
                        const int16_t *restrict column, int row, unsigned kept, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int16_t q = (int16_t)(row + column[i]);
        set[i] = (uint8_t)(q & 3);
        base[i] = (int16_t)(((q >> 2) - NZ_NUMBER_BELOW) * (1 << kept));
    }
}

/* See kern.h. Sums of 14 bits over NZ_NUMBER_ROW numbers stay below 2^32. */
#define SCALE(name, type, wide)                                                              \
    LOOPS static void name(uint32_t *sum, uint32_t *count, uint32_t *sums, uint32_t *counts, \
                           const uint8_t *raw, unsigned shift, size_t n)                     \
    {                                                                                        \
        const type *x = (const type *)(const void *)raw;                                     \
        uint32_t s = 0, c = 0;                                                               \
        for (size_t i = 0; i < n; i++) {                                                     \
            uint32_t v = (uint32_t)((wide)((wide)x[i] << 1) >> shift), some = v >= 8;        \
            v &= 0 - some;                                                                   \
            s += v;                                                                          \
            c += some;                                                                       \
            sums[i] += v;                                                                    \
            counts[i] += some;                                                               \
        }                                                                                    \
        *sum = s;                                                                            \
        *count = c;                                                                          \
    }
SCALE(scale_8, uint8_t, uint8_t)
SCALE(scale_16, loose16, uint16_t)
SCALE(scale_32, loose32, uint32_t)
SCALE(scale_64, loose64, uint64_t)

LOOPS static void fill(nz_kern *k)
{
    k->number_split[NZ_NUMBER_8] = split_8;
    k->number_split[NZ_NUMBER_16_8] = split_16_8;
    k->number_split[NZ_NUMBER_16_4] = split_16_4;
    k->number_split[NZ_NUMBER_32] = split_32;
    k->number_split[NZ_NUMBER_64] = split_64;
    k->number_merge[NZ_NUMBER_8] = merge_8;
    k->number_merge[NZ_NUMBER_16_8] = merge_16_8;
    k->number_merge[NZ_NUMBER_16_4] = merge_16_4;
    k->number_merge[NZ_NUMBER_32] = merge_32;
    k->number_merge[NZ_NUMBER_64] = merge_64;
    k->number_place = place;
    k->number_scale[NZ_NUMBER_8] = scale_8;
    k->number_scale[NZ_NUMBER_16_8] = scale_16;
    k->number_scale[NZ_NUMBER_16_4] = scale_16;
    k->number_scale[NZ_NUMBER_32] = scale_32;
    k->number_scale[NZ_NUMBER_64] = scale_64;
}
