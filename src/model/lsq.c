#include "lsq.h"

#define RIDGE 4.0f
#define TINY  1e-12f /* keeps sums of nothing from decaying into subnormal numbers */

uint64_t nz_lsq_memory(unsigned inputs, uint32_t width)
{
    return ((width + UINT64_C(2)) * nz_solve_sums(inputs) + (uint64_t)width * (inputs + 2)) *
           sizeof(float);
}

int nz_lsq_new(nz_lsq *l, unsigned inputs, uint32_t width, float decay)
{
    size_t sums = nz_solve_sums(inputs);
    *l = (nz_lsq){.inputs = inputs, .width = width, .decay = decay, .sums = sums};
    if (!(l->column = nz_big_new(nz_lsq_memory(inputs, width))))
        return -1;
    l->row = l->column + width * sums;
    l->system = l->row + sums;
    l->sample = l->system + sums;
    return 0;
}

void nz_lsq_free(nz_lsq *l)
{
    nz_big_free(l->column, nz_lsq_memory(l->inputs, l->width));
    l->column = NULL;
}

static float *sample_of(const nz_lsq *l, uint32_t column)
{
    return l->sample + (size_t)column * (l->inputs + 2);
}

/* One step further from this row's sums, and from one more sample. */
static void add_sample(nz_lsq *l, const float *restrict z)
{
    const unsigned n = l->inputs;
    const float decay = l->decay;
    float *restrict sum = l->row;
    for (unsigned i = 0; i < n; i++) {
        float weighted = z[i] * z[n + 1];
        for (unsigned j = i; j <= n; j++)
            sum[j - i] = decay * (sum[j - i] + (weighted * z[j] + TINY));
        sum += n + 1 - i;
    }
}

float nz_lsq_predict(nz_lsq *l, uint32_t column, const float *input)
{
    const unsigned n = l->inputs;
    const float *above = l->column + column * l->sums;
    float weight[NZ_SOLVE_MAX], sum = 0;
    memcpy(sample_of(l, column), input, n * sizeof *input);
    for (size_t i = 0; i < l->sums; i++)
        l->system[i] = above[i] + l->row[i];
    nz_solve(l->system, n, RIDGE, 0, weight);
    for (unsigned k = n; k-- > 0;)
        sum += weight[k] * input[k];
    return sum;
}

/* The column's sums as the next row will see them, but for what comes right of it. */
void nz_lsq_learn(nz_lsq *l, uint32_t column, float target, float weight)
{
    float *z = sample_of(l, column), *above = l->column + column * l->sums;
    z[l->inputs] = target;
    z[l->inputs + 1] = weight;
    add_sample(l, z);
    for (size_t i = 0; i < l->sums; i++)
        above[i] = l->decay * above[i] + l->row[i];
}

void nz_lsq_turn(nz_lsq *l)
{
    memset(l->row, 0, l->sums * sizeof *l->row);
    for (uint32_t x = l->width - 1; x > 0; x--) {
        add_sample(l, sample_of(l, x));
        float *above = l->column + (x - 1) * l->sums;
        for (size_t i = 0; i < l->sums; i++)
            above[i] += l->decay * l->row[i];
    }
    memset(l->row, 0, l->sums * sizeof *l->row);
}
