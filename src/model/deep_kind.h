/* What the deep engine does for each kind of data: a table with one entry a kind. */
#ifndef NZ_MODEL_DEEP_KIND_H
#define NZ_MODEL_DEEP_KIND_H

#include "expert.h"
#include "ngram/context.h"
#include "scene.h"

enum { NZ_DEEP_LEVELS = NZ_LEVEL_MAX - 4 };

/* Learning rates, in 1/10000: the first layer's falls. */
typedef struct nz_deep_rates {
    uint8_t start, end, final;
} nz_deep_rates;

typedef struct nz_deep_kind {
    const nz_contexts *contexts; /* or */
    const nz_expert *expert;
    bool series; /* see series.h, beside contexts */
    nz_scene (*scene)(const nz_past *p);
    /* What only this kind's past knows, at the start of a turn and behind each byte; may be NULL.
     */
    void (*enter)(nz_past *p, const nz_content *c);
    void (*known)(nz_past *p, uint8_t byte);
    uint32_t sets[NZ_DEEP_LEVELS]; /* of weights: bit masks over the numbering in deep.c */
    nz_deep_rates rates[NZ_DEEP_LEVELS];
    uint8_t start;         /* the network's, see net_file.h */
    uint8_t layers, width; /* of the network, 0: the level's */
} nz_deep_kind;

const nz_deep_kind *nz_deep_kind_of(const nz_shape *s);

#endif
