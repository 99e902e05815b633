/* Turbo kernels in C: the definition. */
#include "base/base.h"
#include "kern.h"

void nz_kern_turbo_c(nz_kern *k);

enum { GROUP = NZ_TURBO_GROUP, BLOCK = NZ_TURBO_BLOCK };

/* The digits of a number as a byte, the first in its lowest bits; those behind the last are 0. By
 * how far an exponent lies above base - 9, and back: how far it lies from the base. */
#define ALL_DIGITS 0xff
static const uint8_t DIGITS[NZ_TURBO_NEAR] = {0xbf, 0x7f, 0x2f, 0x1f, 0x0f, 0x0b,
                                              0x07, 0x02, 0x01, 0x00, 0x03, 0x3f};
static const int8_t FROM_BASE[ALL_DIGITS] = {
    [0x00] = 0,  [0x01] = -1, [0x02] = -2, [0x03] = 1, [0x07] = -3, [0x0b] = -4,
    [0x0f] = -5, [0x1f] = -6, [0x2f] = -7, [0x3f] = 2, [0x7f] = -8, [0xbf] = -9};

/* ---- Bits of 32 numbers as a word: eight bytes at a time ---- */

#define BYTES UINT64_C(0x0101010101010101)

static uint32_t word_of(const uint8_t *v, int bit)
{
    uint32_t word = 0;
    for (int i = 0; i < GROUP; i += 8) {
        uint64_t ones = nz_load64(v + i) >> bit & BYTES;
        word |= (uint32_t)(ones * UINT64_C(0x0102040810204080) >> 56) << i;
    }
    return word;
}

static void word_spread(uint8_t *v, uint32_t word, int bit)
{
    for (int i = 0; i < GROUP; i += 8) {
        uint64_t each = (word >> i & 255) * BYTES & UINT64_C(0x8040201008040201);
        uint64_t ones = (each + 0x7f * BYTES) >> 7 & BYTES;
        nz_store64(v + i, nz_load64(v + i) | ones << bit);
    }
}

/* The bits of a word where those of the mask are set, moved together; and apart again. */
static uint32_t gather(uint32_t word, uint32_t mask)
{
    uint32_t v = 0;
    for (int n = 0; mask; mask &= mask - 1, n++)
        v |= (word >> __builtin_ctz(mask) & 1) << n;
    return v;
}

static uint32_t scatter(uint32_t v, uint32_t mask)
{
    uint32_t word = 0;
    for (; mask; mask &= mask - 1, v >>= 1)
        word |= (v & 1) << __builtin_ctz(mask);
    return word;
}

/* ---- Exponents of a group ---- */

static void exponents_put(nz_turbo_out *to, uint8_t *group, const uint8_t *exponent)
{
    uint8_t base = to->base[to->at / BLOCK], digits[GROUP];
    for (int i = 0; i < GROUP; i++) {
        uint8_t above = (uint8_t)(exponent[i] - base + 9);
        digits[i] = above < NZ_TURBO_NEAR ? DIGITS[above] : ALL_DIGITS;
        if (digits[i] == ALL_DIGITS)
            *to->odd++ = exponent[i];
    }
    uint32_t low = word_of(digits, 0), high = word_of(digits, 1);
    nz_store32(group, low);
    nz_store32(group + 4, high);
    for (int k = 0; k < NZ_TURBO_LATER; k++) {
        uint32_t more = low & high;
        unsigned n = (unsigned)__builtin_popcount(more);
        low = word_of(digits, 2 * k + 2);
        high = word_of(digits, 2 * k + 3);
        nz_turbo_bits_put(to, k, gather(low, more), n);
        nz_turbo_bits_put(to, k, gather(high, more), n);
    }
}

static void exponents_get(nz_turbo_in *in, uint8_t *exponent, const uint8_t *group)
{
    uint8_t base = in->base[in->at / BLOCK], digits[GROUP] = {0};
    uint32_t low = nz_load32(group), high = nz_load32(group + 4);
    word_spread(digits, low, 0);
    word_spread(digits, high, 1);
    for (int k = 0; k < NZ_TURBO_LATER; k++) {
        uint32_t more = low & high;
        unsigned n = (unsigned)__builtin_popcount(more);
        low = scatter(nz_turbo_bits_get(in, k, n), more);
        high = scatter(nz_turbo_bits_get(in, k, n), more);
        word_spread(digits, low, 2 * k + 2);
        word_spread(digits, high, 2 * k + 3);
    }
    for (int i = 0; i < GROUP; i++)
        exponent[i] = digits[i] == ALL_DIGITS ? *in->odd++ : (uint8_t)(base + FROM_BASE[digits[i]]);
}

/* ---- Numbers ---- */

static void split_f16(nz_turbo_out *to, const uint8_t *raw, size_t n)
{
    uint8_t exponent[GROUP], high[GROUP];
    for (size_t end = to->at + n; to->at < end; to->at += GROUP) {
        uint8_t *group = to->groups + to->at / GROUP * NZ_TURBO_F16_BYTES;
        for (int i = 0; i < GROUP; i++, raw += 2) {
            uint16_t x = nz_load16(raw), v = (uint16_t)(x << 1 | x >> 15);
            exponent[i] = (uint8_t)(v >> 11);
            high[i] = v >> 8 & 7;
            group[20 + i] = (uint8_t)v;
        }
        exponents_put(to, group, exponent);
        for (int k = 0; k < 3; k++)
            nz_store32(group + 8 + 4 * k, word_of(high, k));
    }
}

static void split_bf16(nz_turbo_out *to, const uint8_t *raw, size_t n)
{
    uint8_t exponent[GROUP];
    for (size_t end = to->at + n; to->at < end; to->at += GROUP) {
        uint8_t *group = to->groups + to->at / GROUP * NZ_TURBO_BF16_BYTES;
        for (int i = 0; i < GROUP; i++, raw += 2) {
            uint16_t x = nz_load16(raw), v = (uint16_t)(x << 1 | x >> 15);
            exponent[i] = (uint8_t)(v >> 8);
            group[8 + i] = (uint8_t)v;
        }
        exponents_put(to, group, exponent);
    }
}

static void split_f32(nz_turbo_out *to, const uint8_t *raw, size_t n)
{
    uint8_t exponent[GROUP];
    for (size_t end = to->at + n; to->at < end; to->at += GROUP) {
        uint8_t *group = to->groups + to->at / GROUP * NZ_TURBO_F32_BYTES;
        for (int i = 0; i < GROUP; i++, raw += 4) {
            uint32_t x = nz_load32(raw), v = x << 1 | x >> 31;
            exponent[i] = (uint8_t)(v >> 24);
            group[8 + i] = (uint8_t)(v >> 16);
            nz_store16(group + 40 + 2 * i, (uint16_t)v);
        }
        exponents_put(to, group, exponent);
    }
}

static void join_f16(uint8_t *raw, nz_turbo_in *in, size_t n)
{
    uint8_t exponent[GROUP];
    for (size_t end = in->at + n; nz_turbo_more(in, end); in->at += GROUP) {
        const uint8_t *group = in->groups + in->at / GROUP * NZ_TURBO_F16_BYTES;
        uint8_t high[GROUP] = {0};
        exponents_get(in, exponent, group);
        for (int k = 0; k < 3; k++)
            word_spread(high, nz_load32(group + 8 + 4 * k), k);
        for (int i = 0; i < GROUP; i++, raw += 2) {
            uint16_t v = (uint16_t)(exponent[i] << 11 | high[i] << 8 | group[20 + i]);
            nz_store16(raw, (uint16_t)(v >> 1 | v << 15));
        }
    }
}

static void join_bf16(uint8_t *raw, nz_turbo_in *in, size_t n)
{
    uint8_t exponent[GROUP];
    for (size_t end = in->at + n; nz_turbo_more(in, end); in->at += GROUP) {
        const uint8_t *group = in->groups + in->at / GROUP * NZ_TURBO_BF16_BYTES;
        exponents_get(in, exponent, group);
        for (int i = 0; i < GROUP; i++, raw += 2) {
            uint16_t v = (uint16_t)(exponent[i] << 8 | group[8 + i]);
            nz_store16(raw, (uint16_t)(v >> 1 | v << 15));
        }
    }
}

static void join_f32(uint8_t *raw, nz_turbo_in *in, size_t n)
{
    uint8_t exponent[GROUP];
    for (size_t end = in->at + n; nz_turbo_more(in, end); in->at += GROUP) {
        const uint8_t *group = in->groups + in->at / GROUP * NZ_TURBO_F32_BYTES;
        exponents_get(in, exponent, group);
        for (int i = 0; i < GROUP; i++, raw += 4) {
            uint32_t v = (uint32_t)exponent[i] << 24 | (uint32_t)group[8 + i] << 16 |
                         nz_load16(group + 40 + 2 * i);
            nz_store32(raw, v >> 1 | v << 31);
        }
    }
}

void nz_kern_turbo_c(nz_kern *k)
{
    k->turbo_split[NZ_TURBO_F16] = split_f16;
    k->turbo_split[NZ_TURBO_BF16] = split_bf16;
    k->turbo_split[NZ_TURBO_F32] = split_f32;
    k->turbo_join[NZ_TURBO_F16] = join_f16;
    k->turbo_join[NZ_TURBO_BF16] = join_bf16;
    k->turbo_join[NZ_TURBO_F32] = join_f32;
}
