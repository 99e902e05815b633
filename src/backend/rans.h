/* What the rANS kernels work on: tables and states. coder/rans.h is the module to use. */
#ifndef NZ_BACKEND_RANS_H
#define NZ_BACKEND_RANS_H

#include <stddef.h>
#include <stdint.h>

#define NZ_RANS_BITS  12 /* frequencies of a table sum to 2^12 */
#define NZ_RANS_SLOTS (1 << NZ_RANS_BITS)
#define NZ_RANS_LANES 32
#define NZ_RANS_LOW   (UINT32_C(1) << 15) /* states lie in [2^15, 2^31) */
/* A group of lanes is decoded by a kernel only while this much input is left: every lane may take
 * a word, and vectors are loaded whole. */
#define NZ_RANS_SLACK (2 * NZ_RANS_LANES + 16)

/* One symbol for the encoder: x -> (x / f << 12) + x % f + start without a division,
 * x + start + (x * inverse >> 32 >> shift) * rest. Eight bytes: the tables of a plane should stay
 * in the first cache. */
typedef struct nz_rans_symbol {
    uint32_t inverse;
    uint32_t start : 16, rest : 12, shift : 4; /* rest: 4096 - f */
} nz_rans_symbol;

/* Decoder's slot: freq << 20 | (slot - start) << 8 | symbol. */
typedef uint32_t nz_rans_slot;

typedef struct nz_rans_state {
    uint32_t x[NZ_RANS_LANES];
    const uint8_t *at, *end; /* the words not yet read */
} nz_rans_state;

/* The inner step, shared by the kernels' definition and the coder's careful loops. A full state
 * gives a word away first. */
static inline unsigned nz_rans_full(uint32_t x, const nz_rans_symbol *s)
{
    return (x >> 19) + s->rest >= NZ_RANS_SLOTS;
}

static inline uint32_t nz_rans_push(uint32_t x, const nz_rans_symbol *s)
{
    uint32_t q = (uint32_t)(((uint64_t)x * s->inverse) >> 32) >> s->shift;
    return x + s->start + q * s->rest;
}

static inline uint32_t nz_rans_pop(uint32_t x, nz_rans_slot slot)
{
    return (slot >> 20) * (x >> NZ_RANS_BITS) + (slot >> 8 & (NZ_RANS_SLOTS - 1));
}

#endif
