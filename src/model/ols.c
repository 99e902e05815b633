#include "ols.h"

enum { EVERY = 4 /* samples from one solution to the next */ };

#define RIDGE 1.0f
#define SHARE 1e-5f
#define TINY  1e-12f /* keeps sums of nothing from decaying into subnormal numbers */

uint64_t nz_ols_memory(unsigned inputs)
{
    return 2 * nz_solve_sums(inputs) * sizeof(float);
}

int nz_ols_new(nz_ols *o, unsigned inputs, float decay)
{
    *o = (nz_ols){.inputs = inputs, .decay = decay};
    if (!(o->sum = nz_big_new(nz_ols_memory(inputs))))
        return -1;
    o->system = o->sum + nz_solve_sums(inputs);
    return 0;
}

void nz_ols_free(nz_ols *o)
{
    nz_big_free(o->sum, nz_ols_memory(o->inputs));
    o->sum = NULL;
}

float nz_ols_predict(const nz_ols *o, const float *input)
{
    float sum = 0;
    for (unsigned i = 0; i < o->inputs; i++)
        sum += o->weight[i] * input[i];
    return sum;
}

static void add_sample(nz_ols *o, const float *restrict input, float target, float weight)
{
    const unsigned n = o->inputs;
    const float decay = o->decay;
    float *restrict sum = o->sum;
    for (unsigned i = 0; i < n; i++) {
        const float x = input[i] * weight;
        for (unsigned j = i; j < n; j++)
            sum[j - i] = decay * sum[j - i] + (x * input[j] + TINY);
        sum[n - i] = decay * sum[n - i] + (x * target + TINY);
        sum += n + 1 - i;
    }
}

void nz_ols_learn(nz_ols *o, const float *input, float target, float weight)
{
    add_sample(o, input, target, weight);
    if (++o->age < EVERY)
        return;
    o->age = 0;
    memcpy(o->system, o->sum, nz_solve_sums(o->inputs) * sizeof *o->sum);
    nz_solve(o->system, o->inputs, RIDGE, SHARE, o->weight);
}
