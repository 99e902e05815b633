/* The model behind max.h.
 *
 * Each number gets two guesses, a mean and a spread in fixed point: one from its row and column,
 * one that carries on its column as a smooth curve. A decision about it (negative? at least 2^e?
 * the next mantissa bit?) splits an interval, and how likely its upper part is depends on little
 * more than where the split lies from the mean and how wide the interval is, both in spreads: two
 * tables indexed by just that, shared by all tensors and all decisions of a kind, learn the shape
 * of the distribution and do most of the work. Small contexts, and numbers expected to the last bit
 * (the one above, the column continued, the longest match), add to them in a gated mixer.
 *
 * Quants are numbers on a grid: their bits are decisions like the others. A grid is made for the
 * smallest and the largest number of its block, so both ends are met once in it; and for the same
 * reason few steps are possible beside an offset when the numbers had been short ones. */
#include "max.h"

#include "backend/adapt.h"
#include "base/log.h"
#include "linear.h"
#include "model/mixer.h"

#include <stdbool.h>
#include <stdlib.h>

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
    CONTEXT_OWN = 2, /* that a decision may have a cell of its own for */
    LINE_BITS = 12,  /* 2^12 lines of 16 cells a context, 256 KiB: more would gain little */

    RECALLS = 3,       /* numbers expected to the last bit */
    CONFIDENCES = 16,  /* of one */
    HISTORY_BITS = 20, /* numbers a match may reach back */
    RECENT_BITS = 16,  /* hashes of the last three numbers */
    MATCH_MIN = 3,
    MATCH_MAX = 16,

    BITS_SURE = 3,  /* leading mantissa bits that are always modelled */
    STEPS_MAX = 10, /* steps from the expected exponent before it is spelled out */
    CLASSES = 72,   /* decisions told apart by mixer and recalls */

    INPUTS = GUESSES + CONTEXTS + RECALLS + 1,
    RATE_FIRST = 12000, /* of the mixer, in 2^-21; falls to the last */
    RATE_LAST = 3000,
};

enum kind { SIGN, ABOVE, BELOW, MANTISSA, QUANT, KINDS };
/* Classes: the sign, the first question on the exponent, steps up, steps down, bits of quants, of
 * mantissas. */
enum {
    CLASS_SIGN,
    CLASS_ABOVE,
    CLASS_UP,
    CLASS_DOWN = CLASS_UP + STEPS_MAX,
    CLASS_QUANT = CLASS_DOWN + STEPS_MAX,
    CLASS_MANTISSA = CLASS_QUANT + 8
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
    size_t stride; /* bytes from one number to the next */
    size_t rows, cols;
    size_t step_row, step_col; /* in numbers */
    int top;                   /* the largest exponent */
    int linear;
    int64_t level;           /* mean magnitude, in the first row */
    int64_t usual;           /* size of the last rows */
    const nz_quants *quants; /* NULL: numbers */
    const nz_quants *steps;  /* these are the steps of such blocks; NULL: they are not */
    const uint8_t *blocks;   /* of either */
    int unit;                /* left shift from 2^-24 to POINT fractional bits */
    uint8_t *seen;           /* of each grid: which ends were met, SEEN_* */
} matrix;

enum { SEEN_LOWEST = 1, SEEN_HIGHEST = 2 };

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
    uint32_t points[16][16];  /* a bit of a step, by how many points a 0 and a 1 would leave */
    uint32_t far[2][1 << 12]; /* exponents spelled out, below and above the expected */
    uint32_t low[64];         /* mantissa bits below those modelled, by place; of this tensor */
    column col[WIDTH];
    uint32_t hits[2];
    uint64_t history[1 << HISTORY_BITS];
    uint32_t recent[1 << RECENT_BITS]; /* number after the last with this hash */
    uint32_t match, match_length;

    nz_max_spent *spent; /* NULL: nobody asks */
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
    start_cells(&m->points[0][0], sizeof m->points / sizeof(uint32_t));
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

/* From 2^-24. */
static int64_t to_point(const matrix *at, int64_t v)
{
    if (at->unit < 0)
        return v >> (at->unit > -63 ? -at->unit : 63);
    return limit(v, (INT64_C(1) << (VALUE_MAX + 2)) >> at->unit) * (INT64_C(1) << at->unit);
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

static uint32_t mix(uint32_t i, uint32_t a, uint32_t b)
{
    return nz_hash32(a << 3 | i, b);
}

/* ---- One decision ---- */

typedef struct decision {
    enum kind kind;
    uint32_t class;
    uint32_t node; /* in the tree of all decisions about a number */
    int sign;      /* of the number; the next two are magnitudes */
    int64_t split, width;
    unsigned recalled; /* bit i: recall i says yes */
    uint32_t *own;     /* cell for CONTEXT_OWN; NULL: as for the other contexts */
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
    if (d->own)
        cell[GUESSES + CONTEXT_OWN] = d->own;
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

/* How many numbers with BF16's eight bits lie between two, in units of 2^-25, of about a size. */
static uint32_t points_between(int64_t a, int64_t b)
{
    int ulp = nz_value_top((uint64_t)size_of(b)) - 7;
    ulp = ulp < 0 ? 0 : ulp;
    int64_t n = size_of((b >> ulp) - (a >> ulp));
    return n < 15 ? (uint32_t)n : 15;
}

/* Twice the least that rounds to this half. */
static int64_t rounds_to(int exponent, unsigned mantissa)
{
    int64_t ulp = INT64_C(1) << (exponent > 1 ? exponent - 1 : 0);
    return 2 * nz_quants_half(((unsigned)exponent << 10) + mantissa) - ulp;
}

/* A step was made for a number: when those were BF16, or like it, before they were quantized, few
 * steps lead to one. By how many are left with a next bit of 0, and of 1. */
static uint32_t *points_cell(nz_max *m, nz_value_parts v, unsigned low, unsigned size,
                             int64_t offset)
{
    const int64_t extreme = m->at.steps->extreme * (v.sign ? -1 : 1);
    int64_t end[3];
    for (unsigned k = 0; k < 3; k++)
        end[k] = extreme * rounds_to(v.exponent, low + k * size / 2) + 2 * offset;
    return &m->points[points_between(end[0], end[1])][points_between(end[1], end[2])];
}

/* No bit of it is noise. */
static uint64_t code_step_mantissa(nz_max *m, nz_value_parts r, nz_value_parts v, int64_t offset)
{
    const matrix *at = &m->at;
    const int64_t low = power(at, r.exponent);
    decision d = {.kind = MANTISSA, .sign = r.sign};
    d.width = power(at, r.exponent ? r.exponent : 1);
    m->context[1] = mix(4, at->steps->dtype, 0);
    for (int i = 0; i < at->f.mantissa; i++) {
        const int place = at->f.mantissa - 1 - i;
        const unsigned known = (unsigned)r.mantissa << (place + 1), size = 2u << place;
        d.split = low + d.width * (int64_t)r.mantissa + d.width / 2;
        d.width /= 2;
        d.class = (uint32_t)(CLASS_MANTISSA + i);
        d.node = 1u << i | (uint32_t)r.mantissa;
        d.recalled = recalled_bits(m, place);
        d.own = points_cell(m, r, known, size, offset);
        r.mantissa = r.mantissa << 1 | (uint64_t)code_bit(m, &d, v.mantissa >> place & 1);
    }
    return r.mantissa;
}

static int64_t step_offset(const matrix *at, size_t place)
{
    size_t bytes = nz_dtype_about(at->steps->dtype)->bytes;
    const uint8_t *block = at->blocks + place * bytes;
    return at->steps->offset ? nz_quants_half(nz_load16(block + at->steps->offset)) : 0;
}

/* What the input has told so far: bytes taken in, less what the interval leaves open. Only
 * differences mean something. */
static uint64_t told(const nz_arith *a)
{
    uint64_t bytes = (uint64_t)(uintptr_t)a->at + (uint64_t)a->over;
    return (bytes << (3 + NZ_LOG_BITS)) - nz_log2(a->hi - a->lo);
}

static __attribute__((cold, noinline)) void spend(nz_max_spent *s, const nz_arith *a, nz_part on)
{
    uint64_t now = told(a);
    s->bits[on] += now - s->told;
    s->told = now;
}

/* What was decoded since the last call is of that part. */
static void spent(const nz_max *m, nz_part on)
{
    if (NZ_UNLIKELY(m->spent != NULL))
        spend(m->spent, m->coder, on);
}

/* Of blocks code_blocks() tells them as a whole. */
static void spent_number(const nz_max *m, nz_part on)
{
    if (!m->at.blocks)
        spent(m, on);
}

static nz_value_parts code_number(nz_max *m, size_t place, nz_value_parts v)
{
    const int e = expected_exponent(m);
    for (int i = 0; i < CONTEXTS; i++)
        __builtin_prefetch(context_cell(m, i, exponent_node(e)));
    spent_number(m, NZ_PART_SIDE);
    nz_value_parts r = {.sign = code_sign(m, v)};
    spent_number(m, NZ_PART_SIGN);
    r.exponent = code_exponent(m, r.sign, e, v);
    spent_number(m, NZ_PART_EXPONENT);
    for (int i = 0; i < RECALLS; i++)
        m->recall[i].alive &= m->recall[i].v.exponent == r.exponent;
    if (m->at.steps)
        r.mantissa = code_step_mantissa(m, r, v, step_offset(&m->at, place));
    else
        r.mantissa = code_mantissa(m, r.sign, r.exponent, v);
    spent_number(m, NZ_PART_MANTISSA);
    return r;
}

/* ---- One quant ---- */

/* Low bits are noise as those of a mantissa are, but for those of the lowest and the highest. */
static unsigned code_quant(nz_max *m, nz_grid g, unsigned q)
{
    const matrix *at = &m->at;
    const int bits = at->quants->bits;
    const int64_t fine = sharper(m)->spread >> 2;
    decision d = {.kind = QUANT, .sign = g.step < 0};
    if (d.sign)
        g = (nz_grid){-g.step, -g.offset};
    unsigned r = 0;
    for (int i = bits - 1; i >= 0; i--) {
        const int known = bits - 1 - i;
        const int64_t upper = g.step * (int64_t)(r + (1u << i)) + g.offset;
        d.width = to_point(at, g.step << i);
        d.width = d.width < 1 ? 1 : d.width;
        const bool end = r == 0 || r >> (i + 1) == (1u << known) - 1;
        if (known >= BITS_SURE && d.width <= fine && !end && !some_recall(m))
            return r | (unsigned)code_low(m, i + 1, q);
        d.split = to_point(at, upper - g.step / 2);
        d.class = (uint32_t)(CLASS_QUANT + known);
        d.node = 1u << known | r >> (i + 1);
        d.recalled = recalled_bits(m, i);
        r |= (unsigned)code_bit(m, &d, q >> i & 1) << i;
    }
    return r;
}

/* ---- What is known before a number ---- */

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
    uint64_t u = m->history[m->match & ((1u << HISTORY_BITS) - 1)] & nz_value_mask(f->bits);
    r[MATCHED].v = nz_value_split(f, u);
    if (m->at.quants) { /* the one above is on another grid */
        r[ABOVE_IT].alive = r[CARRIED_ON].alive = 0;
        r[MATCHED].v = (nz_value_parts){.mantissa = u};
    }
    r[MATCHED].alive = m->match_length > 0;
    r[MATCHED].confidence = m->match_length < CONFIDENCES ? m->match_length : CONFIDENCES - 1;
}

/* Binades between two sizes, in 1/8. */
static uint32_t ratio(int64_t a, int64_t b)
{
    return (uint32_t)(log_of(size_of(a)) - log_of(size_of(b)) + (64 << 8)) >> 5;
}

static void quant_contexts(nz_max *m, size_t j, size_t place, nz_grid g)
{
    const nz_quants *f = m->at.quants;
    const uint32_t seen = m->at.seen[place / f->each];
    const uint32_t left = f->each - (uint32_t)(place % f->each);
    const uint32_t offset = g.offset ? ratio(g.offset, g.step) : 0;
    const uint32_t spread = ratio(sharper(m)->spread, to_point(&m->at, g.step)) >> 1;
    m->context[0] = mix(4, m->tensor, offset);
    m->context[1] = mix(5, m->tensor, (uint32_t)j);
    m->context[2] = mix(6, f->dtype, seen << 8 | left);
    m->context[3] = mix(7, spread, offset << 2 | seen);
}

/* As far as the smallest number of the block is from zero, the largest will be, about. */
static void guess_step(nz_max *m, size_t place)
{
    const matrix *at = &m->at;
    const int64_t offset = size_of(step_offset(at, place));
    if (!offset)
        return;
    int64_t step = to_point(at, 2 * offset) / at->steps->extreme;
    set_guess(&m->guess[1], step, step / 8);
}

/* ---- What is learned from it ---- */

/* A number in all the ways that are learned from. */
typedef struct number {
    uint64_t u;
    nz_value_parts v;
    int64_t x; /* its value */
} number;

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

static void learn_column(nz_max *m, size_t i, column *c, const number *r)
{
    const nz_value *f = &m->at.f;
    uint64_t rank = nz_value_rank(f, r->u);
    const uint64_t expected[2] = {c->rank, (2 * c->rank - c->rank2) & nz_value_mask(f->bits)};
    for (int k = 0; k < 2; k++) {
        c->hits[k] = rank == expected[k];
        m->hits[k] = m->hits[k] << 1 | c->hits[k];
    }
    int64_t miss = size_of(r->x - m->guess[1].mean);
    if (i > 1)
        c->miss += (miss - c->miss) / (i < 8 ? (int64_t)i : 8);
    else
        c->miss = 2 * miss;
    c->last2 = c->last;
    c->last = r->x;
    c->rank2 = c->rank;
    c->rank = rank;
    c->exponent = r->v.exponent;
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

static number code_float(nz_max *m, size_t place, uint8_t *raw)
{
    const nz_value *f = &m->at.f;
    raw += place * m->at.stride;
    number r = {.u = m->decode ? 0 : nz_value_load(f, raw)};
    r.v = code_number(m, place, nz_value_split(f, r.u));
    if (m->decode) {
        r.u = nz_value_join(f, r.v);
        nz_value_store(f, raw, r.u);
    }
    r.x = value_of(&m->at, r.v);
    return r;
}

static number code_block_quant(nz_max *m, size_t j, size_t place, uint8_t *raw)
{
    const nz_quants *f = m->at.quants;
    const nz_grid g = nz_quants_grid(f, raw, place);
    quant_contexts(m, j, place, g);
    unsigned q = code_quant(m, g, m->decode ? 0 : nz_quants_get(f, raw, place));
    if (m->decode)
        nz_quants_put(f, raw, place, q);
    uint8_t *seen = &m->at.seen[place / f->each];
    if (q <= (f->bits == 8)) /* -127 for one from -128 on */
        *seen |= SEEN_LOWEST;
    if (q == (1u << f->bits) - 1)
        *seen |= SEEN_HIGHEST;
    int64_t x = to_point(&m->at, g.step * q + g.offset);
    return (number){q, {.exponent = (int)q}, x};
}

static void code_place(nz_max *m, size_t i, size_t j, size_t place, uint8_t *raw, row_sums *row)
{
    matrix *at = &m->at;
    column *c = &m->col[j];
    int32_t spread;
    int64_t mean = make_guesses(m, i, j, row, &spread);
    if (at->steps)
        guess_step(m, place);
    make_recalls(m, j);
    number r = at->quants ? code_block_quant(m, j, place, raw) : code_float(m, place, raw);
    int64_t q = limit(r.x * USUAL / c->size, 1 << 20);
    if (at->linear)
        nz_linear_see(m->linear, j, (int32_t)q);
    if (i == 0) {
        at->level += (size_of(r.x) - at->level) / (int64_t)(j < 200 ? j + 2 : 200);
        at->level = at->level < 1 ? 1 : at->level;
    }
    row->rest += size_of(q - mean) * 4096 / spread;
    row->count++;
    row->all += size_of(q);
    row->left = r.v.exponent;
    learn_column(m, i, c, &r);
    learn_match(m, r.u);
    if (m->rate > RATE_LAST && m->number % 64 == 0)
        m->rate -= (m->rate >> 10) + 1;
}

/* The largest exponent but that of infinities. */
static int top_exponent(const matrix *at, const uint8_t *raw, size_t n)
{
    const nz_value *f = &at->f;
    int top = 0, most = nz_value_exponent_max(f) - (f->exponent > 4);
    for (size_t i = 0; i < n; i++) {
        int e = nz_value_split(f, nz_value_load(f, raw + i * at->stride)).exponent;
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
    *at = (matrix){.rows = rows, .cols = row, .step_row = row, .step_col = 1};
    if (row > rows)
        *at = (matrix){.rows = row, .cols = rows, .step_row = 1, .step_col = row};
    at->f = *f;
    at->stride = f->bits / 8;
    at->linear = at->cols >= LINEAR_MIN;
    at->level = INT64_C(1) << (POINT - 2);
    at->usual = USUAL;
}

static void code_tensor(nz_max *m, uint8_t *raw, size_t n)
{
    matrix *at = &m->at;
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
            code_place(m, i, j, place, raw, &row);
        }
        learn_row(m, i, &row);
    }
}

static void code_numbers(nz_max *m, uint8_t *raw, size_t n)
{
    matrix *at = &m->at;
    int top = m->decode ? 0 : top_exponent(at, raw, n);
    for (int i = 10; i >= 0; i--)
        at->top = at->top << 1 | code_plain(m, 1 << 15, top >> i & 1);
    at->unit = POINT - at->top - 9; /* of a half */
    code_tensor(m, raw, n);
}

static void code_halves(nz_max *m, const nz_quants *steps, const nz_quants *f, uint8_t *raw,
                        size_t n, size_t row)
{
    matrix *at = &m->at;
    shape_matrix(at, nz_value_of(NZ_DT_F16), n, row);
    at->stride = nz_dtype_about(f->dtype)->bytes;
    at->steps = steps;
    at->blocks = raw;
    code_numbers(m, raw + (steps ? f->step : f->offset), n);
}

/* Blocks' n quants. */
static nz_err code_quants(nz_max *m, const nz_quants *f, uint8_t *raw, size_t n, size_t row)
{
    matrix *at = &m->at;
    shape_matrix(at, nz_value_of(NZ_DT_I8), n, row);
    at->quants = f;
    int64_t most = 1;
    for (size_t i = 0; i < n; i += f->each) {
        nz_grid g = nz_quants_grid(f, raw, i);
        int64_t size = (size_of(g.step) << (f->bits - 1)) + size_of(g.offset);
        most = size > most ? size : most;
    }
    at->unit = POINT - nz_value_top((uint64_t)most);
    at->seen = calloc(n / f->each, 1);
    if (!at->seen)
        return NZ_E_MEM;
    code_tensor(m, raw, n);
    free(at->seen);
    return NZ_OK;
}

static nz_err code_blocks(nz_max *m, const nz_quants *f, uint8_t *raw, size_t n, size_t row)
{
    const size_t elements = nz_dtype_about(f->dtype)->elements;
    if (!n)
        return NZ_OK;
    if (f->extreme && f->offset)
        code_halves(m, NULL, f, raw, n, row);
    spent(m, NZ_PART_MINIMA);
    if (f->extreme)
        code_halves(m, f, f, raw, n, row);
    spent(m, NZ_PART_SCALES);
    nz_err err = code_quants(m, f, raw, n * elements, row * elements);
    spent(m, NZ_PART_QUANTS);
    return err;
}

static void start(nz_max *m, nz_arith *a, int decode)
{
    m->coder = a;
    m->decode = decode;
    if (m->spent)
        m->spent->told = told(a);
}

void nz_max_encode(nz_max *m, nz_arith *a, const nz_value *format, const uint8_t *raw, size_t n,
                   size_t row)
{
    if (!n)
        return;
    start(m, a, 0);
    shape_matrix(&m->at, format, n, row);
    code_numbers(m, (uint8_t *)(uintptr_t)raw, n); /* only read */
}

void nz_max_decode(nz_max *m, nz_arith *a, const nz_value *format, uint8_t *raw, size_t n,
                   size_t row)
{
    if (!n)
        return;
    start(m, a, 1);
    shape_matrix(&m->at, format, n, row);
    code_numbers(m, raw, n);
}

nz_err nz_max_encode_blocks(nz_max *m, nz_arith *a, const nz_quants *format, const uint8_t *raw,
                            size_t n, size_t row)
{
    start(m, a, 0);
    return code_blocks(m, format, (uint8_t *)(uintptr_t)raw, n, row); /* only read */
}

nz_err nz_max_decode_blocks(nz_max *m, nz_arith *a, const nz_quants *format, uint8_t *raw, size_t n,
                            size_t row)
{
    start(m, a, 1);
    nz_quants_clear(format, raw, n);
    return code_blocks(m, format, raw, n, row);
}

void nz_max_watch(nz_max *m, nz_max_spent *to)
{
    m->spent = to;
}
