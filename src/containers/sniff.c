/* What training leaves in an array of floats is noise, but for the distribution of exponents and
 * scales of rows and columns. So a window of bytes has to look if it is to be taken:
 *
 * - Every second, fourth or eighth byte, that of the sign and the exponent, is far from even, and
 *   the mantissa's last is even. Text, code and pixels have no even bytes, what was packed has no
 *   others.
 * - The exponent told from the mean, as the weights engine does, costs no more than as a byte.
 * - No number comes more often than its parts let expect, no string of bytes comes twice: numbers
 *   of few values, and repeats, are known well to the bytes engine alone.
 * - Exponents say nothing of the mantissas of their own number and the next: not so with integers,
 *   decimal fractions and numbers of another byte order.
 * - Numbers up to 16 apart differ as much as those further apart: not so with sound, images,
 *   meshes, sorted numbers, records.
 * - Nor is a number like the one above it, if numbers lie in rows. The model of `-7` and above
 * knows better what is above a number than the bytes engine does, and so takes those.
 *
 * The limits lie well above what chance makes of such a window, and where what is known of a number
 * is worth about a quarter of a percent. All arithmetic is in integers. */
#include "sniff.h"
#include "base/base.h"
#include "base/log.h"

#include <stdlib.h>

enum {
    LEAST = 32 << 10,  /* bytes that say enough */
    WINDOW = 2 << 20,  /* bytes judged at a time; the last takes what is left */
    HEADER = 64 << 10, /* the longest before the array; not sampled */
    PIECES = 16,       /* of a window are looked at, */
    PIECE = 4096,      /* each of so many bytes */
    SAMPLE = PIECES * PIECE,
    NUMBERS = SAMPLE / 2,
    NEAR = 16,
    STRIDE_MAX = 8,
    MARKS = 1 << 19, /* numbers that tell the length of rows */
};

/* Bits are counted in 1 / BIT. */
enum { BIT = 1 << NZ_LOG_BITS };

static const int EVEN_LEAST = 8 * BIT - BIT / 16; /* entropy of the last byte of the mantissa */
static const int TOP_MOST = 13 * BIT / 2;         /* and of the exponent's */
static const int TOLD_MOST = BIT / 32;            /* what an exponent says of a mantissa's byte */

typedef struct format {
    nz_dtype dtype;
    unsigned bytes, mantissa;
    unsigned kept; /* bits of the mantissa that the weights engine codes with the exponent */
    int near_most; /* bits by which neighbours' differences may be smaller */
} format;

/* A correlation r of neighbours makes their difference smaller by -log2(1 - r) / 2 bits and says
 * -log2(1 - r * r) / 2 of a number: .0026 of it or less at these limits. */
static const format BF16 = {NZ_DT_BF16, 2, 7, 4, BIT * 5 / 32};
static const format F16 = {NZ_DT_F16, 2, 10, 3, BIT * 5 / 32};
static const format F32 = {NZ_DT_F32, 4, 23, 4, BIT / 4};
static const format F64 = {NZ_DT_F64, 8, 52, 1, BIT / 4};

typedef struct sample {
    const uint8_t *p; /* the window */
    size_t piece;     /* bytes of each */
    size_t apart;     /* from one to the next, a multiple of 8 */
    uint32_t log[257];
    uint32_t count[STRIDE_MAX][256]; /* of bytes by their place modulo 8 */
    const format *f;
    unsigned phase; /* bytes from p to the first number */
    size_t n, each; /* numbers, in all and of a piece */
    uint64_t number[NUMBERS];
    uint64_t ordered[NUMBERS]; /* integers that ascend as the numbers do */
    uint32_t exponent[1 << 11];
    uint32_t table[1 << 16];
    uint64_t mark[MARKS / 64];
} sample;

/* ---- Entropies ---- */

/* log2 of 1 to 2, in 256ths. */
static void logs_make(uint32_t log[257])
{
    for (uint32_t i = 0; i <= 256; i++)
        log[i] = nz_log2(256 + i) - 8 * BIT;
}

/* v * log2(v), straight between 256ths of a binade. */
static int64_t v_log(const sample *s, uint32_t v)
{
    if (v < 2)
        return 0;
    unsigned whole = nz_log2_whole(v);
    uint32_t rest = v << (31 - whole) << 1, i = rest >> 24, part = rest >> 16 & 255;
    uint32_t log = s->log[i] + ((s->log[i + 1] - s->log[i]) * part >> 8);
    return (int64_t)v * ((int64_t)whole * BIT + log);
}

/* What a sample's entropy falls short by in the mean: a half / ln 2 for each degree of freedom
 * (Miller, 1955). */
static int64_t shortfall(int64_t freedom)
{
    return freedom * 47274; /* BIT / (2 ln 2) */
}

/* Of one symbol. */
static int entropy(const sample *s, const uint32_t *count, size_t n)
{
    int64_t sum = 0, total = 0, kinds = 0;
    for (size_t i = 0; i < n; i++) {
        sum += v_log(s, count[i]);
        total += count[i];
        kinds += count[i] > 0;
    }
    return total ? (int)((v_log(s, (uint32_t)total) - sum + shortfall(kinds - 1)) / total) : 0;
}

/* What the lowest four bits of the exponents tell of the bits that `mask` leaves of the mantissas
 * `lag` numbers on. */
static int told(sample *s, size_t lag, unsigned shift, unsigned mask)
{
    uint32_t(*t)[256] = (uint32_t(*)[256])(void *)s->table;
    uint32_t column[256] = {0};
    memset(t, 0, 16 * sizeof *t);
    for (size_t i = lag; i < s->n; i++)
        t[s->number[i - lag] >> s->f->mantissa & 15][s->number[i] >> shift & mask]++;
    int64_t sum = 0, total = 0, rows = 0, columns = 0;
    for (int a = 0; a < 16; a++) {
        uint32_t row = 0;
        for (int b = 0; b < 256; b++) {
            sum += v_log(s, t[a][b]);
            row += t[a][b];
            column[b] += t[a][b];
        }
        sum -= v_log(s, row);
        total += row;
        rows += row > 0;
    }
    for (int b = 0; b < 256; b++) {
        sum -= v_log(s, column[b]);
        columns += column[b] > 0;
    }
    return (int)((sum + v_log(s, (uint32_t)total) - shortfall((rows - 1) * (columns - 1))) / total);
}

/* ---- Which format ---- */

static const uint8_t *piece_at(const sample *s, size_t i)
{
    return s->p + i * s->apart;
}

/* Counts, and how even the bytes are if numbers take `stride` of them. */
static int plane(const sample *s, unsigned stride, unsigned place)
{
    uint32_t count[256] = {0};
    for (unsigned k = place; k < STRIDE_MAX; k += stride)
        for (int c = 0; c < 256; c++)
            count[c] += s->count[k][c];
    return entropy(s, count, 256);
}

static uint64_t load(const format *f, const uint8_t *p)
{
    return f->bytes == 2 ? nz_load16(p) : f->bytes == 4 ? nz_load32(p) : nz_load64(p);
}

static uint64_t sign_of(const format *f)
{
    return UINT64_C(1) << (8 * f->bytes - 1);
}

static uint64_t magnitude(const format *f, uint64_t v)
{
    return v & (sign_of(f) - 1);
}

/* The numbers as the format reads them. */
static void read_numbers(sample *s)
{
    const format *f = s->f;
    uint64_t sign = sign_of(f);
    s->each = s->piece / f->bytes - (s->phase > 0);
    s->n = 0;
    memset(s->exponent, 0, sizeof s->exponent);
    for (size_t i = 0; i < PIECES; i++) {
        const uint8_t *p = piece_at(s, i) + s->phase;
        for (size_t k = 0; k < s->each; k++, p += f->bytes) {
            uint64_t v = load(f, p);
            s->number[s->n] = v;
            s->ordered[s->n++] = v & sign ? 2 * sign - 1 - v : v | sign;
            s->exponent[magnitude(f, v) >> f->mantissa]++;
        }
    }
}

/* Sets format and phase, the numbers read; *cost: what one costs as bytes, each coded in its place.
 * False: nothing that looks like floats. */
static bool choose_format(sample *s, int64_t *cost)
{
    static const format *const BY_STRIDE[] = {&BF16, &F32, &F64};
    unsigned best = 0, top = 0;
    int least = 0, h[STRIDE_MAX];
    memset(s->count, 0, sizeof s->count);
    for (size_t i = 0; i < PIECES; i++)
        for (size_t k = 0; k < s->piece; k++)
            s->count[k % STRIDE_MAX][piece_at(s, i)[k]]++;
    for (unsigned k = 0; k < 3; k++) {
        int64_t sum = 0;
        for (unsigned b = 0; b < 2u << k; b++)
            sum += plane(s, 2u << k, b);
        if (k && (sum >> k) > least - BIT / 10)
            continue;
        best = k;
        least = (int)(sum >> k);
        *cost = sum;
    }
    s->f = BY_STRIDE[best];
    for (unsigned b = 0; b < s->f->bytes; b++) {
        h[b] = plane(s, s->f->bytes, b);
        top = h[b] < h[top] ? b : top;
    }
    s->phase = (top + 1) % s->f->bytes;
    /* The very last bits of F64 are uneven after any multiplication by a constant. */
    unsigned last = (s->phase + s->f->bytes / 8) % s->f->bytes;
    if (h[top] > TOP_MOST || h[last] < EVEN_LEAST)
        return false;
    read_numbers(s);
    /* F16 read as BF16 has three bits of mantissa in its exponent, all of them noise. */
    if (s->f == &BF16 && entropy(s, s->exponent, 1 << 8) > BIT * 17 / 4) {
        s->f = &F16;
        read_numbers(s);
    }
    return true;
}

/* ---- Whether anything else is known of its numbers ---- */

/* In bits, of numbers `lag` apart. */
static int64_t difference(const sample *s, size_t lag)
{
    /* Half of the pieces are enough of the shortest numbers. */
    size_t step = s->f->bytes == 2 ? 2 : 1;
    int64_t sum = 0, total = 0;
    for (size_t i = 0; i < PIECES; i += step) {
        const uint64_t *v = s->ordered + i * s->each;
        for (size_t k = lag; k < s->each; k++) {
            uint64_t d = v[k] > v[k - lag] ? v[k] - v[k - lag] : v[k - lag] - v[k];
            sum += d ? 64 - __builtin_clzll(d) : 0;
        }
        total += (int64_t)(s->each - lag);
    }
    return sum * BIT / total;
}

/* Scales of columns make some differences smaller than others, near and far: so the smallest of
 * both are compared. */
static bool neighbours_alike(const sample *s)
{
    static const uint8_t FAR[] = {37, 43, 53, 61, 71, 83, 97, 113}; /* no multiple of a period */
    int64_t near = INT64_MAX, far = INT64_MAX;
    for (size_t lag = 1; lag <= NEAR; lag++) {
        int64_t d = difference(s, lag);
        near = d < near ? d : near;
    }
    for (size_t i = 0; i < sizeof FAR; i++) {
        int64_t d = difference(s, FAR[i]);
        far = d < far ? d : far;
    }
    return far - near > s->f->near_most;
}

static bool mantissa_told(sample *s)
{
    unsigned bits = s->f->mantissa - s->f->kept;
    for (unsigned shift = 0; shift < bits; shift += 8) {
        unsigned mask = bits - shift < 8 ? (1u << (bits - shift)) - 1 : 255;
        if (told(s, 0, shift, mask) > TOLD_MOST || told(s, 1, shift, mask) > TOLD_MOST)
            return true;
    }
    return false;
}

/* Pairs of the same value, of the bits that `mask` leaves of all numbers but zeros. */
static uint64_t pairs(sample *s, unsigned mask)
{
    uint64_t sum = 0;
    memset(s->table, 0, sizeof s->table);
    for (size_t i = 0; i < s->n; i++)
        if (magnitude(s->f, s->number[i]))
            sum += s->table[s->number[i] & mask]++;
    return sum;
}

/* Long numbers should hardly ever be the same; short ones only as often as their upper and their
 * lower bits are, each for itself. */
static bool numbers_recur(sample *s)
{
    enum { SHARE = 512 };
    if (s->f->bytes == 2) {
        unsigned rest = (1u << (s->f->mantissa - s->f->kept)) - 1;
        uint64_t n = 0;
        for (size_t i = 0; i < s->n; i++)
            n += magnitude(s->f, s->number[i]) > 0;
        if (s->n - n > s->n * 2 / SHARE)
            return true;
        _Static_assert(NUMBERS <= 1 << 16, "pairs of n numbers, times such, in 64 bits");
        uint64_t all = n * (n - 1) / 2;
        uint64_t expected = pairs(s, ~rest & 0xffff) * pairs(s, rest) / all;
        return pairs(s, 0xffff) > expected + expected / 20;
    }
    size_t same = 0;
    uint32_t *seen = s->table;
    memset(seen, 0, sizeof s->table);
    for (size_t i = 0; i < s->n; i++) {
        uint32_t *at =
            &seen[nz_hash32((uint32_t)s->number[i], (uint32_t)(s->number[i] >> 32)) >> 16];
        same += *at && s->number[*at - 1] == s->number[i];
        *at = (uint32_t)i + 1;
    }
    return same > s->n / SHARE;
}

/* As the weights engine codes one, without any scales: ten binades around the mean, what lies
 * outside at some bits more. */
static int64_t number_cost(const sample *s)
{
    enum { BELOW = 6, BINADES = 10, ODD = 255 };
    const format *f = s->f;
    uint64_t sum = 0, odd = 0;
    uint32_t count[256] = {0}, signs[2] = {0};
    for (uint64_t i = 0; i < 1 << 11; i++)
        sum += i * s->exponent[i];
    int64_t base = (int64_t)((sum + s->n / 2) / s->n) - BELOW;
    for (size_t i = 0; i < s->n; i++) {
        uint64_t top = magnitude(f, s->number[i]) >> (f->mantissa - f->kept);
        int64_t d = (int64_t)top - base * (1 << f->kept);
        bool is_odd = d < 0 || d >= BINADES << f->kept;
        count[is_odd ? ODD : d]++;
        signs[s->number[i] >= sign_of(f)]++;
        odd += is_odd;
    }
    return entropy(s, count, 256) + entropy(s, signs, 2) + (int64_t)(f->mantissa - f->kept) * BIT +
           (int64_t)(odd * 8 * BIT / s->n);
}

/* Judges a window. */
static bool is_array(sample *s, const uint8_t *p, size_t n)
{
    int64_t cost = 0;
    s->p = p;
    s->piece = n < SAMPLE ? n / PIECES / 8 * 8 : PIECE;
    s->apart = (n - s->piece) / (PIECES - 1) / 8 * 8;
    return choose_format(s, &cost) && number_cost(s) <= cost + cost / 128 && !numbers_recur(s) &&
           !mantissa_told(s) && !neighbours_alike(s);
}

/* ---- Where it begins and ends ---- */

static size_t window_end(size_t begin, size_t n)
{
    return n - begin < 2 * WINDOW ? n : begin + WINDOW;
}

static bool is_strange(const sample *s, const uint8_t *p)
{
    return s->exponent[magnitude(s->f, load(s->f, p)) >> s->f->mantissa] <= s->n >> 12;
}

/* Behind the header: the first numbers nearly all of which have exponents that others have; n when
 * there are none. */
static size_t find_start(const sample *s, const uint8_t *p, size_t n)
{
    enum { RUN = 64, STRANGE_MOST = 4 };
    size_t bytes = s->f->bytes, most = (n < HEADER ? n : HEADER) - RUN * bytes;
    for (size_t at = s->phase; at < most; at += RUN * bytes) {
        int strange = 0;
        for (size_t k = 0; k < RUN; k++)
            strange += is_strange(s, p + at + k * bytes);
        if (strange > STRANGE_MOST)
            continue;
        while (at > s->phase && !is_strange(s, p + at - bytes))
            at -= bytes;
        while (is_strange(s, p + at))
            at += bytes;
        return at;
    }
    return n;
}

/* Strings of 8 bytes that were there before, but for runs of one number, of one in 32, chosen by
 * content. */
static bool strings_recur(sample *s, const uint8_t *p, size_t n)
{
    enum { SHARE = 256, CHANCE = 8 };
    size_t chosen = 0, same = 0;
    memset(s->table, 0, sizeof s->table);
    for (size_t i = 0; i + 8 <= n; i += s->f->bytes) {
        uint64_t v = nz_load64(p + i), h = v * UINT64_C(0x9E3779B97F4A7C15);
        if (h >> 59 || (uint32_t)v == v >> 32)
            continue;
        uint32_t *at = &s->table[h << 5 >> 48];
        chosen++;
        same += *at && nz_load64(p + *at - 1) == v;
        *at = (uint32_t)i + 1;
    }
    return same > chosen / SHARE + CHANCE;
}

/* ---- Rows ---- */

/* A bit for each number, as far as there is room: its sign; whether it is above the median. */
static void mark_signs(sample *s, const uint8_t *p, size_t n)
{
    memset(s->mark, 0, sizeof s->mark);
    for (size_t i = 0; i < n && i < MARKS; i++)
        s->mark[i / 64] |= (uint64_t)(p[(i + 1) * s->f->bytes - 1] >> 7) << i % 64;
}

static void mark_large(sample *s, const uint8_t *p, size_t n)
{
    enum { STEPS = 3 };
    const format *f = s->f;
    unsigned shift = f->mantissa - STEPS;
    uint64_t median = 0;
    size_t seen = 0;
    memset(s->table, 0, sizeof s->table);
    for (size_t i = 0; i < s->n; i++)
        s->table[magnitude(f, s->number[i]) >> shift]++;
    while ((seen += s->table[median]) < s->n / 2)
        median++;
    memset(s->mark, 0, sizeof s->mark);
    for (size_t i = 0; i < n && i < MARKS; i++, p += f->bytes)
        s->mark[i / 64] |= (uint64_t)(magnitude(f, load(f, p)) >> shift > median) << i % 64;
}

/* Of n numbers, a multiple of 64, how many have the mark that the one `lag` on has. */
static int64_t agreeing(const sample *s, size_t lag, size_t n)
{
    const uint64_t *mark = s->mark, *other = mark + lag / 64;
    int64_t sum = 0;
    for (size_t i = 0; i < n / 64; i++) {
        uint64_t v = lag % 64 ? other[i] >> lag % 64 | other[i + 1] << (64 - lag % 64) : other[i];
        sum += __builtin_popcountll(~(v ^ mark[i]));
    }
    return sum;
}

/* How many numbers, a multiple of 64, have one `lag` on. */
static size_t with_other(size_t n, size_t lag)
{
    n = n < MARKS ? n : MARKS;
    return n > lag + 64 ? (n - lag - 64) / 64 * 64 : 0;
}

/* Numbers a row, 1 when it does not show. Columns have scales: whether a number is large says a
 * little of the one a row on, and more than of that one's neighbour. So do a row's multiples, which
 * are counted with it. */
static uint64_t find_row(sample *s, const uint8_t *p, size_t n)
{
    enum { ROWS = 64, BESIDE = 5, DEVIATIONS = 5 };
    uint64_t row[ROWS] = {48, 50, 96, 100, 160, 200, 300}, result = 1;
    int64_t score[ROWS], best = DEVIATIONS * DEVIATIONS, all = (int64_t)(n < MARKS ? n : MARKS);
    size_t rows = 7;
    for (uint64_t step = 64, k = 1; step <= 1024; k++) {
        row[rows++] = k * step;
        if (k == 16) {
            step *= 2;
            k = 8;
        }
    }
    mark_large(s, p, n);
    for (size_t i = 0; i < rows; i++) {
        size_t with = with_other(n, row[i] + BESIDE);
        score[i] = agreeing(s, row[i], with) - agreeing(s, row[i] + BESIDE, with);
    }
    for (size_t i = 0; i < rows; i++) {
        int64_t sum = 0, multiples = 0;
        for (size_t k = i; k < rows; k++)
            if (row[k] % row[i] == 0) {
                sum += score[k];
                multiples++;
            }
        /* In squared standard deviations: the variance of a score is half of all. */
        int64_t far = sum > 0 ? 2 * sum * sum / (multiples * all) : 0;
        if (far > best) {
            best = far;
            result = row[i];
        }
    }
    return result;
}

/* Above chance, of `all` numbers, how many have the mark of the one `lag` on. */
static int64_t signs_alike(const sample *s, size_t lag, size_t all)
{
    int64_t set = 0, n = (int64_t)all;
    for (size_t i = 0; i < all / 64; i++)
        set += __builtin_popcountll(s->mark[i]);
    return agreeing(s, lag, all) - n + 2 * set * (n - set) / (n + 1);
}

/* How many numbers on one of the same column is that is like it, in sign or, far more than scales
 * of columns make it, in size; 0: none is. So it is with series of many channels, with embeddings,
 * and with the keys that a model remembers. Rows of up to LAGS numbers are tried, and `row`. */
static size_t find_column(sample *s, const uint8_t *p, size_t n, size_t row)
{
    enum { LAGS = 1024, ENOUGH = 32 << 10, SIGNS = 32, SIZES = 5 };
    size_t best = 0, some = ENOUGH + LAGS + row;
    int64_t most = 0;
    n = n < some ? n : some;
    for (int sizes = 0; sizes < 2 && !best; sizes++) {
        sizes ? mark_large(s, p, n) : mark_signs(s, p, n);
        for (size_t lag = 2; lag <= LAGS; lag++) {
            size_t at = lag < LAGS ? lag : row;
            size_t all = with_other(n < ENOUGH + at ? n : ENOUGH + at, at + 1);
            int64_t more =
                sizes ? agreeing(s, at, all) - agreeing(s, at + 1, all) : signs_alike(s, at, all);
            if (at > 1 && more * (sizes ? SIZES : SIGNS) > (int64_t)all && more > most + most / 8) {
                most = more;
                best = at;
            }
        }
    }
    return best;
}

/* How far windows from the first on, of which s is left, are one array. */
static size_t find_end(sample *s, const uint8_t *p, size_t n)
{
    const format *f = s->f;
    unsigned phase = s->phase;
    size_t end = window_end(0, n);
    while (end < n) {
        size_t to = window_end(end, n);
        if (!is_array(s, p + end, to - end) || s->f != f || s->phase != phase)
            break;
        end = to;
    }
    s->f = f;
    s->phase = phase;
    return end;
}

nz_err nz_sniff(nz_tensor *t, const uint8_t *p, size_t n, bool columns)
{
    static char none[] = "";
    *t = (nz_tensor){.name = none};
    if (n < LEAST)
        return NZ_OK;
    sample *s = malloc(sizeof *s);
    if (!s)
        return NZ_E_MEM;
    logs_make(s->log);
    size_t from = n < 4 * HEADER ? n / 32 * 8 : HEADER, end = window_end(0, n);
    if (!is_array(s, p + from, end - from))
        goto done;
    size_t at = find_start(s, p, end), bytes = s->f->bytes;
    if (at == end)
        goto done;
    uint64_t row = find_row(s, p + at, (end - at) / bytes);
    size_t column = find_column(s, p + at, (end - at) / bytes, (size_t)row);
    if (column && !columns)
        goto done;
    row = column ? column : row;
    end = find_end(s, p, n);
    if (strings_recur(s, p + at, end - at))
        goto done;
    uint64_t count = (end - at) / bytes;
    *t = (nz_tensor){none, s->f->dtype, 2, {count / row, row}, at, count * bytes};
done:
    free(s);
    return NZ_OK;
}
