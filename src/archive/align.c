/* Where the frames of an archive were, by its end.
 *
 * When the end and the head are as far apart as the end says, every frame is where it says. When
 * bytes are missing in between, or were added, the frames behind them are as far from the end as it
 * says, those in front of them as far from the head; what is found in the middle may be any of the
 * others. */
#include "archive/base.h"
#include "archive/survey.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

typedef struct alignment {
    nz_survey *s;
    uint64_t memory;
    uint64_t frames_end; /* where the frames ended */
    const nz_index *x;
} alignment;

/* Runs over the entries. */
typedef struct entry {
    nz_span rest;
    uint64_t number, packed, raw; /* of the next; one behind the last: frames, 0, 0 */
    uint64_t offset, at;          /* sums of those before it */
} entry;

static void load_entry(entry *e, const nz_index *x)
{
    bool one = e->number < x->frames;
    e->packed = one ? nz_span_varint(&e->rest) : 0;
    e->raw = one ? nz_span_varint(&e->rest) : 0;
}

static entry first_entry(const nz_index *x)
{
    entry e = {.rest = nz_span_of(x->entries, x->n)};
    load_entry(&e, x);
    return e;
}

static void next_entry(entry *e, const nz_index *x)
{
    e->offset += e->packed;
    e->at += e->raw;
    e->number++;
    load_entry(e, x);
}

/* Whether this very frame was found there. */
static bool is_there(const nz_survey *s, uint64_t offset, const entry *e)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->found[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == s->n)
        return false;
    const nz_found *f = &s->found[low];
    return f->offset == offset && f->kind == NZ_FOUND_FRAME && f->size == e->packed &&
           f->raw == e->raw;
}

/* Adds the frames from *e on up to number `end`, the first of them at offset `start`. */
static nz_err add_frames(const alignment *a, entry *e, uint64_t end, uint64_t start)
{
    nz_err err = NZ_OK;
    for (uint64_t first = e->offset; e->number < end && !err; next_entry(e, a->x)) {
        nz_found f = {NZ_FOUND_FRAME, true, start + (e->offset - first), e->packed, e->raw, e->at};
        err = nz_survey_add(a->s, &f, a->memory);
    }
    return err;
}

static nz_err add_other(const alignment *a, nz_found_kind kind, uint64_t offset, uint64_t size)
{
    nz_found f = {.kind = kind, .offset = offset, .size = size, .at = NZ_NOWHERE};
    return nz_survey_add(a->s, &f, a->memory);
}

/* Where the archive starts if nothing is missing; *base: the name of one comes before its frames.
 * NZ_NOWHERE: nothing starts there. */
static uint64_t find_start(const alignment *a, nz_window *w, bool *base)
{
    uint64_t before = 0, frames = a->frames_end - a->x->packed;
    for (size_t i = a->s->n; i > 0 && !before; i--)
        if (a->s->found[i - 1].kind == NZ_FOUND_END)
            before = a->s->found[i - 1].offset + a->s->found[i - 1].size;
    if (a->x->packed > a->frames_end)
        return NZ_NOWHERE;
    /* A head that is there is better than one that may have been. */
    for (int there = 1; there >= 0; there--)
        for (int named = 0; named < 2; named++) {
            uint64_t head = NZ_HEAD_BYTES + (named ? NZ_BASE_BYTES : 0);
            *base = named;
            if (frames >= head &&
                (there ? nz_survey_head(w, frames - head) : frames - head == before))
                return frames - head;
        }
    return NZ_NOWHERE;
}

static nz_err align_all(const alignment *a, nz_window *w, uint64_t start, bool base)
{
    nz_survey *s = a->s;
    uint64_t frames = a->frames_end - a->x->packed;
    nz_err err = NZ_OK;
    while (s->n && s->found[s->n - 1].offset >= start)
        s->n--;
    if (nz_survey_head(w, start))
        err = add_other(a, NZ_FOUND_HEAD, start, NZ_HEAD_BYTES);
    if (!err && base && nz_survey_base(w, frames - NZ_BASE_BYTES))
        err = add_other(a, NZ_FOUND_BASE, frames - NZ_BASE_BYTES, NZ_BASE_BYTES);
    entry e = first_entry(a->x);
    return err ? err : add_frames(a, &e, a->x->frames, frames);
}

/* The first frame that is found as far from the end as it must be, not in front of `least`. */
static entry find_back(const alignment *a, uint64_t least)
{
    entry e = first_entry(a->x);
    for (; e.number < a->x->frames; next_entry(&e, a->x)) {
        uint64_t behind = a->x->packed - e.offset;
        if (behind <= a->frames_end && a->frames_end - behind >= least &&
            is_there(a->s, a->frames_end - behind, &e))
            break;
    }
    return e;
}

/* One behind the last frame that is found as far from `start` as it must be, and whole in front of
 * `end`. */
static uint64_t find_front(const alignment *a, uint64_t start, uint64_t end, uint64_t most)
{
    uint64_t count = 0;
    for (entry e = first_entry(a->x); e.number < most; next_entry(&e, a->x)) {
        if (start > end || e.offset + e.packed > end - start)
            break;
        if (is_there(a->s, start + e.offset, &e))
            count = e.number + 1;
    }
    return count;
}

static nz_err align_parts(const alignment *a)
{
    nz_survey *s = a->s;
    size_t from = s->n;
    while (from && s->found[from - 1].kind != NZ_FOUND_END &&
           s->found[from - 1].kind != NZ_FOUND_HEAD)
        from--;
    bool head = from && s->found[from - 1].kind == NZ_FOUND_HEAD;
    if (head && from < s->n && s->found[from].kind == NZ_FOUND_BASE)
        from++;
    uint64_t start = from ? s->found[from - 1].offset + s->found[from - 1].size : 0;

    entry back = find_back(a, start), e = first_entry(a->x);
    uint64_t back_start = a->frames_end - (a->x->packed - back.offset);
    uint64_t front = head ? find_front(a, start, back_start, back.number) : 0;

    size_t n = s->n - from;
    nz_found *middle = malloc((n + 1) * sizeof *middle);
    if (!middle)
        return NZ_E_MEM;
    if (n)
        memcpy(middle, s->found + from, n * sizeof *middle);
    s->n = from;
    nz_err err = add_frames(a, &e, front, start);
    uint64_t front_end = start + e.offset;
    for (size_t i = 0; i < n && !err; i++)
        if (middle[i].offset >= front_end && middle[i].offset < back_start)
            err = nz_survey_add(s, &middle[i], a->memory);
    free(middle);
    return err ? err : add_frames(a, &back, a->x->frames, back_start);
}

nz_err nz_survey_align(nz_survey *s, nz_window *w, uint64_t tag, const nz_index *x, bool directory,
                       uint64_t memory)
{
    if (x->directory > tag)
        return NZ_OK; /* it cannot have been there, so nothing else can be counted back from here */
    alignment a = {s, memory, tag - x->directory, x};
    bool base;
    uint64_t start = find_start(&a, w, &base);
    nz_err err = start == NZ_NOWHERE ? align_parts(&a) : align_all(&a, w, start, base);
    if (!err && directory)
        err = add_other(&a, NZ_FOUND_DIRECTORY, a.frames_end, x->directory);
    return err;
}
