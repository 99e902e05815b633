#include "bilevel.h"

#include "backend/adapt.h"
#include "ngram/history.h"
#include "ngram/list.h"
#include "numeric.h"

#include <stdlib.h>

enum {
    LINES = 11, /* this one and those above that are looked at */
    BLOCKS = 5,
    STENCILS = 16,
    RUNS = 3, /* contexts of runs */
    CONTEXTS = RUNS + STENCILS,
    INPUTS = 4, /* of each */
    SLOTS = 5,
    DIRECT_LIMIT = 255,
    MAP_LIMIT = 1023,
    MAP_COUNT = 20, /* observations that the start of a map counts for */
    BLANKS = 64,    /* contexts of the flag "blank" */
};

/* Pixels of some lines above, counted from that above the next one. */
typedef struct block {
    uint8_t near, far;
    int8_t from, to;
} block;

/* The shape of a context: JBIG's "template". */
typedef struct stencil {
    uint8_t before; /* pixels in this line */
    block above[BLOCKS];
} stencil;

static const stencil stencils[STENCILS] = {
    {4, {{1, 1, -2, 2}, {2, 2, -1, 1}}},
    {6, {{1, 1, -4, 4}, {2, 2, -3, 3}, {3, 3, -2, 2}, {4, 4, -1, 1}}},
    {2, {{1, 10, -1, 1}}},
    {5, {{1, 1, -3, 4}, {2, 2, -2, 3}, {3, 3, -1, 1}}},
    {1, {{1, 10, 0, 0}}},
    {8, {{1, 2, -6, 6}, {3, 3, -5, 5}, {4, 4, -3, 3}, {5, 6, -2, 2}}},
    {4, {{1, 1, -3, 3}, {2, 2, -2, 2}}},
    {3, {{1, 2, -2, 5}, {3, 3, -1, 4}, {4, 4, -1, 3}}},
    {8, {{1, 1, -6, 6}, {2, 2, -5, 5}, {3, 3, -4, 4}}},
    {10, {{1, 1, -1, 1}, {4, 4, -2, 6}, {8, 8, -1, 1}}},
    {24, {{0}}},
    {10, {{1, 1, -2, 1}}},
    {12, {{1, 1, -10, 10}, {2, 2, -2, 2}}},
    {4, {{1, 10, -1, 2}}},
    {5, {{1, 5, -3, 3}}},
    {3, {{1, 8, -2, 2}}},
};

/* What a context has seen of one pattern. */
typedef struct seen {
    uint32_t direct; /* an adaptive probability */
    uint16_t check;  /* 0: nothing */
    uint8_t state;   /* see history.h */
} seen;

typedef struct bilevel {
    const nz_numeric *numeric;
    const nz_history *history;
    const uint8_t *raw;
    uint32_t pos, row;
    uint64_t
        line[LINES]; /* of this one all pixels so far; of others that above the next is bit 31 */
    unsigned contexts, bits;
    seen *table; /* [contexts][2^bits] */
    seen *used[CONTEXTS];
    uint32_t maps[CONTEXTS][256];
    uint32_t *used_map[CONTEXTS];
    uint32_t blank[BLANKS];
} bilevel;

/* ---- Start ---- */

/* The fewest that pay come first. */
static unsigned contexts_of(int tier)
{
    static const uint8_t some[3] = {10, 14, CONTEXTS};
    return some[tier];
}

/* Patterns follow the number of pixels. */
static unsigned bits_of(const nz_shape *s)
{
    enum { BITS_MAX = 22, SLOT_BITS = 6 };
    unsigned bits = s->table_bits - SLOT_BITS;
    return bits < BITS_MAX ? bits : BITS_MAX;
}

static size_t table_bytes(const nz_shape *s, int tier)
{
    return (contexts_of(tier) * sizeof(seen)) << bits_of(s);
}

static uint64_t memory(const nz_shape *s, int tier)
{
    return sizeof(bilevel) + table_bytes(s, tier);
}

static size_t inputs(const nz_shape *s, int tier)
{
    (void)s;
    return contexts_of(tier) * INPUTS;
}

static unsigned slots(const nz_shape *s, int tier)
{
    (void)s, (void)tier;
    return SLOTS;
}

static void release(void *expert)
{
    bilevel *m = expert;
    if (!m)
        return;
    nz_big_free(m->table, (m->contexts * sizeof(seen)) << m->bits);
    free(m);
}

static void *create(const nz_shape *s, int tier)
{
    bilevel *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    *m = (bilevel){.numeric = nz_numeric_get(),
                   .history = nz_history_get(),
                   .row = s->content.raster.row,
                   .contexts = contexts_of(tier),
                   .bits = bits_of(s)};
    if (!(m->table = nz_big_new(table_bytes(s, tier)))) {
        release(m);
        return NULL;
    }
    for (unsigned state = 0; state < 256; state++) {
        uint32_t n0 = m->history->n0[state] * 15u + 4, n1 = m->history->n1[state] * 15u + 4;
        uint32_t p = nz_adapt_start((uint32_t)(4194303ull * n1 / (n0 + n1)), MAP_COUNT);
        for (unsigned i = 0; i < CONTEXTS; i++)
            m->maps[i][state] = p;
    }
    for (unsigned i = 0; i < BLANKS; i++)
        m->blank[i] = nz_adapt_start(4100000, 10);
    return m;
}

/* ---- A byte begins ---- */

static uint8_t byte_at(const bilevel *m, uint32_t back)
{
    return back <= m->pos ? m->raw[m->pos - back] : 0;
}

/* log2 of 1 + how many bytes are like w, up to 15 of them. */
static uint32_t run_class(const uint8_t *p, ptrdiff_t step, uint8_t w)
{
    uint32_t n = 0;
    while (n < 15 && p[step * n] == w)
        n++;
    return 31 - (uint32_t)__builtin_clz(n + 1);
}

/* The byte to the left, if it is blank and so are those around: two rows, and two to the left. */
static int sure(void *expert, const uint8_t *raw, uint32_t pos, uint32_t **flag)
{
    bilevel *m = expert;
    if (pos < 3 * m->row + 16)
        return -1;
    const uint8_t *at = raw + pos, *n = at - m->row, *nn = n - m->row, w = at[-1];
    uint32_t blank = w * 0x01010101u;
    if ((w != 0 && w != 255) || at[-2] != w || nz_load32(n - 2) != blank ||
        nz_load32(nn - 2) != blank)
        return -1;
    uint32_t left = run_class(at - 1, -1, w);
    uint32_t right = run_class(n, 1, w);
    *flag = &m->blank[(w & 1) << 5 | left << 2 | right];
    return w;
}

static void begin(void *expert, const uint8_t *raw, uint32_t pos)
{
    bilevel *m = expert;
    m->raw = raw;
    m->pos = pos;
    for (uint32_t up = 1; up < LINES; up++) {
        uint64_t line = 0;
        for (uint32_t k = 0; k < 8; k++)
            line = line << 8 | byte_at(m, up * m->row + 4 - k);
        m->line[up] = line;
    }
}

static void contexts(const void *expert, uint64_t *slot, uint32_t stage[NZ_EXPERT_STAGES])
{
    const bilevel *m = expert;
    const uint32_t w = m->line[0] & 0xff, ww = m->line[0] >> 8 & 0xff;
    const uint32_t n = m->line[1] >> 24 & 0xff, ne = m->line[1] >> 16 & 0xff;
    const uint32_t nn = m->line[2] >> 24 & 0xff, nnn = m->line[3] >> 24 & 0xff;
    list l = {slot, 0};
    add(&l, w | n << 8);
    add(&l, n | ne << 8 | (w & 15) << 16);
    add(&l, n | nn << 8 | (w & 3) << 16);
    add(&l, w | n << 8 | nn << 16 | nnn << 24);
    add(&l, w | ww << 8 | n << 16);
    const uint32_t stages[NZ_EXPERT_STAGES] = {
        0,
        n,
        w,
        (w & 15) | n << 4,
        n | nn << 8,
        w | n << 8,
        (uint32_t)(m->line[1] >> 20 & 0xffff) | (w & 7) << 16,
        n | nn << 8 | nnn << 16,
    };
    memcpy(stage, stages, sizeof stages);
}

/* ---- A bit ---- */

static uint32_t limited(uint32_t v, uint32_t most)
{
    return v < most ? v : most;
}

/* How many of the lowest bits are alike. */
static uint32_t run_down(uint64_t v)
{
    v = v & 1 ? ~v : v;
    return v ? (uint32_t)__builtin_ctzll(v) : 64;
}

/* Of the highest. */
static uint32_t run_up(uint64_t v)
{
    v = v >> 63 ? ~v : v;
    return v ? (uint32_t)__builtin_clzll(v) : 64;
}

/* Pixels of one line above. */
static uint64_t cut(uint64_t line, int from, int to)
{
    return line >> (31 - to) & ((UINT64_C(1) << (to - from + 1)) - 1);
}

static uint64_t cut_all(const uint64_t *line, const stencil *t)
{
    uint64_t pattern = line[0] & ((UINT64_C(1) << t->before) - 1);
    for (const block *b = t->above; b->near; b++)
        for (unsigned up = b->near; up <= b->far; up++)
            pattern = pattern << (b->to - b->from + 1) | cut(line[up], b->from, b->to);
    return pattern;
}

/* The first n; line: as in bilevel, but as seen from the next pixel. */
static void patterns(const uint64_t *line, unsigned n, uint64_t *pattern, uint32_t *row)
{
    const uint64_t here = line[0], ahead = line[1] << 32, behind = line[1] >> 32;
    const uint64_t ahead2 = line[2] << 32, behind2 = line[2] >> 32;
    uint32_t run = run_down(here), last = run_down(here >> (run & 63));
    uint32_t right = run_up(ahead), next = run_up(ahead << (right & 63)), left = run_down(behind);
    uint32_t colours = (here & 1) | ahead >> 63 << 1 | (behind & 1) << 2;
    uint64_t runs =
        colours | limited(run, 63) << 3 | limited(right, 24) << 9 | limited(left, 63) << 15;
    for (unsigned i = RUNS; i < n; i++)
        pattern[i] = cut_all(line, &stencils[i - RUNS]);
    pattern[0] = runs;
    pattern[1] = runs | (uint64_t)limited(next, 24) << 21 | (uint64_t)limited(last, 31) << 27;
    pattern[2] = runs | (uint64_t)limited(run_up(ahead2), 24) << 21 |
                 (uint64_t)limited(run_down(behind2), 63) << 27 | ahead2 >> 63 << 33;
    row[0] = pattern[RUNS] & 1023;
    row[1] = limited(run, 15) << 7 | limited(right, 7) << 4 | limited(left, 3) << 2 | (colours & 3);
    row[2] = (uint32_t)(cut(line[3], -1, 1) | cut(line[4], -1, 1) << 3 | cut(line[1], 3, 4) << 6 |
                        cut(line[2], 2, 3) << 8 | (here >> 4 & 1) << 10);
}

static seen *find(bilevel *m, unsigned i, uint64_t pattern)
{
    uint64_t h = (pattern + 1) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 29;
    h *= UINT64_C(0xBF58476D1CE4E5B9);
    seen *e = m->table + ((size_t)i << m->bits) + (h >> (64 - m->bits));
    uint16_t check = (uint16_t)(h >> 8 | 1);
    if (e->check != check)
        *e = (seen){.direct = nz_adapt_start(1 << 21, 0), .check = check};
    return e;
}

static int16_t centred(uint32_t adaptive)
{
    return (int16_t)((int32_t)(adaptive >> 21) - 1024);
}

static void predict(void *expert, int16_t *x, uint32_t row[NZ_EXPERT_SETS], uint32_t c0,
                    uint32_t bit)
{
    bilevel *m = expert;
    const nz_history *h = m->history;
    uint64_t line[LINES], pattern[CONTEXTS];
    line[0] = m->line[0] << bit | (c0 ^ 1u << bit);
    for (unsigned up = 1; up < LINES; up++)
        line[up] = m->line[up] << bit;
    patterns(line, m->contexts, pattern, row);
    uint32_t known = 0;
    for (unsigned i = 0; i < m->contexts; i++, x += INPUTS) {
        const seen *e = m->used[i] = find(m, i, pattern[i]);
        uint32_t *p = m->used_map[i] = &m->maps[i][e->state];
        bool one_sided = !h->n0[e->state] != !h->n1[e->state];
        x[0] = (int16_t)nz_stretch(m->numeric, e->direct >> 20);
        x[1] = centred(e->direct);
        x[2] = e->state ? (int16_t)nz_stretch(m->numeric, *p >> 20) : 0;
        x[3] = one_sided ? centred(*p) : 0;
        known += e->state > 0;
    }
    row[3] = bit | limited(known, 15) << 3 | (line[0] & 3) << 7 | (uint32_t)cut(line[1], 0, 1) << 9;
}

static void learn(void *expert, int bit)
{
    bilevel *m = expert;
    const uint8_t *next = m->history->next[bit];
    for (unsigned i = 0; i < m->contexts; i++) {
        seen *e = m->used[i];
        nz_adapt_update(m->used_map[i], bit, MAP_LIMIT);
        nz_adapt_update(&e->direct, bit, DIRECT_LIMIT);
        e->state = next[e->state];
    }
}

static void known(void *expert, uint8_t byte)
{
    bilevel *m = expert;
    m->line[0] = m->line[0] << 8 | byte;
}

const nz_expert nz_bilevel = {
    .new = create,
    .free = release,
    .memory = memory,
    .inputs = inputs,
    .slots = slots,
    .plain = 0x1e,
    .sure = sure,
    .begin = begin,
    .contexts = contexts,
    .predict = predict,
    .learn = learn,
    .known = known,
};
