#include "mixed.h"

#include "map.h"
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

/* Sets *n to the bytes of the contents. What takes more than the header admits is no encoder's. */
static nz_err check_sizes(size_t *n, const nz_mixed *m, const nz_mixed_list *l)
{
    const nz_course c = {.view = l->view, .views = l->views};
    uint64_t sum = 0;
    for (unsigned i = 0; i < l->views; i++)
        sum += l->raw[i];
    uint64_t tables = larger(nz_course_memory(&c), nz_shape_memory(&l->map));
    *n = (size_t)sum;
    return sum && l->map_raw && tables + 2 * (sum + l->map_raw) <= nz_mixed_memory(m)
               ? NZ_OK
               : NZ_E_CORRUPT;
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

/* Whether the frame would come back, by all that unpacking does but the decoding of codes. */
static nz_err check(const nz_mixed *m, const nz_plan *plan, const nz_buf *head, size_t packed)
{
    size_t codes, n;
    nz_map map = {0};
    nz_buf rows = {0}, frame = {0};
    nz_mixed_list *l = calloc(1, sizeof *l);
    if (!l)
        return NZ_E_MEM;
    nz_err err = nz_mixed_list_load(l, &codes, head->p, head->n, head->n + packed);
    if (!err)
        err = check_sizes(&n, m, l);
    if (!err && (n != plan->contents.n || l->map_raw != plan->map.n))
        err = NZ_E_CORRUPT;
    if (!err)
        err = nz_map_read(&map, plan->map.p, plan->map.n, l, n);
    if (!err)
        err = nz_map_rows(&rows, &map, l, plan->contents.p);
    if (!err)
        err = nz_map_frame(&frame, &map, &rows, plan->n);
    if (!err && memcmp(frame.p, plan->raw, plan->n) != 0)
        err = NZ_E_CORRUPT;
    nz_map_reset(&map);
    nz_buf_free(&rows);
    nz_buf_free(&frame);
    free(l);
    return err == NZ_E_MEM ? err : err ? NZ_E_FULL : NZ_OK;
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
    return head->failed ? NZ_E_MEM : check(m, plan, head, *packed);
}

/* ---- Unpacking ---- */

typedef struct unpacker {
    nz_mixed_list list;
    uint8_t *bytes_of_map, *contents;
    nz_map map;
    nz_buf rows, frame;
} unpacker;

static nz_err decode_map(unpacker *u, const nz_run *run, const uint8_t *codes)
{
    const nz_mixed_list *l = &u->list;
    const nz_run quiet = {.kern = run->kern, .second_core = run->second_core, .stop = run->stop};
    if (l->map_packed < l->map_raw)
        return nz_bytes_decode(&l->map, &quiet, codes, l->map_packed, u->bytes_of_map, l->map_raw);
    memcpy(u->bytes_of_map, codes, l->map_raw);
    return NZ_OK;
}

/* `keep`: the contents, which are not needed once there are rows. */
static nz_err unpack(unpacker *u, const nz_mixed *m, const nz_run *run, const uint8_t *in,
                     size_t packed, size_t raw, bool keep)
{
    const nz_mixed_list *l = &u->list;
    size_t codes, n;
    nz_err err = nz_mixed_list_load(&u->list, &codes, in, packed, packed);
    if (!err)
        err = check_sizes(&n, m, l);
    if (err)
        return err;
    u->bytes_of_map = malloc(l->map_raw);
    u->contents = malloc(n);
    if (!u->bytes_of_map || !u->contents)
        return NZ_E_MEM;
    err = decode_map(u, run, in + codes);
    if (!err)
        err = nz_map_read(&u->map, u->bytes_of_map, l->map_raw, l, n);
    if (err)
        return err;
    const nz_course c = {l->view, l->views, u->map.turn, u->map.turns};
    codes += l->map_packed;
    err = nz_course_decode(&c, run, in + codes, packed - codes, u->contents, n);
    if (!err)
        err = nz_map_rows(&u->rows, &u->map, l, u->contents);
    if (!keep) {
        free(u->contents);
        u->contents = NULL;
    }
    return err ? err : nz_map_frame(&u->frame, &u->map, &u->rows, raw);
}

static nz_err show_turns(const unpacker *u, nz_err (*show)(void *arg, const nz_shown *turn),
                         void *arg)
{
    nz_err err = NZ_OK;
    size_t at = 0;
    for (size_t i = 0; i < u->map.turns && !err; at += u->map.turn[i++].bytes) {
        const nz_turn *t = &u->map.turn[i];
        err = show(arg, &(nz_shown){.shape = &u->list.view[t->view],
                                    .view = t->view,
                                    .raw = u->contents + at,
                                    .at = at,
                                    .n = t->bytes});
    }
    return err;
}

nz_err nz_mixed_decode(const nz_mixed *m, const nz_run *run, const uint8_t *in, size_t packed,
                       uint8_t *raw, size_t n)
{
    return nz_mixed_show(m, run, in, packed, raw, n, NULL, NULL);
}

nz_err nz_mixed_show(const nz_mixed *m, const nz_run *run, const uint8_t *in, size_t packed,
                     uint8_t *raw, size_t n, nz_err (*show)(void *arg, const nz_shown *turn),
                     void *arg)
{
    unpacker *u = calloc(1, sizeof *u);
    if (!u)
        return NZ_E_MEM;
    nz_err err = unpack(u, m, run, in, packed, n, show != NULL);
    if (!err)
        memcpy(raw, u->frame.p, n);
    if (!err && show)
        err = show_turns(u, show, arg);
    free(u->bytes_of_map);
    free(u->contents);
    nz_map_reset(&u->map);
    nz_buf_free(&u->rows);
    nz_buf_free(&u->frame);
    free(u);
    return err;
}
