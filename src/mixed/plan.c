#include "plan.h"

#include "cut.h"
#include "map.h"
#include "model/prior.h"
#include "packed/filter.h"
#include "packed/pieces.h"

#include <stdlib.h>

enum {
    LEAST = 256,           /* bytes of a frame worth looking at */
    VIEW_LEAST = 12 << 10, /* of a kind worth a view; images and sound always are */
    HEADER_MOST = 4096,    /* the file's own bytes between streams: a header, not a text */
    EXPAND = 16,           /* contents are at most so many times the frame, */
    EXPAND_ROOM = 1 << 20, /* and these bytes, */
    FRAMES = 4,            /* and so many of the level's largest frames */
};

static size_t contents_most(int level, size_t n)
{
    uint64_t most = EXPAND * (uint64_t)n + EXPAND_ROOM, frames = FRAMES * nz_level_frame(level);
    most = most < frames ? most : frames;
    most = most < NZ_FRAME_MAX ? most : NZ_FRAME_MAX;
    return most > n ? (size_t)most : n;
}

/* ---- From pieces to segments ---- */

/* Whether the rows are pixels, and their filters' types sound; *c is set only then. */
static bool pixels(const nz_piece *piece, const uint8_t *raw, nz_content *c)
{
    bool bits = piece->depth == 1 && piece->pixel == 1, whole = piece->depth >= 8;
    if (piece->row < 2 || piece->row > UINT16_MAX || piece->bytes % piece->row || (!bits && !whole))
        return false;
    for (size_t at = 0; at < piece->bytes; at += piece->row)
        if (raw[at] >= NZ_PNG_FILTERS)
            return false;
    nz_raster r = {.row = (uint16_t)(piece->row - 1),
                   .pixel = bits ? 0 : (uint8_t)piece->pixel,
                   .sample = piece->depth == 16 ? NZ_SAMPLE_16 : NZ_SAMPLE_8};
    if (!nz_raster_valid(&r))
        return false;
    *c = (nz_content){.kind = bits ? NZ_KIND_BILEVEL : NZ_KIND_IMAGE, .raster = r};
    return true;
}

static void cut_piece(nz_segments *to, const nz_piece *piece, int level, const uint8_t *raw)
{
    bool header = piece->kind == NZ_PIECE_PLAIN && piece->bytes <= HEADER_MOST;
    nz_segment s = {.content.kind = NZ_KIND_BINARY, .bytes = piece->bytes};
    if (piece->kind == NZ_PIECE_PIXELS) {
        s.filtered = pixels(piece, raw, &s.content);
    } else if (!header) {
        nz_content all = nz_content_of(level, raw, piece->bytes);
        nz_cut(to, level, &all, raw, piece->bytes);
        return;
    }
    nz_segments_add(to, &s);
}

/* Bytes of each kind that is coded by contexts of bytes. */
typedef struct tally {
    unsigned n;
    nz_content content[NZ_KIND_CODE + NZ_MACHINES];
    size_t bytes[NZ_KIND_CODE + NZ_MACHINES];
} tally;

static unsigned entry_of(tally *t, const nz_content *c)
{
    unsigned i = 0;
    while (i < t->n && !nz_content_same(&t->content[i], c))
        i++;
    if (i == t->n)
        t->content[t->n++] = *c;
    return i;
}

/* What is too little for a view to learn from goes with what there is most of. */
static void merge(nz_segments *s)
{
    tally t = {0};
    nz_segments merged = {0};
    unsigned largest = 0;
    for (size_t i = 0; i < s->n; i++)
        if (nz_content_is_bytes(&s->at[i].content))
            t.bytes[entry_of(&t, &s->at[i].content)] += s->at[i].bytes;
    for (unsigned i = 1; i < t.n; i++)
        if (t.bytes[i] > t.bytes[largest])
            largest = i;
    for (size_t i = 0; i < s->n; i++) {
        nz_segment one = s->at[i];
        if (nz_content_is_bytes(&one.content) && t.bytes[entry_of(&t, &one.content)] < VIEW_LEAST)
            one.content = t.content[largest];
        nz_segments_add(&merged, &one);
    }
    merged.failed |= s->failed;
    nz_segments_free(s);
    *s = merged;
}

static void cut_pieces(nz_segments *to, const nz_pieces *pieces, int level)
{
    const uint8_t *at = pieces->contents.p;
    size_t n = pieces->contents.n;
    if (level <= NZ_FAST_LEVEL_MAX) {
        nz_content all = nz_content_of(level, at, n); /* the fast engine has one view */
        nz_segments_add(to, &(nz_segment){.content = all, .bytes = n});
        return;
    }
    for (size_t i = 0; i < pieces->pieces; at += pieces->piece[i++].bytes)
        cut_piece(to, &pieces->piece[i], level, at);
}

/* ---- From segments to turns ---- */

/* The view for such content; what is one kind too many goes with binary data. */
static unsigned view_for(nz_plan *p, const nz_content *c)
{
    static const nz_content binary = {.kind = NZ_KIND_BINARY};
    for (unsigned i = 0; i < p->views; i++)
        if (nz_content_same(&p->view[i].content, c))
            return i;
    if (p->views >= NZ_VIEWS_MAX - 1 && c->kind != NZ_KIND_BINARY)
        return view_for(p, &binary);
    p->view[p->views].content = *c;
    return p->views++;
}

/* Adds n bytes of a PNG image to the contents without the types of their filters. */
static void add_pixels(nz_plan *p, nz_buf *types, const nz_segment *s, const uint8_t *at)
{
    size_t row = s->content.raster.row, rows = s->bytes / (row + 1);
    uint8_t *to = nz_buf_room(&p->contents, rows * row), *type = nz_buf_room(types, rows);
    if (!to || !type)
        return;
    nz_png_unfilter(to, type, at, rows, row, nz_png_pixel(&s->content));
    p->contents.n += rows * row;
    types->n += rows;
}

static nz_err add_segments(nz_plan *p, const nz_segments *segments, const nz_pieces *pieces)
{
    const uint8_t *at = pieces->contents.p;
    nz_buf types = {0}; /* of filters, at the map's end */
    p->turn = malloc(segments->n * sizeof *p->turn);
    if (!p->turn)
        return NZ_E_MEM;
    nz_buf_varint(&p->map, pieces->recipe.n);
    nz_buf_put(&p->map, pieces->recipe.p, pieces->recipe.n);
    for (size_t i = 0; i < segments->n; at += segments->at[i++].bytes) {
        const nz_segment *s = &segments->at[i];
        size_t before = p->contents.n;
        unsigned view = view_for(p, &s->content);
        bool filtered = s->filtered && nz_content_same(&p->view[view].content, &s->content);
        if (filtered)
            add_pixels(p, &types, s, at);
        else
            nz_buf_put(&p->contents, at, s->bytes);
        p->turn[p->turns++] = (nz_turn){p->contents.n - before, view};
        p->own[view] += p->contents.n - before;
        nz_buf_varint(&p->map, (uint64_t)(p->contents.n - before) << 1 | filtered);
        nz_buf_byte(&p->map, view);
    }
    nz_buf_put(&p->map, types.p, types.n);
    bool failed = types.failed | p->map.failed | p->contents.failed;
    nz_buf_free(&types);
    return failed ? NZ_E_MEM : NZ_OK;
}

/* ---- Shapes ---- */

/* What all text of the contents is like. */
static nz_err choose_prior(int *prior, const nz_plan *p, nz_prior_option option)
{
    nz_buf text = {0};
    const uint8_t *at = p->contents.p;
    for (size_t i = 0; i < p->turns; at += p->turn[i++].bytes)
        if (p->view[p->turn[i].view].content.kind == NZ_KIND_TEXT)
            nz_buf_put(&text, at, p->turn[i].bytes);
    *prior = text.n ? nz_prior_for(option, text.p, text.n) : 0;
    nz_buf_free(&text);
    return text.failed ? NZ_E_MEM : NZ_OK;
}

static nz_err shape(nz_plan *p, nz_prior_option option)
{
    size_t n = p->contents.n;
    int prior;
    nz_err err = choose_prior(&prior, p, option);
    nz_shape_for(&p->map_shape, p->level, &(nz_content){.kind = NZ_KIND_BINARY}, p->map.n);
    for (unsigned i = 0; i < p->views; i++) {
        nz_content c = p->view[i].content;
        nz_shape_for(&p->view[i], p->level, &c, n);
        if (c.kind == NZ_KIND_TEXT)
            nz_shape_prime(&p->view[i], prior, n);
    }
    if (p->level > NZ_FAST_LEVEL_MAX)
        nz_shapes_share(p->view, p->views, p->own);
    return err;
}

static nz_err make(nz_plan **out, int level, nz_prior_option prior, const nz_segments *segments,
                   const nz_pieces *pieces, const uint8_t *raw, size_t n)
{
    nz_plan *p = calloc(1, sizeof *p);
    if (!p)
        return NZ_E_MEM;
    *p = (nz_plan){.level = level, .raw = raw, .n = n, .joins = pieces->recipe.n > 0};
    nz_err err = add_segments(p, segments, pieces);
    if (!err)
        err = shape(p, prior);
    if (err)
        nz_plan_free(p);
    else
        *out = p;
    return err;
}

nz_err nz_plan_new(nz_plan **out, nz_content *all, int level, nz_prior_option prior,
                   const uint8_t *raw, size_t n)
{
    nz_pieces pieces = {0};
    nz_segments segments = {0};
    *out = NULL;
    nz_err err = n < LEAST ? NZ_OK : nz_split(&pieces, raw, n, contents_most(level, n));
    if (err)
        return err;
    if (pieces.recipe.n) {
        cut_pieces(&segments, &pieces, level);
    } else {
        *all = nz_content_of(level, raw, n);
        if (level > NZ_FAST_LEVEL_MAX && n >= LEAST)
            nz_cut(&segments, level, all, raw, n);
    }
    merge(&segments);
    if (segments.failed)
        err = NZ_E_MEM;
    else if (pieces.recipe.n || segments.n > 1)
        err = make(out, level, prior, &segments, &pieces, raw, n);
    nz_segments_free(&segments);
    nz_pieces_reset(&pieces);
    return err;
}

nz_course nz_plan_course(const nz_plan *p)
{
    return (nz_course){p->view, p->views, p->turn, p->turns};
}

uint64_t nz_plan_memory(const nz_plan *p)
{
    nz_course c = nz_plan_course(p);
    uint64_t contents = nz_course_memory(&c), map = nz_shape_memory(&p->map_shape);
    return p->map.n + 2 * (uint64_t)p->contents.n + (contents > map ? contents : map);
}

void nz_plan_free(nz_plan *p)
{
    if (!p)
        return;
    nz_buf_free(&p->map);
    nz_buf_free(&p->contents);
    free(p->turn);
    free(p);
}
