/* Recursive least squares: the weights that would have predicted the past best, what is long ago
 * counting less. Sums of products are kept; the weights are solved for every few samples. */
#ifndef NZ_MODEL_OLS_H
#define NZ_MODEL_OLS_H

#include "solve.h"

typedef struct nz_ols {
    unsigned inputs, age; /* samples learned since the last solution */
    float decay;
    float *sum, *system; /* the sums; a copy, to be solved */
    float weight[NZ_SOLVE_MAX];
} nz_ols;

/* 0, or -1 without memory. */
int nz_ols_new(nz_ols *o, unsigned inputs, float decay);
void nz_ols_free(nz_ols *o);
uint64_t nz_ols_memory(unsigned inputs);

/* Inputs and targets are at most 2^24. */
float nz_ols_predict(const nz_ols *o, const float *input);
/* weight in (0, 2^10]: how much the sample counts. */
void nz_ols_learn(nz_ols *o, const float *input, float target, float weight);

#endif
