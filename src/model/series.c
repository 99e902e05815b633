#include "series.h"

#include "backend/adapt.h"

#include <stdlib.h>

enum {
    GUESSES = NZ_SERIES_GUESSES,
    OF_RECORD = 5, /* the first of them, that know the period */
    COLUMNS = 64,
    ERRORS = 16,  /* classes of the usual error */
    OFFSETS = 96, /* of the distance from a guess to an interval's middle */
    ERROR_UNIT = 16,
    MAP_LIMIT = 255,
};

struct nz_series {
    const nz_numeric *numeric;
    uint32_t pos;
    uint8_t guess[GUESSES];
    uint16_t errors[COLUMNS][GUESSES]; /* the usual ones, in 1 / ERROR_UNIT */
    uint16_t *error[GUESSES];          /* those of this byte's column */
    uint8_t offset_class[256];
    uint32_t maps[GUESSES][ERRORS][8][OFFSETS];
    uint32_t (*map[GUESSES])[OFFSETS]; /* [8]: those of this byte's errors */
    uint32_t *used[GUESSES];
};

uint64_t nz_series_memory(void)
{
    return sizeof(nz_series);
}

/* Bytes are numbers modulo 256: what is far from one boundary may be near the other. */
static uint32_t offset_class(int offset)
{
    int a = offset < 0 ? -offset : offset;
    int c = a < 16 ? a : a < 112 ? 16 + (a - 16) / 6 : 32 + (a - 112);
    c = c > 47 ? 47 : c;
    return (uint32_t)(offset < 0 ? 47 - c : 48 + c);
}

/* Every map starts with the logistic distribution that the usual error suggests. */
static void start_maps(nz_series *s)
{
    enum { STRETCH_MAX = 1200, COUNT = 2 };
    for (int offset = -128; offset < 128; offset++) {
        uint32_t class = s->offset_class[offset & 255] = (uint8_t)offset_class(offset);
        for (int e = 0; e < ERRORS; e++) {
            int st = offset * 4 * NZ_STRETCH_UNIT / (2 + (1 << e / 2) * (2 + e % 2) / 2);
            st = st > STRETCH_MAX ? STRETCH_MAX : st < -STRETCH_MAX ? -STRETCH_MAX : st;
            uint32_t p = (uint32_t)nz_squash(s->numeric, st) << 6;
            for (int bit = 0; bit < 8; bit++)
                s->maps[0][e][bit][class] = nz_adapt_start(p, COUNT);
        }
    }
    for (int i = 1; i < GUESSES; i++)
        memcpy(s->maps[i], s->maps[0], sizeof s->maps[0]);
}

nz_series *nz_series_new(void)
{
    nz_series *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->numeric = nz_numeric_get();
    for (int i = 0; i < GUESSES; i++) {
        s->error[i] = &s->errors[0][i];
        s->used[i] = &s->maps[i][0][0][0];
    }
    start_maps(s);
    return s;
}

void nz_series_free(nz_series *s)
{
    free(s);
}

/* Where numbers begin and which of their bytes is highest is not known and need not be: any three
 * bytes are taken for the end of one, in both orders. */

/* The three bytes that end `back` positions before the next one, the last byte highest. */
static int32_t little(const nz_past *p, uint32_t back)
{
    return (int32_t)(nz_past_at(p, back) << 16 | nz_past_at(p, back + 1) << 8 |
                     nz_past_at(p, back + 2));
}

/* The last byte lowest. */
static int32_t big(const nz_past *p, uint32_t back)
{
    return (int32_t)(nz_past_at(p, back + 2) << 16 | nz_past_at(p, back + 1) << 8 |
                     nz_past_at(p, back));
}

/* The highest byte that brings a number nearest to v; the others are known. */
static uint8_t highest(const nz_past *p, int32_t v)
{
    int32_t known = (int32_t)((p->c4 & 0xff) << 8 | (p->c4 >> 8 & 0xff));
    return (uint8_t)((uint32_t)(v - known + 0x8000) >> 16);
}

/* The lowest byte that does. */
static uint8_t lowest(const nz_past *p, int32_t v)
{
    int32_t rest = v - (int32_t)((p->c4 & 0xffff) << 8);
    return (uint8_t)(rest < 0 ? 0 : rest > 255 ? 255 : rest);
}

/* As far from the number above as that is from the one above it. */
static uint8_t *go_on(uint8_t *g, const nz_past *p, uint32_t period)
{
    *g++ = highest(p, 2 * little(p, period) - little(p, 2 * period));
    *g++ = lowest(p, 2 * big(p, period) - big(p, 2 * period));
    return g;
}

/* Two classes for each power of two. */
static uint32_t error_class(uint32_t error)
{
    uint32_t e = error + 4, log = 31 - (uint32_t)__builtin_clz(e), half = e >> (log - 1) & 1;
    uint32_t c = (log - 2) * 2 + half;
    return c < ERRORS ? c : ERRORS - 1;
}

static void learn_errors(nz_series *s, uint8_t byte)
{
    for (int i = 0; i < GUESSES; i++) {
        int d = (int8_t)(uint8_t)(byte - s->guess[i]);
        *s->error[i] = (uint16_t)((*s->error[i] * 7 + (d < 0 ? -d : d) * ERROR_UNIT) / 8);
    }
}

void nz_series_begin(nz_series *s, const nz_past *p)
{
    if (p->pos == s->pos + 1) /* after a long match nothing was guessed */
        learn_errors(s, (uint8_t)p->c4);
    s->pos = p->pos;
    uint32_t above = nz_past_at(p, p->period), above2 = nz_past_at(p, 2 * p->period);
    uint8_t *g = s->guess;
    *g++ = (uint8_t)above;
    *g++ = (uint8_t)(2 * above - above2);
    *g++ = highest(p, little(p, p->period));
    g = go_on(g, p, p->period);
    g = go_on(g, p, 4);
    go_on(g, p, 8);
    for (int i = 0; i < GUESSES; i++) {
        uint32_t column = i < OF_RECORD ? p->pos % p->period : p->pos & 7;
        s->error[i] = &s->errors[column % COLUMNS][i];
        s->map[i] = s->maps[i][error_class(*s->error[i])];
    }
}

void nz_series_predict(nz_series *s, int16_t x[NZ_SERIES_INPUTS], uint32_t c0, uint32_t bit)
{
    uint32_t middle = (c0 << (8 - bit)) + (128u >> bit);
    for (int i = 0; i < GUESSES; i++, x += 2) {
        uint32_t *v = s->used[i] = &s->map[i][bit][s->offset_class[(s->guess[i] - middle) & 255]];
        x[0] = (int16_t)nz_stretch(s->numeric, *v >> 20);
        x[1] = (int16_t)((int32_t)(*v >> 21) - 1024);
    }
}

void nz_series_learn(nz_series *s, int bit)
{
    for (int i = 0; i < GUESSES; i++)
        nz_adapt_update(s->used[i], bit, MAP_LIMIT);
}
