/* Rows that resemble this one. Embeddings of related words are close to each other: once the first
 * columns of a row are known, the most similar of the rows before say something about the others.
 *
 * A row is taken as z, numbers made independent by linear.h. Its signs, 64 to a word, are a sketch:
 * the rows whose sketches differ in the fewest bits are compared in full, and the best of them,
 * weighted by how similar they are, give what is expected of the next 64 columns. How far such
 * expectations hold is measured as well, so that useless ones fade away. */
#ifndef NZ_WEIGHTS_KIN_H
#define NZ_WEIGHTS_KIN_H

#include "backend/kern.h"
#include "base/base.h"

enum {
    NZ_KIN_STEP = 64,    /* columns between two searches */
    NZ_KIN_COLS = 4096,  /* at most */
    NZ_KIN_Z_ONE = 256,  /* z: a number of ordinary size */
    NZ_KIN_Z_MAX = 8191, /* the largest */
};

typedef struct nz_kin nz_kin;

/* NULL without memory. */
nz_kin *nz_kin_new(const nz_kern *kern);
void nz_kin_free(nz_kin *k); /* NULL is fine */
uint64_t nz_kin_memory(void);

/* Forgets; rows of so many columns follow. */
void nz_kin_start(nz_kin *k, size_t cols);

/* What z[col] is expected to be. Ask for every column of a row, in order, z being known up to it;
 * z: aligned to 64 bytes. */
int32_t nz_kin_expect(nz_kin *k, const int16_t *z, size_t col);

/* The row is complete; size: of its numbers, 1024 for an ordinary row. */
void nz_kin_end(nz_kin *k, const int16_t *z, int32_t size);

#endif
