#include "pieces.h"
#include "describe.h"
#include "find.h"
#include "inflate.h"
#include "sums.h"

#include <stdlib.h>

enum {
    LEAST = 64,          /* bytes of a stream worth it */
    DEAREST = 5,         /* a description is at most this part of its stream, */
    SLACK = 16,          /* and these bytes */
    WASTE = 16,          /* bytes read and inflated in vain, in sizes of the file, */
    WASTE_ROOM = 1 << 20 /* and these */
};

/* ---- What is around a stream ---- */

static void sums_put(nz_buf *to, nz_wrap wrap, const uint8_t *raw, size_t n)
{
    uint8_t sum[8];
    if (wrap == NZ_WRAP_GZIP) {
        nz_store32(sum, nz_crc32(0, raw, n));
        nz_store32(sum + 4, (uint32_t)n);
        nz_buf_put(to, sum, 8);
    } else if (wrap != NZ_WRAP_NONE) {
        nz_store32(sum, __builtin_bswap32(nz_adler32(1, raw, n)));
        nz_buf_put(to, sum, 4);
    }
}

/* PNG's chunks at p, joined; their sizes. Returns the bytes they take. */
static size_t chunks_get(nz_buf *data, nz_buf *sizes, const uint8_t *p, size_t n, uint64_t *waste)
{
    nz_span chunk;
    size_t at = 0, count = 0;
    nz_buf all = {0};
    for (; nz_png_data(&chunk, p + at, n - at);
         at += nz_span_left(&chunk) + NZ_PNG_FRAME, count++) {
        nz_buf_put(data, chunk.at, nz_span_left(&chunk));
        nz_buf_varint(&all, nz_span_left(&chunk));
    }
    nz_png_waste(waste, p + at, n - at);
    nz_buf_varint(sizes, count);
    nz_buf_put(sizes, all.p, all.n);
    sizes->failed |= all.failed;
    nz_buf_free(&all);
    return at;
}

/* ---- From a file to its pieces ---- */

typedef struct splitter {
    const uint8_t *file;
    size_t n, most;
    size_t done;    /* of the file */
    uint64_t waste; /* bytes that may still be read and inflated in vain */
    uint64_t spent; /* on the stream looked at */
    nz_pieces *to;
    nz_buf raw, data, around, description, again; /* of this stream */
} splitter;

static nz_err piece_add(nz_pieces *s, const nz_piece *piece, const uint8_t *p)
{
    if (!piece->bytes)
        return NZ_OK;
    if (!(s->pieces & (s->pieces - 1))) { /* full at every power of two */
        nz_piece *more = realloc(s->piece, (s->pieces ? 2 * s->pieces : 1) * sizeof *more);
        if (!more)
            return NZ_E_MEM;
        s->piece = more;
    }
    nz_buf_put(&s->contents, p, piece->bytes);
    if (s->contents.failed)
        return NZ_E_MEM;
    s->piece[s->pieces++] = *piece;
    return NZ_OK;
}

/* Of the stream whose bytes are s->raw. */
static nz_err stream_describe(splitter *s, const uint8_t *in, size_t n)
{
    if (n < LEAST)
        return NZ_E_FULL;
    s->again.n = 0;
    nz_err err = nz_describe(&s->description, in, n, s->raw.p, s->raw.n, n / DEAREST + SLACK);
    if (!err)
        err = nz_rebuild(&s->again, s->raw.p, s->raw.n, s->description.p, s->description.n, n);
    if (!err && (s->again.n != n || memcmp(s->again.p, in, n) != 0))
        err = NZ_E_CORRUPT;
    return err;
}

/* NZ_OK: there is a stream, and it is worth it; *end: where it, and its sums, end in the file. */
static nz_err stream_look(splitter *s, nz_found *found, size_t *end)
{
    const uint8_t *in = s->file + found->at;
    size_t n = s->n - found->at, used;
    s->raw.n = s->data.n = s->around.n = s->description.n = s->again.n = 0;
    s->spent = LEAST;
    if (found->wrap == NZ_WRAP_PNG) {
        *end = found->at + chunks_get(&s->data, &s->around, in, n, &s->waste);
        if (s->data.failed || s->around.failed)
            return NZ_E_MEM;
        s->spent += s->data.n;
        if (s->data.n < 2)
            return NZ_E_CORRUPT;
        in = s->data.p + 2;
        n = s->data.n - 2;
    }
    size_t room = s->most - s->to->contents.n - (s->n - s->done);
    nz_err err = nz_inflate_all(&s->raw, &used, in, n, room);
    s->spent += used + s->raw.n;
    if (err)
        return err;

    sums_put(&s->again, found->wrap, s->raw.p, s->raw.n);
    if (s->again.failed)
        return NZ_E_MEM;
    size_t sums = s->again.n, left = n - used;
    bool sound = left >= sums && (!sums || !memcmp(in + used, s->again.p, sums));
    if (found->wrap == NZ_WRAP_PNG)
        sound &= left == sums;
    if (!sound && found->wrap == NZ_WRAP_GZIP) {
        found->wrap = NZ_WRAP_NONE;
        sound = true;
        sums = 0;
    }
    if (!sound)
        return NZ_E_CORRUPT;
    if (found->wrap != NZ_WRAP_PNG)
        *end = found->at + used + sums;
    return stream_describe(s, in, used);
}

static nz_err stream_add(splitter *s, const nz_found *found, size_t end)
{
    nz_buf *to = &s->to->recipe;
    nz_buf_varint(to, found->at - s->done);
    nz_buf_byte(to, found->wrap);
    if (found->wrap == NZ_WRAP_PNG) {
        nz_buf_put(to, s->data.p, 2);
        nz_buf_put(to, s->around.p, s->around.n);
    }
    nz_buf_varint(to, s->raw.n);
    nz_buf_varint(to, s->description.n);
    nz_buf_put(to, s->description.p, s->description.n);
    bool image = found->wrap == NZ_WRAP_PNG;
    nz_piece plain = {.kind = NZ_PIECE_PLAIN, .bytes = found->at - s->done};
    nz_piece raw = {.kind = image ? NZ_PIECE_PIXELS : NZ_PIECE_STREAM,
                    .bytes = s->raw.n,
                    .row = found->row,
                    .pixel = found->pixel,
                    .depth = found->depth};
    nz_err err = piece_add(s->to, &plain, s->file + s->done);
    if (!err)
        err = piece_add(s->to, &raw, s->raw.p);
    s->done = end;
    return to->failed ? NZ_E_MEM : err;
}

static nz_err split(splitter *s)
{
    nz_found found;
    for (size_t from = 0; nz_find(&found, s->file, s->n, from, &s->waste);) {
        size_t end = 0;
        nz_err err = stream_look(s, &found, &end);
        if (!err) {
            err = stream_add(s, &found, end);
            from = end;
        } else {
            s->waste -= s->spent < s->waste ? s->spent : s->waste;
            from = found.from + 1;
        }
        if (err == NZ_E_MEM)
            return err;
    }
    nz_piece rest = {.kind = NZ_PIECE_PLAIN, .bytes = s->n - s->done};
    return piece_add(s->to, &rest, s->file + s->done);
}

void nz_pieces_reset(nz_pieces *s)
{
    nz_buf_free(&s->contents);
    nz_buf_free(&s->recipe);
    free(s->piece);
    *s = (nz_pieces){0};
}

nz_err nz_split(nz_pieces *to, const uint8_t *file, size_t n, size_t most)
{
    *to = (nz_pieces){0};
    splitter s = {
        .file = file, .n = n, .most = most, .to = to, .waste = WASTE * (uint64_t)n + WASTE_ROOM};
    nz_err err = split(&s);
    nz_buf_free(&s.raw);
    nz_buf_free(&s.data);
    nz_buf_free(&s.around);
    nz_buf_free(&s.description);
    nz_buf_free(&s.again);
    if (err)
        nz_pieces_reset(to);
    return err;
}

/* ---- And back ---- */

typedef struct joiner {
    nz_span contents, recipe;
    size_t most; /* of to->n */
    nz_buf *to, data;
} joiner;

static nz_err room_check(const joiner *j)
{
    return j->to->failed || j->data.failed ? NZ_E_MEM : j->to->n > j->most ? NZ_E_LIMIT : NZ_OK;
}

/* Cuts `data` into chunks of the sizes that the recipe lists. */
static nz_err chunks_put(joiner *j, nz_span sizes, uint64_t count)
{
    nz_span data = nz_span_of(j->data.p, j->data.n);
    for (; count; count--) {
        nz_span chunk = nz_span_cut(&data, nz_span_varint(&sizes));
        if (data.bad || sizes.bad)
            return NZ_E_CORRUPT;
        nz_png_put(j->to, chunk.at, nz_span_left(&chunk));
        nz_err err = room_check(j);
        if (err)
            return err;
    }
    return nz_span_left(&data) ? NZ_E_CORRUPT : NZ_OK;
}

static nz_err stream_join(joiner *j)
{
    nz_span plain = nz_span_cut(&j->contents, nz_span_varint(&j->recipe)), sizes = {0};
    unsigned wrap = nz_span_byte(&j->recipe);
    uint64_t count = 0;
    bool png = wrap == NZ_WRAP_PNG;
    nz_buf *to = png ? &j->data : j->to;
    if (png) {
        nz_span head = nz_span_cut(&j->recipe, 2);
        count = nz_span_varint(&j->recipe);
        sizes = j->recipe;
        for (uint64_t i = 0; i < count && !j->recipe.bad; i++)
            nz_span_varint(&j->recipe);
        j->data.n = 0;
        nz_buf_put(&j->data, head.at, nz_span_left(&head));
    }
    nz_span raw = nz_span_cut(&j->contents, nz_span_varint(&j->recipe));
    nz_span description = nz_span_cut(&j->recipe, nz_span_varint(&j->recipe));
    if (j->recipe.bad || j->contents.bad || wrap >= NZ_WRAPS)
        return NZ_E_CORRUPT;
    size_t raw_n = nz_span_left(&raw);
    nz_buf_put(j->to, plain.at, nz_span_left(&plain));
    nz_err err = room_check(j);
    if (!err)
        err = nz_rebuild(to, raw.at, raw_n, description.at, nz_span_left(&description),
                         j->most - j->to->n);
    if (err)
        return err;
    sums_put(to, wrap, raw.at, raw_n);
    return png ? chunks_put(j, sizes, count) : NZ_OK;
}

nz_err nz_join(nz_buf *to, const uint8_t *contents, size_t contents_n, const uint8_t *recipe,
               size_t recipe_n, size_t most)
{
    joiner j = {.contents = nz_span_of(contents, contents_n),
                .recipe = nz_span_of(recipe, recipe_n),
                .to = to,
                .most = to->n + most};
    nz_err err = most > SIZE_MAX - to->n ? NZ_E_LIMIT : NZ_OK;
    while (!err && nz_span_left(&j.recipe))
        err = stream_join(&j);
    nz_buf_free(&j.data);
    if (!err)
        nz_buf_put(to, j.contents.at, nz_span_left(&j.contents));
    return err ? err : room_check(&j);
}
