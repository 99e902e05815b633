#include "audio.h"

#include "backend/adapt.h"
#include "backend/kern_float.h"
#include "lms.h"
#include "ngram/list.h"
#include "numeric.h"
#include "ols.h"

#include <stdlib.h>

enum {
    OLSS = 4,
    LMSS = 3,
    MEMORIES = 4,
    SAME = 2,      /* opinions on whether the last sample comes again */
    OFFSETS = 128, /* classes of the distance from an interval's middle to a guess */
    OFFSET_MAX = 4096,
    RATIOS = 28,   /* classes of an interval's length, in half octaves */
    SHORTEST = 14, /* of them are shorter than the usual error */
    MAP_LIMIT = 1023,
    BITS = 8 * NZ_SOUND_WIDTH_MAX,
    PAST = 64, /* samples of a channel kept */
    SINCE_MAX = 63,
    SLOTS = 21,
};

/* Guesses: of the cascade first. */
enum {
    LAST = LMSS, /* as the sample before */
    SLOPE,       /* on the line through the last two */
    STACK,       /* all others together; as often as there are memories of its errors */
    SQUARES = STACK + MEMORIES,
    GUESSES = SQUARES + OLSS,
};

#define UNIT      32.0f /* offsets to the usual error */
#define ERROR_MIN .25f
#define LN2       .693147181f

/* Samples before in this channel and in the other. */
typedef struct squares {
    uint8_t own, other;
    float decay;
} squares;

static const squares mono[OLSS] = {{32, 0, .999f}, {24, 0, .99f}, {24, 0, .9995f}, {8, 0, .95f}};
static const squares stereo[OLSS] = {
    {24, 12, .999f}, {12, 6, .99f}, {32, 16, .9995f}, {6, 3, .95f}};

static const struct {
    uint16_t taps;
    float rate;
} lmss[LMSS] = {{512, .032f}, {32, .032f}, {16, .064f}};

/* How fast errors are forgotten. */
static const float memories[MEMORIES] = {.1f, .25f, 1 / 64.0f, 1 / 400.0f};

typedef struct guess {
    float at;
    float error; /* usual */
    float scale; /* offsets to a sample */
    int size;    /* of the error, in quarter octaves */
} guess;

typedef struct channel {
    nz_ols ols[OLSS], stack;
    nz_lms lms[LMSS];
    float ols_input[OLSS][NZ_SOLVE_MAX], stack_input[GUESSES];
    float rest[LMSS]; /* what each says the ones before it leave over */
    int32_t past[2 * PAST];
    unsigned at; /* past[at - 1] is the last sample */
    guess guess[GUESSES];
    uint32_t since, gap; /* samples since the last that came twice; how many it were then */
} channel;

typedef uint32_t map[RATIOS][OFFSETS];

typedef struct audio {
    const nz_numeric *numeric;
    nz_sound sound;
    const squares *squares;
    unsigned olss, guesses, slots, bits; /* bits of a sample */
    int32_t silence;
    channel *channels, *now;
    const channel *other;
    bool inside;     /* the next byte is a sample's, */
    uint32_t place;  /* this one of it, */
    uint32_t prefix; /* and these are the ones before */
    map *maps;       /* [guesses] */
    uint32_t same[SINCE_MAX + 1][2][2][BITS];
    uint32_t again[2][2][BITS];
    uint32_t *used[GUESSES + SAME];
    unsigned useds;
    uint8_t offset_class[2 * OFFSET_MAX];
} audio;

/* ---- Start ---- */

static unsigned olss_of(int tier)
{
    return (unsigned)tier + 2;
}

static unsigned guesses_of(int tier)
{
    return SQUARES + olss_of(tier);
}

static const squares *squares_of(const nz_sound *s)
{
    return s->channels > 1 ? stereo : mono;
}

static unsigned inputs_of(const squares *s)
{
    return s->own + (unsigned)s->other;
}

/* All but the first of least squares, from which they count, and STACK itself. */
static unsigned stack_inputs(unsigned guesses)
{
    return guesses - MEMORIES - 1;
}

static uint64_t memory(const nz_shape *s, int tier)
{
    uint64_t each = sizeof(channel) + nz_ols_memory(stack_inputs(guesses_of(tier)));
    for (unsigned i = 0; i < olss_of(tier); i++)
        each += nz_ols_memory(inputs_of(&squares_of(&s->content.sound)[i]));
    for (unsigned i = 0; i < LMSS; i++)
        each += nz_lms_memory(lmss[i].taps);
    return sizeof(audio) + s->content.sound.channels * each + guesses_of(tier) * sizeof(map);
}

static size_t inputs(const nz_shape *s, int tier)
{
    (void)s;
    return 2 * (size_t)(guesses_of(tier) + SAME);
}

static unsigned slots(const nz_shape *s, int tier)
{
    static const uint8_t of[3] = {8, 12, SLOTS};
    (void)s;
    return of[tier];
}

static void release(void *expert)
{
    audio *m = expert;
    if (!m)
        return;
    for (unsigned k = 0; m->channels && k < m->sound.channels; k++) {
        channel *c = &m->channels[k];
        nz_ols_free(&c->stack);
        for (unsigned i = 0; i < m->olss; i++)
            nz_ols_free(&c->ols[i]);
        for (unsigned i = 0; i < LMSS; i++)
            nz_lms_free(&c->lms[i]);
    }
    free(m->channels);
    free(m->maps);
    free(m);
}

static int start_channel(const audio *m, channel *c)
{
    int bad = nz_ols_new(&c->stack, stack_inputs(m->guesses), .998f);
    for (unsigned i = 0; i < m->olss; i++)
        bad |= nz_ols_new(&c->ols[i], inputs_of(&m->squares[i]), m->squares[i].decay);
    for (unsigned i = 0; i < LMSS; i++)
        bad |= nz_lms_new(&c->lms[i], lmss[i].taps, lmss[i].rate);
    for (unsigned i = 0; i < GUESSES; i++)
        c->guess[i].error = 64;
    c->at = PAST;
    return bad;
}

/* Fine near zero, then coarser and coarser: -63 to 63 and both zeros. */
static uint32_t offset_class(int offset)
{
    int a = offset < 0 ? -offset : offset;
    int c = a < 4     ? a / 2
            : a < 64  ? 2 + (a - 4) / 4
            : a < 192 ? 17 + (a - 64) / 8
            : a < 640 ? 33 + (a - 192) / 32
                      : 47 + (a - 640) / 128;
    c = c > 63 ? 63 : c;
    return (uint32_t)(offset < 0 ? 63 - c : 64 + c);
}

static float log_cosh(float x)
{
    float a = x < 0 ? -x : x;
    return a + nz_float_log(1.0f + nz_float_exp(-2.0f * a)) - LN2;
}

/* The upper half's odds by a logistic distribution around 0 whose mean error is 1. */
static int logistic(float middle, float half)
{
    float st = log_cosh((middle - half) * LN2) - log_cosh((middle + half) * LN2);
    return (int)nz_float_limit(st * NZ_STRETCH_UNIT, 2000.0f);
}

static void start_maps(audio *m)
{
    for (int offset = -OFFSET_MAX; offset < OFFSET_MAX; offset++) {
        uint32_t class = offset_class(offset);
        float half = 1.0f / (1 << SHORTEST / 2);
        for (unsigned r = 0; r < RATIOS; r++, half *= 1.41421356f) {
            int st = logistic((float)offset / UNIT, half);
            m->maps[0][r][class] = nz_adapt_start((uint32_t)nz_squash(m->numeric, st) << 6, 2);
        }
        m->offset_class[offset + OFFSET_MAX] = (uint8_t) class;
    }
    for (unsigned i = 1; i < m->guesses; i++)
        memcpy(m->maps[i], m->maps[0], sizeof(map));
    uint32_t *same = &m->same[0][0][0][0], *again = &m->again[0][0][0];
    for (size_t i = 0; i < sizeof m->same / sizeof *same; i++)
        same[i] = nz_adapt_start(1 << 21, 0);
    for (size_t i = 0; i < sizeof m->again / sizeof *again; i++)
        again[i] = nz_adapt_start(1 << 21, 0);
}

static void *create(const nz_shape *s, int tier)
{
    audio *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->numeric = nz_numeric_get();
    m->sound = s->content.sound;
    m->squares = squares_of(&s->content.sound);
    m->olss = olss_of(tier);
    m->guesses = guesses_of(tier);
    m->slots = slots(s, tier);
    m->bits = 8u * s->content.sound.width;
    m->silence = 1 << (m->bits - 1);
    int bad = !(m->channels = calloc(s->content.sound.channels, sizeof *m->channels));
    bad |= !(m->maps = malloc(m->guesses * sizeof *m->maps));
    for (unsigned k = 0; !bad && k < s->content.sound.channels; k++)
        bad |= start_channel(m, &m->channels[k]);
    if (bad) {
        release(m);
        return NULL;
    }
    m->now = m->channels;
    m->other = m->channels;
    start_maps(m);
    return m;
}

/* ---- A sample begins ---- */

static int32_t before(const channel *c, unsigned back)
{
    return c->past[c->at - back];
}

static void guess_squares(audio *m, float most)
{
    channel *c = m->now;
    for (unsigned i = 0; i < m->olss; i++) {
        float *x = c->ols_input[i];
        for (unsigned k = 1; k <= m->squares[i].own; k++)
            *x++ = (float)before(c, k);
        for (unsigned k = 1; k <= m->squares[i].other; k++)
            *x++ = (float)before(m->other, k);
        float v = nz_ols_predict(&c->ols[i], c->ols_input[i]);
        c->guess[SQUARES + i].at = nz_float_limit(v, most);
    }
}

static void guess_cascade(channel *c, float most)
{
    float at = c->guess[SQUARES].at;
    for (unsigned i = 0; i < LMSS; i++) {
        c->rest[i] = nz_float_limit(nz_lms_predict(&c->lms[i]), most);
        at += c->rest[i];
        c->guess[i].at = nz_float_limit(at, most);
    }
}

static void guess_stack(const audio *m, channel *c, float most)
{
    guess *g = c->guess;
    const float base = g[SQUARES].at;
    unsigned n = 0;
    for (unsigned i = 0; i < m->guesses; i++)
        if (i < STACK || i > SQUARES)
            c->stack_input[n++] = g[i].at - base;
    g[STACK].at = nz_float_limit(base + nz_ols_predict(&c->stack, c->stack_input), most);
    for (unsigned i = 1; i < MEMORIES; i++)
        g[STACK + i].at = g[STACK].at;
}

static void measure(guess *g)
{
    float e = g->error > ERROR_MIN ? g->error : ERROR_MIN;
    g->scale = UNIT / e;
    g->size = (nz_float_bits(e) - nz_float_bits(ERROR_MIN)) >> 21;
}

static void begin_sample(audio *m)
{
    channel *c = m->now;
    const float most = (float)m->silence, w = (float)before(c, 1), ww = (float)before(c, 2);
    guess_squares(m, most);
    guess_cascade(c, most);
    c->guess[LAST].at = w;
    c->guess[SLOPE].at = nz_float_limit(2 * w - ww, most);
    guess_stack(m, c, most);
    for (unsigned i = 0; i < m->guesses; i++)
        measure(&c->guess[i]);
}

static void begin(void *expert, const uint8_t *raw, uint32_t pos)
{
    audio *m = expert;
    const nz_sound *s = &m->sound;
    (void)raw;
    m->inside = pos >= s->first;
    if (!m->inside)
        return;
    uint32_t at = (pos - s->first) / s->width;
    m->place = (pos - s->first) % s->width;
    if (m->place > 0)
        return;
    m->now = &m->channels[at % s->channels];
    m->other = &m->channels[(at + s->channels - 1) % s->channels];
    m->prefix = 0;
    begin_sample(m);
}

static void contexts(const void *expert, uint64_t *slot, uint32_t stage[NZ_EXPERT_STAGES])
{
    const audio *m = expert;
    const channel *c = m->now;
    const guess *g = c->guess;
    const unsigned low = m->bits - 8;
    const int32_t last = before(c, 1), beside = before(m->other, 1);
    const uint32_t w = (uint32_t)(last >> low), ww = (uint32_t)(before(c, 2) >> low);
    const uint32_t www = (uint32_t)(before(c, 3) >> low), wwww = (uint32_t)(before(c, 4) >> low);
    const uint32_t best = (uint32_t)((int)g[STACK].at >> low), size = (uint32_t)g[STACK].size;
    const uint32_t square = (uint32_t)((int)g[SQUARES + 1].at >> low);
    const uint32_t since = c->since < SINCE_MAX ? c->since : SINCE_MAX;
    const uint32_t place = m->inside ? m->place : NZ_SOUND_WIDTH_MAX;
    const uint32_t here = m->prefix << 2 | place;
    uint64_t all[SLOTS];
    list l = {all, 0};
    add(&l, place);
    add(&l, here);
    add(&l, pair(w, here));
    add(&l, pair(h2(w, ww), here));
    add(&l, pair(best / 4, here));
    add(&l, pair(h2(best / 8, size), here));
    add(&l, pair((uint32_t)beside, here));
    add(&l, pair(h2(w, (uint32_t)beside), here));
    add(&l, pair(w - ww, here));
    add(&l, pair(h3(w, ww, www), here));
    add(&l, pair(h2(h3(w, ww, www), wwww), here));
    add(&l, pair(h2(best, w), here));
    add(&l, pair(h3(best, w, ww), here));
    add(&l, pair(h2(w - ww, ww - www), here));
    add(&l, pair(ww, here));
    add(&l, pair(h2(best, size), here));
    add(&l, pair(square, here));
    add(&l, pair(h2(square, w), here));
    add(&l, pair(h2(w, www), here));
    add(&l, pair(h3(w / 4, ww / 4, www / 4), here));
    add(&l, pair(h3(best / 2, square / 2, size), here));
    memcpy(slot, all, m->slots * sizeof *slot);
    const uint32_t stages[NZ_EXPERT_STAGES] = {
        size,
        0,
        m->prefix,
        w,
        since,
        (uint32_t)g[SQUARES].size,
        (uint32_t)g[LAST].size,
        (uint32_t)last & 255,
    };
    for (unsigned i = 0; i < NZ_EXPERT_STAGES; i++)
        stage[i] = stages[i] << 2 | place;
}

/* ---- A bit ---- */

static uint32_t clip(int v, uint32_t max)
{
    return v < 0 ? 0 : (uint32_t)v > max ? max : (uint32_t)v;
}

/* What learns from the bit; its opinion. */
static int16_t ask(audio *m, uint32_t *p)
{
    m->used[m->useds++] = p;
    return (int16_t)nz_stretch(m->numeric, *p >> 20);
}

/* As long as the bits are those of the last sample. */
static void ask_same(audio *m, int16_t *x, uint32_t known, uint32_t bit, unsigned left)
{
    const channel *c = m->now;
    const uint32_t last = (uint32_t)(before(c, 1) + m->silence), next = last >> (left - 1) & 1;
    const uint32_t since = c->since < SINCE_MAX ? c->since : SINCE_MAX;
    memset(x, 0, 2 * SAME * sizeof *x);
    if (last >> left != known)
        return;
    x[0] = ask(m, &m->same[since][c->gap > c->since][next][bit]);
    x[2] = ask(m, &m->again[c->since == c->gap][next][bit]);
}

static void predict(void *expert, int16_t *x, uint32_t row[NZ_EXPERT_SETS], uint32_t c0,
                    uint32_t bit)
{
    audio *m = expert;
    m->useds = 0;
    if (!m->inside) {
        memset(x, 0, 2 * (m->guesses + SAME) * sizeof *x);
        memset(row, 0, NZ_EXPERT_SETS * sizeof *row);
        return;
    }
    const guess *g = m->now->guess;
    const uint32_t known = m->prefix << bit | (c0 ^ 1u << bit);
    bit += 8 * m->place;
    const unsigned left = m->bits - bit;
    const float middle = (float)((int32_t)((2 * known + 1) << (left - 1)) - m->silence) - .5f;
    uint32_t class[GUESSES];
    for (unsigned i = 0; i < m->guesses; i++, x += 2) {
        float offset = nz_float_limit((middle - g[i].at) * g[i].scale, OFFSET_MAX - 1);
        uint32_t ratio = clip(2 * (int)left + 2 - g[i].size / 2 + SHORTEST, RATIOS - 1);
        class[i] = m->offset_class[(int)offset + OFFSET_MAX];
        uint32_t *p = &m->maps[i][ratio][class[i]];
        x[0] = ask(m, p);
        x[1] = (int16_t)((int32_t)(*p >> 21) - 1024);
    }
    ask_same(m, x, known, bit, left);
    row[0] = clip(g[STACK].size / 2, 31) * BITS + bit;
    row[1] = clip((g[LAST].size - g[STACK].size) / 2 + 2, 15) * BITS + bit;
    row[2] = class[STACK] / 2 * BITS + bit;
    row[3] = class[SQUARES] / 8 * 16 + class[0] / 8;
}

static void learn(void *expert, int bit)
{
    audio *m = expert;
    for (unsigned i = 0; i < m->useds; i++)
        nz_adapt_update(m->used[i], bit, MAP_LIMIT);
}

/* ---- A sample is known ---- */

/* Errors count in units of the usual one, so that loud moments do not rule. */
static void learn_predictors(const audio *m, channel *c, float at)
{
    guess *g = c->guess;
    const float weight = 64.0f / (g[STACK].error + ERROR_MIN);
    float rest = at - g[SQUARES].at;
    nz_ols_learn(&c->stack, c->stack_input, rest, weight);
    for (unsigned i = 0; i < LMSS; i++) {
        nz_lms_learn(&c->lms[i], c->rest[i], rest);
        rest -= c->rest[i];
    }
    for (unsigned i = 0; i < m->olss; i++)
        nz_ols_learn(&c->ols[i], c->ols_input[i], at, weight);
    for (unsigned i = 0; i < m->guesses; i++) {
        float e = at - g[i].at, rate = memories[i > STACK && i < SQUARES ? i - STACK : 0];
        g[i].error += rate * ((e < 0 ? -e : e) - g[i].error);
    }
}

static void remember(channel *c, int32_t sample)
{
    c->since++;
    if (sample == before(c, 1)) {
        c->gap = c->since;
        c->since = 0;
    }
    if (c->at == 2 * PAST) {
        memcpy(c->past, c->past + PAST, PAST * sizeof *c->past);
        c->at = PAST;
    }
    c->past[c->at++] = sample;
}

static void known(void *expert, uint8_t byte)
{
    audio *m = expert;
    if (!m->inside)
        return;
    m->prefix = m->prefix << 8 | byte;
    if (m->place + 1 < m->sound.width)
        return;
    int32_t sample = (int32_t)m->prefix - m->silence;
    learn_predictors(m, m->now, (float)sample);
    remember(m->now, sample);
}

const nz_expert nz_audio = {
    .new = create,
    .free = release,
    .memory = memory,
    .inputs = inputs,
    .slots = slots,
    .plain = 0x1e,
    .begin = begin,
    .contexts = contexts,
    .predict = predict,
    .learn = learn,
    .known = known,
};
