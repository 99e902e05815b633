#include "weights/weights.h"
#include "base/base.h"

#include <stdlib.h>

/* What lies between tensors is little and in nobody's way: a quick level for quick modes. */
static const int GAP_LEVEL[] = {[NZ_MODE_TURBO] = 1, [NZ_MODE_FAST] = 1, [NZ_MODE_MAX] = 7};

/* Tables of all planes of a slab, buffers for a strip: of slabs of any size. */
#define SLAB_MEMORY (UINT64_C(4) << 20)

void nz_weights_store(const nz_weights *w, uint8_t out[NZ_WEIGHTS_PARAMS])
{
    memset(out, 0, NZ_WEIGHTS_PARAMS);
    out[0] = w->numerics;
    out[1] = w->mode;
    nz_store32(out + 4, w->memory);
}

nz_err nz_weights_load(nz_weights *w, const uint8_t in[NZ_WEIGHTS_PARAMS])
{
    *w = (nz_weights){.numerics = in[0], .mode = in[1], .memory = nz_load32(in + 4)};
    if (w->numerics != NZ_WEIGHTS_NUMERICS)
        return NZ_E_VERSION;
    if (w->mode > NZ_MODE_MAX || in[2] || in[3])
        return NZ_E_CORRUPT;
    for (int i = 8; i < NZ_WEIGHTS_PARAMS; i++)
        if (in[i])
            return NZ_E_CORRUPT;
    return NZ_OK;
}

uint64_t nz_weights_memory(const nz_weights *w)
{
    return (uint64_t)w->memory << 10;
}

uint64_t nz_weights_pack_memory(nz_weights_mode mode, uint64_t n)
{
    nz_shape shape = {0};
    (void)shape;
    (void)mode;
    /* Parts of the numbers of one slab, and the result. */
    return 3 * n + (UINT64_C(64) << 20);
}

/* ---- What lies between the slabs ---- */

typedef enum gap_kind { GAP_RAW = 0, GAP_BYTES = 1 } gap_kind;

static void gap_store(const uint8_t *gap, size_t n, int level, const nz_run *run, nz_weights *w,
                      nz_buf *out, nz_err *err)
{
    nz_shape shape;
    bool hopeless = n < 64;
    if (!hopeless)
        *err = nz_bytes_hopeless(&hopeless, gap, n);
    uint8_t *room = hopeless || *err ? NULL : malloc(n);
    if (!hopeless && !room && !*err)
        *err = NZ_E_MEM;
    if (*err)
        return;
    if (!hopeless) {
        size_t packed;
        nz_shape_choose(&shape, level, gap, n);
        *err = nz_bytes_encode(&shape, run, gap, n, room, n - NZ_SHAPE_BYTES, &packed);
        if (*err == NZ_OK) {
            uint8_t params[NZ_SHAPE_BYTES];
            nz_shape_store(&shape, params);
            nz_buf_byte(out, GAP_BYTES);
            nz_buf_put(out, params, sizeof params);
            nz_buf_varint(out, packed);
            nz_buf_put(out, room, packed);
            w->memory += (uint32_t)((nz_shape_memory(&shape) + n) >> 10) + 1;
            free(room);
            return;
        }
        if (*err == NZ_E_FULL)
            *err = NZ_OK;
    }
    free(room);
    nz_buf_byte(out, GAP_RAW);
    nz_buf_put(out, gap, n);
}

/* The gaps, n bytes, for the caller to free. */
static nz_err gap_load(uint8_t **gap, size_t n, const nz_run *run, const nz_weights *w, nz_span *in)
{
    unsigned kind = nz_span_byte(in);
    *gap = malloc(n);
    if (!*gap)
        return NZ_E_MEM;
    nz_span part = {0};
    if (kind == GAP_RAW) {
        part = nz_span_cut(in, n);
        if (part.bad)
            return NZ_E_CORRUPT;
        memcpy(*gap, part.at, n);
        return NZ_OK;
    }
    if (kind != GAP_BYTES)
        return NZ_E_CORRUPT;
    nz_shape shape;
    nz_span params = nz_span_cut(in, NZ_SHAPE_BYTES);
    part = nz_span_cut(in, nz_span_varint(in));
    if (part.bad)
        return NZ_E_CORRUPT;
    nz_err err = nz_shape_load(&shape, params.at);
    if (err)
        return err;
    if (nz_shape_memory(&shape) > nz_weights_memory(w))
        return NZ_E_CORRUPT;
    nz_run quiet = *run;
    quiet.done = NULL;
    return nz_bytes_decode(&shape, &quiet, part.at, nz_span_left(&part), *gap, n);
}

/* ---- The frame ---- */

/* Appends the map: where slabs are, and how large their codes. */
static void map_store(const nz_placed *slabs, const size_t *sizes, size_t count, nz_buf *out)
{
    uint64_t at = 0;
    nz_buf_varint(out, count);
    for (size_t i = 0; i < count; i++) {
        const nz_slab *s = &slabs[i].slab;
        nz_buf_varint(out, slabs[i].at - at);
        nz_buf_byte(out, s->dtype);
        nz_buf_varint(out, s->n);
        nz_buf_varint(out, s->row);
        nz_buf_varint(out, sizes[i]);
        at = slabs[i].at + nz_slab_bytes(s);
    }
}

/* The next slab of the map; *at is the end of the one before, then of this one. */
static nz_err map_next(nz_placed *p, size_t *size, uint64_t *at, uint64_t end, nz_span *map)
{
    uint64_t gap = nz_span_varint(map);
    unsigned dtype = nz_span_byte(map);
    uint64_t n = nz_span_varint(map), row = nz_span_varint(map), packed = nz_span_varint(map);
    const nz_dtype_info *info = nz_dtype_about(dtype);
    if (map->bad || !info || gap > end - *at || row == 0 || packed > SIZE_MAX)
        return NZ_E_CORRUPT;
    if (n == 0 || n > (end - *at - gap) / info->bytes)
        return NZ_E_CORRUPT;
    *p = (nz_placed){{(nz_dtype)dtype, n, row}, *at + gap};
    *size = (size_t)packed;
    *at += gap + n * info->bytes;
    return NZ_OK;
}

nz_err nz_weights_encode(nz_weights *w, nz_weights_mode mode, const nz_run *run, const uint8_t *raw,
                         size_t n, const nz_placed *slabs, size_t count, nz_buf *out)
{
    nz_buf gap = {0}, codes = {0}, head = {0};
    nz_tables tables = {0};
    size_t *sizes = calloc(count + 1, sizeof *sizes), at = 0;
    nz_err err = sizes ? NZ_OK : NZ_E_MEM;
    *w = (nz_weights){.numerics = NZ_WEIGHTS_NUMERICS, .mode = (uint8_t)mode};
    uint64_t memory = SLAB_MEMORY + n / 4;
    w->memory = (uint32_t)(memory >> 10);

    for (size_t i = 0; i < count && !err; i++) {
        size_t start = (size_t)slabs[i].at, before = codes.n;
        nz_buf_put(&gap, raw + at, start - at);
        err = nz_slab_encode(&slabs[i].slab, mode, run->kern, &tables, raw + start, &codes);
        sizes[i] = codes.n - before;
        at = start + (size_t)nz_slab_bytes(&slabs[i].slab);
        if (run->stop && atomic_load_explicit(run->stop, memory_order_relaxed))
            err = NZ_E_STOPPED;
        if (run->done)
            atomic_store_explicit(run->done, at, memory_order_relaxed);
    }
    if (err)
        goto done;
    nz_buf_put(&gap, raw + at, n - at);
    map_store(slabs, sizes, count, &head);
    err = nz_tables_store(&tables, &head);
    if (!err && gap.n)
        gap_store(gap.p, gap.n, GAP_LEVEL[mode], run, w, &head, &err);
    nz_buf_put(out, head.p, head.n);
    nz_buf_put(out, codes.p, codes.n);
    if (!err && (gap.failed || head.failed || codes.failed || out->failed))
        err = NZ_E_MEM;
done:
    nz_buf_free(&gap);
    nz_buf_free(&head);
    nz_buf_free(&codes);
    nz_tables_free(&tables);
    free(sizes);
    return err;
}

/* What both passes over a payload know. */
typedef struct unpack {
    const nz_run *run;
    nz_tables tables;
    uint8_t *gap;
    size_t gaps;
    uint8_t *raw;
    size_t from, end; /* wanted: bytes of the frame; raw points at `from` */
} unpack;

/* Bytes at..at + n of the frame are the next ones of the gaps. */
static void put_gap(unpack *u, size_t gap_at, size_t at, size_t n)
{
    size_t low = at < u->from ? u->from : at, high = at + n < u->end ? at + n : u->end;
    if (low < high)
        memcpy(u->raw + (low - u->from), u->gap + gap_at + (low - at), high - low);
}

/* The part of a slab that is wanted: whole blocks, the first and the last through a copy. */
static nz_err put_slab(unpack *u, const nz_placed *p, nz_span code)
{
    size_t bytes = nz_dtype_about(p->slab.dtype)->bytes, at = (size_t)p->at;
    size_t end = at + (size_t)nz_slab_bytes(&p->slab);
    size_t low = at < u->from ? u->from : at, high = end < u->end ? end : u->end;
    if (low >= high)
        return NZ_OK;
    size_t first = (low - at) / bytes, last = (high - at + bytes - 1) / bytes;
    if (at + first * bytes == low && at + last * bytes == high)
        return nz_slab_decode(&p->slab, u->run->kern, &u->tables, code, u->raw + (low - u->from),
                              first, last - first);
    uint8_t *copy = malloc((last - first) * bytes);
    nz_err err =
        copy ? nz_slab_decode(&p->slab, u->run->kern, &u->tables, code, copy, first, last - first)
             : NZ_E_MEM;
    if (!err)
        memcpy(u->raw + (low - u->from), copy + (low - at - first * bytes), high - low);
    free(copy);
    return err;
}

static nz_err unpack_slabs(unpack *u, nz_span map, size_t count, nz_span codes, size_t size)
{
    uint64_t at = 0;
    size_t gap_at = 0;
    for (size_t i = 0; i < count; i++) {
        nz_placed p;
        size_t packed, before = (size_t)at;
        nz_err err = map_next(&p, &packed, &at, size, &map);
        nz_span code = nz_span_cut(&codes, err ? 0 : packed);
        if (!err && code.bad)
            err = NZ_E_CORRUPT;
        if (!err && u->run->stop && atomic_load_explicit(u->run->stop, memory_order_relaxed))
            err = NZ_E_STOPPED;
        if (err)
            return err;
        put_gap(u, gap_at, before, (size_t)p.at - before);
        gap_at += (size_t)p.at - before;
        err = put_slab(u, &p, code);
        if (err)
            return err;
        if (u->run->done)
            atomic_store_explicit(u->run->done, at, memory_order_relaxed);
    }
    put_gap(u, gap_at, (size_t)at, size - (size_t)at);
    return nz_span_left(&codes) ? NZ_E_CORRUPT : NZ_OK;
}

nz_err nz_weights_decode(const nz_weights *w, const nz_run *run, const uint8_t *in, size_t packed,
                         uint8_t *raw, size_t size, size_t from, size_t n)
{
    unpack u = {.run = run, .raw = raw, .from = from, .end = from + n};
    nz_span code = nz_span_of(in, packed);
    uint64_t count = nz_span_varint(&code), at = 0;
    nz_err err = code.bad || count > packed ? NZ_E_CORRUPT : NZ_OK;
    /* Once through the map, to where the tables are; how much is in slabs tells the gaps. */
    nz_span map = code;
    size_t in_slabs = 0;
    for (uint64_t i = 0; i < count && !err; i++) {
        nz_placed p;
        size_t one;
        err = map_next(&p, &one, &at, size, &code);
        if (!err)
            in_slabs += (size_t)nz_slab_bytes(&p.slab);
    }
    if (!err)
        err = nz_tables_load(&u.tables, &code);
    u.gaps = size - in_slabs;
    if (!err && u.gaps)
        err = gap_load(&u.gap, u.gaps, run, w, &code);
    if (!err)
        err = unpack_slabs(&u, map, (size_t)count, code, size);
    free(u.gap);
    nz_tables_free(&u.tables);
    return err;
}
