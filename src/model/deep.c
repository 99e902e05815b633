/* One byte at a time: hash its contexts, find their slots, let the network predict; then for each
 * of its bits collect every model's opinion, mix, refine, code, and let everyone learn. */
#include "deep.h"

#include "backend/adapt.h"
#include "branch.h"
#include "coder/arith.h"
#include "deep_plan.h"
#include "ledger.h"
#include "models.h"
#include "ngram/match.h"
#include "ngram/slot.h"
#include "prior.h"
#include "series.h"
#include "skim.h"
#include "sse.h"

#include <stdlib.h>

enum {
    LONGEST = 1, /* the match model with the longest minimum */
    RUN_STATES = 32,
    ADAPT_LIMIT = 1023,
    SSE_LIMIT = 127,
    LONG_MATCH = 512, /* from here on one flag a byte says "as expected" */
    EAGER = 4,        /* how much faster new rows of the mixers learn, see mixer.h */
    RATE_SHIFT = 15,  /* more fractional bits while the mixer's rate decays */
    MAP_COUNT = 60,   /* observations that the start of a map counts for */
    PROGRESS_STEP = 4096,
};

static const uint8_t match_min[NZ_DEEP_MATCHES] = {NZ_DEEP_MATCH_MIN, 14, 4};

/* One context's learned maps from what its slot holds to a probability. */
typedef struct maps {
    uint32_t state[256];
    uint32_t run[RUN_STATES]; /* run length, expected bit; 0 and 1: none */
} maps;

/* The same for a match model. */
typedef struct match_maps {
    uint32_t length[NZ_MATCH_LENGTHS * 4 * 2]; /* length, misses, expected bit */
    uint32_t byte[8 * 2048];                   /* length class, expected byte, bit position */
    uint32_t order1[8192 * 8]; /* hash of last byte, expected byte, length class; bit position */
    uint32_t *row[3];          /* this byte's part of the maps */
    uint32_t *used[3];         /* what the last prediction used */
} match_maps;

/* The map entries the last prediction came from: per context its state's and its run's. Their
 * values are kept beside them so that all can learn at once. */
enum { USED_MAX = 2 * NZ_CONTEXTS_MAX + 8 };

/* What all views of a frame share. */
typedef struct ground {
    nz_past past;
    nz_match match[NZ_DEEP_MATCHES];
    nz_bucket *table;
    size_t table_bytes;
    nz_pair *pair;
} ground;

/* A view: the models of one kind of data. */
typedef struct deep {
    const nz_shape *shape;
    const nz_deep_plan *plan;
    const nz_deep_kind *kind;
    const nz_kern *kern;
    const nz_numeric *numeric;
    const nz_history *history;
    nz_context_list lists;
    nz_chosen sets, finals, stages;

    nz_past *past;
    nz_match *match; /* [matches] */
    nz_scene scene;
    uint16_t ahead[256]; /* by c0: the classes of bytes that may come of it, a bit each */
    uint32_t c0, bit;    /* the byte's bits so far under a leading one; how many they are */
    size_t from;         /* where its turn began */

    nz_bucket *table;
    uint64_t mask; /* buckets - 1 */
    uint64_t hash[NZ_CONTEXTS_MAX], key[NZ_CONTEXTS_MAX];
    nz_slot *slot[NZ_CONTEXTS_MAX]; /* of the current nibble */
    nz_slot *byte[NZ_CONTEXTS_MAX]; /* of the first nibble: the run */
    /* The runs of this byte, as the bits ask for them. */
    uint16_t run_byte[NZ_CONTEXTS_MAX];  /* 256 + the byte expected, 0 for none */
    uint16_t run_count[NZ_CONTEXTS_MAX]; /* twice its count, limited */
    uint16_t run[NZ_CONTEXTS_MAX];       /* index into maps.run for this bit */
    int16_t one_sided[256]; /* by state: all bits set for a history of only ones or only zeros */
    maps *maps;             /* [contexts] */
    uint32_t *used[USED_MAX];
    uint32_t value[USED_MAX] __attribute__((aligned(64)));
    uint32_t confident; /* plain contexts that were seen before */

    match_maps *match_maps;             /* [matches] */
    uint32_t expected[NZ_DEEP_MATCHES]; /* 0, or 1 + the expected bit */

    void *expert; /* the kind's own model, or NULL */
    size_t expert_inputs;
    uint32_t expert_row[NZ_EXPERT_SETS];

    nz_series *series; /* NULL for most kinds */

    nz_pair *pair;
    nz_net *net;
    unsigned net_symbol, net_p; /* its most probable byte and that byte's probability, 16 bits */
    int net_st;                 /* its stretched opinion on the next bit */

    nz_mixer mixer, final;
    int32_t rate, rate_end; /* of the first one, with RATE_SHIFT more fractional bits */
    int32_t rate_final;
    nz_sse sse[NZ_DEEP_STAGES];
    uint32_t sse_context[NZ_DEEP_STAGES];
    unsigned stage_shift;    /* from a 32-bit hash to a stage's context */
    int32_t st;              /* the mix, stretched */
    uint32_t long_match[16]; /* "as expected", by match length */

    struct account *account; /* NULL but for those who ask what bytes cost */
} deep;

/* A view's part of a ledger. */
typedef struct account {
    nz_ledger *ledger;
    double *earned;
    uint8_t model[]; /* of each input of the first mixer: whose it is */
} account;

/* What a view is counted with in the memory that mixed frames store: it may not change. */
enum { VIEW_BYTES = 11072 };
_Static_assert(sizeof(deep) <= VIEW_BYTES, "a view takes no more than it is counted with");

typedef struct engine {
    ground ground;
    deep *view[NZ_VIEWS_MAX];
    unsigned views;
} engine;

static uint64_t view_memory(const nz_shape *s)
{
    const nz_deep_plan *p = nz_deep_plan_of(s);
    nz_chosen sets = nz_deep_sets(s), finals = nz_deep_finals(s), stages = nz_deep_stages(s);
    nz_net_shape net = nz_deep_net(s);
    uint64_t sum = VIEW_BYTES + p->matches * sizeof(match_maps);
    sum += nz_deep_lists(s).slots * sizeof(maps);
    sum += nz_mixer_memory(nz_deep_inputs(s), sets.n, sets.rows);
    sum += nz_mixer_memory(nz_deep_final_inputs(s), finals.n, finals.rows);
    for (unsigned i = 0; i < stages.n; i++)
        sum += nz_sse_memory(stages.rows[i]);
    const nz_expert *e = nz_deep_kind_of(s)->expert;
    sum += nz_deep_kind_of(s)->series ? nz_series_memory() : 0;
    sum += e ? e->memory(s, p->tier) : 0;
    return sum + nz_net_memory(&net) + (s->prior ? nz_skim_memory() : 0);
}

uint64_t nz_deep_memory(const nz_shape *view, unsigned views)
{
    uint64_t sum = sizeof(engine) + ((uint64_t)1 << view->table_bits) + nz_past_memory();
    sum += nz_deep_plan_of(view)->matches * (sizeof(uint32_t) << view->match_bits);
    for (unsigned i = 0; i < views; i++)
        sum += view_memory(&view[i]);
    return sum;
}

/* ---- Start ---- */

/* A map entry that says `hit` is about to happen with a chance of 1 - 1 / odds. */
static uint32_t expecting(int hit, uint32_t odds_x10)
{
    uint32_t miss = 41943030 / odds_x10;
    return nz_adapt_start(hit ? 4194303 - miss : miss, 0);
}

static void start_context(deep *d, unsigned i)
{
    maps *m = &d->maps[i];
    for (unsigned s = 0; s < 256; s++) {
        uint32_t n0 = d->history->n0[s] * 15u + 4, n1 = d->history->n1[s] * 15u + 4;
        m->state[s] = nz_adapt_start((uint32_t)(4194303ull * n1 / (n0 + n1)), MAP_COUNT);
    }
    m->run[0] = m->run[1] = nz_adapt_start(1 << 21, 0);
    for (unsigned s = 2; s < RUN_STATES; s++)
        m->run[s] = expecting(s & 1, 15 * (s >> 1) + 22);
}

static void start_match(match_maps *m)
{
    for (unsigned s = 0; s < NZ_MATCH_LENGTHS * 4 * 2; s++)
        m->length[s] = expecting(s & 1, s >> 1 & 3 ? 25 : 10 * (s >> 3) + 22);
    for (unsigned s = 0; s < 8 * 2048; s++)
        m->byte[s] = expecting(1, 40);
    for (unsigned s = 0; s < 65536; s++)
        m->order1[s] = expecting(1, 40);
}

static void start_tables(deep *d)
{
    for (unsigned i = 0; i < d->lists.slots; i++)
        start_context(d, i);
    for (unsigned j = 0; j < d->plan->matches; j++)
        start_match(&d->match_maps[j]);
    for (unsigned s = 0; s < 256; s++)
        d->one_sided[s] = -(!d->history->n0[s] != !d->history->n1[s]);
    for (unsigned c = 0; c < 256; c++)
        d->ahead[128 | c / 2] |= (uint16_t)(1u << nz_byte_class[c]);
    for (unsigned c0 = 127; c0 > 0; c0--)
        d->ahead[c0] = d->ahead[2 * c0] | d->ahead[2 * c0 + 1];
    for (unsigned i = 0; i < 16; i++)
        d->long_match[i] = nz_adapt_start(4190000, 30);
    for (unsigned i = 0; i < USED_MAX; i++)
        d->used[i] = &d->value[i]; /* the padding learns from itself */
}

/* What each kind of input earns before anything is known. */
static void start_weights(deep *d)
{
    int32_t *w = d->mixer.start, one = NZ_WEIGHT_ONE / (int32_t)d->lists.slots;
    if (d->series)
        for (size_t i = 0; i < NZ_SERIES_INPUTS; i += 2, w += 2)
            w[0] = one;
    if (d->expert) {
        one /= 8;
        for (size_t i = d->expert_inputs; i > 0; i -= 2, w += 2)
            w[0] = NZ_WEIGHT_ONE / 20;
    }
    for (unsigned i = 0; i < d->lists.slots; i++, w += NZ_CONTEXT_INPUTS) {
        w[0] = one / 5 * 3;
        w[1] = one / 10 * 3;
        w[2] = one;
    }
    for (unsigned j = 0; j < d->plan->matches; j++, w += NZ_MATCH_INPUTS)
        w[0] = NZ_WEIGHT_ONE / 32;
    w[0] = NZ_WEIGHT_ONE / 4;
    for (unsigned s = 0; s < d->sets.n; s++)
        d->final.start[s] = NZ_WEIGHT_ONE / (int32_t)d->sets.n;
}

/* Times 2^21, as the mixers want it. */
static int32_t mixer_rate(uint8_t e4)
{
    return (e4 << 21) / 10000;
}

static void start_rates(deep *d)
{
    nz_deep_rates r = nz_deep_rates_of(d->shape);
    d->rate = mixer_rate(r.start) << RATE_SHIFT;
    d->rate_end = mixer_rate(r.end) << RATE_SHIFT;
    d->rate_final = mixer_rate(r.final);
}

static void view_free(deep *d)
{
    if (!d)
        return;
    free(d->maps);
    free(d->match_maps);
    if (d->kind->expert)
        d->kind->expert->free(d->expert);
    nz_series_free(d->series);
    nz_net_free(d->net);
    free(d->account);
    nz_mixer_free(&d->mixer);
    nz_mixer_free(&d->final);
    for (unsigned i = 0; i < d->stages.n; i++)
        nz_sse_free(&d->sse[d->stages.index[i]]);
    free(d);
}

static int allocate(deep *d)
{
    const nz_shape *s = d->shape;
    int bad = 0;
    for (unsigned i = 0; i < d->stages.n; i++)
        bad |= nz_sse_new(&d->sse[d->stages.index[i]], d->stages.rows[i]);
    bad |= nz_mixer_new(&d->mixer, d->kern, nz_deep_inputs(s), d->sets.n, d->sets.rows);
    bad |= nz_mixer_new(&d->final, d->kern, nz_deep_final_inputs(s), d->finals.n, d->finals.rows);
    bad |= !(d->maps = malloc(d->lists.slots * sizeof *d->maps));
    bad |= !(d->match_maps = malloc(d->plan->matches * sizeof *d->match_maps));
    if (d->kind->series)
        bad |= !(d->series = nz_series_new());
    if (d->kind->expert)
        bad |= !(d->expert = d->kind->expert->new (s, d->plan->tier));
    return bad;
}

static nz_err view_new(deep **out, const nz_shape *s, const nz_run *run, ground *g)
{
    deep *d = aligned_alloc(64, (sizeof *d + 63) & ~(size_t)63);
    if (!d)
        return NZ_E_MEM;
    *d = (deep){.shape = s,
                .plan = nz_deep_plan_of(s),
                .kind = nz_deep_kind_of(s),
                .kern = run->kern,
                .numeric = nz_numeric_get(),
                .history = nz_history_get(),
                .lists = nz_deep_lists(s),
                .sets = nz_deep_sets(s),
                .finals = nz_deep_finals(s),
                .stages = nz_deep_stages(s),
                .past = &g->past,
                .match = g->match,
                .expert_inputs = nz_deep_expert_inputs(s),
                .c0 = 1,
                .stage_shift = 32 - nz_deep_stage_bits(s),
                .table = g->table,
                .mask = g->table_bytes / sizeof(nz_bucket) - 1,
                .pair = g->pair};
    nz_net_shape net = nz_deep_net(s);
    nz_err err = allocate(d) ? NZ_E_MEM : NZ_OK;
    if (!err)
        err = nz_net_new(&d->net, &net, run->kern, d->pair);
    if (err) {
        view_free(d);
        return err;
    }
    start_tables(d);
    start_weights(d);
    start_rates(d);
    d->mixer.eager = d->final.eager = EAGER;
    *out = d;
    return NZ_OK;
}

/* From its next byte on, a view writes what it costs. */
static nz_err keep_ledger(deep *d, nz_ledger *l, unsigned view)
{
    account *a = calloc(1, sizeof *a + d->mixer.inputs);
    if (!a)
        return NZ_E_MEM;
    a->ledger = l;
    a->earned = l->earned[view];
    nz_deep_models(d->shape, a->model);
    d->account = a;
    return NZ_OK;
}

static void engine_free(engine *e)
{
    ground *g = &e->ground;
    for (unsigned i = 0; i < e->views; i++)
        view_free(e->view[i]);
    nz_past_free(&g->past);
    for (unsigned j = 0; j < NZ_DEEP_MATCHES; j++)
        nz_match_free(&g->match[j]);
    nz_big_free(g->table, g->table_bytes);
    nz_pair_free(g->pair);
}

/* Of `e`, all zero, as far as it goes; to be freed in any case. */
static nz_err engine_start(engine *e, const nz_course *c, const nz_run *run, const uint8_t *raw)
{
    const nz_shape *s = c->view;
    ground *g = &e->ground;
    int bad = nz_past_new(&g->past, raw);
    for (unsigned j = 0; j < nz_deep_plan_of(s)->matches; j++)
        bad |= nz_match_new(&g->match[j], s->match_bits, match_min[j]);
    g->table_bytes = (size_t)1 << s->table_bits;
    bad |= !(g->table = nz_big_new(g->table_bytes));
    if (!bad && run->second_core && nz_pair_new(&g->pair))
        g->pair = NULL; /* no thread to be had: the same bytes, later */
    nz_err err = bad ? NZ_E_MEM : NZ_OK;
    for (; e->views < c->views && !err; e->views += !err)
        err = view_new(&e->view[e->views], &c->view[e->views], run, g);
    return err;
}

/* ---- A byte begins ---- */

/* What the match models make of this byte as a whole. */
static void match_rows(deep *d)
{
    for (unsigned j = 0; j < d->plan->matches; j++) {
        const nz_match *m = &d->match[j];
        match_maps *t = &d->match_maps[j];
        if (m->expect < 0)
            continue;
        uint32_t bucket = nz_match_bucket(m->len), expect = (uint32_t)m->expect;
        uint32_t miss = m->miss > 3 ? 3 : m->miss;
        uint32_t class = miss || bucket < 8 ? 0 : bucket < 12 ? 1 : (bucket - 12) / 4 + 2;
        class = class > 7 ? 7 : class;
        uint32_t h = nz_hash32((d->past->c4 & 0xff) | expect << 8, class >> 1);
        t->row[0] = &t->length[(bucket * 4 + miss) * 2];
        t->row[1] = &t->byte[class << 11 | expect << 3];
        t->row[2] = &t->order1[h >> 19 << 3];
        __builtin_prefetch(t->row[2]);
    }
}

/* What the SSE stages look at beside the bits so far. */
static void sse_contexts(deep *d)
{
    const nz_past *p = d->past;
    uint32_t c1 = p->c4 & 0xff, symbol = d->net_symbol;
    uint32_t e0 = (uint32_t)(d->match[0].expect + 1), e1 = (uint32_t)(d->match[1].expect + 1);
    uint32_t length = e0 ? nz_match_bucket(d->match[0].len) : 0;
    const uint32_t context[NZ_DEEP_STAGES] = {
        0,
        c1,
        p->c4 & 0xffff,
        p->c4 & 0xffffff,
        p->word[0],
        symbol | d->net_p >> 13 << 8 | c1 << 16,
        e0 | length << 10,
        symbol | e1 << 10,
    };
    memcpy(d->sse_context, context, sizeof context);
}

static void find_slots(deep *d, uint32_t last)
{
    for (unsigned i = 0; i < d->lists.slots; i++)
        d->slot[i] = nz_slot_find(d->table, d->mask, d->key[i], last, d->history);
}

static void hash_nibble(deep *d, uint32_t nibble)
{
    for (unsigned i = 0; i < d->lists.slots; i++) {
        d->key[i] = nz_slot_key(d->hash[i], nibble);
        nz_slot_prefetch(d->table, d->mask, d->key[i]);
    }
}

/* ---- A bit is predicted ---- */

NZ_INLINE int stretch_of(const deep *d, uint32_t adaptive)
{
    return nz_stretch(d->numeric, adaptive >> 20);
}

/* Simple enough for the compiler to vectorise. */
static void find_runs(deep *d)
{
    const uint32_t c0 = d->c0, shift = 7 - d->bit;
    for (unsigned i = 0; i < d->lists.slots; i++) {
        uint16_t next = d->run_byte[i] >> shift;
        uint16_t agrees = (uint16_t) - (next >> 1 == c0);
        d->run[i] = agrees & (d->run_count[i] + (next & 1));
    }
}

/* Plain contexts that were seen before. */
static uint32_t count_known(const deep *d, unsigned node)
{
    uint32_t known = 0;
    for (uint64_t plain = d->lists.plain; plain; plain &= plain - 1)
        known += d->slot[__builtin_ctzll(plain)]->state[node] > 0;
    return known;
}

/* A context seen for the first time has state 0: what its map says is masked to zero, and the entry
 * learns something nobody reads. Cheaper than a branch. A history of only ones or only zeros speaks
 * twice, the second time as 8 (p - 1/2). */
static int16_t *context_inputs(deep *d, int16_t *restrict x, unsigned node)
{
    const int16_t *restrict stretch = d->numeric->stretch, *restrict one_sided = d->one_sided;
    const unsigned slots = d->lists.slots;
    uint32_t **used = d->used, *restrict value = d->value;
    maps *m = d->maps;
    for (unsigned i = 0; i < slots; i++, m++, x += NZ_CONTEXT_INPUTS, used += 2, value += 2) {
        uint32_t state = d->slot[i]->state[node];
        used[0] = &m->state[state];
        used[1] = &m->run[d->run[i]];
        value[0] = *used[0];
        value[1] = *used[1];
        x[0] = (int16_t)(stretch[value[0] >> 20] & -(state > 0));
        x[1] = stretch[value[1] >> 20];
        x[2] = (int16_t)(((int32_t)(value[0] >> 21) - 1024) & one_sided[state]);
    }
    return x;
}

static int16_t *match_inputs(deep *d, int16_t *x)
{
    for (unsigned j = 0; j < d->plan->matches; j++, x += NZ_MATCH_INPUTS) {
        match_maps *t = &d->match_maps[j];
        uint32_t e = d->expected[j];
        x[0] = x[1] = x[2] = 0;
        if (!e)
            continue;
        t->used[0] = t->row[0] + (e - 1);
        t->used[1] = t->row[1] + d->bit;
        t->used[2] = t->row[2] + d->bit;
        int sign = e == 2 ? 1 : -1;
        x[0] = (int16_t)stretch_of(d, *t->used[0]);
        x[1] = (int16_t)(sign * stretch_of(d, *t->used[1]));
        x[2] = (int16_t)(sign * stretch_of(d, *t->used[2]));
    }
    return x;
}

static uint32_t texture_row(uint32_t texture, uint32_t bits)
{
    return nz_hash32(texture, bits) >> (32 - NZ_TEXTURE_BITS);
}

/* Chooses the rows of both mixers. */
static void select_rows(deep *d)
{
    const nz_past *p = d->past;
    uint32_t bit = d->bit, c1 = p->c4 & 0xff, e0 = d->expected[0], len = d->match[0].len;
    uint32_t near = !e0 ? 0 : len < 16 ? 1 : len < 32 ? 2 : 3;
    uint32_t matched = e0 ? nz_match_bucket(len) * 2 + e0 : 0;
    uint32_t symbol = d->net_symbol + 256 * nz_match_bit((int)d->net_symbol, d->c0, bit);
    uint32_t opinion = (nz_sse_position(d->net_st) >> 7) * 8 + bit;
    uint32_t known = d->confident > 2 ? d->confident - 2 : 0;
    const nz_scene *s = &d->scene;
    const uint32_t *t = s->texture, ahead = d->ahead[d->c0];
    const uint32_t set[NZ_DEEP_SETS] = {
        d->c0,
        known * 64 + bit * 8 + near * 2 + (d->expected[1] > 0),
        c1 | bit << 8,
        opinion,
        s->local * 8 + bit,
        (p->c4 >> 8 & 0xff) | bit << 8,
        s->left << 3 | bit,
        matched,
        symbol,
        s->type * 16 + s->third,
        s->frame * 8 + bit,
        texture_row(t[0], d->c0),
        texture_row(t[1], d->c0),
        texture_row(t[2], ahead),
        texture_row(t[3], ahead),
        texture_row(t[4], d->c0),
        texture_row(t[5], bit),
        texture_row(t[6], ahead),
        d->expert_row[0],
        d->expert_row[1],
        d->expert_row[2],
        d->expert_row[3],
    };
    for (unsigned i = 0; i < d->sets.n; i++)
        nz_mixer_select(&d->mixer, i, set[d->sets.index[i]]);
    const uint32_t final[NZ_DEEP_FINALS] = {
        d->c0,
        c1 << 8 | d->c0,
        opinion,
        matched,
        symbol,
        s->type * 8 + bit,
        s->frame * 8 + bit,
        d->confident * 8 + bit,
    };
    for (unsigned i = 0; i < d->finals.n; i++)
        nz_mixer_select(&d->final, i, final[d->finals.index[i]]);
}

static void meet_net(deep *d)
{
    nz_net_finish(d->net);
    d->net_symbol = nz_net_top(d->net, &d->net_p);
    if (!d->expert)
        sse_contexts(d);
}

/* What depends on the network's opinion, long before the weights and the cells of the SSE stages
 * are read, so that they can be on the way. */
static void ask_net(deep *d)
{
    d->net_st = nz_net_stretch(d->net, d->c0);
    for (unsigned i = 0; i < d->stages.n; i++) {
        unsigned k = d->stages.index[i];
        uint32_t h = nz_hash32(d->sse_context[k], d->c0 + 256 * k);
        nz_sse_aim(&d->sse[k], h >> d->stage_shift, d->net_st);
    }
    select_rows(d);
}

/* The mix, moved towards what each stage makes of it; the shares are in 1/256. */
static uint32_t refine(deep *d)
{
    static const uint8_t share[NZ_DEEP_STAGES] = {8, 27, 27, 27, 27, 26, 25, 25};
    int32_t mix = nz_squash(d->numeric, d->st), sum = mix << 8;
    for (unsigned i = 0; i < d->stages.n; i++) {
        unsigned k = d->stages.index[i];
        sum += share[k] * ((int32_t)nz_sse_refine(&d->sse[k], d->st) - mix);
    }
    int32_t p = sum >> 8;
    return (uint32_t)(p < 1 ? 1 : p > 65535 ? 65535 : p);
}

NZ_INLINE unsigned node_of(const deep *d)
{
    uint32_t first = 1u << (d->bit & 3);
    return first - 1 + (d->c0 & (first - 1));
}

static uint32_t predict(deep *d)
{
    unsigned node = node_of(d);
    bool met = d->bit || !d->pair; /* a helper's first answer may still be on its way */
    int16_t *x = d->mixer.x;
    if (d->series) {
        nz_series_predict(d->series, x, d->c0, d->bit);
        x += NZ_SERIES_INPUTS;
    }
    if (d->expert) {
        d->kind->expert->predict(d->expert, x, d->expert_row, d->c0, d->bit);
        x += d->expert_inputs;
    }
    for (unsigned j = 0; j < d->plan->matches; j++)
        d->expected[j] = nz_match_bit(d->match[j].expect, d->c0, d->bit);
    d->confident = count_known(d, node);
    if (met)
        ask_net(d);
    find_runs(d);
    x = context_inputs(d, x, node);
    x = match_inputs(d, x);
    if (!met) {
        meet_net(d);
        ask_net(d);
    }
    x[0] = (int16_t)d->net_st;
    x[1] = 102; /* .4: the bias */
    nz_mixer_mix(&d->mixer);
    for (unsigned i = 0; i < d->sets.n; i++)
        d->final.x[i] = (int16_t)d->mixer.st[i];
    d->final.x[d->sets.n] = (int16_t)d->net_st;
    nz_mixer_mix(&d->final);
    int32_t sum = 0;
    for (unsigned f = 0; f < d->finals.n; f++)
        sum += d->final.st[f];
    d->st = sum / (int32_t)d->finals.n;
    return refine(d);
}

/* ---- A bit is known ---- */

static void learn_maps(deep *d, int bit)
{
    unsigned used = 2 * d->lists.slots;
    d->kern->adapt(d->value, (used + 7) & ~7u, bit, ADAPT_LIMIT);
    for (unsigned i = 0; i < used; i++)
        *d->used[i] = d->value[i];
}

static void learn_slots(deep *d, unsigned node, int bit)
{
    const uint8_t *restrict next = d->history->next[bit];
    for (unsigned i = 0; i < d->lists.slots; i++) {
        uint8_t *state = &d->slot[i]->state[node];
        *state = next[*state];
    }
}

static void learn(deep *d, int bit)
{
    nz_mixer_train(&d->mixer, bit, d->rate >> RATE_SHIFT);
    nz_mixer_train(&d->final, bit, d->rate_final);
    for (unsigned i = 0; i < d->stages.n; i++)
        nz_sse_update(&d->sse[d->stages.index[i]], bit, SSE_LIMIT);
    learn_maps(d, bit);
    learn_slots(d, node_of(d), bit);
    if (d->series)
        nz_series_learn(d->series, bit);
    if (d->expert)
        d->kind->expert->learn(d->expert, bit);
    for (unsigned j = 0; j < d->plan->matches; j++) {
        if (!d->expected[j])
            continue;
        int hit = (int)d->expected[j] - 1 == bit;
        nz_adapt_update(d->match_maps[j].used[0], bit, 1000);
        nz_adapt_update(d->match_maps[j].used[1], hit, 255);
        nz_adapt_update(d->match_maps[j].used[2], hit, 255);
    }
}

static void learn_runs(deep *d, uint8_t byte)
{
    for (unsigned i = 0; i < d->lists.slots; i++)
        nz_slot_run(d->byte[i], byte);
}

/* The byte known last, and its last bit. */
static void learn_last(deep *d)
{
    uint8_t byte = (uint8_t)d->c0;
    if (d->c0 < 256)
        return; /* there was none */
    d->c0 >>= 1;
    d->bit = 7;
    learn(d, byte & 1);
    learn_runs(d, byte);
    /* The mixer's rate falls by 1/6250 a byte at first, 20 times slower near its end. */
    if (d->rate > d->rate_end)
        d->rate -= d->rate > 3 * d->rate_end ? d->rate / 6250 : d->rate / 125000;
}

/* ---- Whole bytes ---- */

/* The network starts first and is met last, if there is a helper; alone its forward pass, and what
 * is still to be learned from the byte before, fill the time until the slots arrive. */
static void byte_begin(deep *d)
{
    uint32_t direct[NZ_ROWS_DIRECT], hash[NZ_ROWS_HASHED];
    const nz_deep_kind *k = d->kind;
    int tier = d->plan->tier;
    nz_contexts_net(direct, hash, d->past, k->contexts, tier, nz_match_state(&d->match[0]));
    nz_net_begin(d->net, direct, hash);
    if (d->expert) {
        learn_last(d);
        k->expert->begin(d->expert, d->past->raw + d->from, d->past->pos - (uint32_t)d->from);
        k->expert->contexts(d->expert, d->hash, d->sse_context);
    } else {
        k->contexts->slots(d->hash, d->past, tier);
    }
    hash_nibble(d, 0);
    match_rows(d);
    if (!d->pair)
        meet_net(d);
    learn_last(d);
    if (d->series)
        nz_series_begin(d->series, d->past);
    find_slots(d, 0);
    memcpy(d->byte, d->slot, d->lists.slots * sizeof d->slot[0]);
    for (unsigned i = 0; i < d->lists.slots; i++) {
        const nz_slot *s = d->byte[i];
        d->run_byte[i] = s->run_count ? 256 | s->run_byte : 0;
        d->run_count[i] = 2 * (s->run_count > 15 ? 15 : s->run_count);
    }
    d->scene = k->scene(d->past);
    d->c0 = 1;
    d->bit = 0;
}

/* The weights are still those that made the prediction. */
static void enter_bit(const deep *d, uint32_t p, int bit)
{
    const account *a = d->account;
    float push[NZ_MODELS];
    nz_ledger_push(push, &d->mixer, a->model, &d->final, NZ_MODEL_NETWORK);
    nz_ledger_bit(a->ledger, a->earned, push, d->past->pos, p, bit);
}

static void enter_sure(const deep *d, uint32_t p, int hit)
{
    const account *a = d->account;
    nz_ledger_sure(a->ledger, a->earned, d->expert ? NZ_MODEL_SIGNAL : NZ_MODEL_MATCH, d->past->pos,
                   p, hit);
}

/* Codes one byte with every model: writes `byte`, or reads one. Returns it. */
NZ_INLINE uint8_t code_byte(deep *d, nz_arith *a, int decode, uint8_t byte)
{
    byte_begin(d);
    for (; d->bit < 8; d->bit++) {
        if (d->bit == 3)
            hash_nibble(d, d->c0);
        if (d->bit == 4)
            find_slots(d, d->c0 & 1);
        uint32_t p = predict(d);
        int bit = decode ? nz_arith_decode(a, p) : byte >> (7 - d->bit) & 1;
        if (!decode)
            nz_arith_encode(a, p, bit);
        if (NZ_UNLIKELY(d->account != NULL))
            enter_bit(d, p, bit);
        if (d->bit < 7)
            learn(d, bit);
        d->c0 = d->c0 << 1 | (uint32_t)bit;
    }
    nz_net_learn(d->net, (uint8_t)d->c0);
    return (uint8_t)d->c0;
}

/* The byte that a very long match or the expert is sure of, -1 for none. */
static int sure_of(deep *d, uint32_t **flag)
{
    const nz_match *m = &d->match[LONGEST];
    if (d->expert)
        return d->kind->expert->sure ? d->kind->expert->sure(d->expert, d->past->raw + d->from,
                                                             d->past->pos - (uint32_t)d->from, flag)
                                     : -1;
    if (m->expect < 0 || m->miss || m->len < LONG_MATCH)
        return -1;
    uint32_t class = (m->len - LONG_MATCH) / 32;
    *flag = &d->long_match[class > 15 ? 15 : class];
    return m->expect;
}

/* Of a sure byte one flag says whether it comes; the models neither predict nor learn what they
 * would only repeat. */
NZ_INLINE uint8_t code(deep *d, nz_arith *a, int decode, uint8_t byte)
{
    uint32_t *flag;
    int sure = sure_of(d, &flag);
    if (sure < 0)
        return code_byte(d, a, decode, byte);
    uint32_t p = *flag >> 16 ? *flag >> 16 : 1;
    int hit = decode ? nz_arith_decode(a, p) : sure == byte;
    if (!decode)
        nz_arith_encode(a, p, hit);
    if (NZ_UNLIKELY(d->account != NULL))
        enter_sure(d, p, hit);
    nz_adapt_update(flag, hit, ADAPT_LIMIT);
    return hit ? (uint8_t)sure : code_byte(d, a, decode, byte);
}

/* raw[pos] is known to both sides from here on. */
static void byte_known(deep *d, uint8_t byte)
{
    if (d->expert)
        d->kind->expert->known(d->expert, byte);
    nz_past_next(d->past, byte);
    if (d->kind->known)
        d->kind->known(d->past, byte);
    for (unsigned j = 0; j < d->plan->matches; j++)
        nz_match_next(&d->match[j], d->past->raw, d->past->pos);
}

/* Reports bytes finished; non-zero when the caller wants to stop. */
static int report(const nz_run *run, size_t bytes)
{
    if (run->done)
        atomic_fetch_add(run->done, bytes);
    return run->stop && atomic_load(run->stop);
}

/* The prior, coded to nowhere, and the n bytes at raw begin. */
static nz_err prime(deep *d, const nz_run *run, const uint8_t *raw, size_t n)
{
    nz_prime p;
    nz_arith nowhere;
    nz_run quiet = {.stop = run->stop};
    nz_err err = nz_prime_get(&p, d->shape, n);
    if (err)
        return err;
    nz_arith_write(&nowhere, NULL, 0);
    nz_past_turn(d->past, p.text);
    const nz_skim skim = {.text = p.text,
                          .n = p.size.skim,
                          .table = d->table,
                          .mask = d->mask,
                          .contexts = d->kind->contexts,
                          .tier = d->plan->tier,
                          .run = run};
    err = nz_skim_text(&skim, d->past, d->pair);
    for (size_t i = p.size.skim; i < p.size.skim + p.size.read && !err; i++) {
        code(d, &nowhere, 0, p.text[i]);
        byte_known(d, p.text[i]);
        if (i % PROGRESS_STEP == 0 && report(&quiet, 0))
            err = NZ_E_STOPPED;
    }
    if (err)
        return err;
    start_rates(d);
    nz_past_turn(d->past, raw);
    for (unsigned j = 0; j < d->plan->matches; j++)
        nz_match_forget(&d->match[j]);
    return NZ_OK;
}

static nz_err begin(engine *e, const nz_course *c, const nz_run *run, const uint8_t *raw, size_t n)
{
    nz_err err = engine_start(e, c, run, raw);
    for (unsigned i = 0; i < c->views && !err; i++)
        if (c->view[i].prior)
            err = prime(e->view[i], run, raw, n);
    for (unsigned i = 0; i < c->views && !err && run->ledger; i++)
        err = keep_ledger(e->view[i], run->ledger, i);
    return err;
}

/* A view's next `n` bytes, from raw[at] on. What it has still to learn from the last one cannot
 * wait until its next turn: the slots may be others' by then. */
NZ_INLINE nz_err code_turn(deep *d, const nz_run *run, nz_arith *a, int decode, uint8_t *raw,
                           size_t at, size_t n)
{
    d->from = at;
    if (d->kind->enter)
        d->kind->enter(d->past, &d->shape->content);
    for (size_t i = at; i < at + n; i++) {
        if (decode)
            raw[i] = code(d, a, 1, 0);
        else
            code(d, a, 0, raw[i]);
        byte_known(d, raw[i]);
        if (!decode && a->over)
            return NZ_E_FULL;
        if ((i + 1) % PROGRESS_STEP == 0 && report(run, PROGRESS_STEP))
            return NZ_E_STOPPED;
    }
    learn_last(d);
    return NZ_OK;
}

nz_err nz_deep_encode(const nz_course *c, const nz_run *run, const uint8_t *raw, size_t n,
                      uint8_t *out, size_t cap, size_t *packed)
{
    engine e = {0};
    nz_arith a;
    size_t at = 0;
    uint8_t *in = (uint8_t *)(uintptr_t)raw; /* which is only read */
    nz_err err = begin(&e, c, run, raw, n);
    nz_arith_write(&a, out, cap);
    for (size_t i = 0; i < c->turns && !err; at += c->turn[i++].bytes) {
        const uint8_t *before = a.at;
        err = code_turn(e.view[c->turn[i].view], run, &a, 0, in, at, c->turn[i].bytes);
        packed[c->turn[i].view] += (size_t)(a.at - before);
    }
    const uint8_t *before = a.at;
    if (!err && nz_arith_flush(&a))
        err = NZ_E_FULL;
    packed[c->turn[c->turns - 1].view] += (size_t)(a.at - before);
    if (!err)
        report(run, n % PROGRESS_STEP);
    engine_free(&e);
    return err;
}

nz_err nz_deep_decode(const nz_course *c, const nz_run *run, const uint8_t *in, size_t packed,
                      uint8_t *raw, size_t n)
{
    engine e = {0};
    nz_arith a;
    size_t at = 0;
    nz_err err = begin(&e, c, run, raw, n);
    nz_arith_read(&a, in, packed);
    for (size_t i = 0; i < c->turns && !err; at += c->turn[i++].bytes)
        err = code_turn(e.view[c->turn[i].view], run, &a, 1, raw, at, c->turn[i].bytes);
    if (!err) {
        report(run, n % PROGRESS_STEP);
        err = nz_arith_check(&a) ? NZ_E_CORRUPT : NZ_OK;
    }
    engine_free(&e);
    return err;
}
