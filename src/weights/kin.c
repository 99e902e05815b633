#include "kin.h"

enum {
    STEP = NZ_KIN_STEP,
    STEPS = NZ_KIN_COLS / STEP,
    NUMBERS = 12 << 20, /* remembered, 24 MiB */
    ROWS = 32768,       /* remembered at most: the time of a search */
    ROWS_MIN = 200,     /* before the first search */
    LIST = 32,          /* rows compared in full */
    KIN = 4,            /* rows that count; more only blur */
    TRUST_ONE = 4096,
    MEMORY = 8, /* trust comes from about the last 2^8 rows */
};

struct nz_kin {
    const nz_kern *kern;
    size_t cols, stride;             /* stride: a multiple of STEP */
    size_t room, rows;               /* rows that fit, a multiple of 16; rows seen */
    int64_t good[STEPS], all[STEPS]; /* of z times the expected one, of its square */
    int32_t trust[STEPS];
    int32_t expected[NZ_KIN_COLS];
    /* Bits, of the sketches up to the last search. */
    uint16_t differ[ROWS] __attribute__((aligned(64)));
    uint64_t sketch[NUMBERS / STEP] __attribute__((aligned(64))); /* [step][room] */
    int16_t past[NUMBERS] __attribute__((aligned(64)));           /* [room][stride] */
};

uint64_t nz_kin_memory(void)
{
    return sizeof(nz_kin);
}

nz_kin *nz_kin_new(const nz_kern *kern)
{
    nz_kin *k = nz_big_new(sizeof *k);
    if (k)
        k->kern = kern;
    return k;
}

void nz_kin_free(nz_kin *k)
{
    nz_big_free(k, sizeof *k);
}

void nz_kin_start(nz_kin *k, size_t cols)
{
    k->cols = cols;
    k->stride = (cols + STEP - 1) / STEP * STEP;
    k->room = (NUMBERS / k->stride < ROWS ? NUMBERS / k->stride : ROWS) & ~(size_t)15;
    k->rows = 0;
    memset(k->good, 0, sizeof k->good);
    memset(k->all, 0, sizeof k->all);
    memset(k->trust, 0, sizeof k->trust);
    memset(k->expected, 0, sizeof k->expected);
}

static int32_t limit(int64_t v, int32_t most)
{
    return (int32_t)(v > most ? most : v < -most ? -most : v);
}

static uint64_t sketch_of(const int16_t *z)
{
    uint64_t s = 0;
    for (int i = 0; i < STEP; i++)
        s |= (uint64_t)(z[i] < 0) << i;
    return s;
}

static size_t remembered(const nz_kin *k)
{
    return k->rows < k->room ? k->rows : k->room;
}

/* The rows that differ least, in order of that and then of place. */
static size_t least(const nz_kin *k, uint32_t list[LIST])
{
    size_t n = 0;
    uint32_t worst = UINT32_MAX;
    for (uint32_t r = 0; r < remembered(k); r++) {
        if (NZ_LIKELY(k->differ[r] >= worst))
            continue;
        size_t i = n < LIST ? n++ : LIST - 1;
        for (; i > 0 && k->differ[list[i - 1]] > k->differ[r]; i--)
            list[i] = list[i - 1];
        list[i] = r;
        if (n == LIST)
            worst = k->differ[list[LIST - 1]];
    }
    return n;
}

/* Expectations for the step from column `at` on. */
static void search(nz_kin *k, const int16_t *z, size_t at)
{
    const size_t before = at / STEP - 1;
    if (before == 0)
        memset(k->differ, 0, sizeof k->differ);
    k->kern->sketch_add(k->differ, k->sketch + before * k->room, sketch_of(z + before * STEP),
                        (remembered(k) + 15) & ~(size_t)15);
    uint32_t list[LIST];
    int16_t *row[LIST];
    int32_t alike[LIST];
    int64_t sum[STEP] = {0};
    size_t n = least(k, list);
    for (size_t i = 0; i < n; i++)
        row[i] = k->past + list[i] * k->stride;
    k->kern->mix_dot(alike, z, row, n, at);
    for (int c = 0; c < KIN; c++) {
        size_t best = 0;
        for (size_t i = 1; i < n; i++)
            best = alike[i] > alike[best] ? i : best;
        if (alike[best] <= 0)
            break;
        /* A correlation in 2^-16, times this row's size. */
        const int32_t weight = alike[best] / (int32_t)at;
        alike[best] = 0;
        for (size_t j = 0; j < STEP; j++)
            sum[j] += (int64_t)weight * row[best][at + j];
    }
    for (size_t j = 0; j < STEP; j++)
        k->expected[at + j] = limit(sum[j] >> 16, NZ_KIN_Z_MAX);
}

int32_t nz_kin_expect(nz_kin *k, const int16_t *z, size_t col)
{
    if (k->rows < ROWS_MIN || col < STEP)
        return 0;
    if (col % STEP == 0)
        search(k, z, col);
    return (int32_t)((int64_t)k->expected[col] * k->trust[col / STEP] / TRUST_ONE);
}

/* The factor that would have made the last expectations best, in the sense of least squares. */
static void learn_trust(nz_kin *k, const int16_t *z, int64_t scale)
{
    for (size_t s = 1; s < k->stride / STEP; s++) {
        int64_t good = 0, all = 0;
        for (size_t j = s * STEP; j < (s + 1) * STEP && j < k->cols; j++) {
            int64_t was = limit(z[j] * scale >> 16, NZ_KIN_Z_MAX);
            int64_t expected = limit(k->expected[j] * scale >> 16, NZ_KIN_Z_MAX);
            good += was * expected;
            all += expected * expected;
        }
        k->good[s] += good - (k->good[s] >> MEMORY);
        k->all[s] += all - (k->all[s] >> MEMORY);
        int64_t t = k->all[s] > 0 ? k->good[s] * TRUST_ONE / k->all[s] : 0;
        k->trust[s] = t < 0 ? 0 : limit(t, 2 * TRUST_ONE);
    }
}

void nz_kin_end(nz_kin *k, const int16_t *z, int32_t size)
{
    const int64_t scale = ((int64_t)1024 << 16) / (size < 16 ? 16 : size);
    if (k->rows >= ROWS_MIN)
        learn_trust(k, z, scale);
    const size_t place = k->rows++ % k->room;
    int16_t *row = k->past + place * k->stride;
    for (size_t j = 0; j < k->cols; j++)
        row[j] = (int16_t)limit(z[j] * scale >> 16, NZ_KIN_Z_MAX);
    for (size_t j = k->cols; j < k->stride; j++)
        row[j] = 0;
    for (size_t s = 0; s < k->stride / STEP; s++)
        k->sketch[s * k->room + place] = sketch_of(row + s * STEP);
}
