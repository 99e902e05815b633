/* The formats of numbers that are taken apart by scale: which bits are what. backend/number.h tells
 * how. */
#ifndef NZ_WEIGHTS_NUMBER_H
#define NZ_WEIGHTS_NUMBER_H

#include "backend/kern.h"
#include "containers/dtype.h"

typedef struct nz_number {
    nz_number_shape shape;
    uint8_t bytes;
    nz_number_reach reach;
    uint8_t rest;       /* bits */
    uint8_t planes;     /* of rest */
    uint8_t scale_down; /* for nz_kern.number_scale */
} nz_number;

/* NULL: numbers of this type have no exponent. */
const nz_number *nz_number_of(nz_dtype dtype);

/* Bytes that n numbers have in plane k of rest. */
size_t nz_number_plane(const nz_number *f, unsigned k, size_t n);

/* Any n; base[] and the parts reach up to the next multiple of NZ_NUMBER_GROUP. Splitting leaves
 * what lies behind the n in the parts undefined, merging writes n numbers only, of
 * odd ones the rest alone. */
void nz_number_split(const nz_kern *kern, const nz_number *f, const nz_number_parts *to,
                     const uint8_t *raw, const int16_t *base, size_t n);
void nz_number_merge(const nz_kern *kern, const nz_number *f, uint8_t *raw,
                     const nz_number_parts *from, const int16_t *base, size_t n);

/* The top of one number in memory; and put in its place. */
unsigned nz_number_top(const nz_number *f, const uint8_t *raw);
void nz_number_set_top(const nz_number *f, uint8_t *raw, unsigned top);

#endif
