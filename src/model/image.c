#include "image.h"

#include "backend/adapt.h"
#include "backend/kern_float.h"
#include "lsq.h"
#include "numeric.h"

#include <stdlib.h>

enum {
    ONE = 16, /* a grey level, in predictions */
    LSQS = 3,
    BLEND = LSQS, /* of all other guesses */
    BEST,         /* the same less its usual error */
    MEDIAN,
    SIMPLE,                /* those of one plane */
    COLOUR = SIMPLE + 14,  /* those that look at the planes before */
    COLOUR2 = COLOUR + 10, /* both of them */
    GUESSES = COLOUR2 + 4,
    OFFSETS = 128,    /* classes of the distance from an interval's middle to a guess */
    ERRORS = 16,      /* classes of errors nearby */
    WIDE_ERRORS = 32, /* the same of 16-bit samples */
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
    uint32_t row, first, pixel; /* as in nz_raster */
    uint32_t bytes, planes;     /* of a sample; of a pixel */
    uint32_t classes;           /* of errors */
    int white, error_most;      /* what guesses and errors are limited to */
    uint32_t pos;               /* of the sample */
    uint32_t plane, column;     /* of it */
    uint32_t part, high;        /* which of its bytes is next; the one before */
    unsigned lsqs, slots;
    plane_lsq lsq[NZ_PLANES_MAX][LSQS];
    float base; /* least squares predict the difference from it */

    int w, n, nw, ne, ww, nn, nne, nnn; /* samples to the west, the north ... */
    int p, pw, pn, q;                   /* of the plane before: here, west, north; before that */
    unsigned guesses;                   /* of this plane */
    guess guess[GUESSES];
    uint16_t (*errors)[GUESSES]; /* [mask + 1] of the last bytes, in quarters */
    uint32_t mask;
    int32_t bias[NZ_PLANES_MAX][PATTERNS][WIDE_ERRORS][2]; /* sum and number of BLEND's errors */
    int32_t *usual;                                        /* those like here */

    uint8_t offset_class[2 * 256 * ONE];
    uint8_t error_class[ENERGY_MAX + 1];
    uint32_t (*maps)[OFFSETS]; /* [guesses][classes][8 * bytes] */
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

static uint32_t planes_of(const nz_raster *r)
{
    return r->pixel / nz_sample_bytes(r->sample);
}

static size_t maps_of(const nz_raster *r)
{
    return guesses_of(planes_of(r)) * (nz_sample_bytes(r->sample) > 1 ? WIDE_ERRORS : ERRORS) * 8 *
           nz_sample_bytes(r->sample);
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
        sum += planes_of(r) * nz_lsq_memory(lsqs[i].inputs, width_of(r));
    sum += sizeof *((image *)0)->errors * ring_of(r);
    return sum + sizeof *((image *)0)->maps * maps_of(r);
}

static size_t inputs(const nz_shape *s, int tier)
{
    (void)tier;
    return 2 * (size_t)guesses_of(planes_of(&s->content.raster));
}

static unsigned slots(const nz_shape *s, int tier)
{
    static const uint8_t grey[3] = {8, 12, SLOTS_GREY}, more[3] = {4, 8, SLOTS - SLOTS_GREY};
    return grey[tier] + (planes_of(&s->content.raster) > 1 ? more[tier] : 0u);
}

static void add_input(plane_lsq *l, unsigned k, const image *m, int plane, int of, step s)
{
    l->back[k] =
        (uint32_t)(s.up * (int)m->row + s.left * (int)m->pixel + (plane - of) * (int)m->bytes);
    l->plane[k] = (uint8_t)of;
}

/* Neighbours in the planes before, in those behind, and in its own until there are enough. */
static int start_lsq(image *m, int plane, unsigned i)
{
    plane_lsq *l = &m->lsq[plane][i];
    const unsigned inputs = lsqs[i].inputs;
    unsigned k = 0, planes = m->planes < 3 ? m->planes : 3;
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

/* log2 of v, with `more` bits after the point. */
static uint32_t log_class(uint32_t v, uint32_t more)
{
    if (v < 2u << more)
        return v;
    uint32_t whole = 31 - (uint32_t)__builtin_clz(v);
    return ((whole - more) << more) + (v >> (whole - more));
}

static uint32_t error_class(const image *m, uint32_t near)
{
    return m->bytes > 1 ? log_class(near, 1) : m->error_class[near];
}

static uint32_t class_of(const image *m, int offset)
{
    if (m->bytes == 1)
        return m->offset_class[offset + 256 * ONE];
    uint32_t class = log_class((uint32_t)abs(offset) / 4, 2);
    class = class > 63 ? 63 : class;
    return offset < 0 ? 63 - class : 64 + class;
}

/* Every map starts with the logistic distribution that the errors nearby suggest. */
static void start_maps(image *m, unsigned guesses)
{
    enum { STRETCH_MAX = 1700, COUNT = 2 };
    static const uint16_t width[ERRORS] = {4,  6,  8,  11,  14,  18,  24,  32,
                                           44, 60, 80, 110, 150, 210, 300, 400};
    const uint32_t bits = 8 * m->bytes, each = m->classes * bits;
    const int most = m->white + ONE;
    for (int offset = -most; offset < most; offset++) {
        uint32_t class = class_of(m, offset);
        if (offset + 1 < most && class_of(m, offset + 1) == class)
            continue;
        for (uint32_t e = 0; e < m->classes; e++) {
            int wide = ((2 + (int)(e & 1)) << (e / 2)) / 2 + 2;
            int64_t st = (int64_t)offset * 2 * NZ_STRETCH_UNIT / (m->bytes > 1 ? wide : width[e]);
            st = st > STRETCH_MAX ? STRETCH_MAX : st < -STRETCH_MAX ? -STRETCH_MAX : st;
            uint32_t p = (uint32_t)nz_squash(m->numeric, (int)st) << 6;
            for (uint32_t bit = 0; bit < bits; bit++)
                m->maps[e * bits + bit][class] = nz_adapt_start(p, COUNT);
        }
    }
    for (unsigned i = 1; i < guesses; i++)
        memcpy(m->maps + i * each, m->maps, each * sizeof *m->maps);
}

static void release(void *expert)
{
    image *m = expert;
    if (!m)
        return;
    for (uint32_t plane = 0; plane < m->planes; plane++)
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
    unsigned guesses = guesses_of(planes_of(r));
    bool wide = nz_sample_bytes(r->sample) > 1;
    uint32_t ring = ring_of(r);
    *m = (image){.numeric = nz_numeric_get(),
                 .row = r->row,
                 .first = r->first,
                 .pixel = r->pixel,
                 .bytes = nz_sample_bytes(r->sample),
                 .planes = planes_of(r),
                 .white = (wide ? 65535 : 255) * ONE,
                 .classes = wide ? WIDE_ERRORS : ERRORS,
                 .error_most = wide ? 16383 : 255,
                 .lsqs = lsqs_of(tier),
                 .slots = slots(s, tier),
                 .mask = ring - 1};
    int bad = !(m->errors = calloc(ring, sizeof *m->errors));
    bad |= !(m->maps = malloc(maps_of(r) * sizeof *m->maps));
    for (int plane = 0; plane < (int)m->planes; plane++)
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
    if (back > m->pos)
        return 0;
    const uint8_t *at = m->raw + (m->pos - back);
    return m->bytes > 1 ? at[0] << 8 | at[1] : at[0];
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
    const uint32_t x = m->pixel, y = m->row, z = m->bytes;
    m->w = sample(m, x);
    m->n = sample(m, y);
    m->nw = sample(m, y + x);
    m->ne = sample(m, y - x);
    m->ww = sample(m, 2 * x);
    m->nn = sample(m, 2 * y);
    m->nne = sample(m, 2 * y - x);
    m->nnn = sample(m, 3 * y);
    m->p = m->plane > 0 ? sample(m, z) : 0;
    m->pw = m->plane > 0 ? sample(m, x + z) : 0;
    m->pn = m->plane > 0 ? sample(m, y + z) : 0;
    m->q = m->plane > 1 ? sample(m, 2 * z) : 0;
}

static void guess_squares(image *m)
{
    float base[NZ_PLANES_MAX], input[NZ_LSQ_MAX];
    for (uint32_t of = 0; of < m->planes; of++) {
        uint32_t back = (m->plane - of) * m->bytes;
        base[of] = (float)(sample(m, m->pixel + back) + sample(m, m->row + back)) * .5f;
    }
    m->base = base[m->plane];
    for (unsigned i = 0; i < m->lsqs; i++) {
        plane_lsq *l = &m->lsq[m->plane][i];
        for (unsigned k = 0; k < l->lsq.inputs; k++)
            input[k] = (float)sample(m, l->back[k]) - base[l->plane[k]];
        float v = m->base + nz_lsq_predict(&l->lsq, m->column / m->pixel, input);
        m->guess[i].at = clip((int)(nz_float_limit(v, (float)m->white) * ONE), m->white);
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
    const uint32_t x = m->pixel, y = m->row, z = m->bytes;
    const int w = m->w, n = m->n, nw = m->nw, ne = m->ne, ww = m->ww, nn = m->nn, nne = m->nne;
    const int p = m->p, pw = m->pw, pn = m->pn;
    guess *g = m->guess + MEDIAN;
    int middle = median(w, n, w + n - nw);
#define GUESS(v) (g++)->at = clip(v, m->white)
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
        int pnw = sample(m, y + x + z), pne = sample(m, y - x + z);
        int pww = sample(m, 2 * x + z), pnn = sample(m, 2 * y + z);
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
        int q = m->q, qw = sample(m, x + 2 * z), qn = sample(m, y + 2 * z),
            qnw = sample(m, y + x + 2 * z);
        int pnw = sample(m, y + x + z);
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
    const uint16_t *w = m->errors[(pos - x) & mask], *n = m->errors[(pos - y) & mask];
    const uint16_t *nw = m->errors[(pos - y - x) & mask], *ne = m->errors[(pos - y + x) & mask];
    const uint16_t *ww = m->errors[(pos - 2 * x) & mask], *nn = m->errors[(pos - 2 * y) & mask];
    for (unsigned i = 0; i < m->guesses; i++) {
        uint32_t near = 2u * w[i] + 2u * n[i] + nw[i] + ne[i] + ww[i] + nn[i];
        m->guess[i].near = near;
        m->guess[i].error = error_class(m, near / 2);
    }
}

/* All guesses together, weighted by the cube of their errors' inverse; and the same less the mean
 * error where the neighbours compare with that in the same way. */
static void blend(image *m)
{
    guess *g = m->guess;
    uint64_t sum = 0, total = 0;
    uint32_t least = g[0].near;
    for (unsigned i = 0; i < m->guesses; i++)
        least = g[i].near < least && i != BLEND && i != BEST ? g[i].near : least;
    for (unsigned i = 0; i < m->guesses; i++) {
        if (i == BLEND || i == BEST)
            continue;
        uint64_t ratio = ((least + 4) << 10) / (g[i].near + 4), weight = ratio * ratio * ratio;
        sum += weight * (uint32_t)g[i].at;
        total += weight;
    }
    int v = (int)(sum / total), grey = v / ONE;
    unsigned pattern = (unsigned)((m->w > grey) | (m->n > grey) << 1 | (m->nw > grey) << 2 |
                                  (m->ne > grey) << 3 | (m->ww > grey) << 4 | (m->nn > grey) << 5);
    m->usual = m->bias[m->plane][pattern][g[BLEND].error];
    g[BLEND].at = v;
    g[BEST].at = clip(v + (m->usual[1] ? m->usual[0] / m->usual[1] : 0), m->white);
}

static void begin(void *expert, const uint8_t *raw, uint32_t pos)
{
    image *m = expert;
    uint32_t column = (pos + m->row - m->first) % m->row;
    m->part = column % m->bytes;
    if (m->part > 0 && pos > 0) { /* the guesses stay */
        m->high = raw[pos - 1];
        return;
    }
    m->raw = raw;
    m->pos = pos;
    m->high = 0;
    m->column = column;
    m->plane = column % m->pixel / m->bytes;
    if (column < m->pixel)
        for (unsigned i = 0; i < m->lsqs; i++)
            nz_lsq_turn(&m->lsq[m->plane][i].lsq);
    look_around(m);
    guess_squares(m);
    m->guesses = guess_simply(m);
    look_at_errors(m);
    blend(m);
}

/* A guess as one of the next byte. */
static uint32_t fine(const image *m, int at)
{
    if (m->bytes > 1)
        at = m->part ? at - (int)m->high * 256 * ONE : at / 256;
    return (uint32_t)clip(at, 255 * ONE);
}

static uint32_t byte_of(const image *m, int v)
{
    return fine(m, v * ONE) / ONE;
}

static void contexts(const void *expert, uint64_t *slot, uint32_t stage[NZ_EXPERT_STAGES])
{
    const image *m = expert;
    const guess *g = m->guess;
    const uint32_t w = byte_of(m, m->w), n = byte_of(m, m->n), nw = byte_of(m, m->nw);
    const uint32_t ne = byte_of(m, m->ne), ww = byte_of(m, m->ww), nn = byte_of(m, m->nn);
    const uint32_t nne = byte_of(m, m->nne), nnn = byte_of(m, m->nnn);
    const uint32_t p = byte_of(m, m->p), q = byte_of(m, m->q);
    const uint32_t along = byte_of(m, m->w + m->p - m->pw), down = byte_of(m, m->n + m->p - m->pn);
    const uint32_t best = fine(m, g[BEST].at), grey = fine(m, g[BLEND].at) / ONE;
    const uint32_t square = fine(m, g[0].at), middle = fine(m, g[MEDIAN].at);
    const uint32_t error = g[BEST].error;
    /* In colour the planes before are what pays first. */
    static const uint8_t colour[SLOTS] = {21, 17, 20, 22, 18, 19, 0,  24, 25, 2,  4,  23, 7,  26,
                                          1,  3,  5,  6,  8,  9,  10, 11, 12, 13, 14, 15, 16, 27};
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
        n | nn << 8 | nnn << 16,
        grey >> 2 | middle / 64 << 8 | square / 64 << 16,
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
        w | ne << 8 | nne << 16,
    };
    const uint32_t place = m->plane * 2 + m->part;
    for (unsigned i = 0; i < m->slots; i++)
        slot[i] =
            (context[m->planes > 1 ? colour[i] : i] << 3 | place) * UINT64_C(0x9E3779B97F4A7C15) +
            (i + 1) * UINT64_C(0xD6E8FEB86659FD93);
    const uint32_t stages[NZ_EXPERT_STAGES] = {
        error,
        best / 4,
        best / 16 | error << 8,
        w | n << 8,
        square / 8,
        fine(m, g[1].at) / 8,
        m->plane > 0 ? p | best / 16 << 8 : nw | ne << 8,
        middle / ONE | error << 8,
    };
    for (unsigned i = 0; i < NZ_EXPERT_STAGES; i++)
        stage[i] = stages[i] << 3 | place;
}

/* ---- A bit ---- */

static void predict(void *expert, int16_t *x, uint32_t row[NZ_EXPERT_SETS], uint32_t c0,
                    uint32_t bit)
{
    image *m = expert;
    const guess *g = m->guess;
    const uint32_t bits = 8 * m->bytes, k = 8 * m->part + bit, each = m->classes * bits;
    const int known = (int)(m->high << bit | (c0 ^ 1u << bit));
    const int middle = (known << (bits - k)) * ONE + (1 << (bits - 1 - k)) * ONE - ONE / 2;
    for (unsigned i = 0; i < m->guesses; i++, x += 2) {
        uint32_t *v = &m->maps[i * each + g[i].error * bits + k][class_of(m, g[i].at - middle)];
        m->used[i] = v;
        x[0] = (int16_t)nz_stretch(m->numeric, *v >> 20);
        x[1] = (int16_t)((int32_t)(*v >> 21) - 1024);
    }
    memset(x, 0, (guesses_of(m->planes) - m->guesses) * 2 * sizeof *x);
    uint32_t apart = class_of(m, g[MEDIAN].at - g[0].at) / 8u,
             blended = class_of(m, g[BLEND].at - g[0].at) / 8u;
    uint32_t best = class_of(m, g[BEST].at - middle) / 8u,
             median = class_of(m, g[MEDIAN].at - middle) / 8u;
    const uint32_t half = k / m->bytes;
    row[0] = (g[BEST].error * NZ_PLANES_MAX + m->plane) * bits + k;
    row[1] = (g[0].error / m->bytes * ERRORS + g[MEDIAN].error / m->bytes) * 8 + half;
    row[2] = (apart * 16 + blended) * 8 + half;
    row[3] = (best * 16 + median) * 8 + half;
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
    if (m->part + 1 < m->bytes)
        return;
    const int sample = (int)(m->high << 8) | byte, v = sample * ONE;
    uint16_t *errors = m->errors[m->pos & m->mask];
    for (unsigned i = 0; i < m->guesses; i++)
        errors[i] = (uint16_t)clip(abs(v - m->guess[i].at) / 4, m->error_most);
    m->usual[0] += v - m->guess[BLEND].at;
    if (++m->usual[1] == BIAS_LIMIT) {
        m->usual[0] /= 2;
        m->usual[1] /= 2;
    }
    /* Where much is wrong, little can be learned. */
    float near = (float)m->guess[BEST].near / 32.0f, weight = 64.0f / (64.0f + near * near);
    for (unsigned i = 0; i < m->lsqs; i++)
        nz_lsq_learn(&m->lsq[m->plane][i].lsq, m->column / m->pixel, (float)sample - m->base,
                     weight);
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
