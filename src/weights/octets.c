/* Elements whose bytes are planes: integers, and the parts of blocks that are not numbers. */
#include "base/base.h"
#include "weights/explain.h"
#include "weights/form.h"
#include "weights/plane.h"

#include <stdlib.h>

enum { STRIP = 4096, ROW_SETS = 8, ROW_MIN = 64 };

typedef struct octets {
    size_t width, n;
    nz_plane plane[NZ_OCTETS_MAX];
    nz_known known;
    uint8_t *row; /* set[] of our own */
} octets;

static void octets_free(octets *c)
{
    for (size_t k = 0; k < c->width; k++)
        nz_plane_free(&c->plane[k]);
    free(c->row);
}

/* Behind the last that is known anything will do: it is decoded with a strip, but not read. */
static const uint8_t *sets_fill(const nz_known *known, uint8_t *set, size_t at, size_t n)
{
    if (!known->set)
        return NULL;
    for (size_t i = 0; i < n;) {
        size_t k = (at + i - known->first) / known->each;
        size_t end = known->first + (k + 1) * known->each - at;
        end = end < n ? end : n;
        memset(set + i, k < known->count ? known->set[k] : 0, end - i);
        i = end;
    }
    return set;
}

/* A set for each row, or for as many elements as are enough. */
static nz_known known_rows(const octets *c, const nz_slab *s)
{
    size_t each = (size_t)(s->row < ROW_MIN ? ROW_MIN : s->row);
    size_t count = c->n / each + (c->n % each > 0);
    return (nz_known){.count = count, .each = each, .sets = ROW_SETS};
}

/* Rows of small integers have scales as those of numbers have: sets by the mean distance from the
 * middle, in halves of a binade below that of the largest row. */
static nz_err find_rows(octets *c, const nz_slab *s, const uint8_t *raw)
{
    nz_known rows = known_rows(c, s);
    unsigned most = 0;
    if (c->width > 1 || rows.count < 2 || s->row == 1)
        return NZ_OK;
    c->row = malloc(rows.count);
    if (!c->row)
        return NZ_E_MEM;
    int middle = s->dtype == NZ_DT_I8 ? 0 : 128;
    for (size_t k = 0; k < rows.count; k++) {
        size_t at = k * rows.each, n = c->n - at < rows.each ? c->n - at : rows.each;
        uint64_t sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += (unsigned)abs((middle ? raw[at + i] : (int8_t)raw[at + i]) - middle);
        /* 16 times the mean; its logarithm in halves, by the bit below the highest. */
        unsigned mean = (unsigned)(16 * sum / n), log = 0;
        if (mean > 1) {
            unsigned top = 31 - (unsigned)__builtin_clz(mean);
            log = 2 * top + (mean >> (top - 1) & 1);
        }
        c->row[k] = (uint8_t)log;
        most = log > most ? log : most;
    }
    for (size_t k = 0; k < rows.count; k++)
        c->row[k] = (uint8_t)(most - c->row[k] < ROW_SETS ? most - c->row[k] : ROW_SETS - 1);
    c->known = rows;
    c->known.set = c->row;
    return NZ_OK;
}

/* Plane k of elements at..at + n. */
static void take(const octets *c, uint8_t *to, const uint8_t *raw, size_t k, size_t at, size_t n)
{
    const uint8_t *from = raw + at * c->width + k;
    for (size_t i = 0; i < n; i++)
        to[i] = from[i * c->width];
}

static void put(const octets *c, uint8_t *raw, const uint8_t *from, size_t k, size_t n)
{
    for (size_t i = 0; i < n; i++)
        raw[i * c->width + k] = from[i];
}

/* Sets pay only when they save more than their tables cost. */
static nz_err choose(octets *c, nz_tables *tables, const uint8_t *raw, uint8_t *bytes, uint8_t *set,
                     bool own)
{
    for (size_t k = 0; k < c->width; k++) {
        uint32_t counts[NZ_PLANE_SETS][256] = {{0}}, all[1][256] = {{0}};
        for (size_t at = 0; at < c->n; at += NZ_CHUNK) {
            size_t n = c->n - at < NZ_CHUNK ? c->n - at : NZ_CHUNK;
            take(c, bytes + at, raw, k, at, n);
            nz_plane_count(counts, bytes + at, sets_fill(&c->known, set, at, n), n);
        }
        if (own && c->known.set) {
            uint64_t apart = 4 * (c->n / c->known.each);
            for (unsigned t = 0; t < ROW_SETS; t++) {
                apart += nz_tables_cost(tables, counts[t], 1, 1);
                for (int b = 0; b < 256; b++)
                    all[0][b] += counts[t][b];
            }
            if (apart >= nz_tables_cost(tables, all[0], 1, 1)) {
                c->known = (nz_known){0};
                memcpy(counts, all, sizeof all);
            }
        }
        unsigned sets = c->known.set ? c->known.sets : 1;
        /* What is known from outside is known by chunks of the usual size. */
        nz_err err = nz_plane_choose_repeats(&c->plane[k], tables, counts, sets, own ? bytes : NULL,
                                             c->n, NZ_LZ_MOST);
        if (err)
            return err;
    }
    return NZ_OK;
}

nz_err nz_octets_encode(const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                        const nz_known *known, const uint8_t *raw, nz_buf *out)
{
    octets c = {.width = nz_dtype_about(s->dtype)->bytes, .n = (size_t)s->n};
    uint8_t *bytes = malloc(2 * c.n + 1), *set = bytes + c.n;
    nz_err err = bytes ? NZ_OK : NZ_E_MEM;
    if (known)
        c.known = *known;
    else if (!err)
        err = find_rows(&c, s, raw);
    if (!err)
        err = choose(&c, tables, raw, bytes, set, !known);
    if (err)
        goto done;
    bool own = !known && c.known.set;
    nz_buf_byte(out, own);
    if (own)
        nz_plane_whole_store(c.row, c.known.count, kern, tables, out, &err);
    for (size_t k = 0; k < c.width; k++)
        nz_plane_store(&c.plane[k], out);
    size_t chunk = nz_slab_chunk(c.plane, c.width);
    nz_chunks_out chunks = nz_chunks_begin(out, c.n, chunk);
    for (size_t at = 0; at < c.n; at += chunk) {
        size_t n = c.n - at < chunk ? c.n - at : chunk;
        for (size_t k = 0; k < c.width; k++) {
            take(&c, bytes, raw, k, at, n);
            nz_plane_encode(&c.plane[k], kern, bytes, sets_fill(&c.known, set, at, n), n, out);
        }
        nz_chunks_end(&chunks, out);
    }
    if (out->failed)
        err = NZ_E_MEM;
done:
    free(bytes);
    octets_free(&c);
    return err;
}

static nz_err load(octets *c, const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                   const nz_known *known, nz_span *in)
{
    unsigned own = nz_span_byte(in);
    if (in->bad || own > 1 || (own && known))
        return NZ_E_CORRUPT;
    if (known)
        c->known = *known;
    if (own) {
        c->known = known_rows(c, s);
        c->known.set = c->row = malloc(c->known.count);
        if (!c->row)
            return NZ_E_MEM;
        nz_err err = nz_plane_whole_load(c->row, c->known.count, kern, tables, in);
        if (err)
            return err;
        for (size_t i = 0; i < c->known.count; i++)
            if (c->row[i] >= ROW_SETS)
                return NZ_E_CORRUPT;
    }
    for (size_t k = 0; k < c->width; k++) {
        nz_err err = nz_plane_load(&c->plane[k], tables, in);
        if (err)
            return err;
        if (c->plane[k].sets != (c->known.set ? c->known.sets : 1) ||
            (known && c->plane[k].kind == NZ_PLANE_LZ))
            return NZ_E_CORRUPT;
    }
    return NZ_OK;
}

static nz_err unchunk(const octets *c, const nz_kern *kern, const nz_chunk *chunk, uint8_t *raw)
{
    const size_t size = chunk->size, from = chunk->from, n = chunk->n;
    nz_span code = chunk->code;
    uint8_t strip[STRIP], set[STRIP];
    for (size_t k = 0; k < c->width; k++) {
        nz_plane_reader r;
        nz_err err = nz_plane_open(&r, &c->plane[k], size, &code);
        if (err)
            return err;
        for (size_t i = 0; i < size && i < from + n; i += STRIP) {
            size_t m = size - i < STRIP ? size - i : STRIP;
            const uint8_t *sets = sets_fill(&c->known, set, chunk->at + i, m);
            const uint8_t *bytes = nz_plane_read(&r, kern, sets, strip, m);
            size_t low = from > i ? from - i : 0, high = from + n - i < m ? from + n - i : m;
            if (low < high)
                put(c, raw + (i + low - from) * c->width, bytes + low, k, high - low);
        }
        if (from + n == size && (err = nz_plane_close(&r)))
            return err;
    }
    return nz_span_left(&code) ? NZ_E_CORRUPT : NZ_OK;
}

nz_err nz_octets_decode(const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                        const nz_known *known, nz_span code, uint8_t *raw, size_t from, size_t n)
{
    octets c = {.width = nz_dtype_about(s->dtype)->bytes, .n = (size_t)s->n};
    if (c.width > NZ_OCTETS_MAX)
        return NZ_E_CORRUPT;
    nz_err err = load(&c, s, kern, tables, known, &code);
    nz_chunk chunk;
    nz_chunks_in chunks = nz_chunks_open(code, c.n, nz_slab_chunk(c.plane, c.width), from, n);
    while (!err && nz_chunks_next(&chunks, &chunk))
        err = unchunk(&c, kern, &chunk, raw + (chunk.at + chunk.from - from) * c.width);
    if (!err && !nz_chunks_all(&chunks))
        err = NZ_E_CORRUPT;
    octets_free(&c);
    return err;
}

nz_err nz_octets_explain(const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                         const nz_value *format, nz_span code, uint64_t bits[NZ_PARTS])
{
    octets c = {.width = nz_dtype_about(s->dtype)->bytes, .n = (size_t)s->n};
    nz_err err = load(&c, s, kern, tables, NULL, &code);
    size_t most = nz_slab_chunk(c.plane, c.width);
    uint8_t *set = malloc(c.n < most ? c.n : most);
    uint64_t exponent = nz_value_mask(format->exponent) << format->mantissa;
    uint64_t sign = UINT64_C(1) << (format->bits - 1);
    nz_chunk chunk;
    nz_chunks_in chunks = nz_chunks_open(code, c.n, most, 0, c.n);
    if (!err && !set)
        err = NZ_E_MEM;
    while (!err && nz_chunks_next(&chunks, &chunk)) {
        const uint8_t *sets = sets_fill(&c.known, set, chunk.at, chunk.size);
        for (size_t k = 0; k < c.width && !err; k++) {
            nz_alike alike;
            nz_alike_masks(&alike, exponent >> 8 * k & 255, sign >> 8 * k & 255);
            err = nz_explain_plane(&c.plane[k], tables, kern, sets, chunk.size, &alike, &chunk.code,
                                   bits, NULL);
        }
        if (!err && nz_span_left(&chunk.code))
            err = NZ_E_CORRUPT;
    }
    if (!err && !nz_chunks_all(&chunks))
        err = NZ_E_CORRUPT;
    free(set);
    octets_free(&c);
    return err;
}
