/* Packing: raw bytes gather in a frame; a full frame becomes a job as soon as it is known whether
 * another follows; finished jobs are written in order. Where frames end depends on the frame size
 * and on the tensors found in the raw data alone, so the bytes do not depend on threads, memory or
 * the sizes of the caller's pieces. */
#include "archive/writer.h"
#include "archive/base.h"
#include "archive/crew.h"
#include "archive/directory.h"
#include "base/base.h"
#include "containers/scan.h"
#include "containers/sniff.h"
#include "model/prior.h"

#include <stdlib.h>

#define FRAME_MIN  (UINT64_C(64) << 10)
#define GROW_FIRST (UINT64_C(64) << 10) /* the raw buffer starts here, doubles, */
#define GROW_MOST                                                                   \
    (UINT64_C(64) << 20) /* then grows by this much: realloc moves pages, not bytes \
                          */
#define STORED_GAP 22    /* a packed header is less than this longer than a stored */

/* Bytes looked at for an array in no container, unless frames are smaller. */
#define SNIFF_LEAST (UINT64_C(8) << 20)

struct nz_writer {
    nz_crew crew;
    nz_sink sink;
    nz_index index;
    nz_fault fault;
    int level;
    uint64_t frame;
    bool ended;
    nz_block raw;     /* the frame being gathered, */
    size_t n;         /* of which there is this much */
    uint64_t raw_at;  /* where it starts in the raw data, */
    uint64_t head_at; /* and where the archive being written does */
    nz_scan *scan;    /* NULL: no tensors are looked for */
    nz_tensor array;  /* that all of the data is, or what is gathered begins with; no dims: none */
    bool sniffed;     /* the array, or that there is none, was told from the bytes */
    nz_weights_mode mode;
    nz_prior_option prior;
    size_t passed; /* tensors that end before raw_at */
    const nz_base *base;
};

/* Less of an unknown format goes with what lies between the tensors; so do tensors so small that
 * their place in the frame's map would cost as much. */
enum { BYTES_MIN = 64 << 10, SLAB_MIN = 32 };

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
    uint8_t head[NZ_HEAD_BYTES], base[NZ_BASE_BYTES];
    nz_head_store(head);
    nz_err err = put_out(w, head, sizeof head);
    if (err || !w->base)
        return err;
    nz_base_store(w->base, base);
    return put_out(w, base, sizeof base);
}

/* What the frames since the head hold, as far as it is whole. */
static nz_err put_directory(nz_writer *w)
{
    size_t n = 0;
    const nz_tensor *t = w->scan ? nz_scan_tensors(w->scan, &n) : NULL;
    nz_buf out = {0};
    nz_err err = nz_directory_store(t, n, w->head_at, w->index.raw, &out);
    if (err)
        fail(w, err, w->raw_at, "no memory for the directory");
    else if (out.n)
        err = put_out(w, out.p, out.n);
    w->index.directory = out.n;
    nz_buf_free(&out);
    return err;
}

static nz_err put_end(nz_writer *w)
{
    uint8_t *end = NULL;
    size_t n = 0;
    nz_err err = put_directory(w);
    if (err)
        return err;
    err = nz_index_store(&w->index, &end, &n);
    if (err)
        return fail(w, err, w->raw_at, "no memory for the index");
    w->head_at += w->index.raw;
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
    if (opt->weights < NZ_WEIGHTS_AUTO || opt->weights > NZ_WEIGHTS_MAX)
        return NZ_E_ARG;
    if (opt->prior < NZ_PRIOR_AUTO || opt->prior > NZ_PRIOR_OFF + NZ_PRIORS)
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

static nz_weights_mode mode_of(const nz_options *opt)
{
    enum { MAX_LEVEL = 7 };
    int level = level_of(opt);
    switch (opt ? opt->weights : NZ_WEIGHTS_AUTO) {
    case NZ_WEIGHTS_TURBO: return NZ_MODE_TURBO;
    case NZ_WEIGHTS_FAST: return NZ_MODE_FAST;
    case NZ_WEIGHTS_MAX: return NZ_MODE_MAX;
    default: return level == 1 ? NZ_MODE_TURBO : level < MAX_LEVEL ? NZ_MODE_FAST : NZ_MODE_MAX;
    }
}

/* Tensors are looked for, unless the caller knows better. */
static nz_err expect_tensors(nz_writer *w, const nz_options *opt)
{
    if (opt && opt->weights == NZ_WEIGHTS_OFF)
        return NZ_OK;
    if (!opt || !opt->dtype)
        return nz_scan_new(&w->scan);
    nz_dtype dtype = nz_dtype_find(opt->dtype, strlen(opt->dtype));
    const nz_dtype_info *info = nz_dtype_about(dtype);
    if (dtype == NZ_DT_BYTES || opt->row > UINT32_MAX || opt->row % info->elements)
        return NZ_E_ARG;
    uint64_t row = opt->row ? opt->row : info->elements;
    static char none[] = "";
    /* As long as any data can be; frames take of it what there is. */
    uint64_t bytes = row / info->elements * info->bytes, rows = (UINT64_MAX >> 1) / bytes;
    w->array = (nz_tensor){none, dtype, 2, {rows, row}, 0, rows * bytes};
    return NZ_OK;
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
    w->mode = mode_of(opt);
    w->prior = opt ? opt->prior : NZ_PRIOR_AUTO;
    w->base = opt ? opt->base : NULL;
    err = expect_tensors(w, opt);
    if (!err)
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

static void pack_bytes(nz_job *job)
{
    size_t n = (size_t)job->header.raw, packed = 0;
    job->err = nz_bytes_encode(&job->params.shape, &job->run, job->raw, n, job->packed_block.p,
                               n - STORED_GAP, &packed);
    job->header.packed = packed;
}

static void pack_mixed(nz_job *job)
{
    size_t n = (size_t)job->header.raw, packed = 0;
    job->err = nz_mixed_encode(&job->params.mixed, job->plan, &job->run, &job->head,
                               job->packed_block.p, n - STORED_GAP, &packed);
    job->header.packed = job->head.n + packed;
    if (!job->err && job->header.packed + STORED_GAP > n)
        job->err = NZ_E_FULL;
    nz_mixed_store(&job->params.mixed, job->header.params);
}

static void pack_weights(nz_job *job)
{
    size_t n = (size_t)job->header.raw;
    nz_buf codes = {.pool = job->run.pool};
    nz_buf_room(&codes, n); /* at once: growing would copy what is there */
    job->err = nz_weights_encode(&job->params.weights, job->mode, &job->run, &job->base, job->raw,
                                 n, job->slabs, job->slab_count, &job->head, &codes);
    job->header.packed = job->head.n + codes.n;
    if (!job->err && job->header.packed + STORED_GAP > n)
        job->err = NZ_E_FULL;
    nz_weights_store(&job->params.weights, job->header.params);
    job->packed_block = (nz_block){codes.p, codes.cap};
}

/* Runs on the job's thread. What does not shrink is stored. */
static void pack_frame(nz_job *job)
{
    nz_header *h = &job->header;
    h->hash = nz_hash(job->raw, (size_t)h->raw);
    job->reason = "the frame could not be packed";
    if (h->method == NZ_METHOD_BYTES)
        pack_bytes(job);
    else if (h->method == NZ_METHOD_WEIGHTS)
        pack_weights(job);
    else if (h->method == NZ_METHOD_MIXED)
        pack_mixed(job);
    if (job->err == NZ_E_FULL) {
        job->err = NZ_OK;
        h->method = NZ_METHOD_STORED;
    }
    job->packed = job->packed_block.p;
    if (h->method == NZ_METHOD_STORED) {
        nz_block_free(job->run.pool, &job->packed_block);
        nz_buf_free(&job->head);
        job->packed = job->raw;
        h->packed = h->raw;
    }
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
    if ((err = put_out(w, header, n)) || (err = put_out(w, job->head.p, job->head.n)) ||
        (err = put_out(w, job->packed, packed - job->head.n)))
        goto done;
    err = nz_index_add(&w->index, n + packed, job->header.raw);
    if (err)
        fail(w, err, job->offset, "no memory for the index");
done:
    nz_job_free(&w->crew, job);
    return err;
}

/* Waits until another frame may be in flight: the one being gathered counts as one. */
static nz_err make_place(nz_writer *w, bool weights)
{
    bool quick = weights && w->mode != NZ_MODE_MAX;
    while (w->crew.count >= nz_crew_most(w->crew.threads, quick)) {
        nz_err err = write_oldest(w);
        if (err)
            return err;
    }
    return NZ_OK;
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

/* ---- Where frames end ---- */

/* The first tensor that ends behind the frame's start. */
static const nz_tensor *next_tensors(nz_writer *w, size_t *n)
{
    size_t count = w->array.dims ? 1 : 0;
    const nz_tensor *t = count || !w->scan ? &w->array : nz_scan_tensors(w->scan, &count);
    while (w->passed < count && t[w->passed].at + t[w->passed].bytes <= w->raw_at)
        w->passed++;
    *n = count - w->passed;
    return count ? t + w->passed : NULL;
}

/* Whether a tensor is coded as one; else it belongs to what lies between. */
static bool is_slab(const nz_tensor *t)
{
    return t->bytes >= (t->dtype == NZ_DT_BYTES ? BYTES_MIN : SLAB_MIN);
}

static uint64_t row_bytes(const nz_tensor *t)
{
    const nz_dtype_info *info = nz_dtype_about(t->dtype);
    uint64_t row = 1;
    for (unsigned k = 1; k < t->dims; k++)
        row *= t->dim[k];
    return t->dims > 1 && row ? row / info->elements * info->bytes : info->bytes;
}

/* Raw bytes of a weights frame. */
static uint64_t frame_most(const nz_writer *w)
{
    uint64_t most = nz_weights_frame(w->mode);
    return w->frame < most ? w->frame : most;
}

/* Raw bytes to be seen before it is known whether the frame begins with an array that is in no
 * container; 0: it is known. */
static uint64_t sniff_bytes(const nz_writer *w)
{
    uint64_t most = nz_weights_frame(w->mode);
    if (w->sniffed || !w->scan || !nz_scan_unknown(w->scan))
        return 0;
    most = most < SNIFF_LEAST ? SNIFF_LEAST : most;
    return w->frame < most ? w->frame : most;
}

/* The end of a weights frame that may reach up to `most`: between tensors, or between the rows of
 * one, or, where not even a row fits, anywhere between its blocks. */
static uint64_t weights_end(const nz_tensor *t, size_t n, uint64_t start, uint64_t most)
{
    uint64_t end = start;
    for (size_t i = 0; i < n && t[i].at < most; i++) {
        uint64_t behind = t[i].at + t[i].bytes;
        if (!is_slab(&t[i]) || behind <= most) {
            end = behind < most ? behind : most;
            continue;
        }
        uint64_t step = row_bytes(&t[i]), rows = (most - t[i].at) / step * step;
        if (t[i].at + rows > start)
            return rows || t[i].at > start ? t[i].at + rows : most;
        step = nz_dtype_about(t[i].dtype)->bytes;
        return t[i].at + (most - t[i].at) / step * step;
    }
    return end;
}

/* The bytes of an array that frames of `most` bytes leave whole; what is left of it is looked at
 * with what follows. */
static uint64_t whole_frames(const nz_tensor *t, uint64_t most)
{
    uint64_t start = 0, end;
    while ((end = weights_end(t, 1, start, start + most)) < t->at + t->bytes)
        start = end;
    return start > t->at ? start - t->at : t->bytes;
}

/* Of the frame's first n bytes. `last`: there are no others. */
static nz_err sniff(nz_writer *w, const uint8_t *raw, uint64_t n, bool last)
{
    uint64_t want = sniff_bytes(w);
    if (want == 0 || (n < want && !last))
        return NZ_OK;
    n = n < want ? n : want;
    nz_tensor *t = &w->array;
    nz_err err = nz_sniff(t, raw, (size_t)n, w->mode == NZ_MODE_MAX);
    if (err)
        return fail(w, err, w->raw_at, "no memory to look for an array");
    bool goes_on = t->dims && n - t->at - t->bytes < nz_dtype_about(t->dtype)->bytes;
    if (goes_on && n == want)
        t->bytes = whole_frames(t, frame_most(w));
    t->at += w->raw_at;
    w->passed = 0;
    w->sniffed = true;
    return NZ_OK;
}

/* The raw size of the frame that starts with what is gathered; 0 when more must be seen first.
 * `seen`: bytes from its start that the scan has been given. `last`: there are no others. */
static uint64_t frame_size(nz_writer *w, uint64_t seen, bool last, bool *weights)
{
    size_t n;
    const nz_tensor *t = next_tensors(w, &n);
    uint64_t start = w->raw_at, most = frame_most(w);
    *weights = false;
    if (sniff_bytes(w))
        return 0;
    while (n && !is_slab(t))
        t++, n--;
    if (n && t->at < start + most && t->at < start + seen) {
        *weights = true;
        uint64_t rest = t->at + t->bytes - start;
        if (w->sniffed && rest <= seen && rest <= most)
            return rest;
        if (seen < most)
            return last ? seen : 0;
        return weights_end(t, n, start, start + most) - start;
    }
    if (seen < most && !last)
        return 0;
    most = w->frame;
    if (n && t->at - start < most)
        most = t->at - start;
    return seen >= most ? most : last ? seen : 0;
}

/* The frame's slabs: every tensor, or the blocks of it that are all in the frame. */
static nz_err place_slabs(nz_writer *w, nz_job *job)
{
    size_t n, count = 0;
    const nz_tensor *t = next_tensors(w, &n);
    uint64_t start = w->raw_at, end = start + job->header.raw;
    while (count < n && t[count].at < end)
        count++;
    job->slabs = calloc(count + 1, sizeof *job->slabs);
    if (!job->slabs)
        return NZ_E_MEM;
    for (size_t i = 0; i < count; i++) {
        uint64_t block = nz_dtype_about(t[i].dtype)->bytes, row = row_bytes(&t[i]) / block;
        uint64_t low = t[i].at > start ? t[i].at : start, high = t[i].at + t[i].bytes;
        high = high < end ? high : end;
        low += (block - (low - t[i].at) % block) % block;
        if (!is_slab(&t[i]) || high <= low || high - low < block)
            continue;
        nz_placed *p = &job->slabs[job->slab_count++];
        *p = (nz_placed){.slab = {t[i].dtype, (high - low) / block, row ? row : 1},
                         .at = low - start,
                         .base_at = UINT64_MAX};
        const nz_tensor *base = nz_base_find(w->base, &t[i], job->raw + p->at, low - t[i].at,
                                             (size_t)nz_slab_bytes(&p->slab));
        if (base) {
            p->base_dtype = base->dtype;
            p->base_at = base->at + (low - t[i].at) / block * nz_dtype_about(base->dtype)->bytes;
        }
    }
    return NZ_OK;
}

/* ---- Frames become jobs ---- */

/* How the job will be packed, and the memory it takes. */
static nz_err choose_method(nz_writer *w, nz_job *job, bool lent, bool weights)
{
    size_t n = (size_t)job->header.raw;
    bool hopeless = true;
    nz_content content;
    nz_err err = NZ_OK;
    job->memory = lent ? 0 : n;
    if (weights) {
        err = place_slabs(w, job);
        job->mode = w->mode;
        job->base = nz_base_view(w->base);
        job->header.method = NZ_METHOD_WEIGHTS;
        job->memory += nz_weights_pack_memory(w->mode, n);
        return err;
    }
    if (n > STORED_GAP)
        err = nz_plan_new(&job->plan, &content, w->level, w->prior, job->raw, n);
    if (job->plan) {
        job->header.method = NZ_METHOD_MIXED;
        job->memory += n + nz_plan_memory(job->plan);
    }
    if (err || job->plan)
        return err;
    if (n > STORED_GAP)
        err = nz_bytes_hopeless(&hopeless, job->raw, n);
    if (err || hopeless)
        return err;
    nz_shape_for(&job->params.shape, w->level, &content, n);
    nz_shape_prime(&job->params.shape, nz_prior_for(w->prior, job->raw, n), n);
    nz_shape_store(&job->params.shape, job->header.params);
    job->header.method = NZ_METHOD_BYTES;
    job->memory += n + nz_shape_memory(&job->params.shape);
    if (nz_content_turned(&job->params.shape.content))
        job->memory += n; /* in a copy */
    return NZ_OK;
}

/* `size` bytes become a job: those at `lent`, which stays the caller's, or when it is NULL those
 * gathered first, which the job takes. `more`: another frame follows. */
static nz_err start_frame(nz_writer *w, const uint8_t *lent, size_t size, bool weights, bool more)
{
    nz_job *job = NULL;
    nz_err err = make_place(w, weights);
    if (err)
        goto done;
    err = NZ_E_MEM;
    job = calloc(1, sizeof *job);
    if (!job)
        goto failed;
    /* A job reads what it is lent. */
    *job = (nz_job){.work = pack_frame, .offset = w->raw_at};
    job->raw = lent ? (uint8_t *)(uintptr_t)lent : w->raw.p;
    job->header.raw = size;
    err = choose_method(w, job, lent, weights);
    if (err)
        goto failed;
    err = make_room(w, job->memory);
    if (err)
        goto done;
    bool into = job->header.method == NZ_METHOD_BYTES || job->header.method == NZ_METHOD_MIXED;
    if (into && !nz_block_resize(w->crew.pool, &job->packed_block, 0, size)) {
        err = NZ_E_MEM;
        goto failed;
    }
    if (!lent) {
        job->raw_block = w->raw;
        w->raw = (nz_block){0};
    }
    w->raw_at += size;
    if (w->sniffed && (!w->array.dims || w->raw_at >= w->array.at + w->array.bytes)) {
        w->array.dims = 0;
        w->sniffed = false;
    }
    nz_crew_start(&w->crew, job, more);
    return NZ_OK; /* now the crew's */
failed:
    fail(w, err, w->raw_at, "no memory for a frame");
done:
    nz_job_free(&w->crew, job);
    return err;
}

/* The gathered frame, or the first part of it, goes; the rest stays gathered. */
static nz_err start_gathered(nz_writer *w, size_t size, bool weights, bool more)
{
    nz_block rest = {0};
    size_t left = w->n - size;
    if (left && !nz_block_resize(w->crew.pool, &rest, 0, left))
        return fail(w, NZ_E_MEM, w->raw_at, "no memory for a frame");
    if (left)
        memcpy(rest.p, w->raw.p + size, left);
    nz_block_resize(w->crew.pool, &w->raw, size, size); /* what is too much, if it can be */
    nz_err err = start_frame(w, NULL, size, weights, more);
    if (err) {
        nz_block_free(w->crew.pool, &rest);
        return err;
    }
    w->raw = rest;
    w->n = left;
    return NZ_OK;
}

/* Room for at least one more byte of the frame, and for `n` if they fit `most`. */
static nz_err grow_raw(nz_writer *w, size_t n, uint64_t most, bool weights)
{
    nz_err err = w->n == 0 ? make_place(w, weights) : NZ_OK;
    if (err)
        return err;
    uint64_t step = w->n < GROW_FIRST ? GROW_FIRST : w->n;
    uint64_t cap = w->n + (step < GROW_MOST ? step : GROW_MOST);
    if (cap - w->n < n)
        cap = (uint64_t)w->n + n;
    if (weights && cap < nz_weights_frame(w->mode))
        cap = nz_weights_frame(w->mode);
    if (cap > most)
        cap = most;
    err = make_room(w, cap);
    if (err)
        return err;
    if (!nz_block_resize(w->crew.pool, &w->raw, w->n, (size_t)cap))
        return fail(w, NZ_E_MEM, w->raw_at, "no memory for a frame");
    return NZ_OK;
}

/* Before anything is put or ended. */
static nz_err usable(nz_writer *w)
{
    if (!w->fault.err && w->ended)
        fail(w, NZ_E_ARG, w->raw_at, "the archive is already complete");
    return w->fault.err;
}

static nz_err look_for_tensors(nz_writer *w, const void *data, size_t n)
{
    nz_err err = w->scan ? nz_scan_put(w->scan, data, n) : NZ_OK;
    return err ? fail(w, err, w->raw_at, "no memory to look for tensors") : NZ_OK;
}

nz_err nz_writer_put(nz_writer *w, const void *data, size_t n)
{
    nz_err err = usable(w);
    if (!err)
        err = look_for_tensors(w, data, n);
    const uint8_t *p = data;
    while (n && !err) {
        bool weights;
        err = sniff(w, w->raw.p, w->n, false);
        if (err)
            break;
        uint64_t size = frame_size(w, w->n + n, false, &weights);
        if (size && size <= w->n) {
            err = start_gathered(w, (size_t)size, weights, true);
            continue;
        }
        size_t want = size && size - w->n < n ? (size_t)(size - w->n) : n;
        uint64_t most = nz_weights_frame(w->mode);
        most = sniff_bytes(w) ? sniff_bytes(w) : w->frame > most ? w->frame : most;
        if (want > most - w->n)
            want = (size_t)(most - w->n);
        if (w->n == w->raw.n && (err = grow_raw(w, want, most, weights)))
            break;
        if (want > w->raw.n - w->n)
            want = w->raw.n - w->n;
        memcpy(w->raw.p + w->n, p, want);
        w->n += want;
        p += want;
        n -= want;
    }
    return err;
}

nz_err nz_writer_all(nz_writer *w, const void *data, size_t n)
{
    nz_err err = usable(w);
    if (!err)
        err = look_for_tensors(w, data, n);
    for (const uint8_t *p = data; n && !err;) {
        bool weights;
        err = sniff(w, p, n, true);
        if (err)
            break;
        size_t size = (size_t)frame_size(w, n, true, &weights);
        err = start_frame(w, p, size, weights, size < n);
        p += size;
        n -= size;
    }
    return err ? err : nz_writer_end(w);
}

nz_err nz_writer_end(nz_writer *w)
{
    nz_err err = usable(w);
    while (w->n && !err) {
        bool weights;
        err = sniff(w, w->raw.p, w->n, true);
        if (err)
            break;
        size_t size = (size_t)frame_size(w, w->n, true, &weights);
        err = start_gathered(w, size, weights, size < w->n);
    }
    while (w->crew.count && !err)
        err = write_oldest(w);
    if (!err)
        err = put_end(w);
    if (err)
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
    nz_block_free(w->crew.pool, &w->raw);
    nz_crew_end(&w->crew);
    nz_index_reset(&w->index);
    nz_scan_free(w->scan);
    free(w);
}

/* Frames of `frame` bytes, each of which takes `one`, side by side. */
static uint64_t frames_memory(const nz_options *opt, uint64_t n, uint64_t frame, uint64_t one,
                              bool quick)
{
    uint64_t frames = n / frame + (n % frame != 0), fit = nz_crew_memory(opt) / one;
    uint64_t at_once = (uint64_t)nz_crew_most(nz_crew_threads(opt), quick);
    if (at_once > fit)
        at_once = fit ? fit : 1;
    if (at_once > frames)
        at_once = frames ? frames : 1;
    return at_once * one;
}

/* Of one kind, whatever is read before it. */
static uint64_t kind_memory(const nz_options *opt, nz_kind kind, uint64_t frame)
{
    int priors = opt && opt->prior == NZ_PRIOR_OFF ? 0 : NZ_PRIORS;
    uint64_t most = 0;
    nz_shape shape;
    nz_shape_for(&shape, level_of(opt), &(nz_content){.kind = kind}, (size_t)frame);
    for (int prior = 0; prior <= priors; prior++) {
        nz_shape_prime(&shape, prior, (size_t)frame);
        most = nz_shape_memory(&shape) > most ? nz_shape_memory(&shape) : most;
    }
    return most;
}

/* Kinds differ in how many contexts they have, and so in their tables. */
static uint64_t bytes_memory(const nz_options *opt, uint64_t n)
{
    uint64_t whole = frame_of(opt), frame = n < whole ? n ? n : 1 : whole, most = 0;
    for (nz_kind kind = NZ_KIND_TEXT; kind <= NZ_KIND_CODE; kind++) {
        uint64_t memory = kind_memory(opt, kind, frame);
        most = memory > most ? memory : most;
    }
    return frames_memory(opt, n, whole, 2 * frame + most, false);
}

static uint64_t weights_memory(const nz_options *opt, uint64_t n)
{
    nz_weights_mode mode = mode_of(opt);
    uint64_t whole = nz_weights_frame(mode);
    if (frame_of(opt) < whole)
        whole = frame_of(opt);
    uint64_t frame = n < whole ? n : whole;
    return frames_memory(opt, n, whole, frame + nz_weights_pack_memory(mode, frame),
                         mode != NZ_MODE_MAX);
}

uint64_t nz_pack_memory(const nz_options *opt, uint64_t n)
{
    if (options_check(opt))
        return 0;
    uint64_t bytes = bytes_memory(opt, n), weights = 0;
    if (!opt || opt->weights != NZ_WEIGHTS_OFF)
        weights = weights_memory(opt, n);
    return bytes > weights ? bytes : weights;
}
