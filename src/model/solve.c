#include "solve.h"

/* Gauss: row[k] begins with input k's square; what is no longer positive has no say. */
static void eliminate(float *const *row, float *inverse, unsigned n, float least)
{
    for (unsigned k = 0; k < n; k++) {
        const float *restrict from = row[k];
        inverse[k] = from[0] >= least ? 1.0f / from[0] : 0.0f;
        for (unsigned i = k + 1; i < n; i++) {
            float *restrict to = row[i], f = from[i - k] * inverse[k];
            for (unsigned j = 0; j <= n - i; j++)
                to[j] -= f * from[i - k + j];
        }
    }
}

void nz_solve(float *sum, unsigned inputs, float ridge, float share, float *weight)
{
    float *row[NZ_SOLVE_MAX], inverse[NZ_SOLVE_MAX];
    const unsigned n = inputs;
    for (unsigned k = 0; k < n; k++) {
        row[k] = sum;
        sum[0] += ridge + share * sum[0];
        sum += n + 1 - k;
    }
    eliminate(row, inverse, n, ridge / 2);
    for (unsigned k = n; k-- > 0;) {
        weight[k] = row[k][n - k] * inverse[k];
        for (unsigned i = 0; i < k; i++)
            row[i][n - i] -= weight[k] * row[i][k - i];
    }
}
