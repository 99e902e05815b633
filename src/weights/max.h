/* Weights, the smallest way: every number is predicted, as a number, from its row, its column and
 * the rows before (linear.h), and its sign, exponent and mantissa bits are then coded one by one,
 * each under a mixture of what such predictions were worth so far.
 *
 * Integers only: the coded bytes are the same on every machine. Numbers are never made floats, so
 * that NaN payloads, infinities and negative zeros come back as they were. */
#ifndef NZ_WEIGHTS_MAX_H
#define NZ_WEIGHTS_MAX_H

#include "backend/kern.h"
#include "coder/arith.h"
#include "nz.h"
#include "weights/quants.h"
#include "weights/value.h"

/* What was learned, kept from tensor to tensor of a frame. Use from one thread. */
typedef struct nz_max nz_max;

/* On success the caller owns *out and returns it with nz_max_free(). `kern` stays the caller's. */
nz_err nz_max_new(nz_max **out, const nz_kern *kern);
void nz_max_free(nz_max *m); /* NULL is fine */
/* Bytes that one takes, whatever it codes. */
uint64_t nz_max_memory(void);

/* Codes n numbers, `row` of them a row (0: no rows are known), of a tensor or of a part of one that
 * starts with a row. A tensor of more than two dimensions should come as its first dimension times
 * all the others. The coder is the caller's and goes from tensor to tensor; whether all fitted is
 * known after nz_arith_flush(). */
void nz_max_encode(nz_max *m, nz_arith *a, const nz_value *format, const uint8_t *raw, size_t n,
                   size_t row);
/* Takes the same n and row. Any input decodes to some numbers: the caller keeps a checksum. */
void nz_max_decode(nz_max *m, nz_arith *a, const nz_value *format, uint8_t *raw, size_t n,
                   size_t row);

/* The same of n blocks of quants, but only of what depends on the grids: where their steps are made
 * for a number (format->extreme) these and the offsets, and everywhere the quants. The rest of the
 * blocks must be there before. NZ_E_MEM. */
nz_err nz_max_encode_blocks(nz_max *m, nz_arith *a, const nz_quants *format, const uint8_t *raw,
                            size_t n, size_t row);
nz_err nz_max_decode_blocks(nz_max *m, nz_arith *a, const nz_quants *format, uint8_t *raw, size_t n,
                            size_t row);

/* What decoding spends on parts of numbers or blocks, in 2^-16 bits. */
typedef struct nz_max_spent {
    uint64_t bits[NZ_PARTS];
    uint64_t told; /* by the input so far */
} nz_max_spent;

/* From now on it is added to *to; NULL: no more. */
void nz_max_watch(nz_max *m, nz_max_spent *to);

#endif
