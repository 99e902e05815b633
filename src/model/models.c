#include "models.h"

#include "deep_plan.h"
#include "series.h"

enum {
    ORDERS = NZ_MODEL_ORDERS,
    SPARSE = NZ_MODEL_SPARSE,
    WORDS = NZ_MODEL_WORDS,
    LAYOUT = NZ_MODEL_LAYOUT,
    INDIRECT = NZ_MODEL_INDIRECT,
    RECORDS = NZ_MODEL_RECORDS,
    CODE = NZ_MODEL_CODE,
    SIGNAL = NZ_MODEL_SIGNAL,
};

/* So many contexts of a list, one after the other. */
typedef struct stretch {
    uint8_t model, n;
} stretch;

/* The lists of ngram/context.c, part by part; a unit test counts them. */
#define TEXT_ESSENTIALS      \
    {ORDERS, 3}, {WORDS, 3}, \
    {                        \
        LAYOUT, 7            \
    }
#define TEXT_SUPPLEMENTS                    \
    {ORDERS, 2}, {WORDS, 4}, {INDIRECT, 1}, \
    {                                       \
        LAYOUT, 6                           \
    }
#define TEXT_ALL                                           \
    {ORDERS, 6}, {WORDS, 23}, {INDIRECT, 5}, {LAYOUT, 49}, \
    {                                                      \
        ORDERS, 2                                          \
    }
#define FIELDS                                             \
    {ORDERS, 6}, {SPARSE, 5}, {RECORDS, 2}, {INDIRECT, 1}, \
    {                                                      \
        WORDS, 1                                           \
    }
#define MORE_FIELDS                           \
    {SPARSE, 7}, {INDIRECT, 2}, {RECORDS, 4}, \
    {                                         \
        WORDS, 1                              \
    }
#define MOST_FIELDS                                                    \
    {ORDERS, 1}, {RECORDS, 1}, {SPARSE, 3}, {RECORDS, 2}, {SPARSE, 3}, \
    {                                                                  \
        INDIRECT, 1                                                    \
    }
#define MORE_ORDERS \
    {               \
        ORDERS, 2   \
    }
#define AROUND_CODE \
    {WORDS, 6},     \
    {               \
        RECORDS, 6  \
    }

typedef stretch lists[3][20]; /* by tier, up to one of no contexts */

static const lists text = {{TEXT_ESSENTIALS}, {TEXT_ESSENTIALS, TEXT_SUPPLEMENTS}, {TEXT_ALL}};
static const lists binary = {
    {FIELDS, {RECORDS, 4}},
    {FIELDS, {RECORDS, 5}, MORE_FIELDS},
    {FIELDS, {RECORDS, 6}, MORE_FIELDS, MOST_FIELDS, {RECORDS, 4}, MORE_ORDERS},
};
static const lists code = {
    {FIELDS, {CODE, 12}},
    {FIELDS, MORE_FIELDS, {CODE, 24}},
    {FIELDS, MORE_FIELDS, MOST_FIELDS, MORE_ORDERS, {CODE, 34}, AROUND_CODE},
};
static const lists arm64 = {
    {FIELDS, {CODE, 12}},
    {FIELDS, MORE_FIELDS, {CODE, 24}},
    {FIELDS, MORE_FIELDS, MOST_FIELDS, MORE_ORDERS, {CODE, 24}, AROUND_CODE},
};

static const stretch *list_of(const nz_shape *s)
{
    int tier = nz_deep_plan_of(s)->tier;
    if (s->content.kind == NZ_KIND_TEXT)
        return text[tier];
    if (s->content.kind == NZ_KIND_BINARY)
        return binary[tier];
    return s->content.machine == NZ_MACHINE_ARM64 ? arm64[tier] : code[tier];
}

static uint8_t *put(uint8_t *to, unsigned model, size_t n)
{
    memset(to, (int)model, n);
    return to + n;
}

void nz_deep_models(const nz_shape *s, uint8_t *model)
{
    if (nz_deep_kind_of(s)->series)
        model = put(model, RECORDS, NZ_SERIES_INPUTS);
    model = put(model, SIGNAL, nz_deep_expert_inputs(s));
    if (nz_deep_kind_of(s)->expert)
        model = put(model, SIGNAL, nz_deep_lists(s).slots * (size_t)NZ_CONTEXT_INPUTS);
    else
        for (const stretch *l = list_of(s); l->n; l++)
            model = put(model, l->model, l->n * (size_t)NZ_CONTEXT_INPUTS);
    model = put(model, NZ_MODEL_MATCH, nz_deep_plan_of(s)->matches * (size_t)NZ_MATCH_INPUTS);
    model = put(model, NZ_MODEL_NETWORK, 1);
    put(model, NZ_MODEL_SSE, 1); /* the bias */
}

/* The lists of fast_past.h. */
void nz_fast_models(bool is_binary, unsigned n, uint8_t *model)
{
    static const uint8_t of_text[] = {ORDERS,   ORDERS,   ORDERS, ORDERS, WORDS,  WORDS,  LAYOUT,
                                      INDIRECT, LAYOUT,   SPARSE, WORDS,  SPARSE, SPARSE, ORDERS,
                                      ORDERS,   INDIRECT, WORDS,  WORDS,  SPARSE, SPARSE};
    static const uint8_t of_binary[] = {
        ORDERS, ORDERS,  RECORDS, ORDERS, SPARSE, ORDERS,   SPARSE, INDIRECT, RECORDS, SPARSE,
        SPARSE, RECORDS, SPARSE,  ORDERS, ORDERS, INDIRECT, SPARSE, SPARSE,   SPARSE,  RECORDS};
    memcpy(model, is_binary ? of_binary : of_text, n);
}
