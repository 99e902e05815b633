/* Bit histories: what followed a context so far, in one byte.
 *
 * States 0-30 spell out histories of up to four bits, 0 being the empty one. Longer histories keep
 * bounded counts (n0, n1) of zeros and ones and the last bit; a bit that contradicts many others
 * makes them count for less, so that a state follows the recent past. */
#ifndef NZ_NGRAM_HISTORY_H
#define NZ_NGRAM_HISTORY_H

#include "base/base.h"

typedef struct nz_history {
    uint8_t next[2][256];     /* [bit][state] */
    uint8_t n0[256], n1[256]; /* zeros and ones a state stands for */
    uint8_t total[256];       /* n0 + n1: what forgetting the state would lose */
} nz_history;

/* The tables, made by the first caller and never changed again; any thread. */
const nz_history *nz_history_get(void);

#endif
