#include "bytes.h"

#include "branch.h"
#include "deep.h"
#include "fast.h"
#include "ledger.h"
#include "prior.h"

#include <stdlib.h>

/* Bounds of what the encoder chooses by level; the deep engine keeps its own. */
typedef struct level {
    uint64_t frame;
    uint8_t engine;
    uint8_t table_bits_max, match_bits_max;
    uint8_t contexts; /* slots a byte touches, to size small tables */
} level;

static const level levels[NZ_LEVEL_MAX + 1] = {
    [1] = {UINT64_C(8) << 20, NZ_ENGINE_FAST, 25, 18, 6},
    [2] = {UINT64_C(8) << 20, NZ_ENGINE_FAST, 25, 18, 12},
    [3] = {UINT64_C(32) << 20, NZ_ENGINE_FAST, 27, 20, 12},
    [4] = {UINT64_C(32) << 20, NZ_ENGINE_FAST, 27, 20, 20},
    [5] = {.frame = UINT64_C(64) << 20},
    [6] = {.frame = UINT64_C(64) << 20},
    [7] = {.frame = UINT64_C(128) << 20},
    [8] = {.frame = UINT64_C(128) << 20},
    [9] = {.frame = NZ_FRAME_MAX},
};

enum { TABLE_BITS_MIN = 16, MATCH_BITS_MIN = 10 };

uint64_t nz_level_frame(int n)
{
    return levels[n].frame;
}

/* The smallest bits in [low, high] with 2^bits >= n. */
static uint8_t bits_for(uint64_t n, uint8_t low, uint8_t high)
{
    uint8_t bits = low;
    while (bits < high && UINT64_C(1) << bits < n)
        bits++;
    return bits;
}

/* For n bytes coded, and some that are skimmed before them. */
static void size_tables(nz_shape *s, size_t n, size_t skim)
{
    if (s->level > NZ_FAST_LEVEL_MAX) {
        nz_deep_choose(s, n, skim);
        return;
    }
    const level *l = &levels[s->level];
    s->engine = NZ_ENGINE_FAST;
    s->table_bits = bits_for((uint64_t)n * l->contexts * FAST_LINE / FAST_WAYS, TABLE_BITS_MIN,
                             l->table_bits_max);
    s->match_bits = bits_for(n, MATCH_BITS_MIN, l->match_bits_max);
}

void nz_shape_for(nz_shape *s, int n_level, const nz_content *c, size_t n)
{
    *s = (nz_shape){.numerics = NZ_NUMERICS, .level = (uint8_t)n_level, .content = *c};
    size_tables(s, n, 0);
}

void nz_shape_choose(nz_shape *s, int n_level, const uint8_t *raw, size_t n)
{
    nz_content c = nz_content_of(n_level, raw, n);
    nz_shape_for(s, n_level, &c, n);
}

void nz_shape_prime(nz_shape *s, int prior, size_t n)
{
    if (s->content.kind > NZ_KIND_BINARY)
        return; /* no text is like it */
    s->prior = (uint8_t)prior;
    nz_prime_size p = nz_prime_size_of(s, n);
    size_tables(s, n + p.read, p.skim);
}

/* One byte each, in the order of the struct, then what belongs to the kind. */
void nz_shape_store(const nz_shape *s, uint8_t out[NZ_SHAPE_BYTES])
{
    const uint8_t field[] = {s->numerics,   s->engine,     s->level,  (uint8_t)s->content.kind,
                             s->table_bits, s->match_bits, s->layers, s->width,
                             s->row_bits,   s->chunk,      s->prior};
    memcpy(out, field, sizeof field);
    nz_content_store(&s->content, out + sizeof field);
}

void nz_shapes_share(nz_shape *view, unsigned views, const size_t *own)
{
    uint8_t table = 0, match = 0;
    size_t n = 0;
    for (unsigned i = 0; i < views; i++) {
        n += own[i];
        table = view[i].table_bits > table ? view[i].table_bits : table;
        match = view[i].match_bits > match ? view[i].match_bits : match;
    }
    for (unsigned i = 0; i < views; i++) {
        view[i].table_bits = table;
        view[i].match_bits = match;
        nz_deep_own(&view[i], own[i] + nz_prime_size_of(&view[i], n).read);
    }
}

nz_err nz_shape_load(nz_shape *s, const uint8_t in[NZ_SHAPE_BYTES])
{
    *s = (nz_shape){.numerics = in[0],
                    .engine = in[1],
                    .level = in[2],
                    .content.kind = (nz_kind)in[3],
                    .table_bits = in[4],
                    .match_bits = in[5],
                    .layers = in[6],
                    .width = in[7],
                    .row_bits = in[8],
                    .chunk = in[9],
                    .prior = in[10]};
    if (s->numerics != NZ_NUMERICS || s->prior > NZ_PRIORS)
        return NZ_E_VERSION;
    if (!nz_content_load(&s->content, in + 11) || (s->prior && s->content.kind > NZ_KIND_BINARY))
        return NZ_E_CORRUPT;
    if (s->engine == NZ_ENGINE_DEEP)
        return nz_deep_valid(s) ? NZ_OK : NZ_E_CORRUPT;
    if (s->engine != NZ_ENGINE_FAST || s->level < 1 || s->level > NZ_FAST_LEVEL_MAX ||
        !nz_content_is_bytes(&s->content))
        return NZ_E_CORRUPT;
    const level *l = &levels[s->level];
    if (s->table_bits < TABLE_BITS_MIN || s->table_bits > l->table_bits_max ||
        s->match_bits < MATCH_BITS_MIN || s->match_bits > l->match_bits_max || s->layers ||
        s->width || s->row_bits || s->chunk)
        return NZ_E_CORRUPT;
    return NZ_OK;
}

uint64_t nz_course_memory(const nz_course *c)
{
    uint64_t prior = 0;
    for (unsigned i = 0; i < c->views; i++) {
        uint64_t memory = nz_prior_memory(&c->view[i]);
        prior = memory > prior ? memory : prior;
    }
    return prior + (c->view->engine == NZ_ENGINE_DEEP ? nz_deep_memory(c->view, c->views)
                                                      : nz_fast_memory(c->view));
}

bool nz_course_valid(const nz_course *c, size_t n)
{
    const nz_shape *first = c->view;
    for (unsigned i = 0; i < c->views; i++) {
        const nz_shape *s = &c->view[i];
        if (s->engine != first->engine || s->level != first->level ||
            s->table_bits != first->table_bits || s->match_bits != first->match_bits)
            return false;
    }
    for (size_t i = 0; i < c->turns; i++) {
        if (c->turn[i].view >= c->views || c->turn[i].bytes > n)
            return false;
        n -= c->turn[i].bytes;
    }
    return !n && c->turns && c->views <= (first->engine == NZ_ENGINE_DEEP ? NZ_VIEWS_MAX : 1);
}

static bool any_turned(const nz_course *c)
{
    for (unsigned i = 0; i < c->views; i++)
        if (nz_content_turned(&c->view[i].content))
            return true;
    return false;
}

static void turn_all(const nz_course *c, uint8_t *raw, bool back)
{
    for (size_t i = 0; i < c->turns; raw += c->turn[i++].bytes)
        nz_content_turn(&c->view[c->turn[i].view].content, raw, c->turn[i].bytes, back);
}

static nz_err encode(const nz_course *c, const nz_run *run, const uint8_t *raw, size_t n,
                     uint8_t *out, size_t cap, size_t *packed)
{
    return c->view->engine == NZ_ENGINE_DEEP
               ? nz_deep_encode(c, run, raw, n, out, cap, packed)
               : nz_fast_encode(c->view, run, raw, n, out, cap, packed);
}

nz_err nz_course_encode(const nz_course *c, const nz_run *run, const uint8_t *raw, size_t n,
                        uint8_t *out, size_t cap, size_t *packed)
{
    memset(packed, 0, c->views * sizeof *packed);
    if (!any_turned(c))
        return encode(c, run, raw, n, out, cap, packed);
    uint8_t *turned = malloc(n);
    if (!turned)
        return NZ_E_MEM;
    memcpy(turned, raw, n);
    turn_all(c, turned, false);
    nz_err err = encode(c, run, turned, n, out, cap, packed);
    free(turned);
    return err;
}

nz_err nz_course_decode(const nz_course *c, const nz_run *run, const uint8_t *in, size_t packed,
                        uint8_t *raw, size_t n)
{
    nz_err err = run->ledger ? nz_ledger_open(run->ledger, n) : NZ_OK;
    if (!err)
        err = c->view->engine == NZ_ENGINE_DEEP ? nz_deep_decode(c, run, in, packed, raw, n)
                                                : nz_fast_decode(c->view, run, in, packed, raw, n);
    if (!err)
        turn_all(c, raw, true);
    return err;
}

/* ---- One view alone ---- */

uint64_t nz_shape_memory(const nz_shape *s)
{
    return nz_course_memory(&(nz_course){.view = s, .views = 1});
}

nz_err nz_bytes_encode(const nz_shape *s, const nz_run *run, const uint8_t *raw, size_t n,
                       uint8_t *out, size_t cap, size_t *packed)
{
    const nz_course c = {s, 1, &(nz_turn){n, 0}, 1};
    return nz_course_encode(&c, run, raw, n, out, cap, packed);
}

nz_err nz_bytes_decode(const nz_shape *s, const nz_run *run, const uint8_t *in, size_t packed,
                       uint8_t *raw, size_t n)
{
    const nz_course c = {s, 1, &(nz_turn){n, 0}, 1};
    return nz_course_decode(&c, run, in, packed, raw, n);
}
