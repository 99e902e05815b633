/* A long linear filter that learns by gradient: normalised least mean squares. */
#ifndef NZ_MODEL_LMS_H
#define NZ_MODEL_LMS_H

#include "base/base.h"

typedef struct nz_lms {
    unsigned taps, at; /* past[at - 1] is the last value */
    float rate, power; /* the squares of the last values, roughly */
    float *weight, *past;
} nz_lms;

/* taps: a multiple of NZ_LANES. 0, or -1 without memory. */
int nz_lms_new(nz_lms *l, unsigned taps, float rate);
void nz_lms_free(nz_lms *l);
uint64_t nz_lms_memory(unsigned taps);

float nz_lms_predict(const nz_lms *l);
/* What came when this was predicted. */
void nz_lms_learn(nz_lms *l, float predicted, float value);

#endif
