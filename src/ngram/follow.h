/* What followed: the two bytes that came after this word or gap, after these two words, after these
 * letters the last times. */
#ifndef NZ_NGRAM_FOLLOW_H
#define NZ_NGRAM_FOLLOW_H

#include "phrase.h"

enum {
    NZ_FOLLOW_TOKEN,   /* the word under way, or what came since the last one */
    NZ_FOLLOW_WORDS,   /* two words that a blank joins */
    NZ_FOLLOW_LETTERS, /* the last five */
    NZ_FOLLOWS,
    NZ_FOLLOW_BITS = 16,
};

typedef struct nz_follow {
    uint32_t at[NZ_FOLLOWS]; /* where the followers of the present are kept */
    uint16_t *after;         /* [NZ_FOLLOWS][2^NZ_FOLLOW_BITS], latest lowest; not owned */
} nz_follow;

/* phrase has seen the byte. */
void nz_follow_next(nz_follow *f, uint8_t lower, const nz_phrase *phrase);

NZ_INLINE uint32_t nz_follow_of(const nz_follow *f, unsigned what)
{
    return f->after[f->at[what]];
}

#endif
