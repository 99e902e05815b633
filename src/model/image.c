#include "image.h"

#include "backend/adapt.h"
#include "backend/kern_float.h"
#include "lsq.h"
#include "numeric.h"

#include <stdlib.h>

enum {
    ONE = 16, /* a grey level, in predictions */
    WHITE = 255 * ONE,
    LSQS = 3,
    BLEND = LSQS, /* of all other guesses */
    BEST,         /* the same less its usual error */
    MEDIAN,
    SIMPLE,                /* those of one plane */
    COLOUR = SIMPLE + 14,  /* those that look at the planes before */
    COLOUR2 = COLOUR + 10, /* both of them */
    GUESSES = COLOUR2 + 4,
    OFFSETS = 128, /* classes of the distance from an interval's middle to a guess */
    ERRORS = 16,   /* classes of errors nearby */
    ENERGY_MAX = 1023,
    MAP_LIMIT = 1023,
    PATTERNS = 64,
    BIAS_LIMIT = 64,
    SLOTS = 28, /* at most */
    SLOTS_GREY = 17,
};

/* A pixel to the left, and up. */
typedef struct step {
    int8_t left, up;
} step;

/* From near to far. */
static const step around[] = {
    {1, 0}, {0, 1},  {1, 1}, {-1, 1}, {2, 0}, {0, 2},  {-1, 2}, {1, 2},  {2, 1}, {-2, 1},
    {2, 2}, {-2, 2}, {3, 0}, {0, 3},  {3, 1}, {-3, 1}, {1, 3},  {-1, 3}, {3, 2}, {-3, 2},
    {2, 3}, {-2, 3}, {4, 0}, {0, 4},  {4, 1}, {-4, 1}, {3, 3},  {-3, 3},
};
static const step beside[] = {{0, 0}, {1, 0}, {0, 1}, {1, 1}, {-1, 1}, {2, 0}, {0, 2}};

static const struct {
    uint8_t inputs;
    uint8_t known;   /* neighbours in each plane known already */
    uint8_t unknown; /* and in each that is not */
    float decay;
} lsqs[LSQS] = {{20, 6, 1, .85f}, {10, 3, 0, .7f}, {30, 7, 1, .95f}};

typedef struct plane_lsq {
    nz_lsq lsq;
    uint32_t back[NZ_LSQ_MAX]; /* where each input is */
    uint8_t plane[NZ_LSQ_MAX]; /* and in which plane */
} plane_lsq;

typedef struct guess {
    int at;         /* the predicted sample, in 1 / ONE */
    uint32_t near;  /* sum of its errors nearby */
    uint32_t error; /* class of it */
} guess;

typedef struct image {
    const nz_numeric *numeric;
    const uint8_t *raw;
    uint32_t pos, row, first, pixel; /* as in nz_raster */
    uint32_t plane, column;          /* of the next byte */
    unsigned lsqs, slots;
    plane_lsq lsq[NZ_PIXEL_MAX][LSQS];
    float base; /* least squares predict the difference from it */

    int w, n, nw, ne, ww, nn, nne, nnn; /* samples to the west, the north ... */
    int p, pw, pn, q;                   /* of the plane before: here, west, north; before that */
    unsigned guesses;                   /* of this plane */
    guess guess[GUESSES];
    uint8_t (*errors)[GUESSES]; /* [mask + 1] of the last bytes, in quarters */
    uint32_t mask;
    int32_t bias[NZ_PIXEL_MAX][PATTERNS][ERRORS][2]; /* sum and number of BLEND's errors */
    int32_t *usual;                                  /* those like here */

    uint8_t offset_class[2 * 256 * ONE];
    uint8_t error_class[ENERGY_MAX + 1];
    uint32_t (*maps)[ERRORS][8][OFFSETS];
    uint32_t *used[GUESSES];
} image;

/* ---- Start ---- */

static unsigned lsqs_of(int tier)
{
    return (unsigned)tier + 1;
}

static unsigned guesses_of(uint32_t planes)
{
    return planes < 2 ? COLOUR : planes < 3 ? COLOUR2 : GUESSES;
}

static uint32_t width_of(const nz_raster *r)
{
    return r->row / r->pixel + 1u;
}

/* Bytes whose errors are remembered: the row above and both its neighbours. */
static uint32_t ring_of(const nz_raster *r)
{
    uint32_t ring = 1;
    while (ring < 3u * r->row)
        ring *= 2;
    return ring;
}

static uint64_t memory(const nz_shape *s, int tier)
{
    const nz_raster *r = &s->content.raster;
    uint64_t sum = sizeof(image);
    for (unsigned i = 0; i < lsqs_of(tier); i++)
        sum += r->pixel * nz_lsq_memory(lsqs[i].inputs, width_of(r));
    sum += sizeof *((image *)0)->errors * ring_of(r);
    return sum + sizeof *((image *)0)->maps * guesses_of(r->pixel);
}

static size_t inputs(const nz_shape *s, int tier)
{
    (void)tier;
    return 2 * (size_t)guesses_of(s->content.raster.pixel);
}

static unsigned slots(const nz_shape *s, int tier)
{
    static const uint8_t grey[3] = {8, 12, SLOTS_GREY}, more[3] = {4, 8, SLOTS - SLOTS_GREY};
    return grey[tier] + (s->content.raster.pixel > 1 ? more[tier] : 0u);
}

static void add_input(plane_lsq *l, unsigned k, const image *m, int plane, int of, step s)
{
    l->back[k] = (uint32_t)(s.up * (int)m->row + s.left * (int)m->pixel + plane - of);
    l->plane[k] = (uint8_t)of;
}

/* Neighbours in the planes before, in those behind, and in its own until there are enough. */
static int start_lsq(image *m, int plane, unsigned i)
{
    plane_lsq *l = &m->lsq[plane][i];
    const unsigned inputs = lsqs[i].inputs;
    unsigned k = 0, planes = m->pixel < 3 ? m->pixel : 3;
    for (unsigned j = 0; j < lsqs[i].known; j++)
        for (int of = 0; of < plane; of++)
            if (k < inputs)
                add_input(l, k++, m, plane, of, beside[j]);
    for (unsigned j = 0; j < lsqs[i].unknown; j++)
        for (unsigned of = (unsigned)plane + 1; of < planes; of++)
            add_input(l, k++, m, plane, (int)of, beside[1 + j]);
    for (unsigned j = 0; k < inputs && j < sizeof around / sizeof around[0]; j++)
        add_input(l, k++, m, plane, plane, around[j]);
    return nz_lsq_new(&l->lsq, k, m->row / m->pixel + 1, lsqs[i].decay);
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

static void start_classes(image *m)
{
    static const uint16_t limit[ERRORS] = {2,  4,  6,   9,   13,  18,  25,  35,
                                           50, 70, 100, 140, 200, 280, 400, ENERGY_MAX + 1};
    for (int i = 0; i < 512 * ONE; i++)
        m->offset_class[i] = (uint8_t)offset_class(i - 256 * ONE);
    for (unsigned i = 0, class = 0; i <= ENERGY_MAX; i++) {
        class += i >= limit[class];
        m->error_class[i] = (uint8_t) class;
    }
}

/* Every map starts with the logistic distribution that the errors nearby suggest. */
static void start_maps(image *m, unsigned guesses)
{
    enum { STRETCH_MAX = 1700, COUNT = 2 };
    static const uint16_t width[ERRORS] = {4,  6,  8,  11,  14,  18,  24,  32,
                                           44, 60, 80, 110, 150, 210, 300, 400};
    for (int offset = -256 * ONE; offset < 256 * ONE; offset++) {
        uint32_t class = m->offset_class[offset + 256 * ONE];
        for (uint32_t e = 0; e < ERRORS; e++) {
            int st = offset * 2 * NZ_STRETCH_UNIT / width[e];
            st = st > STRETCH_MAX ? STRETCH_MAX : st < -STRETCH_MAX ? -STRETCH_MAX : st;
            uint32_t p = (uint32_t)nz_squash(m->numeric, st) << 6;
            for (uint32_t bit = 0; bit < 8; bit++)
                m->maps[0][e][bit][class] = nz_adapt_start(p, COUNT);
        }
    }
    for (unsigned i = 1; i < guesses; i++)
        memcpy(m->maps[i], m->maps[0], sizeof m->maps[0]);
}

static void release(void *expert)
{
    image *m = expert;
    if (!m)
        return;
    for (uint32_t plane = 0; plane < m->pixel; plane++)
        for (unsigned i = 0; i < m->lsqs; i++)
            nz_lsq_free(&m->lsq[plane][i].lsq);
    free(m->errors);
    free(m->maps);
    free(m);
}

static void *create(const nz_shape *s, int tier)
{
    const nz_raster *r = &s->content.raster;
    image *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    unsigned guesses = guesses_of(r->pixel);
    uint32_t ring = ring_of(r);
    *m = (image){.numeric = nz_numeric_get(),
                 .row = r->row,
                 .first = r->first,
                 .pixel = r->pixel,
                 .lsqs = lsqs_of(tier),
                 .slots = slots(s, tier),
                 .mask = ring - 1};
    int bad = !(m->errors = calloc(ring, sizeof *m->errors));
    bad |= !(m->maps = malloc(guesses * sizeof *m->maps));
    for (int plane = 0; plane < r->pixel; plane++)
        for (unsigned i = 0; i < m->lsqs; i++)
            bad |= start_lsq(m, plane, i);
    if (bad) {
        release(m);
        return NULL;
    }
    start_classes(m);
    start_maps(m, guesses);
    return m;
}

/* ---- A byte begins ---- */

NZ_INLINE int sample(const image *m, uint32_t back)
{
    return back <= m->pos ? m->raw[m->pos - back] : 0;
}

static int clip(int v, int max)
{
    return v < 0 ? 0 : v > max ? max : v;
}

static int median(int a, int b, int c)
{
    int low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

static void look_around(image *m)
{
    const uint32_t x = m->pixel, y = m->row;
    m->w = sample(m, x);
    m->n = sample(m, y);
    m->nw = sample(m, y + x);
    m->ne = sample(m, y - x);
    m->ww = sample(m, 2 * x);
    m->nn = sample(m, 2 * y);
    m->nne = sample(m, 2 * y - x);
    m->nnn = sample(m, 3 * y);
    m->p = m->plane > 0 ? sample(m, 1) : 0;
    m->pw = m->plane > 0 ? sample(m, x + 1) : 0;
    m->pn = m->plane > 0 ? sample(m, y + 1) : 0;
    m->q = m->plane > 1 ? sample(m, 2) : 0;
}

static void guess_squares(image *m)
{
    float base[NZ_PIXEL_MAX], input[NZ_LSQ_MAX];
    for (uint32_t of = 0; of < m->pixel; of++) {
        uint32_t back = m->plane - of;
        base[of] = (float)(sample(m, m->pixel + back) + sample(m, m->row + back)) * .5f;
    }
    m->base = base[m->plane];
    for (unsigned i = 0; i < m->lsqs; i++) {
        plane_lsq *l = &m->lsq[m->plane][i];
        for (unsigned k = 0; k < l->lsq.inputs; k++)
            input[k] = (float)sample(m, l->back[k]) - base[l->plane[k]];
        float v = m->base + nz_lsq_predict(&l->lsq, m->column / m->pixel, input);
        m->guess[i].at = clip((int)(nz_float_limit(v, 300.0f) * ONE), WHITE);
    }
    for (unsigned i = m->lsqs; i < LSQS; i++)
        m->guess[i].at = m->guess[0].at;
}

/* CALIC's gradient-adjusted prediction. */
static int gradient_adjusted(const image *m)
{
    int flat_row = abs(m->w - m->ww) + abs(m->n - m->nw) + abs(m->n - m->ne);
    int flat_column = abs(m->w - m->nw) + abs(m->n - m->nn) + abs(m->ne - m->nne);
    int edge = flat_column - flat_row;
    int w = m->w * ONE, n = m->n * ONE, v = (w + n) / 2 + (m->ne - m->nw) * (ONE / 4);
    return edge > 80    ? w
           : edge > 32  ? (v + w) / 2
           : edge > 8   ? (3 * v + w) / 4
           : edge < -80 ? n
           : edge < -32 ? (v + n) / 2
           : edge < -8  ? (3 * v + n) / 4
                        : v;
}

/* Returns how many there are. */
static unsigned guess_simply(image *m)
{
    const uint32_t x = m->pixel, y = m->row;
    const int w = m->w, n = m->n, nw = m->nw, ne = m->ne, ww = m->ww, nn = m->nn, nne = m->nne;
    const int p = m->p, pw = m->pw, pn = m->pn;
    guess *g = m->guess + MEDIAN;
    int middle = median(w, n, w + n - nw);
#define GUESS(v) (g++)->at = clip(v, WHITE)
    GUESS(middle * ONE);
    GUESS(w * ONE);
    GUESS(n * ONE);
    GUESS((w + n - nw) * ONE);
    GUESS((n + ne - nne) * ONE);
    GUESS((w + ne - n) * ONE);
    GUESS((2 * w - ww) * ONE);
    GUESS((2 * n - nn) * ONE);
    GUESS((w + sample(m, y - 2 * x)) * ONE / 2);
    GUESS((w + n + nw + ne) * ONE / 4);
    GUESS((3 * (w + n) - 2 * nw) * ONE / 4);
    GUESS((3 * (w - ww) + sample(m, 3 * x)) * ONE);
    GUESS((3 * (n - nn) + m->nnn) * ONE);
    GUESS((w + 2 * n - nw + ne - nne) * ONE / 2);
    GUESS(gradient_adjusted(m));
    if (m->plane > 0) {
        int pnw = sample(m, y + x + 1), pne = sample(m, y - x + 1);
        int pww = sample(m, 2 * x + 1), pnn = sample(m, 2 * y + 1);
        GUESS((w + p - pw) * ONE);
        GUESS((n + p - pn) * ONE);
        GUESS((w + n - nw + p - pw - pn + pnw) * ONE);
        GUESS((w + n + 2 * p - pw - pn) * ONE / 2);
        GUESS((middle + p - median(pw, pn, pw + pn - pnw)) * ONE);
        GUESS(p * ONE);
        GUESS((nw + p - pnw) * ONE);
        GUESS((ne + p - pne) * ONE);
        GUESS((2 * w - ww + p - 2 * pw + pww) * ONE);
        GUESS((2 * n - nn + p - 2 * pn + pnn) * ONE);
    }
    if (m->plane > 1) {
        int q = m->q, qw = sample(m, x + 2), qn = sample(m, y + 2), qnw = sample(m, y + x + 2);
        int pnw = sample(m, y + x + 1);
        GUESS((w + q - qw) * ONE);
        GUESS((n + q - qn) * ONE);
        GUESS((2 * (w + n + p + q) - pw - pn - qw - qn) * ONE / 4);
        GUESS((2 * (w + n - nw) + p - pw - pn + pnw + q - qw - qn + qnw) * ONE / 2);
    }
#undef GUESS
    return (unsigned)(g - m->guess);
}

/* How wrong each was around here. */
static void look_at_errors(image *m)
{
    const uint32_t x = m->pixel, y = m->row, pos = m->pos, mask = m->mask;
    const uint8_t *w = m->errors[(pos - x) & mask], *n = m->errors[(pos - y) & mask];
    const uint8_t *nw = m->errors[(pos - y - x) & mask], *ne = m->errors[(pos - y + x) & mask];
    const uint8_t *ww = m->errors[(pos - 2 * x) & mask], *nn = m->errors[(pos - 2 * y) & mask];
    for (unsigned i = 0; i < m->guesses; i++) {
        uint32_t near = 2u * w[i] + 2u * n[i] + nw[i] + ne[i] + ww[i] + nn[i];
        m->guess[i].near = near;
        m->guess[i].error = m->error_class[near / 2];
    }
}

/* All guesses together, weighted by the cube of their errors' inverse; then less the mean error
 * where the neighbours compare with that in the same way. */
static void blend(image *m)
{
    guess *g = m->guess;
    uint64_t sum = 0, total = 0;
    for (unsigned i = 0; i < m->guesses; i++) {
        if (i == BLEND || i == BEST)
            continue;
        uint64_t near = g[i].near + 4, weight = (UINT64_C(1) << 40) / (near * near * near);
        sum += weight * (uint32_t)g[i].at;
        total += weight;
    }
    int v = (int)(sum / total), grey = v / ONE;
    unsigned pattern = (unsigned)((m->w > grey) | (m->n > grey) << 1 | (m->nw > grey) << 2 |
                                  (m->ne > grey) << 3 | (m->ww > grey) << 4 | (m->nn > grey) << 5);
    m->usual = m->bias[m->plane][pattern][g[BLEND].error];
    g[BLEND].at = v;
    g[BEST].at = clip(v + (m->usual[1] ? m->usual[0] / m->usual[1] : 0), WHITE);
}

static void begin(void *expert, const uint8_t *raw, uint32_t pos)
{
    image *m = expert;
    m->raw = raw;
    m->pos = pos;
    m->column = (pos + m->row - m->first) % m->row;
    m->plane = m->column % m->pixel;
    if (m->column < m->pixel)
        for (unsigned i = 0; i < m->lsqs; i++)
            nz_lsq_turn(&m->lsq[m->plane][i].lsq);
    look_around(m);
    guess_squares(m);
    m->guesses = guess_simply(m);
    look_at_errors(m);
    blend(m);
}

static uint32_t eight(int v)
{
    return (uint32_t)clip(v, 255);
}

static void contexts(const void *expert, uint64_t *slot, uint32_t stage[NZ_EXPERT_STAGES])
{
    const image *m = expert;
    const guess *g = m->guess;
    const uint32_t w = (uint32_t)m->w, n = (uint32_t)m->n, nw = (uint32_t)m->nw,
                   ww = (uint32_t)m->ww;
    const uint32_t ne = (uint32_t)m->ne, nn = (uint32_t)m->nn, p = (uint32_t)m->p,
                   q = (uint32_t)m->q;
    const uint32_t best = (uint32_t)g[BEST].at, grey = (uint32_t)g[BLEND].at / ONE;
    const uint32_t error = g[BEST].error, square = (uint32_t)g[0].at;
    const uint32_t along = eight(m->w + m->p - m->pw), down = eight(m->n + m->p - m->pn);
    const uint64_t context[SLOTS] = {
        grey | error << 8,
        grey >> 1 | w >> 2 << 8 | n >> 2 << 16,
        w | n << 8,
        w >> 2 | n >> 2 << 8 | ne >> 2 << 16,
        square / 4,
        w | ww << 8,
        n | nn << 8,
        w | n << 8 | nw << 16,
        n | ne << 8,
        n | nw << 8,
        w | n << 8 | ne << 16 | nw << 24,
        w | ww << 8 | n << 16 | nn << 24,
        w >> 2 | n >> 2 << 8 | nw >> 2 << 16,
        0,
        square / 8 | error << 12,
        n | nn << 8 | (uint32_t)m->nnn << 16,
        grey >> 2 | (uint32_t)g[MEDIAN].at / 64 << 8 | square / 64 << 16,
        grey | p << 8,
        along | p << 8 | q << 16,
        down | p << 8 | q << 16,
        w | p << 8 | q << 16,
        grey | p << 8 | q << 16,
        p | w << 8 | n << 16,
        along | down << 8,
        w >> 1 | n >> 1 << 8 | p >> 1 << 16 | q >> 1 << 24,
        n | p << 8 | q << 16,
        p | q << 8,
        w | ne << 8 | (uint32_t)m->nne << 16,
    };
    for (unsigned i = 0; i < m->slots; i++)
        slot[i] = (context[i] << 2 | m->plane) * UINT64_C(0x9E3779B97F4A7C15) +
                  (i + 1) * UINT64_C(0xD6E8FEB86659FD93);
    const uint32_t stages[NZ_EXPERT_STAGES] = {
        error,
        best / 4,
        best / 16 | error << 8,
        w | n << 8,
        square / 8,
        (uint32_t)g[1].at / 8,
        m->plane > 0 ? p | best / 16 << 8 : nw | ne << 8,
        (uint32_t)g[MEDIAN].at / ONE | error << 8,
    };
    for (unsigned i = 0; i < NZ_EXPERT_STAGES; i++)
        stage[i] = stages[i] << 2 | m->plane;
}

/* ---- A bit ---- */

static void predict(void *expert, int16_t *x, uint32_t row[NZ_EXPERT_SETS], uint32_t c0,
                    uint32_t bit)
{
    image *m = expert;
    const guess *g = m->guess;
    int middle = ((int)(c0 << (8 - bit)) - 256 + (128 >> bit)) * ONE - ONE / 2;
    const uint8_t *class = m->offset_class + 256 * ONE, *offset = class - middle;
    for (unsigned i = 0; i < m->guesses; i++, x += 2) {
        uint32_t *v = m->used[i] = &m->maps[i][g[i].error][bit][offset[g[i].at]];
        x[0] = (int16_t)nz_stretch(m->numeric, *v >> 20);
        x[1] = (int16_t)((int32_t)(*v >> 21) - 1024);
    }
    memset(x, 0, (guesses_of(m->pixel) - m->guesses) * 2 * sizeof *x);
    uint32_t apart = class[g[MEDIAN].at - g[0].at] / 8u,
             blended = class[g[BLEND].at - g[0].at] / 8u;
    uint32_t best = offset[g[BEST].at] / 8u, median = offset[g[MEDIAN].at] / 8u;
    row[0] = (g[BEST].error * NZ_PIXEL_MAX + m->plane) * 8 + bit;
    row[1] = (g[0].error * ERRORS + g[MEDIAN].error) * 8 + bit;
    row[2] = (apart * 16 + blended) * 8 + bit;
    row[3] = (best * 16 + median) * 8 + bit;
}

static void learn(void *expert, int bit)
{
    image *m = expert;
    for (unsigned i = 0; i < m->guesses; i++)
        nz_adapt_update(m->used[i], bit, MAP_LIMIT);
}

static void known(void *expert, uint8_t byte)
{
    image *m = expert;
    const int v = byte * ONE;
    uint8_t *errors = m->errors[m->pos & m->mask];
    for (unsigned i = 0; i < m->guesses; i++)
        errors[i] = (uint8_t)clip(abs(v - m->guess[i].at) / 4, 255);
    m->usual[0] += v - m->guess[BLEND].at;
    if (++m->usual[1] == BIAS_LIMIT) {
        m->usual[0] /= 2;
        m->usual[1] /= 2;
    }
    /* Where much is wrong, little can be learned. */
    float near = (float)m->guess[BEST].near / 32.0f, weight = 64.0f / (64.0f + near * near);
    for (unsigned i = 0; i < m->lsqs; i++)
        nz_lsq_learn(&m->lsq[m->plane][i].lsq, m->column / m->pixel, (float)byte - m->base, weight);
}

const nz_expert nz_image = {
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
