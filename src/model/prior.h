/* Priors: texts that the bytes engine reads before a frame, so that it starts with words, idioms
 * and weights it would otherwise have to learn from the frame's own bytes. They are part of the
 * format: priors/README.md says what they are. */
#ifndef NZ_MODEL_PRIOR_H
#define NZ_MODEL_PRIOR_H

#include "bytes.h"

enum { NZ_PRIORS = 4 }; /* 1 .. NZ_PRIORS; 0 is none */

/* How much of a prior's end is read before a frame: bytes that slots alone learn from, then bytes
 * that are coded, to nowhere. */
typedef struct nz_prime_size {
    size_t skim, read;
} nz_prime_size;

typedef struct nz_prime {
    const uint8_t *text; /* skim + read bytes, for ever */
    nz_prime_size size;
} nz_prime;

const char *nz_prior_name(int prior); /* "prose" ...; NULL: there is no such prior */
/* The one that helps with these bytes; 0: none does. Deterministic. */
int nz_prior_choose(const uint8_t *raw, size_t n);
/* The same, or what the user asks for. */
int nz_prior_for(nz_prior_option option, const uint8_t *raw, size_t n);

/* What a frame of n raw bytes starts with; nothing without a prior. */
nz_prime_size nz_prime_size_of(const nz_shape *s, size_t n);
/* NZ_E_MEM. */
nz_err nz_prime_get(nz_prime *p, const nz_shape *s, size_t n);
/* Bytes that reading the prior allocates, beside the engine. */
uint64_t nz_prior_memory(const nz_shape *s);

#endif
