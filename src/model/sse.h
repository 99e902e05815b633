/* Secondary symbol estimation: a map from (small context, stretched probability) to a learned
 * probability, interpolated between two of 33 points half a unit apart. */
#ifndef NZ_MODEL_SSE_H
#define NZ_MODEL_SSE_H

#include "backend/adapt.h"

enum { NZ_SSE_POINTS = 33 };

typedef struct nz_sse {
    uint32_t *cells; /* [contexts][NZ_SSE_POINTS], xor the start value of the point */
    uint32_t contexts;
    uint32_t *row; /* of the context aimed at */
    uint32_t *low; /* the cell below the last estimate */
    uint32_t point, weight;
} nz_sse;

int nz_sse_new(nz_sse *s, uint32_t contexts); /* 0, or -1 without memory */
void nz_sse_free(nz_sse *s);
uint64_t nz_sse_memory(uint32_t contexts);

extern const uint32_t nz_sse_start[NZ_SSE_POINTS];

NZ_INLINE uint32_t nz_sse_position(int st)
{
    int v = st + 2048;
    return (uint32_t)(v < 0 ? 0 : v > 4095 ? 4095 : v);
}

/* Chooses the context of the next estimate and fetches the cells it will probably read: near
 * `guess`, a stretched probability known long before the final one. */
NZ_INLINE void nz_sse_aim(nz_sse *s, uint32_t context, int guess)
{
    s->row = s->cells + (size_t)context * NZ_SSE_POINTS;
    uint32_t j = nz_sse_position(guess) >> 7;
    __builtin_prefetch(s->row + (j < 5 ? 0 : j - 5));
    __builtin_prefetch(s->row + (j > 27 ? 32 : j + 5));
}

/* st: stretched probability, 8 fractional bits. Returns 16 bits. */
NZ_INLINE uint32_t nz_sse_refine(nz_sse *s, int st)
{
    uint32_t v = nz_sse_position(st), j = v >> 7, w = v & 127;
    s->low = s->row + j;
    s->point = j;
    s->weight = w;
    uint64_t a = (s->low[0] ^ nz_sse_start[j]) >> 10, b = (s->low[1] ^ nz_sse_start[j + 1]) >> 10;
    return (uint32_t)((a * (128 - w) + b * w) >> 13);
}

NZ_INLINE void nz_sse_cell(const nz_sse *s, uint32_t i, int bit, uint32_t limit)
{
    uint32_t v = s->low[i] ^ nz_sse_start[s->point + i];
    nz_adapt_update(&v, bit, limit);
    s->low[i] = v ^ nz_sse_start[s->point + i];
}

/* The nearer point learns; halfway between them both do. */
NZ_INLINE void nz_sse_update(const nz_sse *s, int bit, uint32_t limit)
{
    if (s->weight < 96)
        nz_sse_cell(s, 0, bit, limit);
    if (s->weight >= 32)
        nz_sse_cell(s, 1, bit, limit);
}

#endif
