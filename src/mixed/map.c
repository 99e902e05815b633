#include "map.h"

#include "packed/filter.h"
#include "packed/pieces.h"

#include <stdlib.h>

nz_err nz_map_read(nz_map *m, const uint8_t *map, size_t map_n, const nz_mixed_list *l, size_t n)
{
    size_t own[NZ_VIEWS_MAX] = {0}, cap = 0;
    nz_span s = nz_span_of(map, map_n);
    *m = (nz_map){.recipe = nz_span_cut(&s, nz_span_varint(&s))};
    m->segments = s;
    for (size_t left = n; left && !s.bad;) {
        uint64_t bytes = nz_span_varint(&s) >> 1;
        unsigned view = nz_span_byte(&s);
        if (!bytes || bytes > left || view >= l->views)
            return NZ_E_CORRUPT;
        if (m->turns == cap) {
            cap = cap ? 2 * cap : 16;
            nz_turn *more = realloc(m->turn, cap * sizeof *more);
            if (!more)
                return NZ_E_MEM;
            m->turn = more;
        }
        m->turn[m->turns++] = (nz_turn){(size_t)bytes, view};
        own[view] += (size_t)bytes;
        left -= (size_t)bytes;
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

/* The contents as their recipe wants them. */
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

nz_err nz_map_frame(nz_buf *frame, const nz_map *m, const nz_mixed_list *l, const uint8_t *contents,
                    size_t n)
{
    nz_buf whole = {0};
    size_t contents_n = nz_span_left(&m->types), recipe = nz_span_left(&m->recipe);
    for (size_t i = 0; i < m->turns; i++)
        contents_n += m->turn[i].bytes;
    nz_err err = nz_buf_room(&whole, contents_n) ? put_segments(&whole, m, l, contents) : NZ_E_MEM;
    if (!recipe) {
        *frame = whole;
        whole = (nz_buf){0};
    } else if (!err) {
        nz_buf_room(frame, n);
        err = nz_join(frame, whole.p, whole.n, m->recipe.at, recipe, n);
    }
    nz_buf_free(&whole);
    return err == NZ_E_LIMIT || (!err && frame->n != n) ? NZ_E_CORRUPT : err;
}
