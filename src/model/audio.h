/* What the deep engine knows of uncompressed sound.
 *
 * Linear predictors guess the next sample of a channel from those before it and from the other
 * channels': several least squares of different memory (ols.h), and a cascade of long filters that
 * learn by gradient from what these leave over (lms.h). Every guess becomes an opinion on each
 * bit: how far the middle of the interval that the bit halves lies from the guess, and how long the
 * interval is, both in units of the guess's usual error, index a map of adaptive probabilities that
 * starts as the logistic distribution. (The predictors: Ghido, "OptimFROG", 2003; Ashland,
 * "Monkey's Audio", 2000; Lohmar, "Sac", 2006.)
 *
 * Samples come unsigned, the highest byte first: sound.h. */
#ifndef NZ_MODEL_AUDIO_H
#define NZ_MODEL_AUDIO_H

#include "expert.h"

extern const nz_expert nz_audio;

#endif
