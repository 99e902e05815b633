/* The model behind max.h.
 *
 * Each number gets two guesses, a mean and a spread in fixed point: one from its row and column,
 * one that carries on its column as a smooth curve. A decision about it (negative? at least 2^e?
 * the next mantissa bit?) splits an interval, and how likely its upper part is depends on little
 * more than where the split lies from the mean and how wide the interval is, both in spreads: two
 * tables indexed by just that, shared by all tensors and all decisions of a kind, learn the shape
 * of the distribution and do most of the work. Small contexts, and numbers expected to the last bit
 * (the one above, the column continued, the longest match), add to them in a gated mixer. */
#include "max.h"

#include "backend/adapt.h"
#include "linear.h"
#include "model/mixer.h"

enum {
    POINT = 40, /* fractional bits of a number whose exponent is the tensor's largest */
    VALUE_MAX = POINT + 2,
    WIDTH = NZ_LINEAR_WIDTH,
    USUAL = NZ_LINEAR_ONE, /* a number as large as its row and column promise */
    LINEAR_MIN = 8,        /* columns, for linear prediction */

    GUESSES = 2,
    Z_STEPS = 64, /* split less mean, in spreads */
    W_STEPS = 64, /* width of the interval in spreads, quarters of an octave */

    CONTEXTS = 4,
    LINE_BITS = 12, /* 2^12 lines of 16 cells a context, 256 KiB: more would gain little */

    RECALLS = 3,       /* numbers expected to the last bit */
    CONFIDENCES = 16,  /* of one */
    HISTORY_BITS = 20, /* numbers a match may reach back */
    RECENT_BITS = 16,  /* hashes of the last three numbers */
    MATCH_MIN = 3,
    MATCH_MAX = 16,

    BITS_SURE = 3,  /* leading mantissa bits that are always modelled */
    STEPS_MAX = 10, /* steps from the expected exponent before it is spelled out */
    CLASSES = 64,   /* decisions told apart by mixer and recalls */

    INPUTS = GUESSES + CONTEXTS + RECALLS + 1,
    RATE_FIRST = 12000, /* of the mixer, in 2^-21; falls to the last */
    RATE_LAST = 3000,
};

enum kind { SIGN, ABOVE, BELOW, MANTISSA, KINDS };
/* Classes: the sign, the first question on the exponent, steps up, steps down, mantissa bits. */
enum {
    CLASS_SIGN,
    CLASS_ABOVE,
    CLASS_UP,
    CLASS_DOWN = CLASS_UP + STEPS_MAX,
    CLASS_MANTISSA = CLASS_DOWN + STEPS_MAX
};

enum { SET_CLASS, SET_AGE, SET_RECALL, SETS };
static const uint32_t set_rows[SETS] = {CLASSES, KINDS * 4 * 4, KINDS * 16};

/* What a number is expected to be. */
typedef struct guess {
    int64_t mean, spread; /* with POINT fractional bits; spread > 0 */
    int log;              /* of the spread */
    int shift;            /* the spread, shifted right by it, lies in [2^15, 2^16) */
    int64_t inverse;      /* 2^31 over that */
} guess;

typedef struct column {
    int64_t size;         /* mean magnitude over the row's */
    int64_t last, last2;  /* the values above */
    int64_t miss;         /* how far off carrying on was */
    uint64_t rank, rank2; /* of the numbers above */
    int exponent;         /* above */
    uint32_t hits[2];     /* above was right, or carrying on */
} column;

/* A number expected to the last bit. */
typedef struct recall {
    nz_value_parts v;
    int alive; /* no decision has spoken against it */
    uint32_t confidence;
} recall;

/* The matrix being coded: rows along its longer side. */
typedef struct matrix {
    nz_value f;
    size_t rows, cols;
    size_t step_row, step_col; /* in numbers */
    int top;                   /* the largest exponent */
    int linear;
    int64_t level; /* mean magnitude, in the first row */
    int64_t usual; /* size of the last rows */
} matrix;

struct nz_max {
    const nz_numeric *numeric;
    nz_linear *linear;
    nz_mixer mixer;
    nz_arith *coder;
    int decode;
    int32_t rate;
    uint32_t tensor; /* counts them */
    uint32_t number; /* counts them */
    matrix at;

    /* Of the number being coded. */
    guess guess[GUESSES];
    uint32_t context[CONTEXTS];
    recall recall[RECALLS];
    uint32_t age; /* mixer row: how old the matrix is, which guess is the sharper */

    /* Learned. */
    uint32_t shape[GUESSES][KINDS][W_STEPS][Z_STEPS];
    uint32_t cell[CONTEXTS][16 << LINE_BITS] __attribute__((aligned(64)));
    uint32_t right[RECALLS][CONFIDENCES][CLASSES];
    uint32_t far[2][1 << 12]; /* exponents spelled out, below and above the expected */
    uint32_t low[64];         /* mantissa bits below those modelled, by place; of this tensor */
    column col[WIDTH];
    uint32_t hits[2];
    uint64_t history[1 << HISTORY_BITS];
    uint32_t recent[1 << RECENT_BITS]; /* number after the last with this hash */
    uint32_t match, match_length;
};

/* ---- Memory ---- */

uint64_t nz_max_memory(void)
{
    return sizeof(nz_max) + nz_linear_memory() + nz_mixer_memory(INPUTS, SETS, set_rows);
}

static void start_cells(uint32_t *cell, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cell[i] = nz_adapt_start(1u << 21, 0);
}

nz_err nz_max_new(nz_max **out, const nz_kern *kern)
{
    nz_max *m = nz_big_new(sizeof *m);
    if (!m)
        return NZ_E_MEM;
    int missing = nz_mixer_new(&m->mixer, kern, INPUTS, SETS, set_rows);
    m->linear = nz_linear_new(kern);
    if (missing || !m->linear) {
        nz_max_free(m);
        return NZ_E_MEM;
    }
    for (int i = 0; i < INPUTS; i++)
        m->mixer.start[i] = NZ_WEIGHT_ONE / 6;
    m->numeric = nz_numeric_get();
    m->rate = RATE_FIRST;
    start_cells(&m->shape[0][0][0][0], sizeof m->shape / sizeof(uint32_t));
    start_cells(&m->cell[0][0], sizeof m->cell / sizeof(uint32_t));
    start_cells(&m->right[0][0][0], sizeof m->right / sizeof(uint32_t));
    start_cells(&m->far[0][0], sizeof m->far / sizeof(uint32_t));
    *out = m;
    return NZ_OK;
}

void nz_max_free(nz_max *m)
{
    if (!m)
        return;
    nz_mixer_free(&m->mixer);
    nz_linear_free(m->linear);
    nz_big_free(m, sizeof *m);
}

/* ---- Fixed point ---- */

static int64_t limit(int64_t v, int64_t most)
{
    return v > most ? most : v < -most ? -most : v;
}

static int64_t size_of(int64_t v)
{
    return v < 0 ? -v : v;
}

/* log2 with 8 fractional bits, straight between powers of two. */
static int log_of(int64_t v)
{
    int t = nz_value_top((uint64_t)v);
    uint64_t x = t >= 8 ? (uint64_t)v >> (t - 8) : (uint64_t)v << (8 - t);
    return t << 8 | (int)(x & 255);
}

/* The smallest value with an exponent. */
static int64_t power(const matrix *at, int exponent)
{
    int s = POINT + exponent - at->top;
    return exponent == 0 || s < 0 ? 0 : INT64_C(1) << (s < VALUE_MAX ? s : VALUE_MAX);
}

/* A number's value; infinities and NaNs count as the next larger power of two. */
static int64_t value_of(const matrix *at, nz_value_parts v)
{
    int bits = nz_value_mantissa_bits(&at->f, v.exponent);
    int e = at->f.exponent && !v.exponent ? 1 : v.exponent; /* subnormal */
    if (e > at->top)
        v.mantissa = 0;
    uint64_t x = (v.exponent ? UINT64_C(1) << bits : 0) | v.mantissa;
    int s = POINT + (e > at->top ? 1 : e - at->top) - bits;
    int64_t r = (int64_t)(s >= 0 ? x << s : s > -64 ? x >> -s : 0);
    return v.sign ? -r : r;
}

static void set_guess(guess *g, int64_t mean, int64_t spread)
{
    g->mean = mean;
    g->spread = spread < 1 ? 1 : spread;
    g->log = log_of(g->spread);
    g->shift = nz_value_top((uint64_t)g->spread) - 15;
    g->inverse =
        (INT64_C(1) << 31) / (g->shift >= 0 ? g->spread >> g->shift : g->spread << -g->shift);
}

/* Finer near the mean; v: in 2^-8 spreads. */
static uint32_t z_step(int64_t v)
{
    uint32_t u = (uint32_t)(v < 0 ? ~v : v), q;
    if (u < 512)
        q = u >> 5;
    else if (u < 1024)
        q = 16 + ((u - 512) >> 6);
    else if (u < 2048)
        q = 24 + ((u - 1024) >> 8);
    else
        q = u < 8192 ? 28 + ((u - 2048) >> 11) : 31;
    return v < 0 ? 31 - q : 32 + q;
}

/* ---- One decision ---- */

typedef struct decision {
    enum kind kind;
    uint32_t class;
    uint32_t node; /* in the tree of all decisions about a number */
    int sign;      /* of the number; the next two are magnitudes */
    int64_t split, width;
    unsigned recalled; /* bit i: recall i says yes */
} decision;

static int code_plain(nz_max *m, uint32_t p, int bit)
{
    if (m->decode)
        return nz_arith_decode(m->coder, p);
    nz_arith_encode(m->coder, p, bit);
    return bit;
}

static int code_cell(nz_max *m, uint32_t *cell, int bit)
{
    uint32_t p = *cell >> 16;
    bit = code_plain(m, p ? p : 1, bit);
    nz_adapt_update(cell, bit, 1023);
    return bit;
}

static uint32_t *shape_cell(nz_max *m, int i, const decision *d)
{
    const guess *g = &m->guess[i];
    int64_t z = d->split - (d->sign ? -g->mean : g->mean);
    z = g->shift >= 0 ? z >> g->shift : z * (INT64_C(1) << -g->shift);
    z = limit(z, 1 << 22) * g->inverse >> 23;
    int w = (log_of(d->width) - g->log + (6 << 8)) >> 6;
    w = w < 0 ? 0 : w < W_STEPS ? w : W_STEPS - 1;
    return &m->shape[i][d->kind][w][z_step(z)];
}

/* Sixteen nodes that are likely to be met together share a cache line. */
static uint32_t *context_cell(nz_max *m, int i, uint32_t node)
{
    uint32_t line = (m->context[i] ^ (node >> 4) * 0x9E3779B1u) * 0x85EBCA6Bu;
    return &m->cell[i][line >> (32 - LINE_BITS) << 4 | (node & 15)];
}

static void select_rows(nz_max *m, const decision *d)
{
    const recall *r = m->recall;
    uint32_t told = (uint32_t)(r[0].alive && r[0].confidence) |
                    (uint32_t)(r[1].alive && r[1].confidence) << 1 |
                    (uint32_t)(!r[2].alive           ? 0
                               : r[2].confidence > 8 ? 2
                                                     : 1)
                        << 2;
    nz_mixer_select(&m->mixer, SET_CLASS, d->class);
    nz_mixer_select(&m->mixer, SET_AGE, m->age * KINDS + d->kind);
    nz_mixer_select(&m->mixer, SET_RECALL, told * KINDS + d->kind);
}

static int code_bit(nz_max *m, const decision *d, int bit)
{
    uint32_t *cell[GUESSES + CONTEXTS], *right[RECALLS];
    nz_mixer *mix = &m->mixer;
    int16_t *x = mix->x;
    for (int i = 0; i < GUESSES; i++)
        cell[i] = shape_cell(m, i, d);
    for (int i = 0; i < CONTEXTS; i++)
        cell[GUESSES + i] = context_cell(m, i, d->node);
    for (int i = 0; i < GUESSES + CONTEXTS; i++)
        *x++ = (int16_t)nz_stretch(m->numeric, *cell[i] >> 20);
    for (int i = 0; i < RECALLS; i++) {
        const recall *r = &m->recall[i];
        right[i] = &m->right[i][r->confidence][d->class];
        int st = r->alive ? nz_stretch(m->numeric, *right[i] >> 20) : 0;
        *x++ = (int16_t)(d->recalled >> i & 1 ? st : -st);
    }
    *x = NZ_STRETCH_UNIT;
    select_rows(m, d);
    nz_mixer_mix(mix);
    int st = 0;
    for (int i = 0; i < SETS; i++)
        st += mix->st[i];
    bit = code_plain(m, (uint32_t)nz_squash(m->numeric, st / SETS), bit);

    nz_mixer_train(mix, bit, m->rate);
    for (int i = 0; i < GUESSES + CONTEXTS; i++)
        nz_adapt_update(cell[i], bit, i < GUESSES ? 1023 : 400);
    for (int i = 0; i < RECALLS; i++)
        if (m->recall[i].alive) {
            m->recall[i].alive = bit == (int)(d->recalled >> i & 1);
            nz_adapt_update(right[i], m->recall[i].alive, 255);
        }
    return bit;
}

/* ---- One number; v holds its fields when encoding ---- */

/* Recalls that say yes when `less` <= exponent <= `more`. */
static unsigned recalled_exponents(const nz_max *m, int less, int more)
{
    unsigned yes = 0;
    for (int i = 0; i < RECALLS; i++) {
        int e = m->recall[i].v.exponent;
        yes |= (unsigned)(less <= e && e <= more) << i;
    }
    return yes;
}

static unsigned recalled_bits(const nz_max *m, int place)
{
    unsigned yes = 0;
    for (int i = 0; i < RECALLS; i++)
        yes |= (unsigned)(m->recall[i].v.mantissa >> place & 1) << i;
    return yes;
}

static int code_sign(nz_max *m, nz_value_parts v)
{
    unsigned yes = 0;
    for (int i = 0; i < RECALLS; i++)
        yes |= (unsigned)m->recall[i].v.sign << i;
    return code_bit(m, &(decision){.kind = SIGN, .class = CLASS_SIGN, .recalled = yes}, v.sign);
}

static const guess *sharper(const nz_max *m)
{
    return &m->guess[m->guess[1].spread < m->guess[0].spread];
}

static int code_far(nz_max *m, int up, int exponent)
{
    int bits = nz_value_top((uint64_t)nz_value_exponent_max(&m->at.f)) + 1;
    uint32_t node = 1;
    for (int i = bits - 1; i >= 0; i--)
        node = node * 2 + (uint32_t)code_cell(m, &m->far[up][node], exponent >> i & 1);
    int most = nz_value_exponent_max(&m->at.f), e = (int)(node - (1u << bits));
    return e < most ? e : most;
}

static uint32_t exponent_node(int e)
{
    return 1u << 16 | (uint32_t)e << 2;
}

/* After i bits of a mantissa, r; deeper nodes would be met but once. */
static uint32_t mantissa_node(int e, int i, uint64_t r)
{
    return i < 10 ? 2u << 20 | (uint32_t)e << 10 | 1u << i | (uint32_t)r : 4u << 20 | (uint32_t)i;
}

static int expected_exponent(const nz_max *m)
{
    const guess *g = sharper(m);
    const int most = nz_value_exponent_max(&m->at.f);
    int64_t aim = size_of(g->mean) > g->spread ? size_of(g->mean) : g->spread;
    int e = nz_value_top((uint64_t)aim) - POINT + m->at.top;
    return e < 1 ? 1 : e < most ? e : most;
}

/* From the expected exponent, e, step by step. */
static int code_exponent(nz_max *m, int sign, int e, nz_value_parts v)
{
    const matrix *at = &m->at;
    const int most = nz_value_exponent_max(&at->f);
    int steps = 0;
    decision d = {.kind = ABOVE, .class = CLASS_ABOVE, .node = exponent_node(e), .sign = sign};
    d.split = d.width = power(at, e);
    d.recalled = recalled_exponents(m, e, most);
    const int up = code_bit(m, &d, v.exponent >= e);
    e -= !up;
    for (; steps < STEPS_MAX && (up ? e < most : e > 0); steps++) {
        d.kind = up ? ABOVE : BELOW;
        d.class = (uint32_t)((up ? CLASS_UP : CLASS_DOWN) + steps);
        d.node = exponent_node(e) | (uint32_t)(2 - up);
        d.split = d.width = power(at, e + up);
        d.recalled = up ? recalled_exponents(m, e + 1, most) : recalled_exponents(m, 0, e - 1);
        if (!code_bit(m, &d, up ? v.exponent > e : v.exponent < e))
            break;
        e += up ? 1 : -1;
    }
    return steps == STEPS_MAX ? code_far(m, up, v.exponent) : e;
}

static int some_recall(const nz_max *m)
{
    int some = 0;
    for (int i = 0; i < RECALLS; i++)
        some |= m->recall[i].alive && m->recall[i].confidence;
    return some;
}

/* The lowest bits are mostly noise, each as likely to be one as zero; if not, it is a property of
 * the place (floats that were made from shorter ones). */
static uint64_t code_low(nz_max *m, int bits, uint64_t mantissa)
{
    enum { NOISE = 1 << 27, LEARN = 8 }; /* 1/32, in cells; every 8th number teaches */
    uint64_t r = 0;
    while (bits > 0) {
        uint32_t p = m->low[bits - 1];
        if (p - (INT32_MAX - NOISE) > 2u * NOISE) {
            bits--;
            r = r << 1 | (uint64_t)code_cell(m, &m->low[bits], mantissa >> bits & 1);
            continue;
        }
        int n = 1;
        while (n < 8 && n < bits && m->low[bits - 1 - n] - (INT32_MAX - NOISE) <= 2u * NOISE)
            n++;
        bits -= n;
        uint32_t v = (uint32_t)(mantissa >> bits) & ((1u << n) - 1);
        if (m->decode)
            v = nz_arith_decode_even(m->coder, n);
        else
            nz_arith_encode_even(m->coder, v, n);
        if ((m->low[bits] & 1023) < 64 || m->number % LEARN == 0)
            for (int i = 0; i < n; i++)
                nz_adapt_update(&m->low[bits + i], v >> i & 1, 1023);
        r = r << n | v;
    }
    return r;
}

static uint64_t code_mantissa(nz_max *m, int sign, int exponent, nz_value_parts v)
{
    const matrix *at = &m->at;
    const int all = nz_value_mantissa_bits(&at->f, exponent);
    const int64_t fine = sharper(m)->spread >> 2;
    int64_t low = power(at, exponent);
    decision d = {.kind = MANTISSA, .sign = sign, .width = power(at, exponent ? exponent : 1)};
    uint64_t r = 0;
    for (int i = 0; i < all; i++) {
        const int place = all - 1 - i;
        if (i >= BITS_SURE && d.width <= 2 * fine && !some_recall(m))
            return r << (place + 1) | code_low(m, place + 1, v.mantissa);
        d.width >>= 1;
        d.split = low + d.width;
        d.class = (uint32_t)(CLASS_MANTISSA +
                             (i < CLASSES - CLASS_MANTISSA ? i : CLASSES - CLASS_MANTISSA - 1));
        d.node = mantissa_node(exponent, i, r);
        d.recalled = recalled_bits(m, place);
        uint64_t bit = (uint64_t)code_bit(m, &d, v.mantissa >> place & 1);
        low = bit ? d.split : low;
        r = r << 1 | bit;
    }
    return r;
}

static nz_value_parts code_number(nz_max *m, nz_value_parts v)
{
    const int e = expected_exponent(m);
    for (int i = 0; i < CONTEXTS; i++)
        __builtin_prefetch(context_cell(m, i, exponent_node(e)));
    nz_value_parts r = {.sign = code_sign(m, v)};
    r.exponent = code_exponent(m, r.sign, e, v);
    for (int i = 0; i < RECALLS; i++)
        m->recall[i].alive &= m->recall[i].v.exponent == r.exponent;
    r.mantissa = code_mantissa(m, r.sign, r.exponent, v);
    return r;
}

/* ---- What is known before a number ---- */

static uint32_t mix(uint32_t i, uint32_t a, uint32_t b)
{
    return nz_hash32(a << 3 | i, b);
}

/* Sums over the row so far. */
typedef struct row_sums {
    int64_t rest, count; /* magnitudes of what the linear guess left, the first ones assumed */
    int64_t all;         /* magnitudes */
    int left;            /* exponent */
} row_sums;

/* The linear guess in units of the column; *spread: 4096 for an ordinary column. */
static int64_t make_guesses(nz_max *m, size_t i, size_t j, const row_sums *row, int32_t *spread)
{
    const matrix *at = &m->at;
    column *c = &m->col[j];
    int64_t mean = 0, size = row->rest / row->count;
    *spread = 4096;
    if (i == 0)
        c->size = at->level;
    if (at->linear)
        mean = limit(nz_linear_expect(m->linear, j, spread), 32 * USUAL);
    size = size < 1 ? 1 : size < 64 * USUAL ? size : 64 * USUAL;
    int64_t part = size * *spread >> 12;
    part = part < 256 * USUAL ? part : 256 * USUAL;
    set_guess(&m->guess[0], mean * c->size / USUAL, part * c->size / USUAL);
    if (i > 1)
        set_guess(&m->guess[1], 2 * c->last - c->last2, c->miss);
    else
        set_guess(&m->guess[1], c->last, i ? c->size : 2 * c->size);

    int ahead = (m->guess[0].log - m->guess[1].log) >> 9;
    m->age = (uint32_t)(ahead < 0   ? 0
                        : ahead < 3 ? ahead
                                    : 3) *
                 4 +
             (i < 4    ? 0
              : i < 16 ? 1
              : i < 64 ? 2
                       : 3);
    uint32_t column_size = (uint32_t)(log_of(c->size) + (at->top << 8));
    m->context[0] = mix(0, m->tensor, 0);
    m->context[1] = mix(1, m->tensor, (uint32_t)j);
    m->context[2] = mix(2, column_size >> 6, (uint32_t)log_of(size) >> 6);
    m->context[3] =
        mix(3, (uint32_t)row->left << 16 | (uint32_t)c->exponent, (uint32_t)m->guess[0].log >> 7);
    return mean;
}

static void make_recalls(nz_max *m, size_t j)
{
    enum { ABOVE_IT, CARRIED_ON, MATCHED };
    const nz_value *f = &m->at.f;
    const column *c = &m->col[j];
    recall *r = m->recall;
    r[ABOVE_IT].v = nz_value_split(f, nz_value_unrank(f, c->rank));
    r[CARRIED_ON].v = nz_value_split(f, nz_value_unrank(f, 2 * c->rank - c->rank2));
    for (int i = 0; i < 2; i++) {
        r[i].alive = 1;
        r[i].confidence = (m->hits[i] & 7) << 1 | (c->hits[i] & 1);
    }
    uint64_t u = m->history[m->match & ((1u << HISTORY_BITS) - 1)];
    r[MATCHED].v = nz_value_split(f, u & nz_value_mask(f->bits));
    r[MATCHED].alive = m->match_length > 0;
    r[MATCHED].confidence = m->match_length < CONFIDENCES ? m->match_length : CONFIDENCES - 1;
}

/* ---- What is learned from it ---- */

static void learn_match(nz_max *m, uint64_t u)
{
    const uint32_t mask = (1u << HISTORY_BITS) - 1;
    uint64_t *past = m->history;
    if (m->match_length && past[m->match & mask] == u) {
        m->match++;
        m->match_length += m->match_length < 1u << 16;
    } else {
        m->match_length = 0;
    }
    past[m->number++ & mask] = u;
    uint64_t a = past[(m->number - 2) & mask], b = past[(m->number - 3) & mask];
    uint32_t h = nz_hash32((uint32_t)(u ^ u >> 32) + (uint32_t)(a ^ a >> 32) * 0x9E3779B1u,
                           (uint32_t)(b ^ b >> 32));
    uint32_t *last = &m->recent[h >> (32 - RECENT_BITS)], n = 0;
    if (!m->match_length && *last && m->number - *last < mask - MATCH_MAX) {
        while (n < MATCH_MAX && n < *last &&
               past[(*last - 1 - n) & mask] == past[(m->number - 1 - n) & mask])
            n++;
        m->match = *last;
        m->match_length = n < MATCH_MIN ? 0 : n;
    }
    *last = m->number;
}

static void learn_column(nz_max *m, size_t i, column *c, uint64_t u, nz_value_parts v, int64_t x)
{
    const nz_value *f = &m->at.f;
    uint64_t rank = nz_value_rank(f, u);
    const uint64_t expected[2] = {c->rank, (2 * c->rank - c->rank2) & nz_value_mask(f->bits)};
    for (int k = 0; k < 2; k++) {
        c->hits[k] = rank == expected[k];
        m->hits[k] = m->hits[k] << 1 | c->hits[k];
    }
    int64_t miss = size_of(x - m->guess[1].mean);
    if (i > 1)
        c->miss += (miss - c->miss) / (i < 8 ? (int64_t)i : 8);
    else
        c->miss = 2 * miss;
    c->last2 = c->last;
    c->last = x;
    c->rank2 = c->rank;
    c->rank = rank;
    c->exponent = v.exponent;
}

static void learn_row(nz_max *m, size_t i, const row_sums *row)
{
    enum { MEMORY = 250 }; /* rows that a column's size remembers */
    matrix *at = &m->at;
    int64_t size = at->linear ? row->all / (int64_t)at->cols : USUAL;
    size = size < 16 ? 16 : size;
    for (size_t j = 0; j < at->cols; j++) {
        column *c = &m->col[j];
        int64_t now = size_of(c->last) * USUAL / size;
        if (i == 0)
            c->size = (now + 3 * at->level) / 4;
        else
            c->size += (now - c->size) / (int64_t)(i < MEMORY ? i + 2 : MEMORY);
        c->size = c->size < 1 ? 1 : limit(c->size, INT64_C(1) << VALUE_MAX);
    }
    if (at->linear)
        nz_linear_end(m->linear, (int32_t)size);
    at->usual += (row->rest / row->count - at->usual) / 4;
}

/* ---- Tensors ---- */

static void code_place(nz_max *m, size_t i, size_t j, uint8_t *raw, row_sums *row)
{
    matrix *at = &m->at;
    column *c = &m->col[j];
    int32_t spread;
    int64_t mean = make_guesses(m, i, j, row, &spread);
    make_recalls(m, j);
    uint64_t u = m->decode ? 0 : nz_value_load(&at->f, raw);
    nz_value_parts v = code_number(m, nz_value_split(&at->f, u));
    if (m->decode) {
        u = nz_value_join(&at->f, v);
        nz_value_store(&at->f, raw, u);
    }
    int64_t x = value_of(at, v), q = limit(x * USUAL / c->size, 1 << 20);
    if (at->linear)
        nz_linear_see(m->linear, j, (int32_t)q);
    if (i == 0) {
        at->level += (size_of(x) - at->level) / (int64_t)(j < 200 ? j + 2 : 200);
        at->level = at->level < 1 ? 1 : at->level;
    }
    row->rest += size_of(q - mean) * 4096 / spread;
    row->count++;
    row->all += size_of(q);
    row->left = v.exponent;
    learn_column(m, i, c, u, v, x);
    learn_match(m, u);
    if (m->rate > RATE_LAST && m->number % 64 == 0)
        m->rate -= (m->rate >> 10) + 1;
}

/* The largest exponent but that of infinities. */
static int top_exponent(const nz_value *f, const uint8_t *raw, size_t n)
{
    int top = 0, most = nz_value_exponent_max(f) - (f->exponent > 4);
    for (size_t i = 0; i < n; i++) {
        int e = nz_value_split(f, nz_value_load(f, raw + i * (f->bits / 8))).exponent;
        top = e > top && e <= most ? e : top;
    }
    return top;
}

/* A row holds the numbers of the shorter side, so that as many rows as possible can teach. */
static void shape_matrix(matrix *at, const nz_value *f, size_t n, size_t row)
{
    if (!row || row > n)
        row = n;
    size_t rows = (n + row - 1) / row;
    if ((rows < row ? rows : row) > WIDTH) {
        row = n;
        rows = 1;
    }
    *at = (matrix){.f = *f, .rows = rows, .cols = row, .step_row = row, .step_col = 1};
    if (row > rows)
        *at = (matrix){.f = *f, .rows = row, .cols = rows, .step_row = 1, .step_col = row};
    at->linear = at->cols >= LINEAR_MIN;
    at->level = INT64_C(1) << (POINT - 2);
    at->usual = USUAL;
}

static void code_tensor(nz_max *m, uint8_t *raw, size_t n)
{
    matrix *at = &m->at;
    const size_t bytes = at->f.bits / 8;
    int top = m->decode ? 0 : top_exponent(&at->f, raw, n);
    for (int i = 10; i >= 0; i--)
        at->top = at->top << 1 | code_plain(m, 1 << 15, top >> i & 1);
    m->tensor++;
    memset(m->col, 0, at->cols * sizeof *m->col);
    start_cells(m->low, sizeof m->low / sizeof *m->low);
    if (at->linear)
        nz_linear_start(m->linear, at->cols);
    for (size_t i = 0; i < at->rows; i++) {
        enum { ASSUMED = 4 };
        row_sums row = {.rest = at->usual * ASSUMED, .count = ASSUMED};
        for (size_t j = 0; j < at->cols; j++) {
            size_t place = i * at->step_row + j * at->step_col;
            if (place >= n) /* the last row of the tensor is short */
                break;
            code_place(m, i, j, raw + place * bytes, &row);
        }
        learn_row(m, i, &row);
    }
}

void nz_max_encode(nz_max *m, nz_arith *a, const nz_value *format, const uint8_t *raw, size_t n,
                   size_t row)
{
    if (!n)
        return;
    m->coder = a;
    m->decode = 0;
    shape_matrix(&m->at, format, n, row);
    code_tensor(m, (uint8_t *)(uintptr_t)raw, n); /* only read */
}

void nz_max_decode(nz_max *m, nz_arith *a, const nz_value *format, uint8_t *raw, size_t n,
                   size_t row)
{
    if (!n)
        return;
    m->coder = a;
    m->decode = 1;
    shape_matrix(&m->at, format, n, row);
    code_tensor(m, raw, n);
}
