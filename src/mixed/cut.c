#include "cut.h"

#include <stdlib.h>

enum {
    BLOCK = 4 << 10,
    RUN = 2,          /* blocks of the other kind that are worth a cut, */
    PICTURE = 4 << 10 /* bytes of an image that are */
};

void nz_segments_add(nz_segments *s, const nz_segment *segment)
{
    nz_segment *last = s->n ? &s->at[s->n - 1] : NULL;
    if (!segment->bytes || s->failed)
        return;
    if (last && !last->filtered && !segment->filtered &&
        nz_content_same(&last->content, &segment->content)) {
        last->bytes += segment->bytes;
        return;
    }
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 16;
        nz_segment *more = realloc(s->at, cap * sizeof *more);
        s->failed = !more;
        if (!more)
            return;
        s->at = more;
        s->cap = cap;
    }
    s->at[s->n++] = *segment;
}

void nz_segments_free(nz_segments *s)
{
    free(s->at);
    *s = (nz_segments){0};
}

static void add(nz_segments *to, const nz_content *c, size_t n)
{
    nz_segments_add(to, &(nz_segment){.content = *c, .bytes = n});
}

static void find_and_add(nz_segments *to, int level, const uint8_t *raw, size_t n)
{
    nz_content c = nz_content_of(level, raw, n);
    add(to, &c, n);
}

/* Whether RUN blocks from `at` on are all of the other texture. */
static bool changes(nz_kind texture, const uint8_t *raw, size_t n, size_t at)
{
    if (n - at < RUN * BLOCK)
        return false;
    for (size_t k = 0; k < RUN; k++)
        if (nz_content_texture(raw + at + k * BLOCK, BLOCK) == texture)
            return false;
    return true;
}

/* The segments of bytes without pictures; all: what they are if they are not cut, NULL: unknown. */
static void cut_textures(nz_segments *to, int level, const nz_content *all, const uint8_t *raw,
                         size_t n)
{
    size_t from = 0, at = 0;
    nz_kind texture = nz_content_texture(raw, n < BLOCK ? n : BLOCK);
    while (at < n) {
        if (!changes(texture, raw, n, at)) {
            at += n - at < BLOCK ? n - at : BLOCK;
            continue;
        }
        find_and_add(to, level, raw + from, at - from);
        from = at;
        at += RUN * BLOCK;
        texture = texture == NZ_KIND_TEXT ? NZ_KIND_BINARY : NZ_KIND_TEXT;
    }
    if (!from && all)
        add(to, all, n);
    else
        find_and_add(to, level, raw + from, n - from);
}

/* The first picture behind the first byte; in texts there are headers without pixels. */
static bool find_picture(nz_picture *p, const uint8_t *raw, size_t n)
{
    for (size_t at = 0; at < n; at++) {
        uint8_t c = raw[at];
        if ((c != 'P' && c != 'B' && c != 'I' && c != 'M') || !nz_picture_find(p, raw + at, n - at))
            continue;
        p->from += at;
        if (p->bytes >= PICTURE && nz_content_texture(raw + p->from, p->bytes) == NZ_KIND_BINARY)
            return true;
    }
    return false;
}

void nz_cut(nz_segments *to, int level, const nz_content *all, const uint8_t *raw, size_t n)
{
    nz_picture p;
    if (nz_content_is_image(all)) {
        add(to, all, n);
        return;
    }
    while (find_picture(&p, raw, n)) {
        nz_segment s = {.content.kind = p.raster.pixel ? NZ_KIND_IMAGE : NZ_KIND_BILEVEL,
                        .content.raster = p.raster,
                        .bytes = p.bytes};
        s.content.raster.first = 0;
        cut_textures(to, level, NULL, raw, p.from);
        all = NULL;
        nz_segments_add(to, &s);
        raw += p.from + p.bytes;
        n -= p.from + p.bytes;
    }
    cut_textures(to, level, all, raw, n);
}
