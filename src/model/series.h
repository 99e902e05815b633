/* Guesses at the next byte of records whose fields are numbers.
 *
 * A field is often a number as far from the one above it as that is from the next: an index, an
 * offset, a sample of something smooth, even a float, whose bits order like its values. The one
 * above is a record back, or 4 or 8 bytes, as the commonest numbers are. Every guess becomes an
 * opinion on each bit: how far the middle of the interval that the bit halves lies from the guess,
 * and how wrong this guess usually is in this column, index a map of adaptive probabilities.
 * Distances mean the same wherever a number stands, so a few numbers teach what contexts of bytes
 * need thousands for. */
#ifndef NZ_MODEL_SERIES_H
#define NZ_MODEL_SERIES_H

#include "ngram/past.h"
#include "numeric.h"

enum {
    NZ_SERIES_GUESSES = 9,
    NZ_SERIES_INPUTS = 2 * NZ_SERIES_GUESSES, /* of the mixer */
};

typedef struct nz_series nz_series;

nz_series *nz_series_new(void);    /* NULL without memory */
void nz_series_free(nz_series *s); /* NULL is fine */
uint64_t nz_series_memory(void);

/* Before a byte. */
void nz_series_begin(nz_series *s, const nz_past *p);
/* Before a bit: stretched and as 8 (p - 1/2). c0: the bits so far under a one. */
void nz_series_predict(nz_series *s, int16_t x[NZ_SERIES_INPUTS], uint32_t c0, uint32_t bit);
void nz_series_learn(nz_series *s, int bit);

#endif
