#include "weights/scale.h"
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

/* Shorter rows share a scale; what has no rows is cut into blocks. */
enum { BLOCK_MIN = 64, BLOCK_FREE = 512 };

nz_err nz_scale_new(nz_scale *s, const nz_number *format, size_t n, size_t row)
{
    *s = (nz_scale){.format = format, .n = n, .block = BLOCK_FREE};
    if (row > 1 && row < n && row <= NZ_NUMBER_ROW) {
        s->period = row;
        s->block = row < BLOCK_MIN ? (BLOCK_MIN + row - 1) / row * row : row;
    }
    s->rows = (n + s->block - 1) / s->block;
    s->row = calloc(s->rows + s->period + 1, sizeof *s->row);
    if (!s->row)
        return NZ_E_MEM;
    s->column = s->row + s->rows;
    return NZ_OK;
}

void nz_scale_free(nz_scale *s)
{
    free(s->row);
    s->row = NULL;
}

/* Eighths of a binade to quarters, rounded. */
static int16_t quarters(uint64_t sum, uint64_t count)
{
    return (int16_t)((sum + count) / (2 * count));
}

/* What is stored is a byte above the lowest. */
static void limit(int16_t *v, size_t n)
{
    int16_t most = INT16_MIN;
    for (size_t i = 0; i < n; i++)
        most = v[i] > most ? v[i] : most;
    for (size_t i = 0; i < n; i++)
        v[i] = (int16_t)(most - v[i] > NZ_SCALE_RANGE ? most - NZ_SCALE_RANGE : v[i]);
}

nz_err nz_scale_measure(nz_scale *s, const nz_kern *kern, const uint8_t *raw)
{
    size_t length = s->period ? s->period : s->block;
    uint32_t *sums = calloc(2 * length, sizeof *sums), *counts = sums + length;
    if (!sums)
        return NZ_E_MEM;
    uint64_t sum = 0, count = 0, row_sum = 0, row_count = 0;
    for (size_t at = 0; at < s->n; at += length) {
        size_t n = s->n - at < length ? s->n - at : length;
        uint32_t part, some;
        kern->number_scale[s->format->shape](&part, &some, sums, counts,
                                             raw + at * s->format->bytes, s->format->scale_down, n);
        sum += part;
        count += some;
        row_sum += part;
        row_count += some;
        if ((at + n) % s->block && at + n < s->n)
            continue;
        s->row[at / s->block] = row_count ? quarters(row_sum, row_count) : INT16_MIN;
        row_sum = row_count = 0;
    }
    s->mean = count ? quarters(sum, count) : 0;
    for (size_t i = 0; i < s->rows; i++)
        if (s->row[i] == INT16_MIN)
            s->row[i] = s->mean;
    for (size_t j = 0; j < s->period; j++) {
        /* In 1/256 of an eighth, to round once only. */
        int64_t here = counts[j] ? (int64_t)(((uint64_t)sums[j] << 8) / counts[j]) : 0;
        int64_t all = count ? (int64_t)((sum << 8) / count) : 0;
        int64_t more = counts[j] ? here - all : 0;
        s->column[j] = (int16_t)((more + (more < 0 ? -256 : 256)) / 512);
    }
    limit(s->row, s->rows);
    limit(s->column, s->period);
    free(sums);
    return NZ_OK;
}

/* A number's place on the scale of its format, as nz_kern.number_scale() has it: in eighths of a
 * binade, 0 for zeros and subnormals. */
static unsigned place_of(const nz_number *f, const uint8_t *raw)
{
    unsigned v;
    switch (f->bytes) {
    case 1: v = (uint8_t)(*raw << 1) >> f->scale_down; break;
    case 2: v = (uint16_t)(nz_load16(raw) << 1) >> f->scale_down; break;
    case 4: v = nz_load32(raw) << 1 >> f->scale_down; break;
    default: v = (unsigned)(nz_load64(raw) << 1 >> f->scale_down); break;
    }
    return v < 8 ? 0 : v;
}

/* Eighths to quarters, of the root, the number or the square. */
static int follow(const nz_scale *s, unsigned place)
{
    return (int)(place >> (1 - s->power));
}

void nz_scale_follow(nz_scale *s, const uint8_t *raw)
{
    enum { SAMPLES = 4096 };
    size_t step = s->n / SAMPLES + 1;
    int64_t sum = 0, count = 0;
    for (size_t i = 0; i < s->n; i += step) {
        unsigned ours = place_of(s->format, raw + i * s->format->bytes);
        unsigned theirs = place_of(s->other_format, s->other + i * s->other_format->bytes);
        if (ours && theirs) {
            sum += (int)(ours >> 1) - follow(s, theirs);
            count++;
        }
    }
    s->factor = (int16_t)(count ? (sum + (sum < 0 ? -count : count) / 2) / count : 0);
}

static void fill_other(const nz_scale *s, int16_t *base, uint8_t *set, size_t at, size_t n)
{
    const int kept = s->format->reach.kept;
    const size_t bytes = s->other_format->bytes;
    for (size_t i = 0; i < n; i++) {
        size_t k = at + i - s->other_first;
        unsigned place = k < s->other_n ? place_of(s->other_format, s->other + k * bytes) : 0;
        int q = place ? follow(s, place) + s->factor : s->mean;
        set[i] = (uint8_t)(q & 3);
        base[i] = (int16_t)(((q >> 2) - NZ_NUMBER_BELOW) * (1 << kept));
    }
}

void nz_scale_fill(const nz_scale *s, const nz_kern *kern, int16_t *base, uint8_t *set, size_t at,
                   size_t n)
{
    const int kept = s->format->reach.kept;
    if (s->by_other) {
        fill_other(s, base, set, at, n);
        return;
    }
    for (size_t i = 0; i < n;) {
        size_t block = (at + i) / s->block, end = (block + 1) * s->block - at;
        int row = s->by_row ? s->row[block] : s->mean;
        if (end > n)
            end = n;
        if (!s->by_column) {
            int16_t b = (int16_t)(((row >> 2) - NZ_NUMBER_BELOW) * (1 << kept));
            if (!s->by_row)
                end = n;
            for (size_t k = i; k < end; k++)
                base[k] = b;
            memset(set + i, row & 3, end - i);
        } else {
            size_t column = (at + i) % s->period;
            if (end - i > s->period - column)
                end = i + s->period - column;
            kern->number_place(base + i, set + i, s->column + column, row, (unsigned)kept, end - i);
        }
        i = end;
    }
}
