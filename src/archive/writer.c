/* Packing: raw bytes gather in a frame; a full frame becomes a job as soon as it is known whether
 * another follows; finished jobs are written in order. Where frames end depends on the frame size
 * alone, so the bytes do not depend on threads, memory or the sizes of the caller's pieces. */
#include "archive/writer.h"
#include "archive/crew.h"
#include "base/base.h"

#include <stdlib.h>

#define FRAME_MIN  (UINT64_C(64) << 10)
#define GROW_FIRST (UINT64_C(64) << 10) /* the raw buffer starts here, doubles, */
#define GROW_MOST                                                                   \
    (UINT64_C(64) << 20) /* then grows by this much: realloc moves pages, not bytes \
                          */
#define STORED_GAP 22    /* a packed header is less than this longer than a stored */

struct nz_writer {
    nz_crew crew;
    nz_sink sink;
    nz_index index;
    nz_fault fault;
    int level;
    uint64_t frame;
    bool ended;
    uint8_t *raw; /* the frame being gathered */
    size_t n, cap;
    uint64_t raw_at; /* where it starts in the raw data */
};

static nz_err fail(nz_writer *w, nz_err err, uint64_t offset, const char *reason)
{
    w->fault = (nz_fault){err, offset, reason};
    return err;
}

static nz_err put_out(nz_writer *w, const void *p, size_t n)
{
    nz_err err = nz_sink_write(&w->sink, p, n);
    return err ? fail(w, err, w->raw_at, "the archive could not be written") : NZ_OK;
}

static nz_err put_head(nz_writer *w)
{
    uint8_t head[NZ_HEAD_BYTES];
    nz_head_store(head);
    return put_out(w, head, sizeof head);
}

static nz_err put_end(nz_writer *w)
{
    uint8_t *end = NULL;
    size_t n = 0;
    nz_err err = nz_index_store(&w->index, &end, &n);
    if (err)
        return fail(w, err, w->raw_at, "no memory for the index");
    nz_index_reset(&w->index);
    err = put_out(w, end, n);
    free(end);
    return err;
}

static nz_err options_check(const nz_options *opt)
{
    if (!opt)
        return NZ_OK;
    if (opt->level && (opt->level < NZ_LEVEL_MIN || opt->level > NZ_LEVEL_MAX))
        return NZ_E_ARG;
    if (opt->frame && (opt->frame < FRAME_MIN || opt->frame > NZ_FRAME_MAX))
        return NZ_E_ARG;
    return opt->threads < 0 ? NZ_E_ARG : NZ_OK;
}

static int level_of(const nz_options *opt)
{
    return opt && opt->level ? opt->level : NZ_LEVEL_DEFAULT;
}

static uint64_t frame_of(const nz_options *opt)
{
    return opt && opt->frame ? opt->frame : nz_level_frame(level_of(opt));
}

nz_err nz_writer_open(nz_writer **out, const nz_options *opt, const nz_sink *to)
{
    *out = NULL;
    nz_err err = options_check(opt);
    if (err)
        return err;
    nz_writer *w = calloc(1, sizeof *w);
    if (!w)
        return NZ_E_MEM;
    err = nz_crew_init(&w->crew, opt);
    if (err) {
        free(w);
        return err;
    }
    w->sink = *to;
    w->level = level_of(opt);
    w->frame = frame_of(opt);
    err = put_head(w);
    if (err) {
        nz_writer_free(w);
        return err;
    }
    *out = w;
    return NZ_OK;
}

nz_err nz_writer_new(nz_writer **out, const nz_options *opt, FILE *to)
{
    nz_sink sink;
    nz_sink_file(&sink, to);
    return nz_writer_open(out, opt, &sink);
}

/* Runs on the job's thread. What does not shrink is stored. */
static void pack_frame(nz_job *job)
{
    nz_header *h = &job->header;
    size_t n = (size_t)h->raw, packed = 0;
    h->hash = nz_hash(job->raw, n);
    if (h->method == NZ_METHOD_BYTES) {
        job->err = nz_bytes_encode(&job->shape, &job->run, job->raw, n, job->packed, n - STORED_GAP,
                                   &packed);
        job->reason = "the frame could not be packed";
        if (job->err == NZ_E_FULL) {
            job->err = NZ_OK;
            h->method = NZ_METHOD_STORED;
        }
    }
    if (h->method == NZ_METHOD_STORED) {
        free(job->packed);
        job->packed = NULL;
        packed = n;
    }
    h->packed = packed;
    atomic_store_explicit(&job->done, h->raw, memory_order_relaxed);
}

/* Waits for the oldest frame in flight and writes it. */
static nz_err write_oldest(nz_writer *w)
{
    nz_job *job = nz_crew_take(&w->crew);
    if (!job)
        return fail(w, NZ_E_STOPPED, w->raw_at, "stopped by the caller");
    nz_err err = NZ_OK;
    if (job->err) {
        err = fail(w, job->err, job->offset, job->reason);
        goto done;
    }
    if (w->index.frames == NZ_INDEX_FRAMES && ((err = put_end(w)) || (err = put_head(w))))
        goto done;
    uint8_t header[NZ_HEADER_BYTES];
    size_t n = nz_header_store(&job->header, header);
    size_t packed = (size_t)job->header.packed;
    if ((err = put_out(w, header, n)) ||
        (err = put_out(w, job->packed ? job->packed : job->raw, packed)))
        goto done;
    err = nz_index_add(&w->index, n + packed, job->header.raw);
    if (err)
        fail(w, err, job->offset, "no memory for the index");
done:
    nz_job_free(job);
    return err;
}

/* Lets frames in flight finish until `bytes` more may be held. */
static nz_err make_room(nz_writer *w, uint64_t bytes)
{
    while (!nz_crew_room(&w->crew, bytes)) {
        if (w->crew.count == 0)
            return fail(w, NZ_E_LIMIT, w->raw_at, "one frame needs more memory than the limit");
        nz_err err = write_oldest(w);
        if (err)
            return err;
    }
    return NZ_OK;
}

/* The gathered frame becomes a job. `more`: another frame follows. */
static nz_err start_frame(nz_writer *w, bool more)
{
    bool hopeless = true;
    nz_job *job = calloc(1, sizeof *job);
    nz_err err = job ? NZ_OK : NZ_E_MEM;
    if (!err && w->n > STORED_GAP)
        err = nz_bytes_hopeless(&hopeless, w->raw, w->n);
    if (err) {
        fail(w, err, w->raw_at, "no memory for a frame");
        goto done;
    }
    job->work = pack_frame;
    job->offset = w->raw_at;
    job->header.raw = w->n;
    job->memory = w->n;
    if (!hopeless) {
        nz_shape_choose(&job->shape, w->level, w->raw, w->n);
        nz_shape_store(&job->shape, job->header.params);
        job->header.method = NZ_METHOD_BYTES;
        job->memory += w->n + nz_shape_memory(&job->shape);
    }
    err = make_room(w, job->memory);
    if (err)
        goto done;
    if (job->header.method == NZ_METHOD_BYTES && !(job->packed = malloc(w->n))) {
        err = fail(w, NZ_E_MEM, w->raw_at, "no memory for a frame");
        goto done;
    }
    uint8_t *tight = realloc(w->raw, w->n);
    job->raw = tight ? tight : w->raw;
    w->raw = NULL;
    w->raw_at += w->n;
    w->n = w->cap = 0;
    nz_crew_start(&w->crew, job, more);
    job = NULL; /* now the crew's */
done:
    nz_job_free(job);
    return err;
}

/* Room for at least one more byte of the frame, and for `n` if they fit the frame. */
static nz_err grow_raw(nz_writer *w, size_t n)
{
    /* The frame being gathered counts as one of the frames in flight. */
    while (w->cap == 0 && w->crew.count >= w->crew.threads) {
        nz_err err = write_oldest(w);
        if (err)
            return err;
    }
    uint64_t step = w->cap < GROW_FIRST ? GROW_FIRST : w->cap;
    uint64_t cap = w->cap + (step < GROW_MOST ? step : GROW_MOST);
    if (cap - w->n < n)
        cap = (uint64_t)w->n + n;
    if (cap > w->frame)
        cap = w->frame;
    nz_err err = make_room(w, cap);
    if (err)
        return err;
    uint8_t *raw = realloc(w->raw, (size_t)cap);
    if (!raw)
        return fail(w, NZ_E_MEM, w->raw_at, "no memory for a frame");
    w->raw = raw;
    w->cap = (size_t)cap;
    return NZ_OK;
}

nz_err nz_writer_put(nz_writer *w, const void *data, size_t n)
{
    if (!w->fault.err && w->ended)
        fail(w, NZ_E_ARG, w->raw_at, "the archive is already complete");
    if (w->fault.err)
        return w->fault.err;
    const uint8_t *p = data;
    while (n) {
        nz_err err;
        if (w->n == w->frame && (err = start_frame(w, true)))
            return err;
        size_t want = w->frame - w->n < n ? (size_t)(w->frame - w->n) : n;
        if (w->n == w->cap && (err = grow_raw(w, want)))
            return err;
        if (want > w->cap - w->n)
            want = w->cap - w->n;
        memcpy(w->raw + w->n, p, want);
        w->n += want;
        p += want;
        n -= want;
    }
    return NZ_OK;
}

nz_err nz_writer_end(nz_writer *w)
{
    if (!w->fault.err && w->ended)
        fail(w, NZ_E_ARG, w->raw_at, "the archive is already complete");
    if (w->fault.err)
        return w->fault.err;
    nz_err err;
    if (w->n && (err = start_frame(w, false)))
        return err;
    while (w->crew.count)
        if ((err = write_oldest(w)))
            return err;
    if ((err = put_end(w)))
        return err;
    err = nz_sink_flush(&w->sink);
    if (err)
        return fail(w, err, w->raw_at, "the archive could not be written");
    w->ended = true;
    return NZ_OK;
}

uint64_t nz_writer_packed(const nz_writer *w)
{
    return w->sink.at;
}

nz_fault nz_writer_fault(const nz_writer *w)
{
    return w->fault;
}

void nz_writer_free(nz_writer *w)
{
    if (!w)
        return;
    nz_crew_end(&w->crew);
    nz_index_reset(&w->index);
    free(w->raw);
    free(w);
}

uint64_t nz_pack_memory(const nz_options *opt, uint64_t n)
{
    if (options_check(opt))
        return 0;
    uint64_t frame = frame_of(opt), frames = n / frame + (n % frame != 0);
    if (n < frame)
        frame = n ? n : 1;
    /* Zeros stand for contents not seen yet; reading pages never written costs no memory. */
    uint8_t *zeros = nz_big_new((size_t)frame);
    uint64_t one = 2 * frame;
    if (zeros) {
        nz_shape shape;
        nz_shape_choose(&shape, level_of(opt), zeros, (size_t)frame);
        one += nz_shape_memory(&shape);
        nz_big_free(zeros, (size_t)frame);
    }
    uint64_t at_once = (uint64_t)nz_crew_threads(opt), fit = nz_crew_memory(opt) / one;
    if (at_once > fit)
        at_once = fit ? fit : 1;
    if (at_once > frames)
        at_once = frames ? frames : 1;
    return at_once * one;
}
