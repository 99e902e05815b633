#include "linear.h"

#include "kin.h"

#include <stdlib.h>

enum {
    BLOCK = NZ_LINEAR_BLOCK,
    WIDTH = NZ_LINEAR_WIDTH,
    GROUP = 32,         /* rows of covariances that share a length */
    CELL_ONE = 64,      /* an ordinary number in the covariances */
    CELL_MAX = 1023,    /* the largest: its square is 2^20 */
    SUM_MAX = 1 << 29,  /* of a covariance: above it all are halved, long before they overflow */
    C_MAX = 32767,      /* of C, where one is 2^15 */
    LEFT_MIN = 1 << 20, /* of a variance that other columns explain, where one is 2^30 */
    SIZE_MIN = NZ_LINEAR_ONE / 64,
    SIZE_TOP = NZ_LINEAR_ONE * 64,
    ROWS_FIRST = 24, /* rows before the first split; then each time an eighth more */
    ROWS_KEPT = 100, /* weight of the matrix before in a new one of the same width */
};

struct nz_linear {
    const nz_kern *kern;
    size_t cols;
    size_t block;        /* columns of one, a multiple of GROUP */
    uint32_t rows, next; /* seen; when to split */
    uint32_t weight;     /* rows in the covariances, halved with them */
    int known;           /* C was made */
    nz_kin *kin;
    int32_t x[WIDTH], expected[WIDTH];
    int32_t size[WIDTH];     /* root mean square of a column */
    int32_t spread[WIDTH];   /* as nz_linear_expect returns it */
    int32_t diagonal[WIDTH]; /* of C */
    int32_t inverse[WIDTH];  /* from what C did not expect to z */
    int16_t z[WIDTH] __attribute__((aligned(64)));
    int16_t cell[WIDTH] __attribute__((aligned(64)));
    /* The triangle below the diagonal of each block, rows of 32-bit sums, upper halves first. */
    int16_t cov[(size_t)WIDTH * (BLOCK + GROUP)] __attribute__((aligned(64)));
    int16_t c[(size_t)WIDTH * BLOCK] __attribute__((aligned(64))); /* [cols][block] */
};

uint64_t nz_linear_memory(void)
{
    return sizeof(nz_linear) + nz_kin_memory();
}

nz_linear *nz_linear_new(const nz_kern *kern)
{
    nz_linear *l = nz_big_new(sizeof *l);
    if (!l)
        return NULL;
    l->kern = kern;
    l->kin = nz_kin_new(kern);
    if (!l->kin) {
        nz_linear_free(l);
        return NULL;
    }
    return l;
}

void nz_linear_free(nz_linear *l)
{
    if (l)
        nz_kin_free(l->kin);
    nz_big_free(l, sizeof *l);
}

static int64_t limit(int64_t v, int64_t most)
{
    return v > most ? most : v < -most ? -most : v;
}

/* The square root, rounded down. */
static uint32_t root(uint64_t v)
{
    uint64_t r = 0;
    for (uint64_t bit = UINT64_C(1) << 62; bit; bit >>= 2) {
        if (v >= r + bit) {
            v -= r + bit;
            r = (r >> 1) + bit;
        } else {
            r >>= 1;
        }
    }
    return (uint32_t)r;
}

/* ---- Covariances ---- */

static size_t blocks(const nz_linear *l)
{
    return (l->cols + l->block - 1) / l->block;
}

/* Row i of a block's triangle; *len: its length. */
static int16_t *cov_row(nz_linear *l, size_t block, size_t i, size_t *len)
{
    size_t g = i / GROUP;
    *len = (g + 1) * GROUP;
    return l->cov + block * l->block * (l->block + GROUP) + g * (g + 1) * GROUP * GROUP +
           i % GROUP * 2 * *len;
}

static int32_t cov_get(const int16_t *row, size_t len, size_t k)
{
    return (int32_t)((uint32_t)(uint16_t)row[k] << 16 | (uint16_t)row[len + k]);
}

static void cov_halve(nz_linear *l)
{
    size_t len;
    l->weight = (l->weight + 1) / 2;
    for (size_t b = 0; b < blocks(l); b++)
        for (size_t i = 0; i < l->block; i++) {
            int16_t *row = cov_row(l, b, i, &len);
            for (size_t k = 0; k < len; k++) {
                int32_t v = cov_get(row, len, k) / 2;
                row[k] = (int16_t)(v >> 16);
                row[len + k] = (int16_t)v;
            }
        }
}

/* Adds the products of the row in `cell`; 1 when a sum has become too large. */
static int cov_add(nz_linear *l)
{
    int full = 0;
    size_t len;
    for (size_t b = 0; b < blocks(l); b++) {
        const int16_t *cell = l->cell + b * l->block;
        for (size_t g = 0; g < l->block; g += GROUP) {
            int16_t *row[GROUP];
            int32_t x[GROUP];
            for (size_t i = 0; i < GROUP; i++) {
                row[i] = cov_row(l, b, g + i, &len);
                x[i] = cell[g + i];
            }
            l->kern->mix_train(row, cell, x, GROUP, len);
            /* No other sum is larger than both of its variances. */
            for (size_t i = 0; i < GROUP; i++)
                full |= cov_get(row[i], len, g + i) > SUM_MAX;
        }
    }
    return full;
}

/* ---- The split ---- */

/* A correlation in 2^-30, from a covariance and what scales it. */
static int64_t correlation(int32_t cov, uint32_t inverse_i, uint32_t inverse_k)
{
    return ((int64_t)cov * inverse_i >> 16) * inverse_k >> 16;
}

static void split(nz_linear *l, size_t block, size_t n)
{
    const size_t first = block * l->block;
    /* Few rows know little of many columns: half as many as there are columns say "none". */
    const int64_t trust = ((int64_t)l->weight << 16) / (int64_t)(l->weight + n / 2);
    uint32_t inverse[BLOCK]; /* 2^31 / sqrt(variance) */
    int32_t *diagonal = l->diagonal + first;
    for (size_t i = 0; i < n; i++) {
        size_t len;
        const int16_t *cov = cov_row(l, block, i, &len);
        const uint32_t variance = (uint32_t)cov_get(cov, len, i);
        inverse[i] =
            variance ? (uint32_t)((UINT64_C(1) << 46) / root((uint64_t)variance << 30)) : 0;
        int16_t *c = l->c + (first + i) * l->block;
        memset(c, 0, l->block * sizeof *c);
        int64_t left = 1 << 30;
        for (size_t k = 0; k < i; k++) {
            int16_t *above = c - (i - k) * l->block;
            int32_t dot;
            l->kern->mix_dot(&dot, c, &above, 1, (k + 15) & ~(size_t)15);
            int64_t a = correlation(cov_get(cov, len, k), inverse[i], inverse[k]) * trust >> 16;
            int64_t v = limit((a - dot) / diagonal[k], C_MAX);
            c[k] = (int16_t)v;
            left -= v * v;
        }
        diagonal[i] = (int32_t)root((uint64_t)(left > LEFT_MIN ? left : LEFT_MIN));
        uint64_t size =
            (uint64_t)root(((uint64_t)variance << 16) / l->weight) * (NZ_LINEAR_ONE / CELL_ONE) >>
            8;
        size = size > SIZE_TOP ? SIZE_TOP : size < SIZE_MIN ? SIZE_MIN : size;
        l->size[first + i] = (int32_t)size;
        l->spread[first + i] =
            (int32_t)((size * (uint32_t)diagonal[i] >> 15) * 4096 / NZ_LINEAR_ONE) + 1;
        l->inverse[first + i] = (int32_t)((UINT64_C(1) << 43) / (size * (uint32_t)diagonal[i]));
    }
}

/* ---- Row by row ---- */

void nz_linear_start(nz_linear *l, size_t cols)
{
    if (cols == l->cols && l->rows) {
        while (l->weight > ROWS_KEPT)
            cov_halve(l);
    } else {
        size_t count = (cols + BLOCK - 1) / BLOCK;
        l->cols = cols;
        l->block = ((cols + count - 1) / count + GROUP - 1) / GROUP * GROUP;
        l->weight = 0;
        memset(l->cov, 0, count * l->block * (l->block + GROUP) * sizeof *l->cov);
        memset(l->z, 0, sizeof l->z);
        memset(l->cell, 0, sizeof l->cell);
    }
    nz_kin_start(l->kin, cols);
    l->rows = 0;
    l->next = ROWS_FIRST;
    l->known = 0;
}

/* z is in 1 / NZ_KIN_Z_ONE and C in 2^-15 of the column's size. */
static int32_t from_z(const nz_linear *l, size_t col, int64_t sum)
{
    return (int32_t)(sum * l->size[col] >> 23);
}

int32_t nz_linear_expect(nz_linear *l, size_t col, int32_t *spread)
{
    *spread = 4096;
    l->expected[col] = 0;
    if (!l->known)
        return 0;
    size_t first = col / l->block * l->block;
    int16_t *c = l->c + col * l->block;
    int32_t sum;
    l->kern->mix_dot(&sum, l->z + first, &c, 1, (col - first + 15) & ~(size_t)15);
    l->expected[col] = from_z(l, col, sum);
    *spread = l->spread[col];
    int64_t kin = nz_kin_expect(l->kin, l->z, col);
    return from_z(l, col, sum + kin * l->diagonal[col]);
}

void nz_linear_see(nz_linear *l, size_t col, int32_t x)
{
    l->x[col] = x;
    if (l->known) {
        int64_t rest = (int64_t)x - l->expected[col];
        l->z[col] = (int16_t)limit(rest * l->inverse[col] >> 20, NZ_KIN_Z_MAX);
    }
}

void nz_linear_end(nz_linear *l, int32_t size)
{
    const int64_t scale = ((int64_t)CELL_ONE << 20) / (size < SIZE_MIN ? SIZE_MIN : size);
    for (size_t j = 0; j < l->cols; j++)
        l->cell[j] = (int16_t)limit(l->x[j] * scale >> 20, CELL_MAX);
    if (cov_add(l))
        cov_halve(l);
    if (l->known)
        nz_kin_end(l->kin, l->z, size);
    l->rows++;
    l->weight++;
    if (l->rows < l->next)
        return;
    for (size_t b = 0; b < blocks(l); b++) {
        size_t n = l->cols - b * l->block;
        split(l, b, n < l->block ? n : l->block);
    }
    l->known = 1;
    l->next += l->next / 8;
}
