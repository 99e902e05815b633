#include "deep_plan.h"

#include "deep.h"
#include "net_file.h"
#include "ngram/slot.h"
#include "series.h"

enum {
    TABLE_BITS_MIN = 20,
    MATCH_BITS_MIN = 10,
    ROW_BITS_MIN = 10,
    STAGE_BITS_MAX = 15,
    CHUNK = 16,
};

/* Levels 5 to 9. 5 keeps the stages that pay for their time. */
static const nz_deep_plan plans[NZ_DEEP_LEVELS] = {
    {0, 2, 0x31, 0x66, 27, 20, 18, 1, 4},  {0, 2, 0xff, 0xff, 28, 20, 18, 1, 6},
    {1, 2, 0xff, 0xff, 28, 22, 18, 1, 8},  {1, 2, 0xff, 0xff, 29, 22, 18, 2, 8},
    {2, 3, 0xff, 0xff, 30, 22, 18, 2, 12},
};

static const uint32_t set_rows[NZ_DEEP_SETS] = {256,
                                                768,
                                                2048,
                                                256,
                                                512,
                                                2048,
                                                4096,
                                                64,
                                                768,
                                                4096,
                                                512,
                                                [11 ... 17] = 1 << NZ_TEXTURE_BITS,
                                                [18 ... 21] = NZ_EXPERT_ROWS};
static const uint32_t final_rows[NZ_DEEP_FINALS] = {256, 65536, 256, 64, 768, 2048, 512, 64};

const nz_deep_plan *nz_deep_plan_of(const nz_shape *s)
{
    return &plans[s->level - 5];
}

nz_context_list nz_deep_lists(const nz_shape *s)
{
    const nz_deep_kind *k = nz_deep_kind_of(s);
    int tier = nz_deep_plan_of(s)->tier;
    if (k->expert)
        return (nz_context_list){k->expert->slots(s, tier), NZ_ROWS_PLAIN, k->expert->plain};
    return k->contexts->lists[tier];
}

static nz_chosen choose(unsigned mask, const uint32_t *rows)
{
    nz_chosen c = {0};
    for (uint8_t i = 0; mask >> i; i++) {
        if (mask >> i & 1) {
            c.index[c.n] = i;
            c.rows[c.n++] = rows[i];
        }
    }
    return c;
}

nz_chosen nz_deep_sets(const nz_shape *s)
{
    return choose(nz_deep_kind_of(s)->sets[s->level - 5], set_rows);
}

nz_chosen nz_deep_finals(const nz_shape *s)
{
    return choose(nz_deep_plan_of(s)->finals, final_rows);
}

/* Every stage is hashed to as many contexts as the match models have entries, within bounds. */
unsigned nz_deep_stage_bits(const nz_shape *s)
{
    unsigned bits = s->match_bits - 1u;
    return bits < STAGE_BITS_MAX ? bits : STAGE_BITS_MAX;
}

nz_chosen nz_deep_stages(const nz_shape *s)
{
    uint32_t rows[NZ_DEEP_STAGES];
    for (unsigned i = 0; i < NZ_DEEP_STAGES; i++)
        rows[i] = 1u << nz_deep_stage_bits(s);
    return choose(nz_deep_plan_of(s)->stages, rows);
}

size_t nz_deep_expert_inputs(const nz_shape *s)
{
    const nz_expert *e = nz_deep_kind_of(s)->expert;
    return e ? e->inputs(s, nz_deep_plan_of(s)->tier) : 0;
}

size_t nz_deep_inputs(const nz_shape *s)
{
    const nz_deep_plan *p = nz_deep_plan_of(s);
    size_t series = nz_deep_kind_of(s)->series ? NZ_SERIES_INPUTS : 0;
    return series + nz_deep_expert_inputs(s) + nz_deep_lists(s).slots * NZ_CONTEXT_INPUTS +
           p->matches * NZ_MATCH_INPUTS + NZ_OPINION_INPUTS;
}

/* What every set makes of them, and the network's opinion. */
size_t nz_deep_final_inputs(const nz_shape *s)
{
    return nz_deep_sets(s).n + 1u;
}

nz_net_shape nz_deep_net(const nz_shape *s)
{
    nz_net_shape net = {.width = 8 * s->width,
                        .layers = s->layers,
                        .chunk = s->chunk,
                        .row_bits = s->row_bits,
                        .direct = NZ_ROWS_DIRECT,
                        .hashed = (int)nz_deep_lists(s).hashed,
                        .direct_rows = NZ_ROWS_DIRECT_EACH};
    net.start = nz_net_file_start(s->level, nz_deep_kind_of(s)->start, &net);
    return net;
}

nz_deep_rates nz_deep_rates_of(const nz_shape *s)
{
    return nz_deep_kind_of(s)->rates[s->level - 5];
}

/* The smallest bits in [low, high] with 2^bits >= v. */
static uint8_t bits_for(uint64_t v, uint8_t low, uint8_t high)
{
    uint8_t bits = low;
    while (bits < high && UINT64_C(1) << bits < v)
        bits++;
    return bits;
}

static uint8_t layers_of(const nz_shape *s)
{
    const nz_deep_kind *k = nz_deep_kind_of(s);
    return k->layers ? k->layers : nz_deep_plan_of(s)->layers;
}

static uint8_t width_of(const nz_shape *s)
{
    const nz_deep_kind *k = nz_deep_kind_of(s);
    return k->width ? k->width : nz_deep_plan_of(s)->width;
}

void nz_deep_own(nz_shape *s, size_t n)
{
    s->row_bits = bits_for(n / 8, ROW_BITS_MIN, nz_deep_plan_of(s)->row_bits);
}

void nz_deep_choose(nz_shape *s, size_t n, size_t skim)
{
    const nz_deep_plan *p = nz_deep_plan_of(s);
    /* Half of the slots a file could touch: most contexts come back. What is skimmed gets a quarter
     * of that: twice as much would save .05 %. */
    uint64_t touched = (uint64_t)(n + skim / 4) * nz_deep_lists(s).slots * sizeof(nz_slot);
    s->engine = NZ_ENGINE_DEEP;
    s->table_bits = bits_for(touched, TABLE_BITS_MIN, p->table_bits);
    s->match_bits = bits_for(n, MATCH_BITS_MIN, p->match_bits);
    nz_deep_own(s, n);
    s->layers = layers_of(s);
    s->width = width_of(s);
    s->chunk = CHUNK;
}

bool nz_deep_valid(const nz_shape *s)
{
    if (s->engine != NZ_ENGINE_DEEP || s->level < 5 || s->level > NZ_LEVEL_MAX)
        return false;
    const nz_deep_plan *p = nz_deep_plan_of(s);
    return s->table_bits >= TABLE_BITS_MIN && s->table_bits <= p->table_bits &&
           s->match_bits >= MATCH_BITS_MIN && s->match_bits <= p->match_bits &&
           s->row_bits >= ROW_BITS_MIN && s->row_bits <= p->row_bits && s->layers == layers_of(s) &&
           s->width == width_of(s) && s->chunk == CHUNK;
}
