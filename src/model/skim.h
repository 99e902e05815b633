/* Skimming: of a text that comes before the file only what followed each context is learned, the
 * slots. Maps, mixers and network are left to a shorter text that is read in full. That is most of
 * what a text teaches, for a fifth of the time.
 *
 * Two cores share the work: each goes through the whole text and touches its half of the buckets
 * alone, in the order in which one core would have. */
#ifndef NZ_MODEL_SKIM_H
#define NZ_MODEL_SKIM_H

#include "backend/pair.h"
#include "bytes.h"
#include "ngram/context.h"
#include "ngram/slot.h"

typedef struct nz_skim {
    const uint8_t *text;
    size_t n;
    nz_bucket *table;
    uint64_t mask; /* buckets - 1 */
    const nz_contexts *contexts;
    int tier;
    const nz_run *run;
} nz_skim;

/* past: at the start of the text, afterwards at its end. pair: NULL for one core.
 * NZ_OK or NZ_E_STOPPED. */
nz_err nz_skim_text(const nz_skim *s, nz_past *past, nz_pair *pair);
uint64_t nz_skim_memory(void); /* bytes, while it lasts */

#endif
