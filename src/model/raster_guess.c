/* Rows without a known header. Lines resemble those above them: a row is the distance at which
 * bytes differ least. Whether the bytes are an image then, a trial tells: pieces are coded as
 * residuals of a simple prediction, in every form an image may have, and as plain bytes, all with
 * small adaptive models. The image must win clearly. */
#include "base/log.h"
#include "raster.h"

#include <stdlib.h>

enum {
    PIECES = 8,
    PIECE = 4096,  /* bytes that are coded of each */
    WINDOW = 1024, /* at its end, compared with those above */
    DIFFERENT = 16,
    ROW_MIN = 16,
    ROW_MAX = 8192,
    ROW_SHORT = 64,
    CELL_BITS = 14,
    AGE_MAX = 60,
    COST_BIT = 256,
    DOUBT = 400 * 8 * COST_BIT, /* what an image must win by, beside a part */
};

/* Adaptive probabilities, and what coding with them has cost. */
typedef struct trial {
    uint16_t one[1 << CELL_BITS]; /* 16 bits */
    uint8_t age[1 << CELL_BITS];
    uint64_t cost;
    uint64_t place[8]; /* the same of each bit of a byte, where bits are pixels */
} trial;

/* -log2 of p / 2^16: between powers of two, a straight line. */
static uint32_t cost_of(uint32_t p)
{
    uint32_t whole = nz_log2_whole(p);
    return (17 - whole) * COST_BIT - (p * COST_BIT >> whole);
}

/* Returns what it costs. */
static uint32_t code_bit(trial *t, uint32_t context, int bit)
{
    enum { LEAST = 64 };
    uint32_t i = context * UINT32_C(0x9E3779B1) >> (32 - CELL_BITS);
    int p = t->age[i] ? t->one[i] : 1 << 15;
    uint32_t cost = cost_of((uint32_t)(bit ? p : (1 << 16) - p));
    p += ((bit << 16) - p) * 2 / (2 * t->age[i] + 3);
    t->one[i] = (uint16_t)(p < LEAST ? LEAST : p > 65536 - LEAST ? 65536 - LEAST : p);
    t->age[i] += t->age[i] < AGE_MAX;
    t->cost += cost;
    return cost;
}

static void code_byte(trial *t, uint32_t context, uint32_t byte)
{
    for (uint32_t c0 = 1; c0 < 256; byte <<= 1) {
        uint32_t bit = byte >> 7 & 1;
        code_bit(t, context << 8 | c0, (int)bit);
        c0 = c0 << 1 | bit;
    }
}

/* ---- The forms an image may have ---- */

static int median(int a, int b, int c)
{
    int low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* How far v is from what its neighbours predict, the sign lowest; class: of how these differ. */
static uint32_t residual(uint32_t *class, int v, int w, int n, int nw)
{
    int e = v - median(w, n, w + n - nw), spread = abs(w - nw) + abs(n - nw);
    *class = 32 - (uint32_t)__builtin_clz((uint32_t)spread | 1);
    return (uint32_t)(e < 0 ? -2 * e - 1 : 2 * e);
}

/* The residual before tells of its size, and of another plane also of its sign. */
static void code_samples(trial *t, const nz_raster *r, const uint8_t *at)
{
    const ptrdiff_t x = r->pixel, y = r->row;
    uint32_t last = 0;
    for (const uint8_t *p = at; p < at + PIECE; p++) {
        uint32_t class, e = residual(&class, *p, p[-x], p[-y], p[-y - x]);
        uint32_t size = last < 4 ? 0 : last < 14 ? 1 : last < 40 ? 2 : 3;
        code_byte(t, class << 3 | size << 1 | (last & 1), e < 255 ? e : 255);
        last = e;
    }
}

static int wide(const nz_raster *r, const uint8_t *p)
{
    return r->sample == NZ_SAMPLE_16 ? p[0] << 8 | p[1] : p[1] << 8 | p[0];
}

static void code_wide(trial *t, const nz_raster *r, const uint8_t *at)
{
    const ptrdiff_t x = r->pixel, y = r->row;
    for (const uint8_t *p = at + r->first; p + 1 < at + PIECE; p += 2) {
        uint32_t class,
            e = residual(&class, wide(r, p), wide(r, p - x), wide(r, p - y), wide(r, p - y - x));
        uint32_t high = e >> 8 < 255 ? e >> 8 : 255;
        code_byte(t, class, high);
        code_byte(t, class + (high < 2 ? high + 1 : 3) * 32, e & 255);
    }
}

static void code_pixels(trial *t, const nz_raster *r, const uint8_t *at)
{
    for (const uint8_t *p = at; p < at + PIECE; p++) {
        const uint8_t *n = p - r->row, *nn = n - r->row;
        uint32_t here = (uint32_t)p[-1] << 8 | p[0];
        uint32_t above = (uint32_t)n[-1] << 16 | (uint32_t)n[0] << 8 | n[1];
        uint32_t top = (uint32_t)nn[-1] << 16 | (uint32_t)nn[0] << 8 | nn[1];
        for (int bit = 7; bit >= 0; bit--) {
            uint32_t context = (here >> (bit + 1) & 15) | (above >> (bit + 6) & 31) << 4 |
                               (top >> (bit + 7) & 7) << 9;
            t->place[bit] += code_bit(t, context, here >> bit & 1);
        }
    }
}

/* 1-bit pixels are as hard to tell in every place of a byte; of numbers the high bits are easier.
 */
static bool uneven(const trial *t)
{
    for (int i = 0; i < 8; i++)
        if (t->place[i] * 16 > t->cost * 3)
            return true;
    return false;
}

/* ---- Plain bytes ---- */

/* From the byte before, two of them, the byte above, and both. */
enum { CONTEXTS = 4 };

static uint32_t context_of(int what, const uint8_t *p, uint32_t row)
{
    uint32_t w = p[-1], ww = p[-2], n = *(p - row);
    return what == 0 ? w : what == 1 ? w | ww << 8 : what == 2 ? n : n | w << 8;
}

static void code_plain(trial *t, int what, uint32_t row, const uint8_t *at)
{
    for (const uint8_t *p = at; p < at + PIECE; p++)
        code_byte(t, context_of(what, p, row), *p);
}

/* ---- All of it ---- */

typedef struct bytes {
    const uint8_t *raw;
    size_t n, row_max;
} bytes;

/* At an even place, with two rows above it. */
static const uint8_t *piece(const bytes *b, size_t k)
{
    size_t from = 2 * b->row_max + 32, left = b->n - from - PIECE - 1;
    return b->raw + ((from + left / (PIECES - 1) * k) & ~(size_t)1);
}

static uint32_t difference(const uint8_t *now, const uint8_t *above)
{
    uint32_t sum = 0;
    for (int i = 0; i < WINDOW; i++) {
        int d = now[i] - above[i];
        d = d < 0 ? -d : d;
        sum += (uint32_t)(d < DIFFERENT ? d : DIFFERENT);
    }
    return sum;
}

/* 0 where no distance differs clearly less than most. */
static uint32_t find_row(const bytes *b)
{
    uint64_t all = 0;
    uint32_t least = UINT32_MAX, row = 0;
    for (uint32_t r = ROW_MIN; r <= b->row_max; r++) {
        uint32_t sum = 0;
        for (size_t k = 0; k < PIECES; k++) {
            const uint8_t *now = piece(b, k) + PIECE - WINDOW;
            sum += difference(now, now - r);
        }
        all += sum;
        if (sum < least) {
            least = sum;
            row = r;
        }
    }
    uint64_t mean = all / (b->row_max - ROW_MIN + 1);
    return least * UINT64_C(4) < mean * 3 ? row : 0;
}

/* Whether strings of six bytes come again and again, so that contexts of bytes know more. Looked up
 * at one position in 32, chosen by content; those of one byte do not count. */
static bool repeats(const uint8_t *raw, size_t n)
{
    enum { SEEN_BITS = 13 };
    uint32_t seen[1 << SEEN_BITS] = {0};
    size_t looked = 0, found = 0;
    for (size_t i = 0; i + 8 <= n; i++) {
        uint64_t string = nz_load64(raw + i) << 16, h = string * UINT64_C(0x9E3779B97F4A7C15);
        if (h >> 59 || string == (string >> 16 & 0xff) * UINT64_C(0x0101010101010000))
            continue;
        uint32_t *at = &seen[h << 5 >> (64 - SEEN_BITS)];
        found += *at && !memcmp(raw + *at - 1, raw + i, 6);
        looked++;
        *at = (uint32_t)i + 1;
    }
    return found * 8 > looked;
}

static uint64_t cost_as_image(const bytes *b, const nz_raster *r)
{
    trial t = {.cost = 0};
    for (size_t k = 0; k < PIECES; k++) {
        if (!r->pixel)
            code_pixels(&t, r, piece(b, k));
        else if (r->sample == NZ_SAMPLE_8)
            code_samples(&t, r, piece(b, k));
        else
            code_wide(&t, r, piece(b, k));
    }
    return !r->pixel && uneven(&t) ? UINT64_MAX : t.cost;
}

static uint64_t cost_as_bytes(const bytes *b, uint32_t row)
{
    uint64_t least = UINT64_MAX;
    for (int what = 0; what < CONTEXTS; what++) {
        trial t = {.cost = 0};
        for (size_t k = 0; k < PIECES; k++)
            code_plain(&t, what, row, piece(b, k));
        least = t.cost < least ? t.cost : least;
    }
    return least;
}

/* The form that costs least with this row. Returns what it costs. */
static uint64_t best_form(const bytes *b, uint32_t row, nz_raster *r)
{
    static const nz_raster forms[] = {
        {.pixel = 0},
        {.pixel = 1},
        {.pixel = 3},
        {.pixel = 4},
        {.pixel = 2, .sample = NZ_SAMPLE_16},
        {.pixel = 2, .sample = NZ_SAMPLE_16, .first = 1},
        {.pixel = 2, .sample = NZ_SAMPLE_16_LITTLE},
        {.pixel = 2, .sample = NZ_SAMPLE_16_LITTLE, .first = 1},
    };
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        nz_raster form = forms[i];
        form.row = (uint16_t)row;
        if (!nz_raster_valid(&form) || (form.pixel && row % form.pixel))
            continue;
        uint64_t cost = cost_as_image(b, &form);
        if (cost < least) {
            least = cost;
            *r = form;
        }
    }
    return least;
}

/* Drawings pass for images of grey easily, and are better off as bytes: what is small either way
 * must win by more. */
static bool wins(const nz_raster *r, uint64_t image, uint64_t plain)
{
    const uint64_t raw = (uint64_t)PIECES * PIECE * 8 * COST_BIT;
    return image < UINT64_MAX - DOUBT &&
           image + DOUBT < plain / 16 * (r->pixel == 1 && plain < raw / 3 ? 11 : 15);
}

bool nz_raster_guess(nz_raster *r, const uint8_t *raw, size_t n)
{
    const bytes b = {.raw = raw, .n = n, .row_max = n / 8 < ROW_MAX ? n / 8 : ROW_MAX};
    if (n < 4 * PIECE)
        return false;
    uint32_t row = find_row(&b);
    if (!row || (row < ROW_SHORT && repeats(raw, n)))
        return false;
    nz_raster found = {0};
    uint64_t cost = best_form(&b, row, &found);
    if (!wins(&found, cost, cost_as_bytes(&b, row)))
        return false;
    *r = found;
    return true;
}
