/* Linear prediction inside rows: what the numbers of a row tell about the next one, learned from
 * the rows before. Rows of embeddings, keys and queries are far from independent numbers, which
 * pays several times what contexts do.
 *
 * After some rows, again and again, the correlations A of the columns, drawn towards none, are
 * split into A = C C' (Cholesky). A row is then C times a vector z of uncorrelated numbers: with z
 * known up to column j, the rest of C's row j says what to expect there and how far off it may be.
 * All in integers: rows of C have length 1, so 16-bit products of them never overflow 32 bits. */
#ifndef NZ_WEIGHTS_LINEAR_H
#define NZ_WEIGHTS_LINEAR_H

#include "backend/kern.h"
#include "base/base.h"

enum {
    NZ_LINEAR_BLOCK = 1024, /* columns that predict each other; wider rows are cut */
    NZ_LINEAR_WIDTH = 4096, /* columns at most */
    NZ_LINEAR_ONE = 1024    /* inputs: the usual size of a number in its column */
};

typedef struct nz_linear nz_linear;

/* NULL without memory. */
nz_linear *nz_linear_new(const nz_kern *kern);
void nz_linear_free(nz_linear *l);
uint64_t nz_linear_memory(void);

/* A new matrix of so many columns: what was learned is forgotten. */
void nz_linear_start(nz_linear *l, size_t cols);

/* For every column of a row, in order: what to expect, and the spread around it as a part of
 * 4096 of the column's usual size; then the number itself. */
int32_t nz_linear_expect(nz_linear *l, size_t col, int32_t *spread);
void nz_linear_see(nz_linear *l, size_t col, int32_t x);

/* The row is complete; size: the usual size of its numbers, NZ_LINEAR_ONE for an ordinary row. */
void nz_linear_end(nz_linear *l, int32_t size);

#endif
