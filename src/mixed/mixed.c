#include "mixed.h"

#include "packed/filter.h"
#include "packed/pieces.h"
#include "plan.h"

#include <stdlib.h>

void nz_mixed_store(const nz_mixed *m, uint8_t out[NZ_MIXED_PARAMS])
{
    memset(out, 0, NZ_MIXED_PARAMS);
    out[0] = m->version;
    out[1] = m->level;
    out[2] = m->numerics;
    nz_store32(out + 4, m->memory);
}

nz_err nz_mixed_load(nz_mixed *m, const uint8_t in[NZ_MIXED_PARAMS])
{
    uint8_t again[NZ_MIXED_PARAMS];
    *m = (nz_mixed){in[0], in[1], in[2], nz_load32(in + 4)};
    if (m->version != NZ_MIXED_VERSION || m->numerics != NZ_NUMERICS)
        return NZ_E_VERSION;
    nz_mixed_store(m, again);
    if (memcmp(in, again, sizeof again) || m->level < NZ_LEVEL_MIN || m->level > NZ_LEVEL_MAX)
        return NZ_E_CORRUPT;
    return NZ_OK;
}

uint64_t nz_mixed_memory(const nz_mixed *m)
{
    return (uint64_t)m->memory << 10;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- Packing ---- */

/* Of the map, which is stored when it does not shrink. */
static nz_err encode_map(const nz_plan *plan, const nz_run *run, uint8_t *out, size_t cap,
                         size_t *packed)
{
    const nz_buf *map = &plan->map;
    const nz_run quiet = {.kern = run->kern, .second_core = run->second_core, .stop = run->stop};
    size_t most = map->n - 1 < cap ? map->n - 1 : cap;
    nz_err err = nz_bytes_encode(&plan->map_shape, &quiet, map->p, map->n, out, most, packed);
    if (err != NZ_E_FULL || map->n > cap)
        return err;
    memcpy(out, map->p, map->n);
    *packed = map->n;
    return NZ_OK;
}

static void put_shape(nz_buf *to, const nz_shape *s)
{
    uint8_t shape[NZ_SHAPE_BYTES];
    nz_shape_store(s, shape);
    nz_buf_put(to, shape, sizeof shape);
}

/* What unpacking allocates: the map, the contents, the same with filters, the frame they make and
 * the largest image's data on the way there. */
static uint64_t unpack_memory(const nz_plan *plan, const nz_course *c)
{
    uint64_t sum = plan->map.n + 2 * (uint64_t)plan->contents.n + plan->map.n;
    if (plan->joins)
        sum += 3 * (uint64_t)plan->n;
    return sum + larger(nz_course_memory(c), nz_shape_memory(&plan->map_shape));
}

nz_err nz_mixed_encode(nz_mixed *m, const nz_plan *plan, const nz_run *run, nz_buf *head,
                       uint8_t *out, size_t cap, size_t *packed)
{
    nz_course c = nz_plan_course(plan);
    size_t map, of_view[NZ_VIEWS_MAX];
    *m = (nz_mixed){.version = NZ_MIXED_VERSION,
                    .level = (uint8_t)plan->level,
                    .numerics = NZ_NUMERICS,
                    .memory = (uint32_t)((unpack_memory(plan, &c) + 1023) >> 10)};
    nz_err err = encode_map(plan, run, out, cap, &map);
    if (!err)
        err = nz_course_encode(&c, run, plan->contents.p, plan->contents.n, out + map, cap - map,
                               of_view);
    if (err)
        return err;
    nz_buf_varint(head, plan->map.n);
    nz_buf_varint(head, map);
    put_shape(head, &plan->map_shape);
    nz_buf_varint(head, plan->views);
    *packed = map;
    for (unsigned i = 0; i < plan->views; i++) {
        nz_buf_varint(head, plan->own[i]);
        nz_buf_varint(head, of_view[i]);
        put_shape(head, &plan->view[i]);
        *packed += of_view[i];
    }
    return head->failed ? NZ_E_MEM : NZ_OK;
}

/* ---- The list of views ---- */

static nz_err load_entry(size_t *raw, size_t *packed, nz_shape *s, nz_span *in)
{
    uint64_t r = nz_span_varint(in), p = nz_span_varint(in);
    nz_span shape = nz_span_cut(in, NZ_SHAPE_BYTES);
    if (in->bad || r > NZ_FRAME_MAX || p > NZ_FRAME_MAX)
        return NZ_E_CORRUPT;
    *raw = (size_t)r;
    *packed = (size_t)p;
    return nz_shape_load(s, shape.at);
}

nz_err nz_mixed_list_load(nz_mixed_list *l, size_t *codes, const uint8_t *in, size_t n,
                          size_t packed)
{
    nz_span s = nz_span_of(in, n);
    nz_err err = load_entry(&l->map_raw, &l->map_packed, &l->map, &s);
    uint64_t views = err ? 0 : nz_span_varint(&s), sum = l->map_packed;
    if (err)
        return err;
    if (s.bad || views < 1 || views > NZ_VIEWS_MAX || l->map_packed > l->map_raw)
        return NZ_E_CORRUPT;
    l->views = (unsigned)views;
    for (unsigned i = 0; i < l->views && !err; i++) {
        err = load_entry(&l->raw[i], &l->packed[i], &l->view[i], &s);
        sum += l->packed[i];
    }
    *codes = (size_t)(s.at - in);
    return err ? err : sum == packed - *codes ? NZ_OK : NZ_E_CORRUPT;
}

/* ---- Unpacking ---- */

typedef struct unpacker {
    nz_mixed_list list;
    size_t n; /* bytes of the contents */
    uint8_t *map, *contents;
    nz_turn *turn;
    size_t turns;
    nz_span recipe, types; /* in the map; of the filters that are not yet used */
    nz_span segments;
    nz_buf filtered; /* the contents as their recipe wants them */
} unpacker;

/* More than the header admits is no encoder's. */
static nz_err allocate(unpacker *u, const nz_mixed *m)
{
    const nz_mixed_list *l = &u->list;
    const nz_course c = {.view = l->view, .views = l->views};
    uint64_t n = 0;
    for (unsigned i = 0; i < l->views; i++)
        n += l->raw[i];
    uint64_t tables = larger(nz_course_memory(&c), nz_shape_memory(&l->map));
    if (!n || !l->map_raw || tables + 2 * (n + l->map_raw) > nz_mixed_memory(m))
        return NZ_E_CORRUPT;
    u->n = (size_t)n;
    u->map = malloc(l->map_raw);
    u->contents = malloc(u->n);
    return u->map && u->contents ? NZ_OK : NZ_E_MEM;
}

static nz_err decode_map(unpacker *u, const nz_run *run, const uint8_t *codes)
{
    const nz_mixed_list *l = &u->list;
    const nz_run quiet = {.kern = run->kern, .second_core = run->second_core, .stop = run->stop};
    if (l->map_packed < l->map_raw)
        return nz_bytes_decode(&l->map, &quiet, codes, l->map_packed, u->map, l->map_raw);
    memcpy(u->map, codes, l->map_raw);
    return NZ_OK;
}

/* The segments become turns; what is left of the map are filters' types. */
static nz_err read_map(unpacker *u)
{
    size_t own[NZ_VIEWS_MAX] = {0}, cap = 0;
    nz_span map = nz_span_of(u->map, u->list.map_raw);
    u->recipe = nz_span_cut(&map, nz_span_varint(&map));
    u->segments = map;
    for (size_t left = u->n; left && !map.bad;) {
        uint64_t bytes = nz_span_varint(&map) >> 1;
        unsigned view = nz_span_byte(&map);
        if (!bytes || bytes > left || view >= u->list.views)
            return NZ_E_CORRUPT;
        if (u->turns == cap) {
            cap = cap ? 2 * cap : 16;
            nz_turn *more = realloc(u->turn, cap * sizeof *more);
            if (!more)
                return NZ_E_MEM;
            u->turn = more;
        }
        u->turn[u->turns++] = (nz_turn){(size_t)bytes, view};
        own[view] += (size_t)bytes;
        left -= (size_t)bytes;
    }
    u->types = map;
    bool same = !memcmp(own, u->list.raw, u->list.views * sizeof own[0]);
    return !map.bad && same ? NZ_OK : NZ_E_CORRUPT;
}

/* Rows of pixels, as PNG filters them. */
static nz_err put_filtered(unpacker *u, const nz_content *c, const uint8_t *pixels, size_t bytes)
{
    size_t row = c->raster.row, rows = row ? bytes / row : 0;
    nz_span types = nz_span_cut(&u->types, rows);
    if (!nz_content_is_image(c) || bytes != rows * row || types.bad)
        return NZ_E_CORRUPT;
    uint8_t *to = nz_buf_room(&u->filtered, bytes + rows);
    if (!to)
        return NZ_E_MEM;
    u->filtered.n += bytes + rows;
    return nz_png_filter(to, pixels, types.at, rows, row, nz_png_pixel(c)) ? NZ_OK : NZ_E_CORRUPT;
}

static nz_err put_segments(unpacker *u)
{
    const uint8_t *at = u->contents;
    nz_err err = nz_buf_room(&u->filtered, u->n + nz_span_left(&u->types)) ? NZ_OK : NZ_E_MEM;
    for (size_t i = 0; i < u->turns && !err; at += u->turn[i++].bytes) {
        bool filtered = nz_span_varint(&u->segments) & 1;
        const nz_shape *s = &u->list.view[nz_span_byte(&u->segments)];
        if (filtered)
            err = put_filtered(u, &s->content, at, u->turn[i].bytes);
        else
            nz_buf_put(&u->filtered, at, u->turn[i].bytes);
    }
    return !err && nz_span_left(&u->types) ? NZ_E_CORRUPT : err;
}

static nz_err join(const unpacker *u, uint8_t *raw, size_t n)
{
    size_t recipe = nz_span_left(&u->recipe);
    nz_buf frame = {0}, whole = u->filtered;
    nz_err err = NZ_OK;
    if (recipe) {
        nz_buf_room(&frame, n);
        err = nz_join(&frame, whole.p, whole.n, u->recipe.at, recipe, n);
        whole = frame;
    }
    if (err == NZ_E_LIMIT || (!err && whole.n != n))
        err = NZ_E_CORRUPT;
    if (!err)
        memcpy(raw, whole.p, n);
    nz_buf_free(&frame);
    return err;
}

static nz_err unpack(unpacker *u, const nz_mixed *m, const nz_run *run, const uint8_t *in,
                     size_t packed, uint8_t *raw, size_t n)
{
    const nz_mixed_list *l = &u->list;
    size_t codes;
    nz_err err = nz_mixed_list_load(&u->list, &codes, in, packed, packed);
    if (!err)
        err = allocate(u, m);
    if (!err)
        err = decode_map(u, run, in + codes);
    if (!err)
        err = read_map(u);
    if (err)
        return err;
    const nz_course c = {l->view, l->views, u->turn, u->turns};
    size_t contents = codes + l->map_packed;
    if (!nz_course_valid(&c, u->n))
        return NZ_E_CORRUPT;
    err = nz_course_decode(&c, run, in + contents, packed - contents, u->contents, u->n);
    if (!err)
        err = put_segments(u);
    return err ? err : join(u, raw, n);
}

nz_err nz_mixed_decode(const nz_mixed *m, const nz_run *run, const uint8_t *in, size_t packed,
                       uint8_t *raw, size_t n)
{
    unpacker *u = calloc(1, sizeof *u);
    if (!u)
        return NZ_E_MEM;
    nz_err err = unpack(u, m, run, in, packed, raw, n);
    free(u->map);
    free(u->contents);
    free(u->turn);
    nz_buf_free(&u->filtered);
    free(u);
    return err;
}
