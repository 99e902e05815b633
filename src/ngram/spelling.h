/* How the word under way, or the gap, is spelled: vowels, consonants and the like. It tells about
 * words never met before. */
#ifndef NZ_NGRAM_SPELLING_H
#define NZ_NGRAM_SPELLING_H

#include "base/base.h"

#include <stdbool.h>

typedef struct nz_spelling {
    uint32_t kinds; /* of its last 8 letters or signs, 4 bits each, latest lowest */
    bool word;
} nz_spelling;

/* `lower` is a byte without its case; word: it is a letter or a digit. */
void nz_spelling_next(nz_spelling *s, uint32_t lower, bool word);

#endif
