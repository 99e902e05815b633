/* Turbo kernels in C: the definition. */
#include "base/base.h"
#include "kern.h"

void nz_kern_turbo_c(nz_kern *k);

enum { GROUP = NZ_TURBO_GROUP, BLOCK = NZ_TURBO_BLOCK };

/* ---- Bits of 32 numbers as a word ---- */

static void words_put(uint8_t *to, const uint8_t *v)
{
    for (int k = 0; k < 3; k++) {
        uint32_t word = 0;
        for (int i = 0; i < GROUP; i++)
            word |= (uint32_t)(v[i] >> k & 1) << i;
        nz_store32(to + 4 * k, word);
    }
}

static void words_get(uint8_t *v, const uint8_t *from)
{
    uint32_t a = nz_load32(from), b = nz_load32(from + 4), c = nz_load32(from + 8);
    for (int i = 0; i < GROUP; i++)
        v[i] = (uint8_t)((a >> i & 1) | (b >> i & 1) << 1 | (c >> i & 1) << 2);
}

/* ---- Exponents of a group ---- */

static uint8_t *codes_put(uint8_t *group, uint8_t *odd, const uint8_t *exponent, uint8_t base)
{
    uint8_t code[GROUP];
    for (int i = 0; i < GROUP; i++) {
        uint8_t below = (uint8_t)(base - exponent[i]);
        code[i] = below < NZ_TURBO_ODD ? below : NZ_TURBO_ODD;
        if (code[i] == NZ_TURBO_ODD)
            *odd++ = exponent[i];
    }
    words_put(group, code);
    return odd;
}

static const uint8_t *codes_get(uint8_t *exponent, const uint8_t *group, const uint8_t *odd,
                                uint8_t base)
{
    uint8_t code[GROUP];
    words_get(code, group);
    for (int i = 0; i < GROUP; i++)
        exponent[i] = code[i] == NZ_TURBO_ODD ? *odd++ : (uint8_t)(base - code[i]);
    return odd;
}

/* ---- Numbers ---- */

static size_t split_f16(uint8_t *groups, uint8_t *odd, const uint8_t *raw, const uint8_t *base,
                        size_t n)
{
    uint8_t exponent[GROUP], high[GROUP], *to = odd;
    for (size_t i = 0; i < n; i += GROUP, raw += 2 * GROUP, groups += NZ_TURBO_F16_BYTES) {
        for (int j = 0; j < GROUP; j++) {
            uint16_t x = nz_load16(raw + 2 * j), v = (uint16_t)(x << 1 | x >> 15);
            exponent[j] = (uint8_t)(v >> 11);
            high[j] = v >> 8 & 7;
            groups[24 + j] = (uint8_t)v;
        }
        to = codes_put(groups, to, exponent, base[i / BLOCK]);
        words_put(groups + 12, high);
    }
    return (size_t)(to - odd);
}

static size_t split_bf16(uint8_t *groups, uint8_t *odd, const uint8_t *raw, const uint8_t *base,
                         size_t n)
{
    uint8_t exponent[GROUP], *to = odd;
    for (size_t i = 0; i < n; i += GROUP, raw += 2 * GROUP, groups += NZ_TURBO_BF16_BYTES) {
        for (int j = 0; j < GROUP; j++) {
            uint16_t x = nz_load16(raw + 2 * j), v = (uint16_t)(x << 1 | x >> 15);
            exponent[j] = (uint8_t)(v >> 8);
            groups[12 + j] = (uint8_t)v;
        }
        to = codes_put(groups, to, exponent, base[i / BLOCK]);
    }
    return (size_t)(to - odd);
}

static size_t split_f32(uint8_t *groups, uint8_t *odd, const uint8_t *raw, const uint8_t *base,
                        size_t n)
{
    uint8_t exponent[GROUP], *to = odd;
    for (size_t i = 0; i < n; i += GROUP, raw += 4 * GROUP, groups += NZ_TURBO_F32_BYTES) {
        for (int j = 0; j < GROUP; j++) {
            uint32_t x = nz_load32(raw + 4 * j), v = x << 1 | x >> 31;
            exponent[j] = (uint8_t)(v >> 24);
            groups[12 + j] = (uint8_t)(v >> 16);
            nz_store16(groups + 44 + 2 * j, (uint16_t)v);
        }
        to = codes_put(groups, to, exponent, base[i / BLOCK]);
    }
    return (size_t)(to - odd);
}

static void join_f16(uint8_t *raw, nz_turbo_state *s, size_t n)
{
    uint8_t exponent[GROUP], high[GROUP];
    for (size_t end = s->at + n; s->at < end && s->odd <= s->end; s->at += GROUP) {
        const uint8_t *group = s->groups + s->at / GROUP * NZ_TURBO_F16_BYTES;
        s->odd = codes_get(exponent, group, s->odd, s->base[s->at / BLOCK]);
        words_get(high, group + 12);
        for (int j = 0; j < GROUP; j++, raw += 2) {
            uint16_t v = (uint16_t)(exponent[j] << 11 | high[j] << 8 | group[24 + j]);
            nz_store16(raw, (uint16_t)(v >> 1 | v << 15));
        }
    }
}

static void join_bf16(uint8_t *raw, nz_turbo_state *s, size_t n)
{
    uint8_t exponent[GROUP];
    for (size_t end = s->at + n; s->at < end && s->odd <= s->end; s->at += GROUP) {
        const uint8_t *group = s->groups + s->at / GROUP * NZ_TURBO_BF16_BYTES;
        s->odd = codes_get(exponent, group, s->odd, s->base[s->at / BLOCK]);
        for (int j = 0; j < GROUP; j++, raw += 2) {
            uint16_t v = (uint16_t)(exponent[j] << 8 | group[12 + j]);
            nz_store16(raw, (uint16_t)(v >> 1 | v << 15));
        }
    }
}

static void join_f32(uint8_t *raw, nz_turbo_state *s, size_t n)
{
    uint8_t exponent[GROUP];
    for (size_t end = s->at + n; s->at < end && s->odd <= s->end; s->at += GROUP) {
        const uint8_t *group = s->groups + s->at / GROUP * NZ_TURBO_F32_BYTES;
        s->odd = codes_get(exponent, group, s->odd, s->base[s->at / BLOCK]);
        for (int j = 0; j < GROUP; j++, raw += 4) {
            uint32_t v = (uint32_t)exponent[j] << 24 | (uint32_t)group[12 + j] << 16 |
                         nz_load16(group + 44 + 2 * j);
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
