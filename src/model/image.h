/* What the deep engine knows of uncompressed images.
 *
 * Many predictors guess the next sample, from gradients to least squares (lsq.h), and two more put
 * their guesses together, trusting each as far as it was right nearby. Every guess becomes an
 * opinion on each bit: how far the middle of the interval that the bit halves lies from the guess,
 * and how wrong the predictor was nearby, index a map of adaptive probabilities. Differences
 * of samples mean the same in dark and in bright places, so the maps learn quickly. (The kinds of
 * predictors: Wu and Memon, "CALIC", 1997; Meyer and Tischer, "TMW", 1997.)
 *
 * Slots, weights and SSE stages get contexts of the same stuff. */
#ifndef NZ_MODEL_IMAGE_H
#define NZ_MODEL_IMAGE_H

#include "numeric.h"
#include "raster.h"

enum {
    NZ_IMAGE_SLOTS = 28, /* at most */
    NZ_IMAGE_STAGES = 8,
    NZ_IMAGE_SETS = 4,
    NZ_IMAGE_ROWS = 2048, /* of each set */
};

typedef struct nz_image nz_image;

/* tier 0, 1, 2: how much of it. 0, or -1 without memory. */
int nz_image_new(nz_image **out, const nz_raster *r, int tier);
void nz_image_free(nz_image *m);
uint64_t nz_image_memory(const nz_raster *r, int tier);
size_t nz_image_inputs(const nz_raster *r);
unsigned nz_image_slots(const nz_raster *r, int tier);

/* Before a byte: raw[pos] is the next. */
void nz_image_begin(nz_image *m, const uint8_t *raw, uint32_t pos);
void nz_image_contexts(const nz_image *m, uint64_t *slot, uint32_t stage[NZ_IMAGE_STAGES]);
/* Before a bit: inputs of the mixer, and rows of its sets. c0: the bits so far under a one. */
void nz_image_predict(nz_image *m, int16_t *x, uint32_t row[NZ_IMAGE_SETS], uint32_t c0,
                      uint32_t bit);
void nz_image_learn(nz_image *m, int bit);
/* After a byte; its last bit may still be to be learned. */
void nz_image_known(nz_image *m, uint8_t byte);

#endif
