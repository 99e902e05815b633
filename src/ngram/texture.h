/* What a text looks like from further away: which bytes are letters, punctuation, blanks. */
#ifndef NZ_NGRAM_TEXTURE_H
#define NZ_NGRAM_TEXTURE_H

#include "base/base.h"

#include <stdbool.h>

typedef struct nz_texture {
    uint32_t kinds;  /* of the last 16 bytes, 2 bits each, latest lowest */
    uint32_t blanks; /* which of the last 32 bytes were blank */
    bool pause;      /* punctuation since the last word ended */
} nz_texture;

/* `word`: the byte belongs to a word. */
void nz_texture_next(nz_texture *t, uint8_t byte, bool word);

#endif
