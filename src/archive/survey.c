#include "archive/survey.h"
#include "archive/base.h"
#include "archive/directory.h"
#include "base/base.h"

#include <stdlib.h>

/* The longest end: sizes of frames take 5 bytes. */
#define END_MOST ((size_t)NZ_INDEX_FRAMES * 10 + 64)

/* A file made to be slow offers beginnings of long things everywhere. What is read in vain for
 * them is bounded by so many times the file, which no damaged archive comes near. */
enum { VAIN_TIMES = 4, VAIN_LEAST = 64 << 20 };

typedef struct search {
    nz_window *w;
    nz_survey *to;
    uint64_t memory;
    uint64_t vain;   /* bytes read for ends and directories */
    uint64_t doubt;  /* bytes of frames that were searched though their header is right */
    nz_index index;  /* of the end that was found last; its entries are ours */
    nz_index so_far; /* what the end must say of the archive that we are in, */
    bool intact;     /* as far as nothing in it was damaged */
} search;

static bool too_much(const search *s, uint64_t spent)
{
    return spent / VAIN_TIMES > s->w->size + VAIN_LEAST;
}

void nz_survey_free(nz_survey *s)
{
    free(s->found);
    *s = (nz_survey){0};
}

nz_err nz_survey_add(nz_survey *s, const nz_found *f, uint64_t memory)
{
    enum { FIRST = 64 };
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : FIRST;
        if (cap > memory / sizeof *f)
            return NZ_E_LIMIT;
        nz_found *more = realloc(s->found, cap * sizeof *more);
        if (!more)
            return NZ_E_MEM;
        s->found = more;
        s->cap = cap;
    }
    s->found[s->n++] = *f;
    return NZ_OK;
}

/* ---- One thing ---- */

bool nz_survey_head(nz_window *w, uint64_t at)
{
    size_t n;
    const char *reason;
    const uint8_t *p = nz_window_see(w, at, NZ_HEAD_BYTES, &n);
    return p && !nz_head_load(p, n, &reason);
}

bool nz_survey_base(nz_window *w, uint64_t at)
{
    size_t n;
    uint8_t hash[NZ_BASE_HASH];
    uint64_t size;
    const uint8_t *p = nz_window_see(w, at, NZ_BASE_BYTES, &n);
    return p && n >= NZ_BASE_BYTES && p[0] == NZ_TAG_BASE && nz_base_load(hash, &size, p) && size;
}

/* A frame of a method that this build does not know is one all the same. */
static void look_frame(nz_found *f, const uint8_t *p, size_t n)
{
    nz_header h;
    const char *reason;
    nz_err err = nz_header_load(&h, p, n, &reason);
    if ((err && err != NZ_E_METHOD) || h.raw > NZ_FRAME_MAX || h.packed > NZ_FRAME_MAX)
        return;
    f->kind = NZ_FOUND_FRAME;
    f->size = h.size + h.packed;
    f->raw = h.raw;
}

static nz_err look_directory(search *s, nz_found *f)
{
    size_t n, used;
    uint64_t size;
    const uint8_t *p = nz_window_see(s->w, f->offset, 1 + NZ_VARINT_BYTES, &n);
    if (!p)
        return NZ_E_MEM;
    used = nz_varint_load(&size, p + 1, n - 1);
    if (used == 0 || used > NZ_VARINT_BYTES || size > NZ_DIRECTORY_MAX || too_much(s, s->vain))
        return NZ_OK;
    size += 1 + used + 4;
    p = nz_window_see(s->w, f->offset, (size_t)size, &n);
    if (!p)
        return NZ_E_MEM;
    s->vain += size;
    if (n < size || nz_load32(p + size - 4) != nz_check32(p, (size_t)size - 4))
        return NZ_OK;
    f->kind = NZ_FOUND_DIRECTORY;
    f->size = size;
    return NZ_OK;
}

/* A varint of in[0..n), *at moved behind it. False: there is none, *more: because n is too small.
 */
static bool take(const uint8_t *in, size_t n, size_t *at, uint64_t *v, bool *more)
{
    size_t used = nz_varint_load(v, in + *at, n - *at);
    *more |= used == 0;
    if (used == 0 || used > NZ_VARINT_BYTES)
        return false;
    *at += used;
    return true;
}

/* The size of the end that in[0..n) begins with, read up to *at. 0: it is none; *more: or n is too
 * small. */
static size_t end_size(const uint8_t *in, size_t n, size_t *at, bool *more)
{
    uint64_t frames, total, packed, raw;
    *at = 1;
    *more = false;
    if (!take(in, n, at, &frames, more) || !take(in, n, at, &total, more) ||
        frames > NZ_INDEX_FRAMES)
        return 0;
    for (uint64_t i = 0; i < frames; i++) {
        if (!take(in, n, at, &packed, more) || !take(in, n, at, &raw, more))
            return 0;
        if (raw == 0 || raw > NZ_FRAME_MAX || packed > NZ_HEADER_BYTES + raw)
            return 0;
    }
    for (int names = 0; names < 2; names++) {
        if (n - *at < 8) {
            *more = true;
            return 0;
        }
        if (nz_load32(in + *at) == *at)
            return *at + 8;
        if (!take(in, n, at, &packed, more))
            return 0;
    }
    return 0;
}

/* Keeps the index, which lies where others will be seen. */
static nz_err take_end(search *s, nz_found *f, const uint8_t *p, size_t n)
{
    nz_index x;
    const char *reason;
    size_t size;
    if (nz_index_load(&x, p, n, &size, &reason) || size != n)
        return NZ_OK;
    uint8_t *own = malloc(x.n + 1);
    if (!own)
        return NZ_E_MEM;
    memcpy(own, x.entries, x.n);
    x.entries = own;
    nz_index_reset(&s->index);
    s->index = x;
    f->kind = NZ_FOUND_END;
    f->sure = true;
    f->size = n;
    f->raw = x.raw;
    return NZ_OK;
}

static nz_err look_end(search *s, nz_found *f)
{
    enum { FIRST = 64 };
    bool more = true;
    for (size_t least = FIRST, n = 0; more && n < END_MOST && !too_much(s, s->vain); least *= 4) {
        size_t seen, at = 0;
        const uint8_t *p = nz_window_see(s->w, f->offset, least, &seen);
        if (!p)
            return NZ_E_MEM;
        if (seen == n)
            return NZ_OK;
        n = seen < END_MOST ? seen : END_MOST;
        size_t size = end_size(p, n, &at, &more);
        s->vain += at + size;
        if (size)
            return take_end(s, f, p, size);
    }
    return NZ_OK;
}

/* What there is at f->offset. A directory is only looked for behind something else: to be sure of
 * it takes all of its bytes. */
static nz_err look(search *s, nz_found *f, bool behind)
{
    size_t n;
    *f = (nz_found){.offset = f->offset, .at = NZ_NOWHERE};
    const uint8_t *p = nz_window_see(s->w, f->offset, NZ_HEADER_BYTES, &n);
    if (!p)
        return NZ_E_MEM;
    if (n == 0)
        return NZ_OK;
    uint8_t tag = p[0];
    if ((tag & 0xf0) == NZ_TAG_FRAME) {
        look_frame(f, p, n);
    } else if (tag == NZ_TAG_END) {
        return look_end(s, f);
    } else if (tag == NZ_TAG_DIRECTORY) {
        return behind ? look_directory(s, f) : NZ_OK;
    } else if (tag == NZ_TAG_BASE && nz_survey_base(s->w, f->offset)) {
        f->kind = NZ_FOUND_BASE;
        f->size = NZ_BASE_BYTES;
    } else if (nz_survey_head(s->w, f->offset)) {
        f->kind = NZ_FOUND_HEAD;
        f->size = NZ_HEAD_BYTES;
    }
    return NZ_OK;
}

/* ---- An end that is damaged ---- */

/* Bytes of what should be the end, when that is what it must be: as long as the one that the frames
 * ask for, another archive or nothing behind it, and most bytes right; or cut short, but right. */
static nz_err look_damaged_end(search *s, uint64_t at, size_t *size)
{
    enum { CUT_LEAST = 8 };
    uint8_t *want;
    size_t n, seen, same = 0;
    *size = 0;
    if (!s->intact)
        return NZ_OK;
    if (nz_index_store(&s->so_far, &want, &n))
        return NZ_E_MEM;
    const uint8_t *p = nz_window_see(s->w, at, n, &seen);
    for (size_t i = 0; p && i < seen && i < n; i++)
        same += p[i] == want[i];
    free(want);
    if (!p)
        return NZ_E_MEM;
    if (seen < n ? seen >= CUT_LEAST && same == seen
                 : same > n / 2 && (at + n == s->w->size || nz_survey_head(s->w, at + n)))
        *size = seen < n ? seen : n;
    return NZ_OK;
}

/* Where nothing was found behind what was: perhaps the end. */
static nz_err add_damaged_end(search *s, uint64_t *next, bool *found)
{
    size_t size;
    nz_err err = look_damaged_end(s, *next, &size);
    *found = !err && size;
    s->intact = false;
    if (!*found)
        return err;
    nz_found f = {NZ_FOUND_END, false, *next, size, s->so_far.raw, NZ_NOWHERE};
    *next += size;
    return nz_survey_add(s->to, &f, s->memory);
}

/* Keeps account of what the end must say. */
static nz_err count(search *s, const nz_found *f)
{
    nz_err err = NZ_OK;
    if (f->kind == NZ_FOUND_HEAD) {
        nz_index_reset(&s->so_far);
        s->intact = true;
    } else if (f->kind == NZ_FOUND_FRAME && s->intact) {
        err = nz_index_add(&s->so_far, f->size, f->raw);
        s->intact = !err;
    } else if (f->kind == NZ_FOUND_DIRECTORY) {
        s->so_far.directory = f->size;
    } else if (f->kind == NZ_FOUND_END) {
        s->intact = false;
    }
    return err == NZ_E_MEM ? err : NZ_OK;
}

/* ---- All of them ---- */

/* The next byte that something may begin with; the end of the file when there is none. */
static nz_err skip(search *s, uint64_t *at)
{
    static const uint8_t HEAD = 0xce;
    size_t n;
    do {
        const uint8_t *p = nz_window_see(s->w, *at, 1, &n);
        if (!p)
            return NZ_E_MEM;
        for (size_t i = 0; i < n; i++, (*at)++)
            if (p[i] >= NZ_TAG_FRAME || p[i] == NZ_TAG_END || p[i] == NZ_TAG_BASE || p[i] == HEAD)
                return NZ_OK;
    } while (n);
    return NZ_OK;
}

/* Whether something begins where the frame ends, if only the end of the file. */
static nz_err confirm(search *s, nz_found *f)
{
    nz_found behind = {.offset = f->offset + f->size};
    if (behind.offset > s->w->size)
        return NZ_OK;
    size_t end = 0;
    nz_err err = look(s, &behind, true);
    if (!err && behind.kind == NZ_FOUND_NOTHING)
        err = look_damaged_end(s, behind.offset, &end);
    f->sure = behind.kind != NZ_FOUND_NOTHING || end || behind.offset == s->w->size;
    return err;
}

/* Adds what was found; *next is where to go on. */
static nz_err add(search *s, nz_found *f, uint64_t *next)
{
    nz_err err = count(s, f);
    *next = f->offset + f->size;
    if (err)
        return err;
    if (f->kind == NZ_FOUND_FRAME) {
        err = confirm(s, f);
        s->intact &= f->sure;
        if (!f->sure && !too_much(s, s->doubt)) {
            s->doubt += f->size;
            *next = f->offset + 1;
        }
    } else if (f->kind == NZ_FOUND_END) {
        nz_found d = {.offset = f->offset - s->index.directory};
        if (s->index.directory && s->index.directory <= f->offset)
            err = look_directory(s, &d);
        if (!err)
            err = nz_survey_align(s->to, s->w, f->offset, &s->index,
                                  d.kind && d.size == s->index.directory, s->memory);
    }
    return err ? err : nz_survey_add(s->to, f, s->memory);
}

nz_err nz_survey_make(nz_survey *to, nz_window *w, uint64_t memory)
{
    search s = {.w = w, .to = to, .memory = memory};
    nz_found f = {0};
    nz_err err = NZ_OK;
    bool behind = true;
    for (uint64_t next = 0; next < w->size && !err;) {
        if (!behind && (err = skip(&s, &next)))
            break;
        f.offset = next;
        err = look(&s, &f, behind);
        if (!err && f.kind != NZ_FOUND_NOTHING) {
            err = add(&s, &f, &next);
            behind = next == f.offset + f.size;
        } else if (!err) {
            err = add_damaged_end(&s, &next, &behind);
            next += !behind;
        }
    }
    nz_index_reset(&s.index);
    nz_index_reset(&s.so_far);
    return err;
}

nz_err nz_survey_wrong(nz_window *w, uint64_t at, bool between, const char **reason)
{
    size_t n;
    nz_header h;
    const uint8_t *p = nz_window_see(w, at, NZ_HEADER_BYTES, &n);
    uint8_t tag = p && n ? p[0] : 0;
    *reason = between ? "bytes that are no archive" : "the archive ends without its index";
    if (!p || n == 0)
        return p ? NZ_E_TRUNCATED : NZ_E_MEM;
    nz_err err = NZ_OK;
    if ((tag & 0xf0) == NZ_TAG_FRAME)
        err = nz_header_load(&h, p, n, reason);
    else if (tag == NZ_TAG_END)
        *reason = "the end is damaged";
    else if (tag == NZ_TAG_DIRECTORY)
        *reason = "the directory is damaged";
    else if (tag == NZ_TAG_BASE)
        *reason = "the name of the base is damaged";
    else if (between)
        err = nz_head_load(p, n, reason);
    else
        *reason = "neither a frame nor the end of the archive";
    return err ? err : NZ_E_CORRUPT;
}
