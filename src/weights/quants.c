/* Layouts: ggml-common.h and ggml-quants.c of llama.cpp. */
#include "weights/quants.h"

#include <stdbool.h>

static const nz_quants LAYOUTS[] = {
    {NZ_DT_Q4_0, 4, 32, 0, 0, 8, -8, 2, 16, {2, 4, 16}, {0, 0, 0}},
    {NZ_DT_Q4_1, 4, 32, 0, 2, 0, 15, 4, 16, {4, 4, 16}, {0, 0, 0}},
    {NZ_DT_Q5_0, 5, 32, 0, 0, 16, -16, 2, 20, {6, 4, 16}, {2, 1, 1}},
    {NZ_DT_Q5_1, 5, 32, 0, 2, 0, 31, 4, 20, {8, 4, 16}, {4, 1, 1}},
    {NZ_DT_Q8_0, 8, 32, 0, 0, 128, 127, 2, 32, {2, 8, 32}, {0, 0, 0}},
    {NZ_DT_Q2_K, 2, 16, 80, 82, 0, 0, 16, 64, {16, 2, 32}, {0, 0, 0}},
    {NZ_DT_Q3_K, 3, 16, 108, 0, 4, 0, 0, 96, {32, 2, 32}, {0, 1, 32}},
    {NZ_DT_Q4_K, 4, 32, 0, 2, 0, 0, 16, 128, {16, 4, 32}, {0, 0, 0}},
    {NZ_DT_Q5_K, 5, 32, 0, 2, 0, 0, 16, 160, {48, 4, 32}, {16, 1, 32}},
    {NZ_DT_Q6_K, 6, 16, 208, 0, 32, 0, 0, 192, {0, 4, 64}, {128, 2, 32}},
};

const nz_quants *nz_quants_of(nz_dtype dtype)
{
    for (size_t i = 0; i < sizeof LAYOUTS / sizeof *LAYOUTS; i++)
        if (LAYOUTS[i].dtype == dtype)
            return &LAYOUTS[i];
    return NULL;
}

/* The block of element i, which is then counted in it. */
static size_t block_of(const nz_quants *f, size_t *i)
{
    const nz_dtype_info *info = nz_dtype_about(f->dtype);
    size_t block = *i / info->elements;
    *i %= info->elements;
    return block * info->bytes;
}

/* ---- Quants ---- */

/* The byte of a block where element i's bits of a part are, and the lowest of them in it. */
static size_t part_place(const nz_quants_part *p, size_t i, unsigned *shift)
{
    size_t group = p->width * 8u / p->bits, in = i % group;
    *shift = (unsigned)(p->bits * (in / p->width));
    return p->at + i / group * p->width + in % p->width;
}

static unsigned part_get(const nz_quants_part *p, const uint8_t *block, size_t i)
{
    unsigned shift;
    size_t at = part_place(p, i, &shift);
    return block[at] >> shift & ((1u << p->bits) - 1);
}

static void part_put(const nz_quants_part *p, uint8_t *block, size_t i, unsigned v)
{
    unsigned shift;
    size_t at = part_place(p, i, &shift);
    block[at] = (uint8_t)(block[at] | (v & ((1u << p->bits) - 1)) << shift);
}

/* Those of eight bits are signed. */
static unsigned sign_bit(const nz_quants *f)
{
    return f->bits == 8 ? 128 : 0;
}

unsigned nz_quants_get(const nz_quants *f, const uint8_t *blocks, size_t i)
{
    blocks += block_of(f, &i);
    unsigned q = part_get(&f->low, blocks, i);
    if (f->high.bits)
        q |= part_get(&f->high, blocks, i) << f->low.bits;
    return q ^ sign_bit(f);
}

void nz_quants_put(const nz_quants *f, uint8_t *blocks, size_t i, unsigned q)
{
    blocks += block_of(f, &i);
    q ^= sign_bit(f);
    part_put(&f->low, blocks, i, q);
    if (f->high.bits)
        part_put(&f->high, blocks, i, q >> f->low.bits);
}

void nz_quants_clear(const nz_quants *f, uint8_t *blocks, size_t n)
{
    size_t bytes = nz_dtype_about(f->dtype)->bytes;
    for (size_t b = 0; b < n; b++)
        memset(blocks + b * bytes + f->at, 0, f->size);
}

/* ---- Grids ---- */

int64_t nz_quants_half(unsigned half)
{
    unsigned exponent = half >> 10 & 31, mantissa = half & 1023;
    int64_t v = exponent == 0    ? mantissa
                : exponent == 31 ? 0
                                 : (int64_t)(1024 + mantissa) << (exponent - 1);
    return half >> 15 ? -v : v;
}

/* Small integers that the halves are multiplied with, for grid k of a block. */
static void factors(unsigned dtype, const uint8_t *b, size_t k, int *step, int *offset)
{
    *step = *offset = 1;
    switch (dtype) {
    case NZ_DT_Q2_K:
        *step = b[k] & 15;
        *offset = -(b[k] >> 4);
        break;
    case NZ_DT_Q3_K:
        b += 96;
        *step = (b[k % 8] >> (k < 8 ? 0 : 4) & 15) | (b[8 + k % 4] >> 2 * (k / 4) & 3) << 4;
        *step -= 32;
        break;
    case NZ_DT_Q4_K:
    case NZ_DT_Q5_K:
        b += 4;
        *step = k < 4 ? b[k] & 63 : (b[k + 4] & 15) | b[k - 4] >> 6 << 4;
        *offset = -(k < 4 ? b[k + 4] & 63 : b[k + 4] >> 4 | b[k] >> 6 << 4);
        break;
    case NZ_DT_Q6_K: *step = (int8_t)b[192 + k]; break;
    default: break;
    }
}

nz_grid nz_quants_grid(const nz_quants *f, const uint8_t *blocks, size_t i)
{
    int step, offset;
    blocks += block_of(f, &i);
    factors(f->dtype, blocks, i / f->each, &step, &offset);
    nz_grid g = {.step = nz_quants_half(nz_load16(blocks + f->step)) * step};
    if (f->offset)
        g.offset = nz_quants_half(nz_load16(blocks + f->offset)) * offset;
    else
        g.offset = -f->middle * g.step;
    return g;
}
