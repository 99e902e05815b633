/* Numbers with an exponent: symbols relative to their scale, and planes of rest. */
#include "base/base.h"
#include "base/bits.h"
#include "weights/explain.h"
#include "weights/form.h"
#include "weights/plane.h"
#include "weights/scale.h"

#include <stdlib.h>

enum {
    STRIP = 4096,          /* numbers decoded at a time: their parts stay in the first cache */
    SAMPLE = 32 << 10,     /* numbers that a choice is made by */
    PAD = NZ_NUMBER_GROUP, /* kernels write whole groups */
    TOP_MASK = 0xfff
};

/* How numbers are coded: everything that the chunks refer to. */
typedef struct numbers {
    const nz_number *format;
    nz_scale scale;
    nz_plane symbol, rest[NZ_NUMBER_PLANES];
    /* Numbers that were once shorter end in zeros, often in some rows only: the classes of rows,
     * one for each row of the scale, by how many zeros all numbers of a row end in. */
    unsigned classes;
    uint8_t *class; /* [scale.rows]; NULL: all in class 0 */
} numbers;

static size_t chunk_of(const numbers *c)
{
    size_t chunk = nz_slab_chunk(&c->symbol, 1), rest = nz_slab_chunk(c->rest, c->format->planes);
    return chunk > rest ? chunk : rest;
}

static void numbers_free(numbers *c)
{
    nz_scale_free(&c->scale);
    free(c->class);
    nz_plane_free(&c->symbol);
    for (unsigned k = 0; k < NZ_NUMBER_PLANES; k++)
        nz_plane_free(&c->rest[k]);
}

/* Buffers for the parts of n numbers. */
typedef struct parts {
    nz_number_parts to;
    uint8_t *set, *rest_set;
    int16_t *base; /* [STRIP] */
    nz_block all;
    nz_pool *pool;
} parts;

static nz_err parts_new(parts *p, nz_pool *pool, const nz_number *f, size_t n)
{
    size_t one = (n + PAD + 63) / 64 * 64;
    *p = (parts){.pool = pool};
    if (!nz_block_resize(pool, &p->all, 0, (3 + f->planes) * one + STRIP * sizeof *p->base))
        return NZ_E_MEM;
    p->base = (int16_t *)(void *)p->all.p;
    uint8_t *at = p->all.p + STRIP * sizeof *p->base;
    p->set = at;
    p->rest_set = at + one;
    p->to.symbol = at + 2 * one;
    for (unsigned k = 0; k < f->planes; k++)
        p->to.rest[k] = at + (3 + k) * one;
    return NZ_OK;
}

static void parts_free(parts *p)
{
    nz_block_free(p->pool, &p->all);
}

/* Splits numbers at..at + n of the slab into the parts from index `to` on, a multiple of 32. */
static void split(const numbers *c, const nz_kern *kern, parts *p, size_t to, const uint8_t *raw,
                  size_t at, size_t n)
{
    const nz_number *f = c->format;
    for (size_t i = 0; i < n; i += STRIP) {
        size_t m = n - i < STRIP ? n - i : STRIP;
        nz_number_parts part = {.symbol = p->to.symbol + to + i};
        for (unsigned k = 0; k < f->planes; k++)
            part.rest[k] = p->to.rest[k] + nz_number_plane(f, k, to + i);
        nz_scale_fill(&c->scale, kern, p->base, p->set + to + i, at + i, m);
        if (m % PAD)
            memset(p->base + m, 0, (PAD - m % PAD) * sizeof *p->base);
        nz_number_split(kern, f, &part, raw + (at + i) * f->bytes, p->base, m);
    }
}

/* Bits told of an odd number beside its symbol. */
static unsigned odd_bits(uint8_t symbol)
{
    return symbol == NZ_NUMBER_ESCAPE ? 12 : 4;
}

/* Bits for the symbols of a sample with the scales that are switched on, brought up to all. */
static uint64_t sample_cost(const numbers *c, const nz_kern *kern, const nz_tables *tables,
                            parts *p, const uint8_t *raw)
{
    const nz_scale *s = &c->scale;
    uint32_t counts[NZ_SCALE_SETS][256] = {{0}};
    size_t pieces = s->n > SAMPLE ? 16 : 1, piece = s->n > SAMPLE ? SAMPLE / pieces : s->n;
    size_t seen = pieces * piece;
    for (size_t k = 0; k < pieces; k++) {
        size_t at = pieces > 1 ? (s->n - piece) / (pieces - 1) * k : 0;
        split(c, kern, p, k * piece, raw, at, piece);
    }
    nz_plane_count(counts, p->to.symbol, p->set, seen);
    uint64_t bits = 0;
    for (unsigned t = 0; t < NZ_SCALE_SETS; t++) {
        bits += nz_tables_cost(tables, counts[t], seen, s->n);
        for (unsigned i = c->format->reach.dense; i < 256; i++)
            if (i != NZ_NUMBER_ZERO)
                bits += (uint64_t)counts[t][i] * odd_bits((uint8_t)i) * s->n / seen;
    }
    return bits;
}

/* Scales as bytes: the lowest, and how much each lies above it. */
static void scales_store(const int16_t *v, size_t n, const nz_kern *kern, nz_tables *tables,
                         nz_buf *out, nz_err *err)
{
    int16_t low = INT16_MAX;
    uint8_t *bytes = malloc(n);
    if (!bytes) {
        *err = NZ_E_MEM;
        return;
    }
    for (size_t i = 0; i < n; i++)
        low = v[i] < low ? v[i] : low;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v[i] - low);
    nz_buf_int16(out, low);
    nz_plane_whole_store(bytes, n, kern, tables, out, err);
    free(bytes);
}

static nz_err scales_load(int16_t *v, size_t n, const nz_kern *kern, const nz_tables *tables,
                          nz_span *in)
{
    int low = nz_span_int16(in);
    uint8_t *bytes = malloc(n);
    nz_err err = bytes ? nz_plane_whole_load(bytes, n, kern, tables, in) : NZ_E_MEM;
    for (size_t i = 0; i < n && !err; i++)
        v[i] = (int16_t)(low + bytes[i]);
    free(bytes);
    return err;
}

/* What the scales of n places cost, about: their entropy is that of small numbers. */
static uint64_t scales_cost(const int16_t *v, size_t n)
{
    uint64_t bits = 64;
    for (size_t i = 1; i < n; i++) {
        unsigned d = (unsigned)abs(v[i] - v[0]);
        bits += 2;
        while (d >>= 1)
            bits++;
    }
    return bits;
}

/* ---- Classes ---- */

enum { CLASSES = 8, ZEROS_A_CLASS = 4 };

static unsigned class_of(const nz_number *f, const uint8_t *raw, size_t n)
{
    uint64_t all = 0;
    size_t bytes = n * f->bytes, i = 0;
    for (; i + 8 <= bytes; i += 8)
        all |= nz_load64(raw + i);
    for (; i < bytes; i += f->bytes)
        all |= nz_load(raw + i, f->bytes);
    for (unsigned bits = 32; bits >= 8u * f->bytes; bits /= 2)
        all |= all >> bits;
    unsigned zeros = all ? (unsigned)__builtin_ctzll(all) / ZEROS_A_CLASS : CLASSES;
    return zeros < CLASSES ? zeros : CLASSES - 1;
}

/* Finds the classes, numbered from 0 on; leaves c->class NULL when there is only one. */
static nz_err classes_find(numbers *c, const uint8_t *raw)
{
    const nz_scale *s = &c->scale;
    bool there[CLASSES] = {false};
    uint8_t id[CLASSES];
    c->classes = 1;
    if (!c->format->planes)
        return NZ_OK;
    c->class = malloc(s->rows);
    if (!c->class)
        return NZ_E_MEM;
    for (size_t i = 0; i < s->rows; i++) {
        size_t at = i * s->block, n = s->n - at < s->block ? s->n - at : s->block;
        c->class[i] = (uint8_t)class_of(c->format, raw + at * c->format->bytes, n);
        there[c->class[i]] = true;
    }
    c->classes = 0;
    for (unsigned k = 0; k < CLASSES; k++) {
        id[k] = (uint8_t)c->classes;
        c->classes += there[k];
    }
    for (size_t i = 0; i < s->rows; i++)
        c->class[i] = id[c->class[i]];
    if (c->classes == 1) {
        free(c->class);
        c->class = NULL;
    }
    return NZ_OK;
}

/* The classes of the bytes of plane k that belong to numbers at..at + n, or NULL. Where two numbers
 * share a byte, the first of their group decides. */
static const uint8_t *classes_fill(const numbers *c, unsigned k, uint8_t *set, size_t at, size_t n)
{
    size_t per = nz_number_plane(c->format, k, NZ_NUMBER_GROUP);
    if (!c->class)
        return NULL;
    if (per == NZ_NUMBER_GROUP) {
        for (size_t i = 0; i < n;) {
            size_t block = (at + i) / c->scale.block, end = (block + 1) * c->scale.block - at;
            end = end < n ? end : n;
            memset(set + i, c->class[block], end - i);
            i = end;
        }
    } else {
        for (size_t i = 0; i < n; i += NZ_NUMBER_GROUP)
            memset(set + i / NZ_NUMBER_GROUP * per, c->class[(at + i) / c->scale.block], per);
    }
    return set;
}

/* ---- The whole ---- */

/* Which scales pay; leaves them switched on. */
static void choose_scales(numbers *c, const nz_kern *kern, const nz_tables *tables, parts *p,
                          const uint8_t *raw)
{
    nz_scale *s = &c->scale;
    uint64_t best = UINT64_MAX, rows = scales_cost(s->row, s->rows);
    uint64_t columns = s->period ? scales_cost(s->column, s->period) : 0;
    unsigned chosen = 0;
    for (unsigned option = 0; option < (s->period ? 4u : 2u); option++) {
        if (option & 1 && s->rows < 2)
            continue;
        s->by_row = option & 1;
        s->by_column = option >> 1;
        uint64_t cost = sample_cost(c, kern, tables, p, raw) + (s->by_row ? rows : 0) +
                        (s->by_column ? columns : 0);
        if (cost < best) {
            best = cost;
            chosen = option;
        }
    }
    int power = 2;
    s->by_row = s->by_column = false;
    for (s->power = -1; s->other && s->power <= 1; s->power++) {
        s->by_other = true;
        nz_scale_follow(s, raw);
        uint64_t cost = sample_cost(c, kern, tables, p, raw);
        if (cost < best) {
            best = cost;
            power = s->power;
        }
    }
    s->by_other = power < 2;
    if (s->by_other) {
        s->power = power;
        nz_scale_follow(s, raw);
    } else {
        s->by_row = chosen & 1;
        s->by_column = chosen >> 1;
    }
}

static void numbers_store(numbers *c, const nz_kern *kern, nz_tables *tables, nz_buf *out,
                          nz_err *err)
{
    const nz_scale *s = &c->scale;
    nz_buf_byte(out, (unsigned)s->by_row | (unsigned)s->by_column << 1 |
                         (s->by_other ? (unsigned)(s->power + 2) << 2 : 0));
    if (s->by_other)
        nz_buf_int16(out, s->factor);
    nz_buf_int16(out, s->mean);
    if (s->by_row)
        scales_store(s->row, s->rows, kern, tables, out, err);
    if (s->by_column)
        scales_store(s->column, s->period, kern, tables, out, err);
    nz_buf_byte(out, c->classes);
    if (c->class)
        nz_plane_whole_store(c->class, s->rows, kern, tables, out, err);
    nz_plane_store(&c->symbol, out);
    for (unsigned k = 0; k < c->format->planes; k++)
        nz_plane_store(&c->rest[k], out);
}

/* Every row's class must be one that there is. */
static nz_err classes_load(numbers *c, const nz_kern *kern, const nz_tables *tables, nz_span *in)
{
    c->classes = nz_span_byte(in);
    if (c->classes < 1 || c->classes > CLASSES)
        return NZ_E_CORRUPT;
    if (c->classes == 1)
        return NZ_OK;
    c->class = malloc(c->scale.rows);
    if (!c->class)
        return NZ_E_MEM;
    nz_err err = nz_plane_whole_load(c->class, c->scale.rows, kern, tables, in);
    for (size_t i = 0; i < c->scale.rows && !err; i++)
        if (c->class[i] >= c->classes)
            err = NZ_E_CORRUPT;
    return err;
}

static void follow_other(nz_scale *s, const nz_other *other)
{
    s->other_format = other ? nz_number_of(other->dtype) : NULL;
    s->other = s->other_format ? other->raw : NULL;
    s->other_first = other ? other->first : 0;
    s->other_n = other ? other->n : 0;
}

static nz_err numbers_load(numbers *c, const nz_slab *slab, const nz_kern *kern,
                           const nz_tables *tables, const nz_other *other, nz_span *in)
{
    *c = (numbers){.format = nz_number_of(slab->dtype)};
    if (!c->format)
        return NZ_E_CORRUPT;
    nz_err err = nz_scale_new(&c->scale, c->format, (size_t)slab->n, (size_t)slab->row);
    if (err)
        return err;
    nz_scale *s = &c->scale;
    unsigned scales = nz_span_byte(in);
    s->by_row = scales & 1;
    s->by_column = scales >> 1 & 1;
    s->by_other = scales >> 2;
    s->power = (int)(scales >> 2) - 2;
    if (s->by_other)
        s->factor = nz_span_int16(in);
    s->mean = nz_span_int16(in);
    follow_other(s, other);
    if (in->bad || scales > 15 || (scales & 3 && s->by_other) || (s->by_other && !s->other) ||
        (s->by_column && !s->period))
        err = NZ_E_CORRUPT;
    if (!err && s->by_row)
        err = scales_load(s->row, s->rows, kern, tables, in);
    if (!err && s->by_column)
        err = scales_load(s->column, s->period, kern, tables, in);
    if (!err)
        err = classes_load(c, kern, tables, in);
    if (!err)
        err = nz_plane_load(&c->symbol, tables, in);
    if (!err && c->symbol.sets != NZ_SCALE_SETS)
        err = NZ_E_CORRUPT;
    for (unsigned k = 0; k < c->format->planes && !err; k++) {
        err = nz_plane_load(&c->rest[k], tables, in);
        if (!err && c->rest[k].sets != c->classes)
            err = NZ_E_CORRUPT;
    }
    if (!err && s->by_other && chunk_of(c) != NZ_CHUNK)
        err = NZ_E_CORRUPT;
    if (err)
        numbers_free(c);
    return err;
}

/* What the symbols of odd numbers do not tell, in the order of the numbers: of one below its base
 * the bits below its exponent, of an escaped one the whole top. Four bits and twelve, the lower
 * first, so that two binades or an escape and a binade make whole bytes. */
static void odds_store(const numbers *c, const nz_kern *kern, const uint8_t *symbols,
                       const uint8_t *raw, size_t n, nz_buf *out)
{
    nz_buf bytes = {0};
    nz_bits_out bits = {.to = &bytes};
    uint16_t where[STRIP];
    for (size_t at = 0; at < n; at += STRIP) {
        size_t m = n - at < STRIP ? n - at : STRIP;
        size_t count = kern->number_odd(where, symbols + at, c->format->reach.dense, m);
        for (size_t k = 0; k < count; k++) {
            size_t i = at + where[k];
            unsigned told = odd_bits(symbols[i]);
            unsigned top = nz_number_top(c->format, raw + i * c->format->bytes);
            top &= (1u << (told == 4 ? c->format->reach.kept : told)) - 1;
            nz_bits_put(&bits, top, told);
        }
    }
    nz_bits_flush(&bits);
    nz_buf_varint(out, bytes.n);
    nz_buf_put(out, bytes.p, bytes.n);
    out->failed |= bytes.failed;
    nz_buf_free(&bytes);
}

static void odds_load(nz_bits_in *in, const numbers *c, const nz_kern *kern, const uint8_t *symbols,
                      const int16_t *base, uint8_t *raw, size_t n)
{
    uint16_t where[STRIP];
    const nz_number *f = c->format;
    size_t count = kern->number_odd(where, symbols, f->reach.dense, n);
    for (size_t k = 0; k < count; k++) {
        unsigned i = where[k], told = odd_bits(symbols[i]), v = nz_bits_get(in, told);
        if (told == 4) {
            unsigned binades = symbols[i] - f->reach.dense + 1u;
            v &= (1u << f->reach.kept) - 1;
            v |= (unsigned)(base[i] - (int)(binades << f->reach.kept)) & TOP_MASK;
        }
        nz_number_set_top(f, raw + i * f->bytes, v);
    }
}

static void numbers_chunk(const numbers *c, const nz_kern *kern, parts *p, const uint8_t *raw,
                          size_t at, size_t n, nz_buf *out)
{
    const nz_number *f = c->format;
    nz_plane_encode(&c->symbol, kern, p->to.symbol + at, p->set + at, n, out);
    odds_store(c, kern, p->to.symbol + at, raw + at * f->bytes, n, out);
    for (unsigned k = 0; k < f->planes; k++)
        nz_plane_encode(&c->rest[k], kern, p->to.rest[k] + nz_number_plane(f, k, at),
                        classes_fill(c, k, p->rest_set, at, n), nz_number_plane(f, k, n), out);
}

/* Has memory that is written soon brought near: symbols are decoded meanwhile. */
static void expect(const uint8_t *p, size_t n)
{
    enum { LINE = 64 };
    for (size_t i = 0; i < n; i += LINE)
        __builtin_prefetch(p + i, 1, 2);
}

static nz_err numbers_unchunk(const numbers *c, const nz_kern *kern, parts *p,
                              const nz_chunk *chunk, uint8_t *raw)
{
    const nz_number *f = c->format;
    const size_t size = chunk->size, from = chunk->from, n = chunk->n;
    nz_span code = chunk->code;
    nz_plane_reader symbol, rest[NZ_NUMBER_PLANES];
    nz_err err = nz_plane_open(&symbol, &c->symbol, size, &code);
    nz_bits_in odds = {.in = nz_span_cut(&code, nz_span_varint(&code))};
    for (unsigned k = 0; k < f->planes && !err; k++)
        err = nz_plane_open(&rest[k], &c->rest[k], nz_number_plane(f, k, size), &code);
    if (err)
        return err;
    if (code.bad || nz_span_left(&code))
        return NZ_E_CORRUPT;
    for (size_t i = 0; i < size && i < from + n; i += STRIP) {
        size_t m = size - i < STRIP ? size - i : STRIP;
        nz_number_parts part;
        /* Straight into place where all of the strip is wanted. */
        bool all = from <= i && i + m <= from + n;
        uint8_t part_of[STRIP * 8], *to = all ? raw + (i - from) * f->bytes : part_of;
        expect(to, m * f->bytes);
        nz_scale_fill(&c->scale, kern, p->base, p->set, chunk->at + i, m);
        memset(p->base + m, 0, (STRIP - m) * sizeof *p->base);
        part.symbol = (uint8_t *)(uintptr_t)nz_plane_read(&symbol, kern, p->set, p->to.symbol, m);
        for (unsigned k = 0; k < f->planes; k++) {
            size_t bytes = nz_number_plane(f, k, m);
            const uint8_t *set = classes_fill(c, k, p->rest_set, chunk->at + i, m);
            part.rest[k] =
                (uint8_t *)(uintptr_t)nz_plane_read(&rest[k], kern, set, p->to.rest[k], bytes);
        }
        nz_number_merge(kern, f, to, &part, p->base, m);
        odds_load(&odds, c, kern, part.symbol, p->base, to, m);
        if (!all && i + m > from) {
            size_t low = from > i ? from - i : 0, high = from + n - i < m ? from + n - i : m;
            memcpy(raw + (i + low - from) * f->bytes, part_of + low * f->bytes,
                   (high - low) * f->bytes);
        }
    }
    if (odds.in.bad)
        return NZ_E_CORRUPT;
    if (from + n < size)
        return NZ_OK;
    err = nz_plane_close(&symbol);
    for (unsigned k = 0; k < f->planes && !err; k++)
        err = nz_plane_close(&rest[k]);
    return err ? err : nz_bits_all(&odds) ? NZ_OK : NZ_E_CORRUPT;
}

/* ---- Slabs ---- */

nz_err nz_numbers_encode(const nz_slab *slab, const nz_kern *kern, nz_tables *tables,
                         const nz_other *other, const uint8_t *raw, nz_buf *out, bool *repeats)
{
    size_t n = (size_t)slab->n;
    numbers c = {.format = nz_number_of(slab->dtype)};
    const nz_number *f = c.format;
    parts p = {0};
    nz_err err = nz_scale_new(&c.scale, f, n, (size_t)slab->row);
    follow_other(&c.scale, other);
    if (!err)
        err = parts_new(&p, out->pool, f, n);
    if (!err)
        err = nz_scale_measure(&c.scale, kern, raw);
    if (!err)
        err = classes_find(&c, raw);
    if (err)
        goto done;
    choose_scales(&c, kern, tables, &p, raw);
    split(&c, kern, &p, 0, raw, 0, n);

    uint32_t counts[NZ_SCALE_SETS][256] = {{0}};
    nz_plane_count(counts, p.to.symbol, p.set, n);
    /* What follows another slab is read in chunks of the usual size: no repeats. Where symbols do
     * not repeat the rest will not. */
    err = nz_plane_choose_repeats(&c.symbol, tables, counts, NZ_SCALE_SETS,
                                  c.scale.by_other ? NULL : p.to.symbol, n, NZ_LZ_MOST);
    *repeats = c.symbol.kind == NZ_PLANE_LZ;
    for (unsigned k = 0; k < f->planes && !err; k++) {
        uint32_t rest[CLASSES][256] = {{0}};
        size_t bytes = nz_number_plane(f, k, n);
        if (!c.class && !*repeats && nz_plane_is_noise(p.to.rest[k], bytes)) {
            c.rest[k] = (nz_plane){.kind = NZ_PLANE_RAW, .sets = 1};
            continue;
        }
        nz_plane_count(rest, p.to.rest[k], classes_fill(&c, k, p.rest_set, 0, n), bytes);
        err = nz_plane_choose_repeats(&c.rest[k], tables, rest, c.classes,
                                      *repeats ? p.to.rest[k] : NULL, bytes,
                                      nz_number_plane(f, k, NZ_LZ_MOST));
    }
    if (err)
        goto done;
    numbers_store(&c, kern, tables, out, &err);
    size_t chunk = chunk_of(&c);
    nz_chunks_out chunks = nz_chunks_begin(out, n, chunk);
    for (size_t at = 0; at < n; at += chunk) {
        numbers_chunk(&c, kern, &p, raw, at, n - at < chunk ? n - at : chunk, out);
        nz_chunks_end(&chunks, out);
    }
    if (out->failed)
        err = NZ_E_MEM;
done:
    parts_free(&p);
    numbers_free(&c);
    return err;
}

nz_err nz_numbers_decode(const nz_slab *slab, const nz_kern *kern, const nz_tables *tables,
                         const nz_other *other, nz_span code, uint8_t *raw, size_t from, size_t n)
{
    numbers c;
    parts p = {0};
    nz_err err = numbers_load(&c, slab, kern, tables, other, &code);
    if (err)
        return err;
    err = parts_new(&p, NULL, c.format, STRIP);
    if (err)
        goto done;
    nz_chunk chunk;
    nz_chunks_in chunks = nz_chunks_open(code, (size_t)slab->n, chunk_of(&c), from, n);
    while (!err && nz_chunks_next(&chunks, &chunk))
        err = numbers_unchunk(&c, kern, &p, &chunk,
                              raw + (chunk.at + chunk.from - from) * c.format->bytes);
    if (!err && !nz_chunks_all(&chunks))
        err = NZ_E_CORRUPT;
done:
    parts_free(&p);
    numbers_free(&c);
    return err;
}

/* ---- What they cost ---- */

/* The bits of a top that are the exponent's; in bytes a sign ends it. */
static unsigned exponent_bits(const nz_number *f)
{
    return 8u * f->bytes - f->rest - f->reach.kept;
}

/* Symbols up to `dense` are tops, the others binades. */
static void symbols_alike(nz_alike *a, const nz_number *f)
{
    for (unsigned s = 0; s < 256; s++) {
        bool top = s < f->reach.dense;
        a->exponent[s] = (uint8_t)(top ? s >> f->reach.kept : s);
        a->mantissa[s] = (uint8_t)(top && !f->rest ? s & ~1u : s);
    }
}

static bool odds_explain(const nz_number *f, const uint32_t counts[256], uint64_t size,
                         uint64_t bits[NZ_PARTS])
{
    uint64_t escaped = counts[NZ_NUMBER_ESCAPE], odd = escaped, sign = !f->rest;
    for (unsigned s = f->reach.dense; s < NZ_NUMBER_ZERO; s++)
        odd += counts[s];
    bits[NZ_PART_EXPONENT] += escaped * exponent_bits(f);
    bits[NZ_PART_MANTISSA] += odd * (f->reach.kept - sign);
    bits[NZ_PART_SIGN] += odd * sign;
    return odd * odd_bits(0) + escaped * (odd_bits(NZ_NUMBER_ESCAPE) - odd_bits(0)) <= 8 * size;
}

/* `set` has room for that of each of its numbers. */
static nz_err chunk_explain(const numbers *c, const nz_tables *tables, const nz_kern *kern,
                            uint8_t *set, const nz_chunk *chunk, uint64_t bits[NZ_PARTS])
{
    const nz_number *f = c->format;
    const size_t at = chunk->at, n = chunk->size;
    nz_span code = chunk->code;
    int16_t base[STRIP];
    uint32_t counts[256] = {0};
    nz_alike alike;
    for (size_t i = 0; i < n; i += STRIP)
        nz_scale_fill(&c->scale, kern, base, set + i, at + i, n - i < STRIP ? n - i : STRIP);
    symbols_alike(&alike, f);
    nz_err err = nz_explain_plane(&c->symbol, tables, kern, set, n, &alike, &code, bits, counts);
    nz_span odds = nz_span_cut(&code, nz_span_varint(&code));
    if (!err && (code.bad || !odds_explain(f, counts, nz_span_left(&odds), bits)))
        err = NZ_E_CORRUPT;
    for (unsigned k = 0; k < f->planes && !err; k++) {
        bool pairs = nz_number_plane(f, k, NZ_NUMBER_GROUP) < NZ_NUMBER_GROUP;
        nz_alike_masks(&alike, 0, k + 1 < f->planes ? 0 : pairs ? 0x11 : 0x01);
        err = nz_explain_plane(&c->rest[k], tables, kern, classes_fill(c, k, set, at, n),
                               nz_number_plane(f, k, n), &alike, &code, bits, NULL);
    }
    return !err && nz_span_left(&code) ? NZ_E_CORRUPT : err;
}

nz_err nz_numbers_explain(const nz_slab *slab, const nz_kern *kern, const nz_tables *tables,
                          const nz_other *other, nz_span code, uint64_t bits[NZ_PARTS])
{
    numbers c;
    nz_err err = numbers_load(&c, slab, kern, tables, other, &code);
    if (err)
        return err;
    size_t n = (size_t)slab->n, most = chunk_of(&c);
    uint8_t *set = malloc((n < most ? n : most) + PAD);
    nz_chunk chunk;
    nz_chunks_in chunks = nz_chunks_open(code, n, most, 0, n);
    err = set ? NZ_OK : NZ_E_MEM;
    while (!err && nz_chunks_next(&chunks, &chunk))
        err = chunk_explain(&c, tables, kern, set, &chunk, bits);
    if (!err && !nz_chunks_all(&chunks))
        err = NZ_E_CORRUPT;
    free(set);
    numbers_free(&c);
    return err;
}
