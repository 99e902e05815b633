/* Blocks of ggml as what they are: small integers, the quants, on a grid, whose step and offset 16
 * or 32 of them share, of numbers. */
#ifndef NZ_WEIGHTS_QUANTS_H
#define NZ_WEIGHTS_QUANTS_H

#include "base/base.h"
#include "containers/dtype.h"

/* Some bits of every quant: `width` bytes hold those of as many quants in their lowest bits, then
 * of the next as many in the bits above; when all are used, the next bytes follow. */
typedef struct nz_quants_part {
    uint8_t at;
    uint8_t bits, width; /* powers of two; no bits: no such part */
} nz_quants_part;

typedef struct nz_quants {
    uint8_t dtype;
    uint8_t bits;    /* of a quant, up to 8 */
    uint8_t each;    /* quants that share a grid */
    uint8_t step;    /* where in a block the F16 is that scales the steps, */
    uint8_t offset;  /* and that for the offsets; 0: there is none, */
    uint8_t middle;  /* and this quant stands for 0 */
    int16_t extreme; /* the step was made for a number, this times the step beside the offset, to be
                        on the grid; 0: for none in particular */
    uint8_t at, size; /* where the parts are */
    nz_quants_part low, high;
} nz_quants;

/* NULL: blocks of another kind. */
const nz_quants *nz_quants_of(nz_dtype dtype);

/* Quant i of a tensor's blocks. */
unsigned nz_quants_get(const nz_quants *f, const uint8_t *blocks, size_t i);
/* Its bits must be zero: clear n blocks first. */
void nz_quants_put(const nz_quants *f, uint8_t *blocks, size_t i, unsigned q);
void nz_quants_clear(const nz_quants *f, uint8_t *blocks, size_t n);

/* In units of 2^-24; infinities and NaNs count as 0. */
int64_t nz_quants_half(unsigned half);

/* Quant q stands for step * q + offset, in units of 2^-24; both are below 2^49. */
typedef struct nz_grid {
    int64_t step, offset;
} nz_grid;

/* That of quant i; whatever the quants are. */
nz_grid nz_quants_grid(const nz_quants *f, const uint8_t *blocks, size_t i);

#endif
