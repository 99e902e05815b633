/* What the deep engine knows of uncompressed images.
 *
 * Many predictors guess the next sample, from gradients to least squares (lsq.h), and two more put
 * their guesses together, trusting each as far as it was right nearby. Every guess becomes an
 * opinion on each bit: how far the middle of the interval that the bit halves lies from the guess,
 * and how wrong the predictor was nearby, index a map of adaptive probabilities. Differences
 * of samples mean the same in dark and in bright places, so the maps learn quickly. (The kinds of
 * predictors: Wu and Memon, "CALIC", 1997; Meyer and Tischer, "TMW", 1997.)
 *
 * Samples have 8 or 16 bits; of 16, the higher byte comes first, and both are coded by the same
 * guesses.
 *
 * Slots, weights and SSE stages get contexts of the same stuff. */
#ifndef NZ_MODEL_IMAGE_H
#define NZ_MODEL_IMAGE_H

#include "expert.h"

extern const nz_expert nz_image;

#endif
