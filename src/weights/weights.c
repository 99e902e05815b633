#include "weights/weights.h"
#include "base/base.h"
#include "weights/convert.h"
#include "weights/delta.h"
#include "weights/form.h"
#include "weights/lz.h"
#include "weights/max.h"
#include "weights/number.h"
#include "weights/plane.h"
#include "weights/quants.h"

#include <stdlib.h>

/* What lies between tensors is little and in nobody's way: a quick level for quick modes. */
static const int GAP_LEVEL[] = {[NZ_MODE_TURBO] = 1, [NZ_MODE_FAST] = 1, [NZ_MODE_MAX] = 7};

/* Tables of all planes of a slab, buffers for a strip: of slabs of any size. */
#define SLAB_MEMORY (UINT64_C(4) << 20)

/* Small, so that what two threads work on stays in their caches; a model that learns wants more to
 * learn from. */
uint64_t nz_weights_frame(nz_weights_mode mode)
{
    return UINT64_C(1) << (mode == NZ_MODE_MAX ? 25 : 21);
}

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
    /* Parts of the numbers of one slab, the result in two steps, and what lies between. */
    return 5 * n + (UINT64_C(16) << 20) + (mode == NZ_MODE_MAX ? 2 * nz_max_memory() : 0);
}

/* ---- What lies between the slabs ---- */

typedef enum gap_kind { GAP_RAW = 0, GAP_BYTES = 1, GAP_PLANE = 2 } gap_kind;

/* The bytes engine takes as long for n bytes as tensors of some hundred times as many. Where speed
 * counts it is for what matters among the tensors and is not too long, a tokenizer say: all else is
 * a plane instead, with its repeats. */
static bool gap_hurried(nz_weights_mode mode, size_t n, size_t in_slabs)
{
    enum { SHARE = 128, PATIENCE = 256 << 10 };
    if (mode == NZ_MODE_MAX || n > NZ_LZ_MOST)
        return false;
    return mode == NZ_MODE_TURBO || n < in_slabs / SHARE || n > PATIENCE;
}

static nz_err gap_as_plane(const uint8_t *gap, size_t n, const nz_kern *kern, nz_tables *tables,
                           nz_buf *out)
{
    uint32_t counts[1][256] = {{0}};
    nz_plane p;
    nz_plane_count(counts, gap, NULL, n);
    nz_err err = nz_plane_choose_repeats(&p, tables, counts, 1, gap, n, n);
    if (err)
        return err;
    nz_plane_store(&p, out);
    nz_plane_encode(&p, kern, gap, NULL, n, out);
    nz_plane_free(&p);
    return NZ_OK;
}

/* NZ_E_FULL when it does not shrink. */
static nz_err gap_as_bytes(const uint8_t *gap, size_t n, int level, const nz_run *run,
                           nz_weights *w, nz_buf *out)
{
    nz_shape shape;
    bool hopeless = n < 2 * NZ_SHAPE_BYTES;
    nz_err err = hopeless ? NZ_OK : nz_bytes_hopeless(&hopeless, gap, n);
    if (err || hopeless)
        return err ? err : NZ_E_FULL;
    size_t packed;
    nz_shape_choose(&shape, level, gap, n);
    uint8_t *room = nz_buf_room(out, n);
    if (!room)
        return NZ_E_MEM;
    nz_shape_store(&shape, room);
    err = nz_bytes_encode(&shape, run, gap, n, room + NZ_SHAPE_BYTES, n - NZ_SHAPE_BYTES, &packed);
    if (err)
        return err;
    out->n += NZ_SHAPE_BYTES + packed;
    w->memory += (uint32_t)(nz_shape_memory(&shape) >> 10) + 1;
    return NZ_OK;
}

static nz_err gap_store(const uint8_t *gap, size_t n, size_t in_slabs, nz_weights_mode mode,
                        const nz_run *run, nz_tables *tables, nz_weights *w, nz_buf *out)
{
    nz_buf code = {0};
    gap_kind kind = gap_hurried(mode, n, in_slabs) ? GAP_PLANE : GAP_BYTES;
    nz_run quiet = *run;
    quiet.done = NULL;
    nz_err err = kind == GAP_PLANE ? gap_as_plane(gap, n, run->kern, tables, &code)
                                   : gap_as_bytes(gap, n, GAP_LEVEL[mode], &quiet, w, &code);
    w->memory += (uint32_t)(n >> 10) + 1;
    if (err == NZ_E_FULL) {
        kind = GAP_RAW;
        err = NZ_OK;
    }
    nz_buf_byte(out, kind);
    if (kind != GAP_RAW)
        nz_buf_varint(out, code.n);
    nz_buf_put(out, kind == GAP_RAW ? gap : code.p, kind == GAP_RAW ? n : code.n);
    if (code.failed || out->failed)
        err = NZ_E_MEM;
    nz_buf_free(&code);
    return err;
}

static nz_err gap_from_plane(uint8_t *gap, size_t n, const nz_kern *kern, const nz_tables *tables,
                             nz_span in)
{
    nz_err err = n > NZ_LZ_MOST ? NZ_E_CORRUPT : nz_plane_whole_load(gap, n, kern, tables, &in);
    return !err && nz_span_left(&in) ? NZ_E_CORRUPT : err;
}

/* The gaps, n bytes, for the caller to free; passed over unless wanted. */
static nz_err gap_load(uint8_t **gap, size_t n, bool wanted, const nz_run *run,
                       const nz_tables *tables, const nz_weights *w, nz_span *in)
{
    unsigned kind = nz_span_byte(in);
    nz_span part = nz_span_cut(in, kind == GAP_RAW ? n : nz_span_varint(in));
    if (kind > GAP_PLANE || part.bad)
        return NZ_E_CORRUPT;
    if (!wanted)
        return NZ_OK;
    *gap = malloc(n);
    if (!*gap)
        return NZ_E_MEM;
    if (kind == GAP_RAW) {
        memcpy(*gap, part.at, n);
        return NZ_OK;
    }
    if (kind == GAP_PLANE)
        return gap_from_plane(*gap, n, run->kern, tables, part);
    nz_shape shape;
    nz_span params = nz_span_cut(&part, NZ_SHAPE_BYTES);
    nz_err err = params.bad ? NZ_E_CORRUPT : nz_shape_load(&shape, params.at);
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
    *p = (nz_placed){.slab = {(nz_dtype)dtype, n, row}, .at = *at + gap};
    *size = (size_t)packed;
    *at += gap + n * info->bytes;
    return NZ_OK;
}

/* Where the base has a slab's blocks: within it, and of a type that says something. */
static bool base_has(const nz_weights_base *base, const nz_slab *s, unsigned dtype, uint64_t at)
{
    const nz_dtype_info *info = nz_dtype_about(dtype);
    return info && base->p && nz_convert_can((nz_dtype)dtype, s->dtype) && at <= base->n &&
           s->n <= (base->n - at) / info->bytes;
}

/* Whether the model that learns is for these. */
static bool max_suits(nz_dtype dtype)
{
    return nz_value_of(dtype) || nz_quants_of(dtype);
}

/* By itself, or by its difference from the base: whichever is smaller. */
static nz_err slab_store(const nz_placed *p, nz_weights_mode mode, const nz_run *run,
                         const nz_weights_base *base, nz_tables *tables, const nz_other *other_slab,
                         const uint8_t *raw, nz_buf *out)
{
    size_t start = out->n, had = tables->n;
    nz_err err = nz_slab_encode(&p->slab, mode, run->kern, tables, other_slab, raw, out);
    if (err || !base_has(base, &p->slab, p->base_dtype, p->base_at))
        return err;
    nz_tables other = {0};
    nz_buf delta = {0};
    for (size_t i = 0; i < had && !err; i++)
        err = nz_tables_add(&other, &tables->table[i]);
    nz_buf_byte(&delta, NZ_FORM_DELTA);
    nz_buf_byte(&delta, p->base_dtype);
    nz_buf_varint(&delta, p->base_at);
    if (!err)
        err = nz_delta_encode(&p->slab, run->kern, &other, raw, p->base_dtype, base->p + p->base_at,
                              &delta);
    /* The model that learns saves as much of what is told by itself: less is not worth a delta. */
    size_t plain = out->n - start;
    if (mode == NZ_MODE_MAX && max_suits(p->slab.dtype))
        plain -= plain / 32;
    if (!err && delta.n < plain) {
        nz_tables swap = *tables;
        *tables = other;
        other = swap;
        out->n = start;
        nz_buf_put(out, delta.p, delta.n);
    }
    if (!err && (delta.failed || out->failed))
        err = NZ_E_MEM;
    nz_tables_free(&other);
    nz_buf_free(&delta);
    return err;
}

nz_err nz_weights_slab(const nz_slab *s, const nz_run *run, const nz_weights_base *base,
                       const nz_tables *tables, const nz_other *other, nz_span code, uint8_t *raw,
                       uint64_t from, uint64_t n)
{
    nz_span in = code;
    if (nz_span_byte(&in) != NZ_FORM_DELTA)
        return nz_slab_decode(s, run->kern, tables, other, code, raw, from, n);
    unsigned dtype = nz_span_byte(&in);
    uint64_t at = nz_span_varint(&in);
    if (in.bad || !base_has(base, s, dtype, at))
        return NZ_E_CORRUPT;
    return nz_delta_decode(s, run->kern, tables, in, (nz_dtype)dtype, base->p + at, raw, from, n);
}

/* ---- The model that learns ---- */

/* What of blocks the model leaves to others, behind its size. */
static bool has_fields(const nz_quants *quants)
{
    return quants && !quants->extreme;
}

static nz_err max_fields(const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                         const nz_quants *quants, const uint8_t *raw, nz_buf *out)
{
    nz_buf fields = {0};
    nz_err err = nz_fields_encode(s, kern, tables, quants, raw, &fields);
    nz_buf_varint(out, fields.n);
    nz_buf_put(out, fields.p, fields.n);
    nz_buf_free(&fields);
    return err;
}

static nz_err max_store(nz_max *m, const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                        const uint8_t *raw, nz_buf *out)
{
    const nz_value *value = nz_value_of(s->dtype);
    const nz_quants *quants = nz_quants_of(s->dtype);
    nz_err err = NZ_OK;
    nz_buf_byte(out, NZ_FORM_MAX);
    if (has_fields(quants))
        err = max_fields(s, kern, tables, quants, raw, out);
    size_t bytes = (size_t)nz_slab_bytes(s), cap = bytes + bytes / 8 + 64;
    uint8_t *room = nz_buf_room(out, cap);
    if (err || !room)
        return err ? err : NZ_E_MEM;
    nz_arith a;
    nz_arith_write(&a, room, cap);
    if (value)
        nz_max_encode(m, &a, value, raw, (size_t)s->n, (size_t)s->row);
    else
        err = nz_max_encode_blocks(m, &a, quants, raw, (size_t)s->n, (size_t)s->row);
    bool over = nz_arith_flush(&a);
    out->n += (size_t)(a.at - room);
    return err ? err : over ? NZ_E_FULL : NZ_OK;
}

/* Whether the model is to code what has been coded without: always, but for a delta, and where
 * bytes that repeat told more than half, which a model of its own must beat. The one that learns
 * cannot be asked: it would have learned. */
static nz_err max_wins(bool *wins, const nz_slab *s, const nz_kern *kern, const uint8_t *raw,
                       nz_span code)
{
    size_t size = nz_span_left(&code);
    unsigned form = nz_span_byte(&code);
    *wins = form != NZ_FORM_DELTA;
    if (form != NZ_FORM_OCTETS || size > nz_slab_bytes(s) / 2)
        return NZ_OK;
    nz_max *own;
    nz_buf out = {0};
    nz_tables tables = {0};
    nz_err err = nz_max_new(&own, kern);
    if (err)
        return err;
    err = max_store(own, s, kern, &tables, raw, &out);
    *wins = !err && out.n < size;
    nz_max_free(own);
    nz_tables_free(&tables);
    nz_buf_free(&out);
    return err == NZ_E_FULL ? NZ_OK : err;
}

nz_err nz_weights_slab_max(nz_max *m, const nz_slab *s, const nz_kern *kern,
                           const nz_tables *tables, nz_span code, uint8_t *raw)
{
    const nz_value *value = nz_value_of(s->dtype);
    const nz_quants *quants = nz_quants_of(s->dtype);
    nz_err err = value || quants ? NZ_OK : NZ_E_CORRUPT;
    nz_span_byte(&code);
    if (has_fields(quants)) {
        nz_span fields = nz_span_cut(&code, nz_span_varint(&code));
        err = fields.bad ? NZ_E_CORRUPT
                         : nz_fields_decode(s, kern, tables, quants, fields, raw, 0, (size_t)s->n);
    }
    if (err)
        return err;
    nz_arith a;
    nz_arith_read(&a, code.at, nz_span_left(&code));
    if (value)
        nz_max_decode(m, &a, value, raw, (size_t)s->n, (size_t)s->row);
    else
        err = nz_max_decode_blocks(m, &a, quants, raw, (size_t)s->n, (size_t)s->row);
    return !err && nz_arith_check(&a) ? NZ_E_CORRUPT : err;
}

/* As the moments of an optimiser follow each other. */
static bool can_follow(const nz_slab *before, const nz_slab *s)
{
    return before->n == s->n && nz_number_of(before->dtype) && nz_number_of(s->dtype);
}

nz_err nz_weights_encode(nz_weights *w, nz_weights_mode mode, const nz_run *run,
                         const nz_weights_base *base, const uint8_t *raw, size_t n,
                         const nz_placed *slabs, size_t count, nz_buf *head, nz_buf *codes)
{
    nz_buf gap = {0}, gaps = {0};
    nz_tables tables = {0};
    size_t *sizes = calloc(count + 1, sizeof *sizes), at = 0;
    nz_err err = sizes ? NZ_OK : NZ_E_MEM;
    *w = (nz_weights){.numerics = NZ_WEIGHTS_NUMERICS, .mode = (uint8_t)mode};
    uint64_t memory = SLAB_MEMORY + 3 * (uint64_t)n; /* planes of repeats are unpacked aside */
    nz_max *max = NULL;
    if (mode == NZ_MODE_MAX) {
        memory += nz_max_memory();
        err = err ? err : nz_max_new(&max, run->kern);
    }
    w->memory = (uint32_t)(memory >> 10);

    bool alone = false; /* the slab before follows no other, so this one may follow it */
    for (size_t i = 0; i < count && !err; i++) {
        size_t start = (size_t)slabs[i].at, before = codes->n;
        nz_other other = {0};
        if (alone && can_follow(&slabs[i - 1].slab, &slabs[i].slab))
            other = (nz_other){slabs[i - 1].slab.dtype, 0, (size_t)slabs[i].slab.n,
                               raw + slabs[i - 1].at};
        nz_buf_put(&gap, raw + at, start - at);
        const nz_placed *p = &slabs[i];
        bool learns = max && max_suits(p->slab.dtype);
        size_t had = tables.n;
        err =
            slab_store(p, mode, run, base, &tables, other.raw ? &other : NULL, raw + start, codes);
        if (!err && learns)
            err = max_wins(&learns, &p->slab, run->kern, raw + start,
                           nz_span_of(codes->p + before, codes->n - before));
        if (!err && learns) {
            codes->n = before;
            tables.n = had;
            err = max_store(max, &p->slab, run->kern, &tables, raw + start, codes);
        }
        sizes[i] = codes->n - before;
        alone = codes->n > before && codes->p[before] != NZ_FORM_MAX &&
                !nz_slab_follows(nz_span_of(codes->p + before, sizes[i]));
        at = start + (size_t)nz_slab_bytes(&slabs[i].slab);
        if (run->stop && atomic_load_explicit(run->stop, memory_order_relaxed))
            err = NZ_E_STOPPED;
        if (run->done)
            atomic_store_explicit(run->done, at, memory_order_relaxed);
    }
    if (err)
        goto done;
    nz_buf_put(&gap, raw + at, n - at);
    /* The gaps may add tables, which come before them. */
    if (gap.n)
        err = gap_store(gap.p, gap.n, n - gap.n, mode, run, &tables, w, &gaps);
    map_store(slabs, sizes, count, head);
    if (!err)
        err = nz_tables_store(&tables, head);
    nz_buf_put(head, gaps.p, gaps.n);
    if (!err && (gap.failed || gaps.failed || head->failed || codes->failed))
        err = NZ_E_MEM;
done:
    nz_max_free(max);
    nz_buf_free(&gap);
    nz_buf_free(&gaps);
    nz_tables_free(&tables);
    free(sizes);
    return err;
}

/* What both passes over a payload know. */
typedef struct unpack {
    const nz_run *run;
    const nz_weights_base *base;
    nz_tables tables;
    bool max_allowed; /* the frame's header has counted its memory */
    nz_max *max;      /* made for the first slab that needs it */
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

/* Blocks of a slab, and what the slab before it was if it follows that. */
static nz_err load_blocks(unpack *u, const nz_placed *p, nz_span code, const nz_placed *before,
                          nz_span before_code, uint8_t *raw, size_t first, size_t n)
{
    const nz_slab *s = &p->slab;
    if (!nz_slab_follows(code))
        return nz_weights_slab(s, u->run, u->base, &u->tables, NULL, code, raw, first, n);
    if (!before || !can_follow(&before->slab, s) || nz_slab_follows(before_code))
        return NZ_E_CORRUPT;
    size_t start = first - first % NZ_CHUNK, count = first + n - start;
    nz_other other = {before->slab.dtype, start, count, NULL};
    uint8_t *copy = malloc(count * nz_dtype_about(before->slab.dtype)->bytes);
    nz_err err = copy ? nz_weights_slab(&before->slab, u->run, u->base, &u->tables, NULL,
                                        before_code, copy, start, count)
                      : NZ_E_MEM;
    other.raw = copy;
    if (!err)
        err = nz_weights_slab(s, u->run, u->base, &u->tables, &other, code, raw, first, n);
    free(copy);
    return err;
}

/* A slab of the model that learns is decoded even when it is not wanted, for those behind it. */
static nz_err put_max(unpack *u, const nz_placed *p, nz_span code)
{
    size_t at = (size_t)p->at, bytes = (size_t)nz_slab_bytes(&p->slab);
    size_t low = at < u->from ? u->from : at, high = at + bytes < u->end ? at + bytes : u->end;
    bool all = at >= u->from && at + bytes <= u->end;
    nz_err err = u->max ? NZ_OK : nz_max_new(&u->max, u->run->kern);
    uint8_t *copy = err || all ? NULL : malloc(bytes);
    if (!err && !all && !copy)
        err = NZ_E_MEM;
    if (!err)
        err = nz_weights_slab_max(u->max, &p->slab, u->run->kern, &u->tables, code,
                                  all ? u->raw + (at - u->from) : copy);
    if (!err && copy && low < high)
        memcpy(u->raw + (low - u->from), copy + (low - at), high - low);
    free(copy);
    return err;
}

/* The part of a slab that is wanted: whole blocks, the first and the last through a copy. */
static nz_err put_slab(unpack *u, const nz_placed *p, nz_span code, const nz_placed *before,
                       nz_span before_code)
{
    size_t bytes = nz_dtype_about(p->slab.dtype)->bytes, at = (size_t)p->at;
    size_t end = at + (size_t)nz_slab_bytes(&p->slab);
    size_t low = at < u->from ? u->from : at, high = end < u->end ? end : u->end;
    if (low >= high)
        return NZ_OK;
    size_t first = (low - at) / bytes, last = (high - at + bytes - 1) / bytes;
    if (at + first * bytes == low && at + last * bytes == high)
        return load_blocks(u, p, code, before, before_code, u->raw + (low - u->from), first,
                           last - first);
    uint8_t *copy = malloc((last - first) * bytes);
    nz_err err =
        copy ? load_blocks(u, p, code, before, before_code, copy, first, last - first) : NZ_E_MEM;
    if (!err)
        memcpy(u->raw + (low - u->from), copy + (low - at - first * bytes), high - low);
    free(copy);
    return err;
}

static nz_err unpack_slabs(unpack *u, nz_span map, size_t count, nz_span codes, size_t size)
{
    uint64_t at = 0;
    size_t gap_at = 0;
    nz_placed last = {0};
    nz_span last_code = {0};
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
        if (p.at >= u->end)
            return NZ_OK;
        nz_span form = code;
        if (nz_span_byte(&form) == NZ_FORM_MAX && u->max_allowed)
            err = put_max(u, &p, code);
        else
            err = put_slab(u, &p, code, i ? &last : NULL, last_code);
        if (err)
            return err;
        last = p;
        last_code = code;
        if (u->run->done)
            atomic_store_explicit(u->run->done, at, memory_order_relaxed);
    }
    put_gap(u, gap_at, (size_t)at, size - (size_t)at);
    return nz_span_left(&codes) ? NZ_E_CORRUPT : NZ_OK;
}

nz_err nz_weights_decode(const nz_weights *w, const nz_run *run, const nz_weights_base *base,
                         const uint8_t *in, size_t packed, uint8_t *raw, size_t size, size_t from,
                         size_t n)
{
    unpack u = {.run = run, .base = base, .raw = raw, .from = from, .end = from + n};
    u.max_allowed = w->mode == NZ_MODE_MAX && nz_weights_memory(w) >= nz_max_memory();
    nz_span code = nz_span_of(in, packed);
    uint64_t count = nz_span_varint(&code), at = 0;
    nz_err err = code.bad || count > packed ? NZ_E_CORRUPT : NZ_OK;
    /* Once through the map, to where the tables are; how much is in slabs tells the gaps. */
    nz_span map = code;
    size_t in_slabs = 0, wanted = 0;
    for (uint64_t i = 0; i < count && !err; i++) {
        nz_placed p;
        size_t one;
        err = map_next(&p, &one, &at, size, &code);
        if (err)
            break;
        in_slabs += (size_t)nz_slab_bytes(&p.slab);
        size_t low = p.at < from ? from : (size_t)p.at, high = at < u.end ? (size_t)at : u.end;
        wanted += low < high ? high - low : 0;
    }
    if (!err)
        err = nz_tables_load(&u.tables, &code);
    u.gaps = size - in_slabs;
    if (!err && u.gaps)
        err = gap_load(&u.gap, u.gaps, wanted < n, run, &u.tables, w, &code);
    if (!err)
        err = unpack_slabs(&u, map, (size_t)count, code, size);
    free(u.gap);
    nz_max_free(u.max);
    nz_tables_free(&u.tables);
    return err;
}

/* ---- The map alone ---- */

nz_err nz_weights_map_open(nz_weights_map *m, const uint8_t *in, size_t packed, size_t size)
{
    nz_span all = nz_span_of(in, packed);
    *m = (nz_weights_map){.left = nz_span_varint(&all), .size = size};
    m->map = all;
    uint64_t codes = 0, at = 0;
    if (all.bad || m->left > packed)
        return NZ_E_CORRUPT;
    for (uint64_t i = 0; i < m->left; i++) {
        nz_placed p;
        size_t one;
        nz_err err = map_next(&p, &one, &at, size, &all);
        if (err || one == 0 || one > packed - codes)
            return NZ_E_CORRUPT;
        codes += one;
    }
    if (codes > nz_span_left(&all))
        return NZ_E_CORRUPT;
    m->codes = nz_span_of(all.end - codes, codes); /* they are what the payload ends with */
    return NZ_OK;
}

bool nz_weights_map_next(nz_weights_map *m, nz_coded *c)
{
    size_t packed;
    if (m->left == 0 || map_next(&c->placed, &packed, &m->at, m->size, &m->map))
        return false;
    m->left--;
    nz_span code = nz_span_cut(&m->codes, packed);
    c->packed = packed;
    c->form = nz_span_byte(&code);
    return true;
}
