#include "weights/scale.h"

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

/* Exponents' means lie about one binade below the standard deviation; hardly any number is more
 * than eight times that. So the dense symbols start six binades below. */
enum { BELOW = 6 };

void nz_scale_fill(const nz_scale *s, int16_t *base, uint8_t *set, size_t at, size_t n)
{
    const int kept = s->format->reach.kept;
    for (size_t i = 0; i < n;) {
        size_t block = (at + i) / s->block, end = (block + 1) * s->block - at;
        int row = s->by_row ? s->row[block] : s->mean;
        if (end > n)
            end = n;
        if (!s->by_column) {
            int16_t b = (int16_t)(((row >> 2) - BELOW) * (1 << kept));
            if (!s->by_row)
                end = n;
            for (size_t k = i; k < end; k++)
                base[k] = b;
            memset(set + i, row & 3, end - i);
        } else {
            size_t column = (at + i) % s->period;
            if (end - i > s->period - column)
                end = i + s->period - column;
            const int16_t *restrict c = s->column + column;
            int16_t *restrict b = base + i;
            uint8_t *restrict t = set + i;
            for (size_t k = 0; k < end - i; k++) {
                int16_t q = (int16_t)(row + c[k]);
                t[k] = (uint8_t)(q & 3);
                b[k] = (int16_t)(((q >> 2) - BELOW) * (1 << kept));
            }
        }
        i = end;
    }
}
