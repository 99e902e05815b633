/* Normal equations: the weights of inputs whose weighted sum comes nearest to a target. */
#ifndef NZ_MODEL_SOLVE_H
#define NZ_MODEL_SOLVE_H

#include "base/base.h"

enum { NZ_SOLVE_MAX = 48 };

/* Sums of products of `inputs` inputs: of each with itself and those behind it, then with the
 * target. */
NZ_INLINE size_t nz_solve_sums(unsigned inputs)
{
    return (size_t)inputs * (inputs + 3) / 2;
}

/* Destroys the sums. To every square `ridge` and its `share` are added, so that weights are small
 * until there is evidence. */
void nz_solve(float *sum, unsigned inputs, float ridge, float share, float *weight);

#endif
