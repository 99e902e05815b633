/* Behind nz_salvage: what the survey found goes through the crew in order, frames as jobs that
 * unpack, all else as jobs without work. What was lost shows between two that are good: from how
 * far apart they lie in the raw data, when that is known, comes how much. */
#include "archive/base.h"
#include "archive/survey.h"
#include "archive/unpack.h"

#include <stdlib.h>
#include <string.h>

/* A thing that was found, on its way through the crew. */
typedef struct step {
    nz_job job; /* the first member: the crew frees it */
    nz_found found;
    const char *needs; /* why the base that the archive names is not there; NULL: it is */
} step;

/* Where we are. Positions are in what is handed out, zeros included. */
typedef struct place {
    uint64_t done;           /* bytes of the file that were accounted for */
    uint64_t out;            /* raw bytes so far */
    uint64_t start;          /* where the archive's own began */
    bool exact, start_exact; /* the original has the same there */
    bool between;            /* behind an archive's end, or before the first */
} place;

struct nz_salvage {
    nz_crew crew;
    nz_window window;
    nz_survey survey;
    size_t next; /* of the survey, to be begun */
    const nz_base *base;
    const char *needs; /* of the archive that is being begun */
    nz_lost_fn tell;
    void *tell_arg;
    place place;
    bool losing; /* a stretch that ends at place.done */
    nz_lost lost;
    bool unsized;   /* of it not all sizes are known */
    uint64_t sure;  /* raw bytes that it had at least */
    uint64_t zeros; /* to be handed out before the step */
    step *step;     /* being handed out */
    size_t given;
    nz_salvaged sum;
    nz_err err;
};

/* ---- Into the crew ---- */

static void no_work(nz_job *job)
{
    (void)job;
}

/* What cannot be unpacked has its error from the beginning, and no work. */
static nz_err refuse(step *p, nz_err err, const char *reason)
{
    p->job.work = no_work;
    p->job.header = (nz_header){.method = NZ_METHOD_STORED};
    p->job.memory = 0;
    p->job.err = err;
    p->job.reason = reason;
    return NZ_OK;
}

static nz_err load_header(nz_salvage *s, const nz_found *f, nz_header *h, const char **reason)
{
    size_t n;
    const uint8_t *p = nz_window_see(&s->window, f->offset, NZ_HEADER_BYTES, &n);
    if (!p)
        return NZ_E_MEM;
    nz_err err = nz_header_load(h, p, n, reason);
    if (err)
        return err == NZ_E_TRUNCATED ? NZ_E_CORRUPT : err;
    *reason = "a frame is not what the index says";
    return h->raw == f->raw && h->size + h->packed == f->size ? NZ_OK : NZ_E_CORRUPT;
}

/* Memory for the frame, and what there is of it. */
static nz_err load_frame(nz_salvage *s, step *p)
{
    const nz_header *h = &p->job.header;
    nz_pool *pool = s->crew.pool;
    bool stored = h->method == NZ_METHOD_STORED;
    nz_block *to = stored ? &p->job.raw_block : &p->job.packed_block;
    if (!nz_block_resize(pool, to, 0, (size_t)h->packed) ||
        (!stored && !nz_block_resize(pool, &p->job.raw_block, 0, (size_t)h->raw)))
        return NZ_E_MEM;
    if (!nz_window_read(&s->window, p->found.offset + h->size, to->p, (size_t)h->packed))
        return refuse(p, NZ_E_READ, "the file cannot be read");
    p->job.packed = to->p;
    p->job.raw = p->job.raw_block.p;
    return NZ_OK;
}

/* *waits: until others have given their memory back. */
static nz_err begin_frame(nz_salvage *s, step *p, bool *waits)
{
    nz_header h;
    const nz_found found = p->found;
    const char *reason;
    nz_err err = load_header(s, &found, &h, &reason);
    if (!err && found.size > s->window.size - found.offset) {
        err = NZ_E_TRUNCATED;
        reason = "the archive ends inside a frame";
    }
    if (!err)
        err = nz_unpack_job(&p->job, &h, found.offset, &reason);
    if (err)
        return err == NZ_E_MEM ? err : refuse(p, err, reason);
    *waits = nz_unpack_waits(&s->crew, &p->job);
    if (*waits)
        return NZ_OK;
    if (!nz_crew_room(&s->crew, p->job.memory))
        return refuse(p, NZ_E_LIMIT, "unpacking it needs more memory than the limit");
    p->job.base = nz_base_view(s->base);
    p->needs = h.method == NZ_METHOD_WEIGHTS ? s->needs : NULL;
    return load_frame(s, p);
}

/* Frames are tried with whatever base there is: their checksum tells whether it was the right one.
 */
static void begin_base(nz_salvage *s, const nz_found *f)
{
    uint8_t bytes[NZ_BASE_BYTES], hash[NZ_BASE_HASH];
    uint64_t size;
    const char *reason = NULL;
    if (nz_window_read(&s->window, f->offset, bytes, sizeof bytes) &&
        nz_base_load(hash, &size, bytes) && nz_base_fits(s->base, hash, size, &reason))
        s->needs = reason;
}

static nz_err begin(nz_salvage *s, bool *waits)
{
    const nz_found *f = &s->survey.found[s->next];
    step *p = calloc(1, sizeof *p);
    if (!p)
        return NZ_E_MEM;
    p->found = *f;
    p->job.work = no_work;
    nz_err err = NZ_OK;
    if (f->kind == NZ_FOUND_FRAME)
        err = begin_frame(s, p, waits);
    else
        *waits = s->crew.count >= nz_crew_most(s->crew.threads, true);
    if (err || *waits) {
        nz_job_free(&s->crew, &p->job);
        return err;
    }
    if (f->kind == NZ_FOUND_HEAD)
        s->needs = NULL;
    else if (f->kind == NZ_FOUND_BASE)
        begin_base(s, f);
    s->next++;
    nz_crew_start(&s->crew, &p->job, s->next < s->survey.n);
    return NZ_OK;
}

/* ---- What is lost ---- */

static void lose(nz_salvage *s, nz_err err, const char *reason)
{
    if (s->losing)
        return;
    s->losing = true;
    s->unsized = false;
    s->sure = 0;
    s->lost = (nz_lost){.offset = s->place.done, .err = err, .reason = reason};
}

static bool only_zeros(nz_salvage *s, uint64_t at, uint64_t end)
{
    while (at < end) {
        size_t n;
        const uint8_t *p = nz_window_see(&s->window, at, 1, &n);
        for (size_t i = 0; p && i < n && at < end; i++, at++)
            if (p[i])
                return false;
        if (!p)
            return false;
    }
    return true;
}

/* Nothing was found from where we are up to `offset`. Zeros behind an archive are padding. */
static void lose_to(nz_salvage *s, uint64_t offset)
{
    place *at = &s->place;
    const char *reason;
    if (offset <= at->done)
        return;
    nz_err err = nz_survey_wrong(&s->window, at->done, at->between, &reason);
    lose(s, err, reason);
    s->unsized |= !(at->between && only_zeros(s, at->done, offset));
    at->done = offset;
}

/* The stretch, if there is one, has ended. `known`: what follows lies `in_archive` raw bytes behind
 * the archive's first. */
static void settle(nz_salvage *s, bool known, uint64_t in_archive)
{
    place *at = &s->place;
    uint64_t want = at->start + in_archive;
    bool fits = known && want >= at->out;
    if (!s->losing && (!known || want == at->out))
        return;
    lose(s, NZ_E_CORRUPT, fits ? "frames are missing" : "frames that the end does not tell of");
    nz_lost *l = &s->lost;
    l->packed = at->done - l->offset;
    l->sized = fits || (!known && !s->unsized);
    l->raw = fits ? want - at->out : l->sized ? s->sure : 0;
    l->at = at->out;
    l->exact = at->exact;
    at->out += l->raw;
    at->exact = fits ? at->start_exact : at->exact && l->sized;
    if (known && !fits) {
        at->start = at->out - in_archive;
        at->start_exact = false;
    }
    s->losing = false;
    s->zeros += l->raw;
    s->sum.lost_raw += l->raw;
    s->sum.damaged = 1;
    s->sum.whole &= l->sized && !l->raw;
    s->sum.exact &= l->sized;
    if (s->tell)
        s->tell(s->tell_arg, l);
}

/* ---- Out of the crew ---- */

static void end_archive(nz_salvage *s, bool between)
{
    s->place.between = between;
    s->place.start = s->place.out;
    s->place.start_exact = s->place.exact;
}

/* What follows is part of an archive, which must have begun. */
static void miss_head(nz_salvage *s)
{
    if (s->place.between)
        lose(s, NZ_E_CORRUPT, "an archive without a head");
    s->place.between = false;
}

/* An archive that has begun must have an end. */
static void miss_end(nz_salvage *s)
{
    if (s->place.between)
        return;
    lose(s, NZ_E_TRUNCATED, "the archive ends without its index");
    s->unsized = true;
}

static void lose_frame(nz_salvage *s, const step *p)
{
    const nz_found *f = &p->found;
    place *at = &s->place;
    bool base = p->needs && p->job.err == NZ_E_CORRUPT;
    lose(s, base ? NZ_E_BASE : p->job.err, base ? p->needs : p->job.reason);
    s->sum.lost++;
    if (!f->sure) { /* something in it may be good */
        s->unsized = true;
        return;
    }
    at->done = f->offset + f->size;
    if (f->at != NZ_NOWHERE && at->start + f->at >= at->out) {
        s->unsized = false;
        s->sure = at->start + f->at - at->out;
    }
    s->sure += f->raw;
}

/* True: the step is to be handed out, else it is the caller's still. */
static bool take_frame(nz_salvage *s, step *p)
{
    const nz_found *f = &p->found;
    place *at = &s->place;
    lose_to(s, f->offset);
    miss_head(s);
    if (p->job.err) {
        lose_frame(s, p);
        return false;
    }
    settle(s, f->at != NZ_NOWHERE, f->at);
    at->done = f->offset + f->size;
    at->out += f->raw;
    s->sum.frames++;
    s->sum.raw += f->raw;
    s->step = p;
    s->given = 0;
    return true;
}

static void take_other(nz_salvage *s, const nz_found *f)
{
    place *at = &s->place;
    lose_to(s, f->offset);
    if (f->kind == NZ_FOUND_HEAD)
        miss_end(s);
    else
        miss_head(s);
    if (f->kind == NZ_FOUND_END && !f->sure) {
        lose(s, NZ_E_CORRUPT, "the end is damaged");
        at->done = f->offset + f->size;
    }
    if (f->kind == NZ_FOUND_END)
        settle(s, true, f->raw);
    else if (f->kind == NZ_FOUND_HEAD || !s->unsized)
        settle(s, false, 0);
    if (f->kind == NZ_FOUND_HEAD || f->kind == NZ_FOUND_END)
        end_archive(s, f->kind == NZ_FOUND_END);
    at->done = f->offset + f->size;
}

static void finish(nz_salvage *s)
{
    lose_to(s, s->window.size);
    miss_end(s);
    settle(s, false, 0);
}

/* The next step; *end: there was none. */
static nz_err advance(nz_salvage *s, bool *end)
{
    bool waits = false;
    nz_err err = NZ_OK;
    while (!waits && !err && s->next < s->survey.n)
        err = begin(s, &waits);
    if (err)
        return err;
    *end = s->crew.count == 0;
    if (*end) {
        finish(s);
        return NZ_OK;
    }
    step *p = (step *)nz_crew_take(&s->crew);
    if (!p)
        return NZ_E_STOPPED;
    bool keep = false;
    if (p->job.err == NZ_E_MEM || p->job.err == NZ_E_STOPPED)
        err = p->job.err;
    else if (p->found.offset < s->place.done)
        ; /* part of what turned out to be a frame */
    else if (p->found.kind == NZ_FOUND_FRAME)
        keep = take_frame(s, p);
    else
        take_other(s, &p->found);
    if (!keep)
        nz_job_free(&s->crew, &p->job);
    return err;
}

/* ---- The interface ---- */

static void give_zeros(nz_salvage *s, void *data, size_t cap, size_t *n)
{
    *n = s->zeros < cap ? (size_t)s->zeros : cap;
    memset(data, 0, *n);
    s->zeros -= *n;
}

static void give_frame(nz_salvage *s, void *data, size_t cap, size_t *n)
{
    if (nz_unpack_give(&s->step->job, &s->given, data, cap, n)) {
        nz_job_free(&s->crew, &s->step->job);
        s->step = NULL;
    }
}

nz_err nz_salvage_get(nz_salvage *s, void *data, size_t cap, size_t *n)
{
    bool end = false;
    *n = 0;
    if (cap == 0)
        return s->err;
    while (!s->err && !end && !s->zeros && !s->step)
        s->err = advance(s, &end);
    if (s->err)
        return s->err;
    if (s->zeros)
        give_zeros(s, data, cap, n);
    else if (s->step)
        give_frame(s, data, cap, n);
    return NZ_OK;
}

static nz_err open_salvage(nz_salvage **out, const nz_window *w, const nz_options *opt,
                           nz_lost_fn lost, void *arg)
{
    nz_salvage *s = calloc(1, sizeof *s);
    if (!s)
        return NZ_E_MEM;
    nz_err err = nz_crew_init(&s->crew, opt);
    if (err) {
        free(s);
        return err;
    }
    s->window = *w;
    s->base = opt ? opt->base : NULL;
    s->tell = lost;
    s->tell_arg = arg;
    s->place = (place){.exact = true, .start_exact = true, .between = true};
    s->sum = (nz_salvaged){.file = w->size, .whole = 1, .exact = 1};
    err = nz_survey_make(&s->survey, &s->window, s->crew.memory);
    if (!err && !s->survey.n)
        err = NZ_E_MAGIC;
    if (err)
        nz_salvage_free(s);
    else
        *out = s;
    return err;
}

nz_err nz_salvage_open(nz_salvage **out, const void *p, size_t n, const nz_options *opt,
                       nz_lost_fn lost, void *arg)
{
    nz_window w;
    *out = NULL;
    nz_window_memory(&w, p, n);
    return open_salvage(out, &w, opt, lost, arg);
}

nz_err nz_salvage_open_file(nz_salvage **out, FILE *from, const nz_options *opt, nz_lost_fn lost,
                            void *arg)
{
    nz_window w;
    *out = NULL;
    nz_err err = nz_window_file(&w, from);
    return err ? err : open_salvage(out, &w, opt, lost, arg);
}

uint64_t nz_salvage_base(const nz_salvage *s, unsigned char hash[NZ_BASE_HASH])
{
    uint8_t bytes[NZ_BASE_BYTES];
    uint64_t size;
    for (size_t i = 0; i < s->survey.n; i++)
        if (s->survey.found[i].kind == NZ_FOUND_BASE &&
            nz_window_read(&s->window, s->survey.found[i].offset, bytes, sizeof bytes) &&
            nz_base_load(hash, &size, bytes))
            return size;
    return 0;
}

nz_salvaged nz_salvage_sum(const nz_salvage *s)
{
    return s->sum;
}

void nz_salvage_free(nz_salvage *s)
{
    if (!s)
        return;
    if (s->step)
        nz_job_free(&s->crew, &s->step->job);
    nz_crew_end(&s->crew);
    nz_survey_free(&s->survey);
    nz_window_close(&s->window);
    free(s);
}
