/* What the fast engine's inputs push, for the ledger. */
#ifndef NZ_MODEL_FAST_LEDGER_H
#define NZ_MODEL_FAST_LEDGER_H

#include "fast.h"
#include "ledger.h"
#include "words.h"

/* Before anything learns from the bit. cell[]: of the lanes; w[]: the rows of weights, of which the
 * sum counts; matched: the first match model expects a byte. */
void nz_fast_enter_bit(nz_ledger *l, const nz_fast *f, size_t at, fast_cell *const *cell,
                       int32_t *const *w, bool matched, uint32_t p, int bit);
/* Takes the costs of codes for those of the n bytes they stand for; what a word spares is the
 * words' gain. */
void nz_fast_enter_words(nz_ledger *l, const nz_words *words, const uint8_t *codes, size_t size,
                         size_t n);

#endif
