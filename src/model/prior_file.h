/* The packed priors, priors/priors.bin, which the library holds as it is: for every prior its
 * commonest strings, its end, which is all that the fast levels need, and what comes before it. */
#ifndef NZ_MODEL_PRIOR_FILE_H
#define NZ_MODEL_PRIOR_FILE_H

#include "prior.h"

enum {
    NZ_PRIOR_END,
    NZ_PRIOR_FRONT,
    NZ_PRIOR_PIECES,
    NZ_PRIOR_GRAMS = 1024,      /* strings of four bytes, with a letter, that tell its kind */
    NZ_PRIOR_LEVEL = 1,         /* that pieces are packed at */
    NZ_PRIOR_TAIL = 64 << 10,   /* raw bytes of an end */
    NZ_PRIOR_MOST = 1024 << 10, /* of a text */
};

/* In the file: raw, packed, hash, shape, then the packed bytes. */
typedef struct nz_prior_piece {
    uint32_t raw, packed_n;
    uint64_t hash; /* nz_hash() of the raw bytes */
    const uint8_t *shape, *packed;
} nz_prior_piece;

#define NZ_PRIOR_HEAD (4 + 4 + 8 + NZ_SHAPE_BYTES)

nz_prior_piece nz_prior_piece_of(int prior, int piece);
/* The i-th of a prior's commonest strings of four bytes, loaded as an integer; never 0. */
uint32_t nz_prior_gram(int prior, int i);

#endif
