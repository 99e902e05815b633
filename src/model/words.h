/* The words a text uses most, each written as one byte it does not use: fewer bytes to code, and
 * contexts that reach further back. For the fast engine; a word here is a run of ASCII letters. */
#ifndef NZ_MODEL_WORDS_H
#define NZ_MODEL_WORDS_H

#include "coder/arith.h"
#include <stdbool.h>

enum { NZ_WORDS_CODES = 32, NZ_WORD_MAX = 32 };

typedef struct nz_word {
    uint8_t code; /* 128 to 255, ascending from word to word */
    uint8_t length;
    char letter[NZ_WORD_MAX];
} nz_word;

typedef struct nz_words {
    unsigned n; /* 0: the text stays as it is */
    nz_word word[NZ_WORDS_CODES];
} nz_words;

/* What pays for this text: all or nothing. False without memory. */
bool nz_words_choose(nz_words *w, const uint8_t *raw, size_t n);
/* The same text in codes into `out`, which takes n bytes. Returns how many there are. */
size_t nz_words_shrink(const nz_words *w, uint8_t *out, const uint8_t *raw, size_t n);
/* Back again. `in` may be the last bytes of `raw`. False when there are not exactly n. */
bool nz_words_expand(const nz_words *w, uint8_t *raw, size_t n, const uint8_t *in, size_t size);

void nz_words_write(const nz_words *w, nz_arith *a);
/* Any bits make words; false for words no encoder writes. */
bool nz_words_read(nz_words *w, nz_arith *a);

#endif
