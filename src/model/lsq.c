#include "lsq.h"

#define RIDGE 4.0f   /* added to every square: weights are small until there is evidence */
#define TINY  1e-12f /* keeps sums of nothing from decaying into subnormal numbers */

static size_t sums_of(unsigned inputs)
{
    return (size_t)inputs * (inputs + 3) / 2;
}

uint64_t nz_lsq_memory(unsigned inputs, uint32_t width)
{
    return ((width + UINT64_C(2)) * sums_of(inputs) + (uint64_t)width * (inputs + 2)) *
           sizeof(float);
}

int nz_lsq_new(nz_lsq *l, unsigned inputs, uint32_t width, float decay)
{
    size_t sums = sums_of(inputs);
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

/* Gauss: row[k] begins with input k's square; what is no longer positive has no say. */
static void eliminate(float *const *row, float *inverse, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        const float *restrict from = row[k];
        inverse[k] = from[0] >= RIDGE / 2 ? 1.0f / from[0] : 0.0f;
        for (unsigned i = k + 1; i < n; i++) {
            float *restrict to = row[i], f = from[i - k] * inverse[k];
            for (unsigned j = 0; j <= n - i; j++)
                to[j] -= f * from[i - k + j];
        }
    }
}

/* From the last input's weight to the first's. */
static float substitute(float *const *row, const float *inverse, const float *input, unsigned n)
{
    float sum = 0;
    for (unsigned k = n; k-- > 0;) {
        float weight = row[k][n - k] * inverse[k];
        for (unsigned i = 0; i < k; i++)
            row[i][n - i] -= weight * row[i][k - i];
        sum += weight * input[k];
    }
    return sum;
}

float nz_lsq_predict(nz_lsq *l, uint32_t column, const float *input)
{
    const unsigned n = l->inputs;
    const float *above = l->column + column * l->sums;
    float *row[NZ_LSQ_MAX], inverse[NZ_LSQ_MAX], *at = l->system;
    memcpy(sample_of(l, column), input, n * sizeof *input);
    for (size_t i = 0; i < l->sums; i++)
        at[i] = above[i] + l->row[i];
    for (unsigned k = 0; k < n; k++) {
        row[k] = at;
        at[0] += RIDGE;
        at += n + 1 - k;
    }
    eliminate(row, inverse, n);
    return substitute(row, inverse, input, n);
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
