/* Least squares that look around: weights for some neighbours of a pixel, those that would have
 * predicted the pixels near it best. The nearer counts more, and the rows above count on both
 * sides: sums of products are kept for every column and decay with every step along the row, in
 * both directions, and down (Meyer and Tischer, "Glicbawls", 2001). Solved anew for every pixel. */
#ifndef NZ_MODEL_LSQ_H
#define NZ_MODEL_LSQ_H

#include "solve.h"

enum { NZ_LSQ_MAX = 32 };

typedef struct nz_lsq {
    unsigned inputs;
    uint32_t width; /* columns */
    float decay;
    size_t sums;   /* products: of every input with those from it on, then with the target */
    float *column; /* [width][sums] of the rows above, as seen from each column */
    float *row;    /* [sums] of this row, as seen from the next column */
    float *system; /* [sums], being solved */
    float *sample; /* [width][inputs + 2] of this row: inputs, target, weight */
} nz_lsq;

/* 0, or -1 without memory. */
int nz_lsq_new(nz_lsq *l, unsigned inputs, uint32_t width, float decay);
void nz_lsq_free(nz_lsq *l);
uint64_t nz_lsq_memory(unsigned inputs, uint32_t width);

/* Inputs and targets are differences of samples, at most 2^17. */
float nz_lsq_predict(nz_lsq *l, uint32_t column, const float *input);
/* What the prediction of this column should have been; weight in (0, 1]. */
void nz_lsq_learn(nz_lsq *l, uint32_t column, float target, float weight);
/* The row ends. */
void nz_lsq_turn(nz_lsq *l);

#endif
