#include "weights/table.h"
#include "base/base.h"
#include "base/log.h"
#include "coder/arith.h"

#include <pthread.h>
#include <stdlib.h>

/* ---- Costs ---- */

#define COST_BITS 8 /* costs are in 1/256 bit */

static uint16_t costs[NZ_RANS_SLOTS + 1];

static void costs_make(void)
{
    for (uint32_t f = 1; f <= NZ_RANS_SLOTS; f++)
        costs[f] =
            (uint16_t)((NZ_RANS_BITS << COST_BITS) - (nz_log2(f) >> (NZ_LOG_BITS - COST_BITS)));
}

static const uint16_t *costs_get(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, costs_make);
    return costs;
}

static int most_frequent(const nz_table *t, int but)
{
    int most = but == 0;
    for (int i = 0; i < 256; i++)
        if (i != but && t->freq[i] > t->freq[most])
            most = i;
    return most;
}

void nz_table_fit(nz_table *t, const uint32_t counts[256])
{
    uint64_t total = 0;
    int32_t left = NZ_RANS_SLOTS;
    for (int i = 0; i < 256; i++)
        total += counts[i];
    for (int i = 0; i < 256; i++) {
        uint64_t f = total ? ((uint64_t)counts[i] * NZ_RANS_SLOTS + total / 2) / total : 0;
        if (f < 1)
            f = counts[i] > 0;
        if (f > NZ_RANS_SLOTS - 1)
            f = NZ_RANS_SLOTS - 1;
        t->freq[i] = (uint16_t)f;
        left -= (int32_t)f;
    }
    /* Rounding is paid by the most frequent, in shares that hardly change their cost; the one that
     * would fill the table leaves a slot to another. */
    while (left) {
        int most = most_frequent(t, -1);
        if (left > 0 && t->freq[most] == NZ_RANS_SLOTS - 1)
            most = most_frequent(t, most);
        int32_t step = t->freq[most] / 16 + 1;
        int32_t move = left < -step ? -step : left < step ? left : step;
        t->freq[most] = (uint16_t)(t->freq[most] + move);
        left -= move;
    }
}

/* UINT64_MAX also when it is clear that it would not be below `most`. */
static uint64_t cost_below(const nz_table *t, const uint32_t counts[256], uint64_t most)
{
    enum { STEP = 32 };
    const uint16_t *cost = costs_get();
    uint64_t sum = 0;
    for (int i = 0; i < 256 && sum >> COST_BITS < most; i += STEP)
        for (int k = i; k < i + STEP; k++) {
            if (counts[k] && !t->freq[k])
                return UINT64_MAX;
            sum += (uint64_t)counts[k] * cost[t->freq[k]];
        }
    return sum >> COST_BITS < most ? sum >> COST_BITS : UINT64_MAX;
}

uint64_t nz_table_cost(const nz_table *t, const uint32_t counts[256])
{
    return cost_below(t, counts, UINT64_MAX);
}

uint64_t nz_table_size(const nz_table *t)
{
    uint64_t used = 0;
    for (int i = 0; i < 256; i++)
        used += t->freq[i] > 0;
    return 16 + 6 * used;
}

/* ---- The collection ---- */

static uint64_t scaled(uint64_t v, uint64_t seen, uint64_t n)
{
    return v / seen * n + v % seen * n / seen;
}

void nz_tables_free(nz_tables *t)
{
    free(t->table);
    *t = (nz_tables){0};
}

nz_err nz_tables_add(nz_tables *t, const nz_table *table)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 16;
        nz_table *more = realloc(t->table, cap * sizeof *more);
        if (!more)
            return NZ_E_MEM;
        t->table = more;
        t->cap = cap;
    }
    t->table[t->n++] = *table;
    return NZ_OK;
}

static uint64_t best_there(const nz_tables *t, const uint32_t counts[256], unsigned *index)
{
    /* Of many tables the latest: those of the tensors around. */
    enum { TRIED = 96 };
    uint64_t best = UINT64_MAX;
    for (size_t i = t->n > TRIED ? t->n - TRIED : 0; i < t->n; i++) {
        uint64_t cost = cost_below(&t->table[i], counts, best);
        if (cost < best) {
            best = cost;
            *index = (unsigned)i;
        }
    }
    return best;
}

nz_err nz_tables_choose(nz_tables *t, const uint32_t counts[256], unsigned *index, uint64_t *cost)
{
    nz_table fresh;
    *cost = best_there(t, counts, index);
    nz_table_fit(&fresh, counts);
    uint64_t own = nz_table_cost(&fresh, counts) + nz_table_size(&fresh);
    if (t->n == NZ_TABLES_MAX || *cost <= own)
        return NZ_OK;
    *cost = own;
    *index = (unsigned)t->n;
    return nz_tables_add(t, &fresh);
}

/* Of x > 0, in the unit of costs. */
static uint64_t log2_of(uint32_t x)
{
    unsigned bits = 32 - (unsigned)__builtin_clz(x);
    if (bits <= NZ_RANS_BITS)
        return (NZ_RANS_BITS << COST_BITS) - costs_get()[x];
    return log2_of(x >> (bits - NZ_RANS_BITS)) + ((uint64_t)(bits - NZ_RANS_BITS) << COST_BITS);
}

uint64_t nz_tables_cost(const nz_tables *t, const uint32_t counts[256], uint64_t seen, uint64_t n)
{
    unsigned index, used = 0;
    uint32_t total = 0;
    uint64_t there = best_there(t, counts, &index), own = 0;
    for (int i = 0; i < 256; i++)
        if (counts[i]) {
            used++;
            total += counts[i];
            own += counts[i] * (UINT64_C(0) - log2_of(counts[i]));
        }
    if (!total)
        return 0;
    own = (own + total * log2_of(total)) >> COST_BITS;
    /* A table made for a sample suits it better than the rest, by half a nat a parameter. */
    own = scaled(own + (seen < n ? used * 3 / 4 : 0), seen, n) + 16 + 6 * used;
    there = there == UINT64_MAX ? there : scaled(there, seen, n);
    return there < own ? there : own;
}

/* ---- In the frame ---- */

/* Frequencies as numbers of 13 bits at most: how many bits, then the bits below the first, all but
 * the upper two of them as they come. Contexts: the sizes of the two neighbours before. */
enum { SIZES = 14, RATE = 4 };

typedef struct model {
    uint16_t size[SIZES * SIZES][16]; /* a binary tree of four levels */
    uint16_t next[SIZES][4];
    nz_arith *arith;
    bool decode;
} model;

static void model_init(model *m, nz_arith *a, bool decode)
{
    for (size_t i = 0; i < SIZES * SIZES; i++)
        for (size_t j = 0; j < 16; j++)
            m->size[i][j] = 1 << 15;
    for (size_t i = 0; i < SIZES; i++)
        for (size_t j = 0; j < 4; j++)
            m->next[i][j] = 1 << 15;
    m->arith = a;
    m->decode = decode;
}

static unsigned code(model *m, uint16_t *p, unsigned bit)
{
    uint32_t p1 = *p < 64 ? 64 : *p > 65472 ? 65472 : *p;
    if (m->decode)
        bit = (unsigned)nz_arith_decode(m->arith, p1);
    else
        nz_arith_encode(m->arith, p1, (int)bit);
    if (bit)
        *p = (uint16_t)(*p + ((65535 - *p) >> RATE));
    else
        *p = (uint16_t)(*p - (*p >> RATE));
    return bit;
}

static unsigned size_of(unsigned v)
{
    return v ? 32 - (unsigned)__builtin_clz(v) : 0;
}

static unsigned code_number(model *m, unsigned before, unsigned above, unsigned v)
{
    unsigned size = size_of(v), node = 1, out = 1;
    uint16_t *tree = m->size[size_of(before) * SIZES + size_of(above)];
    for (int bit = 3; bit >= 0; bit--)
        node = node << 1 | code(m, &tree[node], size >> bit & 1);
    size = node & 15;
    if (size < 2)
        return size;
    if (size >= SIZES)
        return NZ_RANS_SLOTS; /* no encoder's, and no table's */
    for (unsigned k = 1; k < size; k++) {
        uint16_t even = 1 << 15;
        unsigned bit = v >> (size - 1 - k) & 1;
        out = out << 1 | code(m, k <= 2 ? &m->next[size][k == 1 ? 0 : 2 + (out & 1)] : &even, bit);
    }
    return out;
}

/* Tables of numbers have a period of eight or sixteen symbols, their mantissa's. */
static bool code_table(model *m, nz_table *t)
{
    unsigned left = NZ_RANS_SLOTS;
    for (unsigned i = 0; i < 256; i++) {
        unsigned before = i ? t->freq[i - 1] : 0, above = i > 15 ? t->freq[i - 16] : 0;
        unsigned v = left ? code_number(m, before, above, t->freq[i]) : 0;
        if (v > left || v == NZ_RANS_SLOTS)
            return false;
        t->freq[i] = (uint16_t)v;
        left -= v;
    }
    return left == 0;
}

nz_err nz_tables_store(const nz_tables *t, nz_buf *out)
{
    nz_buf_varint(out, t->n);
    if (t->n == 0)
        return out->failed ? NZ_E_MEM : NZ_OK;
    size_t cap = t->n * 1024 + 16;
    uint8_t *code = malloc(cap);
    model *m = malloc(sizeof *m);
    if (code && m) {
        nz_arith a;
        nz_arith_write(&a, code, cap);
        model_init(m, &a, false);
        for (size_t i = 0; i < t->n; i++)
            code_table(m, &t->table[i]);
        nz_arith_flush(&a);
        nz_buf_varint(out, (uint64_t)(a.at - code));
        nz_buf_put(out, code, (size_t)(a.at - code));
    } else {
        out->failed = true;
    }
    free(code);
    free(m);
    return out->failed ? NZ_E_MEM : NZ_OK;
}

nz_err nz_tables_load(nz_tables *t, nz_span *in)
{
    uint64_t n = nz_span_varint(in);
    if (in->bad || n > NZ_TABLES_MAX)
        return NZ_E_CORRUPT;
    if (n == 0)
        return NZ_OK;
    nz_span part = nz_span_cut(in, nz_span_varint(in));
    if (part.bad)
        return NZ_E_CORRUPT;
    model *m = malloc(sizeof *m);
    nz_err err = m ? NZ_OK : NZ_E_MEM;
    nz_arith a;
    nz_arith_read(&a, part.at, nz_span_left(&part));
    if (m)
        model_init(m, &a, true);
    for (uint64_t i = 0; i < n && !err; i++) {
        nz_table table = {{0}};
        err = code_table(m, &table) ? nz_tables_add(t, &table) : NZ_E_CORRUPT;
    }
    if (!err && nz_arith_check(&a))
        err = NZ_E_CORRUPT;
    free(m);
    return err;
}
