/* A model of its own for one kind of data, in place of contexts of bytes: the deep engine shows it
 * every byte and bit, and gets inputs of the mixer and contexts for whatever else learns. */
#ifndef NZ_MODEL_EXPERT_H
#define NZ_MODEL_EXPERT_H

#include "bytes.h"

enum {
    NZ_EXPERT_STAGES = 8,
    NZ_EXPERT_SETS = 4,    /* weight sets of the mixer */
    NZ_EXPERT_ROWS = 2048, /* of each */
};

typedef struct nz_expert {
    /* tier 0, 1, 2: how much of it. NULL without memory. */
    void *(*new)(const nz_shape *s, int tier);
    void (*free)(void *expert); /* NULL is fine */
    uint64_t (*memory)(const nz_shape *s, int tier);
    size_t (*inputs)(const nz_shape *s, int tier); /* two for each opinion */
    unsigned (*slots)(const nz_shape *s, int tier);
    uint64_t plain; /* as in nz_context_list */

    /* Before a byte: raw[pos] is the next; raw is where this stretch of such data begins. The byte
     * that is all but certain, and where the
     * probability of its coming is kept; -1 for none. NULL if there is never one. */
    int (*sure)(void *expert, const uint8_t *raw, uint32_t pos, uint32_t **flag);
    /* Before any other byte. */
    void (*begin)(void *expert, const uint8_t *raw, uint32_t pos);
    void (*contexts)(const void *expert, uint64_t *slot, uint32_t stage[NZ_EXPERT_STAGES]);
    /* Before a bit: inputs, stretched and as 8 (p - 1/2), and rows of its sets. c0: the bits so far
     * under a one. */
    void (*predict)(void *expert, int16_t *x, uint32_t row[NZ_EXPERT_SETS], uint32_t c0,
                    uint32_t bit);
    void (*learn)(void *expert, int bit);
    /* After a byte; its last bit may still be to be learned. */
    void (*known)(void *expert, uint8_t byte);
} nz_expert;

#endif
