#include "lms.h"

#include "backend/kern.h"

enum { PAST = 8 /* times the taps are kept, so that values seldom have to move */ };

#define QUIET 1.0f

uint64_t nz_lms_memory(unsigned taps)
{
    return (1 + PAST) * (uint64_t)taps * sizeof(float);
}

int nz_lms_new(nz_lms *l, unsigned taps, float rate)
{
    *l = (nz_lms){.taps = taps, .at = taps, .rate = rate};
    if (!(l->weight = nz_big_new(nz_lms_memory(taps))))
        return -1;
    l->past = l->weight + taps;
    return 0;
}

void nz_lms_free(nz_lms *l)
{
    nz_big_free(l->weight, nz_lms_memory(l->taps));
    l->weight = NULL;
}

/* In NZ_LANES sums, folded in halves. */
float nz_lms_predict(const nz_lms *l)
{
    const float *restrict x = l->past + l->at - l->taps, *restrict w = l->weight;
    float s[NZ_LANES] = {0};
    for (unsigned i = 0; i < l->taps; i += NZ_LANES)
        for (unsigned j = 0; j < NZ_LANES; j++)
            s[j] += x[i + j] * w[i + j];
    for (unsigned half = NZ_LANES / 2; half > 0; half /= 2)
        for (unsigned j = 0; j < half; j++)
            s[j] += s[j + half];
    return s[0];
}

void nz_lms_learn(nz_lms *l, float predicted, float value)
{
    const float *restrict x = l->past + l->at - l->taps;
    float *restrict w = l->weight;
    float step = l->rate * (value - predicted) / (QUIET + l->power);
    for (unsigned i = 0; i < l->taps; i++)
        w[i] += step * x[i];
    if (l->at == PAST * l->taps) {
        memcpy(l->past, l->past + l->at - l->taps, l->taps * sizeof *l->past);
        l->at = l->taps;
    }
    l->past[l->at++] = value;
    l->power += value * value - l->power / (float)l->taps;
}
