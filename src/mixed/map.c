#include "map.h"

#include "packed/filter.h"
#include "packed/pieces.h"

#include <stdlib.h>

/* What one turn takes; the memory of a frame's header has so much for all as n and the map take. */
enum { TURN_BYTES = 16 };
_Static_assert(sizeof(nz_turn) <= TURN_BYTES, "turns within what the format allows");

/* The next segment of contents of which `left` bytes are to come. */
static bool turn_next(nz_turn *t, nz_span *in, size_t left, unsigned views)
{
    uint64_t bytes = nz_span_varint(in) >> 1;
    *t = (nz_turn){(size_t)bytes, nz_span_byte(in)};
    return bytes && bytes <= left && t->view < views && !in->bad;
}

/* How many there are; 0: they are not right. */
static size_t turns_count(nz_span in, const nz_mixed_list *l, size_t n)
{
    size_t turns = 0;
    nz_turn t;
    for (size_t left = n; left; left -= t.bytes, turns++)
        if (!turn_next(&t, &in, left, l->views))
            return 0;
    return turns;
}

nz_err nz_map_read(nz_map *m, const uint8_t *map, size_t map_n, const nz_mixed_list *l, size_t n)
{
    size_t own[NZ_VIEWS_MAX] = {0};
    nz_span s = nz_span_of(map, map_n);
    *m = (nz_map){.recipe = nz_span_cut(&s, nz_span_varint(&s))};
    m->segments = s;
    size_t turns = turns_count(s, l, n);
    if (!turns || turns > (n + map_n) / TURN_BYTES)
        return NZ_E_CORRUPT;
    if (!(m->turn = malloc(turns * sizeof *m->turn)))
        return NZ_E_MEM;
    for (size_t left = n; left; left -= m->turn[m->turns++].bytes) {
        nz_turn *t = &m->turn[m->turns];
        turn_next(t, &s, left, l->views);
        own[t->view] += t->bytes;
    }
    m->types = s; /* what is left */
    nz_course c = {l->view, l->views, m->turn, m->turns};
    bool same = !memcmp(own, l->raw, l->views * sizeof own[0]);
    return !s.bad && same && nz_course_valid(&c, n) ? NZ_OK : NZ_E_CORRUPT;
}

void nz_map_reset(nz_map *m)
{
    free(m->turn);
    *m = (nz_map){0};
}

/* Rows of pixels, as PNG filters them. */
static nz_err put_filtered(nz_buf *to, nz_span *types, const nz_content *c, const uint8_t *pixels,
                           size_t bytes)
{
    size_t row = c->raster.row, rows = row ? bytes / row : 0;
    nz_span type = nz_span_cut(types, rows);
    if (!nz_content_is_image(c) || bytes != rows * row || type.bad)
        return NZ_E_CORRUPT;
    uint8_t *at = nz_buf_room(to, bytes + rows);
    if (!at)
        return NZ_E_MEM;
    to->n += bytes + rows;
    return nz_png_filter(at, pixels, type.at, rows, row, nz_png_pixel(c)) ? NZ_OK : NZ_E_CORRUPT;
}

static nz_err put_segments(nz_buf *to, const nz_map *m, const nz_mixed_list *l,
                           const uint8_t *contents)
{
    nz_span segments = m->segments, types = m->types;
    nz_err err = NZ_OK;
    for (size_t i = 0; i < m->turns && !err; i++) {
        size_t bytes = m->turn[i].bytes;
        bool filtered = nz_span_varint(&segments) & 1;
        const nz_shape *s = &l->view[nz_span_byte(&segments)];
        if (filtered)
            err = put_filtered(to, &types, &s->content, contents, bytes);
        else
            nz_buf_put(to, contents, bytes);
        contents += bytes;
    }
    if (!err && nz_span_left(&types))
        err = NZ_E_CORRUPT;
    return !err && to->failed ? NZ_E_MEM : err;
}

nz_err nz_map_rows(nz_buf *rows, const nz_map *m, const nz_mixed_list *l, const uint8_t *contents)
{
    size_t n = nz_span_left(&m->types);
    for (size_t i = 0; i < m->turns; i++)
        n += m->turn[i].bytes;
    return nz_buf_room(rows, n) ? put_segments(rows, m, l, contents) : NZ_E_MEM;
}

nz_err nz_map_frame(nz_buf *frame, const nz_map *m, nz_buf *rows, size_t n)
{
    size_t recipe = nz_span_left(&m->recipe);
    nz_err err = NZ_OK;
    if (recipe) {
        err = nz_buf_room(frame, n) ? nz_join(frame, rows->p, rows->n, m->recipe.at, recipe, n)
                                    : NZ_E_MEM;
        nz_buf_free(rows);
    } else {
        *frame = *rows;
        *rows = (nz_buf){0};
    }
    return err == NZ_E_LIMIT || (!err && frame->n != n) ? NZ_E_CORRUPT : err;
}
