/* What each level of the deep engine is made of, and how large its tables are. */
#ifndef NZ_MODEL_DEEP_PLAN_H
#define NZ_MODEL_DEEP_PLAN_H

#include "deep_kind.h"
#include "mixer.h"
#include "net.h"

enum {
    NZ_DEEP_MATCHES = 3,
    NZ_DEEP_MATCH_MIN = 7, /* of the first match model, whose state the network sees */
    NZ_DEEP_SETS = 22,     /* weight sets of the first mixer layer */
    NZ_TEXTURE_BITS = 11,  /* log2 of the rows of sets 11 to 17 */
    NZ_DEEP_FINALS = 8,    /* of the second */
    NZ_DEEP_STAGES = 8,    /* SSE */
    NZ_CONTEXT_INPUTS = 3,
    NZ_MATCH_INPUTS = 3,
    NZ_OPINION_INPUTS = 2, /* the network's, and the bias */
};

/* Finals and stages are bit masks over the numbering in deep.c. */
typedef struct nz_deep_plan {
    uint8_t tier;    /* 0, 1, 2: how many contexts */
    uint8_t matches; /* match models */
    uint8_t finals, stages;
    /* Upper bounds; tables shrink with the input. */
    uint8_t table_bits, match_bits, row_bits, layers, width;
} nz_deep_plan;

/* The members of a mask in order, and how many rows each of them has. */
typedef struct nz_chosen {
    unsigned n;
    uint8_t index[NZ_SETS_MAX];
    uint32_t rows[NZ_SETS_MAX];
} nz_chosen;

const nz_deep_plan *nz_deep_plan_of(const nz_shape *s);
nz_context_list nz_deep_lists(const nz_shape *s);
nz_chosen nz_deep_sets(const nz_shape *s);
nz_chosen nz_deep_finals(const nz_shape *s);
nz_chosen nz_deep_stages(const nz_shape *s);
unsigned nz_deep_stage_bits(const nz_shape *s);
size_t nz_deep_expert_inputs(const nz_shape *s);
size_t nz_deep_inputs(const nz_shape *s); /* of the first mixer layer, those among them */
size_t nz_deep_final_inputs(const nz_shape *s);
nz_net_shape nz_deep_net(const nz_shape *s);
nz_deep_rates nz_deep_rates_of(const nz_shape *s);

#endif
