/* Which contexts predict the next byte: lists of hashes for the slot tables and for the network's
 * embedding rows. Text, binary data and code have lists of their own; higher levels see longer
 * ones. */
#ifndef NZ_NGRAM_CONTEXT_H
#define NZ_NGRAM_CONTEXT_H

#include "past.h"

enum {
    NZ_CONTEXTS_MAX = 96,
    NZ_ROWS_DIRECT = 6,  /* embedding tables indexed directly */
    NZ_ROWS_HASHED = 32, /* and by hash */
    NZ_ROWS_PLAIN = 4,   /* of these in every kind of data */
};

/* Rows of the direct tables: last byte, last two, match state, and the byte that followed the last
 * one, two and three bytes last time. */
#define NZ_ROWS_DIRECT_EACH             \
    {                                   \
        256, 65536, 2048, 256, 256, 256 \
    }

typedef struct nz_context_list {
    unsigned slots;  /* contexts for the slot tables */
    unsigned hashed; /* contexts for the network */
    uint64_t plain;  /* bit i: slot context i is one of the plain ones that measure confidence */
} nz_context_list;

/* Those of a kind of data; tier 0, 1, 2: how many. */
typedef struct nz_contexts {
    nz_context_list lists[3]; /* by tier */
    void (*slots)(uint64_t *h, const nz_past *p, int tier);
    void (*rows)(uint32_t *hash, const nz_past *p, int tier); /* after the plain ones */
} nz_contexts;

extern const nz_contexts nz_contexts_arm64, nz_contexts_text, nz_contexts_binary, nz_contexts_code;

/* The network's; of no kind in particular (NULL), the plain ones. match_state: see
 * nz_match_state(). */
void nz_contexts_net(uint32_t direct[NZ_ROWS_DIRECT], uint32_t *hash, const nz_past *p,
                     const nz_contexts *contexts, int tier, uint32_t match_state);

#endif
