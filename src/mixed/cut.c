#include "cut.h"

#include <stdlib.h>

enum { BLOCK = 4 << 10, RUN = 2 /* blocks of the other kind that are worth a cut */ };

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

void nz_cut(nz_segments *to, int level, const uint8_t *raw, size_t n)
{
    nz_content all = nz_content_of(level, raw, n);
    size_t from = 0, at = 0;
    nz_kind texture = nz_content_texture(raw, n < BLOCK ? n : BLOCK);
    if (nz_content_is_image(&all))
        at = n;
    while (at < n) {
        if (!changes(texture, raw, n, at)) {
            at += n - at < BLOCK ? n - at : BLOCK;
            continue;
        }
        if (at > from) {
            nz_segment s = {.content = nz_content_of(level, raw + from, at - from),
                            .bytes = at - from};
            nz_segments_add(to, &s);
        }
        from = at;
        at += RUN * BLOCK;
        texture = texture == NZ_KIND_TEXT ? NZ_KIND_BINARY : NZ_KIND_TEXT;
    }
    nz_segment rest = {.content = from ? nz_content_of(level, raw + from, n - from) : all,
                       .bytes = n - from};
    nz_segments_add(to, &rest);
}
