#include "ledger.h"

#include <math.h>
#include <stdlib.h>

enum { PROGRESS_STEP = 4096 };

/* Of the upper halves of weights, and of the fractions of stretched probabilities. */
static const float ONE = 8192, STRETCH_ONE = 256;

nz_err nz_ledger_open(nz_ledger *l, size_t n)
{
    free(l->bits);
    l->bits = calloc(n ? n : 1, sizeof *l->bits);
    l->n = l->bits ? n : 0;
    l->next = 0;
    memset(l->earned, 0, sizeof l->earned);
    return l->bits ? NZ_OK : NZ_E_MEM;
}

void nz_ledger_free(nz_ledger *l)
{
    free(l->bits);
    l->bits = NULL;
    l->n = 0;
}

static void tell_progress(nz_ledger *l, size_t at)
{
    l->next = at + PROGRESS_STEP;
    if (l->progress && l->progress(l->progress_arg, l->before + at))
        atomic_store(&l->stop, 1);
}

static double spend(nz_ledger *l, size_t at, uint32_t p, int bit)
{
    double cost = 16 - log2(bit ? p : 65536.0 - p);
    if (at >= l->next)
        tell_progress(l, at);
    l->bits[at] += (float)cost;
    return cost;
}

/* What each unit of push earns of a bit, all of them growing evenly to `all`. */
static double worth(double all, int bit)
{
    double right = bit ? all : -all;
    if (fabs(all) < 1e-3)
        return (bit ? .5 : -.5) / M_LN2; /* the limit */
    return (1 - log1p(exp(-right)) / M_LN2) / all;
}

void nz_ledger_bit(nz_ledger *l, double earned[NZ_MODELS], const float push[NZ_MODELS], size_t at,
                   uint32_t p, int bit)
{
    double left = 1 - spend(l, at, p, bit), all = 0;
    for (int k = 0; k < NZ_MODELS; k++)
        all += (double)push[k];
    double each = worth(all, bit);
    for (int k = 0; k < NZ_MODELS; k++)
        earned[k] += each * (double)push[k];
    earned[NZ_MODEL_SSE] += left - each * all;
}

void nz_ledger_sure(nz_ledger *l, double earned[NZ_MODELS], nz_model model, size_t at, uint32_t p,
                    int hit)
{
    earned[model] += (hit ? 8 : 0) - spend(l, at, p, hit);
}

/* ---- Two layers ---- */

/* A set's sum in units of stretched probabilities, and by how much it was cut to their range. */
static float cut_of(float sum)
{
    float size = fabsf(sum);
    return size > NZ_STRETCH_MAX ? NZ_STRETCH_MAX / size : 1;
}

/* Adds to v[] what the mean of the outputs takes of each input. */
static void weigh(float *v, const nz_mixer *m, unsigned set, size_t inputs)
{
    float sum = 0;
    for (size_t i = 0; i < inputs; i++)
        sum += (float)m->x[i] * m->selected[set][i];
    float each = cut_of(sum / ONE) / (ONE * (float)m->sets);
    for (size_t i = 0; i < inputs; i++)
        v[i] += each * m->selected[set][i];
}

static void add_set(float push[NZ_MODELS], const nz_mixer *m, unsigned set, const uint8_t *model,
                    float share)
{
    float part[NZ_MODELS] = {0}, sum = 0;
    for (size_t i = 0; i < m->inputs; i++)
        part[model[i]] += (float)m->x[i] * m->selected[set][i];
    for (int k = 0; k < NZ_MODELS; k++)
        sum += part[k];
    share *= cut_of(sum / ONE) / (ONE * STRETCH_ONE);
    for (int k = 0; k < NZ_MODELS; k++)
        push[k] += share * part[k];
}

void nz_ledger_push(float push[NZ_MODELS], const nz_mixer *first, const uint8_t *model,
                    const nz_mixer *second, nz_model last)
{
    float v[NZ_SETS_MAX + 1] = {0};
    for (unsigned f = 0; f < second->sets; f++)
        weigh(v, second, f, first->sets + 1);
    memset(push, 0, NZ_MODELS * sizeof *push);
    for (unsigned s = 0; s < first->sets; s++)
        add_set(push, first, s, model, v[s]);
    push[last] += v[first->sets] * second->x[first->sets] / STRETCH_ONE;
}
