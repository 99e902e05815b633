#include "weights/number.h"
#include "base/base.h"

const nz_number *nz_number_of(nz_dtype dtype)
{
    /* Six binades below the mean and four above have a symbol for each top. */
    enum { DENSE = 10 };
    static const nz_number e4m3 = {NZ_NUMBER_8, 1, {4, DENSE << 4}, 0, 0, 1};
    static const nz_number e5m2 = {NZ_NUMBER_8, 1, {3, DENSE << 3}, 0, 0, 0};
    static const nz_number f16 = {NZ_NUMBER_16_8, 2, {3, DENSE << 3}, 8, 1, 8};
    static const nz_number bf16 = {NZ_NUMBER_16_4, 2, {4, DENSE << 4}, 4, 1, 5};
    static const nz_number f32 = {NZ_NUMBER_32, 4, {4, DENSE << 4}, 20, 3, 21};
    static const nz_number f64 = {NZ_NUMBER_64, 8, {1, DENSE << 1}, 52, 7, 50};
    switch (dtype) {
    case NZ_DT_F8_E4M3: return &e4m3;
    case NZ_DT_F8_E5M2: return &e5m2;
    case NZ_DT_F16: return &f16;
    case NZ_DT_BF16: return &bf16;
    case NZ_DT_F32: return &f32;
    case NZ_DT_F64: return &f64;
    default: return NULL;
    }
}

/* The last group of half bytes keeps only those that its numbers reach. */
size_t nz_number_plane(const nz_number *f, unsigned k, size_t n)
{
    enum { GROUP = NZ_NUMBER_GROUP };
    if (k > 0 || f->rest % 8 == 0)
        return n;
    size_t tail = n % GROUP;
    return n / GROUP * (GROUP / 2) + (tail < GROUP / 2 ? tail : GROUP / 2);
}

void nz_number_split(const nz_kern *kern, const nz_number *f, const nz_number_parts *to,
                     const uint8_t *raw, const int16_t *base, size_t n)
{
    size_t whole = n / NZ_NUMBER_GROUP * NZ_NUMBER_GROUP, tail = n - whole;
    kern->number_split[f->shape](to, raw, base, f->reach, whole);
    if (!tail)
        return;
    uint8_t last[NZ_NUMBER_GROUP * 8] = {0};
    memcpy(last, raw + whole * f->bytes, tail * f->bytes);
    nz_number_parts part = {.symbol = to->symbol + whole};
    for (unsigned k = 0; k < f->planes; k++)
        part.rest[k] = to->rest[k] + nz_number_plane(f, k, whole);
    kern->number_split[f->shape](&part, last, base + whole, f->reach, NZ_NUMBER_GROUP);
}

void nz_number_merge(const nz_kern *kern, const nz_number *f, uint8_t *raw,
                     const nz_number_parts *from, const int16_t *base, size_t n)
{
    size_t whole = n / NZ_NUMBER_GROUP * NZ_NUMBER_GROUP, tail = n - whole;
    kern->number_merge[f->shape](raw, from, base, whole);
    if (!tail)
        return;
    /* What lies behind the last number may not be there to read. */
    uint8_t symbol[NZ_NUMBER_GROUP] = {0}, rest[NZ_NUMBER_PLANES][NZ_NUMBER_GROUP] = {{0}};
    uint8_t last[NZ_NUMBER_GROUP * 8];
    nz_number_parts part = {.symbol = symbol};
    memcpy(symbol, from->symbol + whole, tail);
    for (unsigned k = 0; k < f->planes; k++) {
        memcpy(rest[k], from->rest[k] + nz_number_plane(f, k, whole), nz_number_plane(f, k, tail));
        part.rest[k] = rest[k];
    }
    kern->number_merge[f->shape](last, &part, base + whole, NZ_NUMBER_GROUP);
    memcpy(raw + whole * f->bytes, last, tail * f->bytes);
}

unsigned nz_number_top(const nz_number *f, const uint8_t *raw)
{
    unsigned bits = 8u * f->bytes;
    uint64_t x = nz_load(raw, f->bytes), v = x << 1 | x >> (bits - 1);
    return (unsigned)(v >> f->rest & ((UINT64_C(1) << (bits - f->rest)) - 1));
}

void nz_number_set_top(const nz_number *f, uint8_t *raw, unsigned top)
{
    unsigned bits = 8u * f->bytes;
    uint64_t x = nz_load(raw, f->bytes), v = x << 1 | x >> (bits - 1);
    v = (v & ((UINT64_C(1) << f->rest) - 1)) | (uint64_t)top << f->rest;
    if (bits < 64)
        v &= (UINT64_C(1) << bits) - 1;
    x = v >> 1 | v << (bits - 1);
    nz_store(raw, x, f->bytes);
}
