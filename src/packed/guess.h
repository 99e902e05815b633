/* What zlib would do next: matches are found in chains of positions with the same hash, of so many
 * of them as the level allows, and from level 4 on a match waits for the next byte's. */
#ifndef NZ_PACKED_GUESS_H
#define NZ_PACKED_GUESS_H

#include "deflate.h"
#include "manner.h"

/* Matches stay so far inside the window. */
#define NZ_LOOK_AHEAD (NZ_MATCH_MAX + NZ_MATCH_MIN + 1)

/* A block so far, from {0} on. */
typedef struct nz_filling {
    uint64_t tokens, matches;
    uint64_t bytes, last;   /* that the tokens stand for; without the last token */
    uint64_t distance_bits; /* of the matches, as gzip estimates them */
} nz_filling;

void nz_filling_add(nz_filling *f, nz_token t);
/* Whether zlib, or gzip, ends the block here. */
bool nz_filling_full(const nz_filling *f, const nz_manner *m);

typedef struct nz_guess nz_guess;

/* `raw` stays the caller's and must outlive the guess; NZ_E_LIMIT: n is
 * above 2^31 - 1. NZ_E_MEM. */
nz_err nz_guess_new(nz_guess **out, const nz_manner *m, const uint8_t *raw, size_t n);
void nz_guess_free(nz_guess *g);

size_t nz_guess_at(const nz_guess *g);
/* The next token; there must be bytes left. *eager: it is a literal only since the next byte has a
 * longer match than this one. */
nz_token nz_guess_token(nz_guess *g, bool *eager);
/* The token that really is there. */
void nz_guess_take(nz_guess *g, nz_token t);
/* Whether zlib would have ended a block with these tokens where it ends. */
bool nz_guess_fills(const nz_guess *g, const nz_deflate *b);
/* How many bytes zlib would store in a block; false: more, and at least `most`. Whatever it would,
 * the place stays the same, */
bool nz_guess_stored(nz_guess *g, size_t most, size_t *bytes);
/* until the bytes that were stored are passed over. */
void nz_guess_pass(nz_guess *g, size_t bytes);

/* Among the earlier places where `length` >= NZ_MATCH_MIN bytes are as here, nearest first: how
 * many come before the one at this distance (false: it is not known), */
bool nz_guess_skip(nz_guess *g, unsigned length, unsigned distance, unsigned *skip);
/* and the distance of the one that so many come before; 0: there is none. */
unsigned nz_guess_distance(nz_guess *g, unsigned length, unsigned skip);

#endif
