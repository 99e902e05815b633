/* Words as a reader sees them: over line ends and punctuation, with what stands between them, when
 * each was met last, and the word that introduced this part of the text. Digits count as letters.
 * Where a sentence ends, the words before it are forgotten. */
#ifndef NZ_NGRAM_PHRASE_H
#define NZ_NGRAM_PHRASE_H

#include "base/base.h"

#include <stdbool.h>

enum { NZ_PHRASE_WORDS = 5 };

/* Where a word ended last. */
typedef struct nz_word_end {
    uint32_t word, at;
} nz_word_end;

typedef struct nz_phrase {
    uint32_t word[NZ_PHRASE_WORDS]; /* hashes, [0] the one under way, 0 between words */
    uint32_t gap;                   /* of what came since the last word, 0 within a word */
    uint32_t last_gap;              /* the one before */
    uint32_t sentence;              /* where this one began */
    uint64_t letters; /* the last 8, lower-cased, whatever stood between them; latest lowest */
    uint32_t joined[NZ_PHRASE_WORDS]; /* the words that single blanks join, [0] under way */
    uint32_t keyword;                 /* the last word with a colon or an equals sign behind it */
    nz_word_end *ends;                /* [2^NZ_PHRASE_BITS], not owned */
} nz_phrase;

enum { NZ_PHRASE_BITS = 16 };

/* `lower` is raw[pos - 1] without its case, and may be a letter. */
void nz_phrase_next(nz_phrase *p, uint8_t byte, uint8_t before, uint32_t lower, bool letter,
                    uint32_t pos);

/* How long ago the letters under way were a whole word, as 1 + a logarithm; 0: never. */
uint32_t nz_phrase_age(const nz_phrase *p, uint32_t pos);

#endif
