/* Unpacking: headers and payloads are read in order, up to a frame a core ahead; each becomes a
 * job; checked frames are handed out in order. What goes wrong while reading ahead waits until the
 * good frames in front of it are handed out. */
#include "archive/reader.h"
#include "archive/crew.h"
#include "base/base.h"

#include <stdlib.h>

#define GROW_FIRST                                                                \
    ((size_t)1 << 20) /* a payload's buffer starts here and doubles as bytes come \
                       */

typedef enum nz_place { AT_HEAD, AT_FRAME, AT_END } nz_place;

struct nz_reader {
    nz_crew crew;
    nz_source source;
    nz_index index; /* what this archive's end must say */
    nz_fault fault; /* what the caller was told */
    nz_fault ahead; /* what the caller will be told after the frames in flight */
    nz_place place; /* what comes next in the source */
    bool have;      /* `header` is the next frame's, the source is at its payload */
    nz_header header;
    uint64_t header_at;
    uint64_t room; /* raw bytes that frames not yet started may have */
    nz_job *job;   /* being handed out */
    size_t given;
};

static nz_err fail_ahead(nz_reader *r, nz_err err, uint64_t offset, const char *reason)
{
    r->ahead = (nz_fault){err, offset, reason};
    return err;
}

/* The source gave too little. */
static nz_err fail_short(nz_reader *r, const char *reason)
{
    if (r->source.failed)
        return fail_ahead(r, NZ_E_READ, r->source.at, "the archive could not be read");
    return fail_ahead(r, NZ_E_TRUNCATED, r->source.at, reason);
}

/* A head, or the end of the source after a complete archive. */
static nz_err read_head(nz_reader *r)
{
    uint8_t head[NZ_HEAD_BYTES];
    uint64_t at = r->source.at;
    size_t n = nz_source_read(&r->source, head, sizeof head);
    if (n == 0 && at && !r->source.failed) {
        r->place = AT_END;
        return NZ_OK;
    }
    const char *reason;
    nz_err err = nz_head_load(head, n, &reason);
    if (err == NZ_E_TRUNCATED)
        return fail_short(r, reason);
    if (err == NZ_E_MAGIC && at)
        return fail_ahead(r, NZ_E_CORRUPT, at, "trailing bytes that are not an archive");
    if (err)
        return fail_ahead(r, err, at, reason);
    nz_index_reset(&r->index);
    r->place = AT_FRAME;
    return NZ_OK;
}

/* The end, its tag already read, must be the one that the frames before it ask for. */
static nz_err read_end(nz_reader *r)
{
    uint64_t at = r->source.at - 1;
    uint8_t *want = NULL, part[4096];
    size_t n = 0;
    nz_err err = nz_index_store(&r->index, &want, &n);
    if (err)
        return fail_ahead(r, err, at, "no memory for the index");
    for (size_t i = 1; i < n && !err;) {
        size_t ask = n - i < sizeof part ? n - i : sizeof part;
        size_t got = nz_source_read(&r->source, part, ask);
        if (memcmp(part, want + i, got))
            err = fail_ahead(r, NZ_E_CORRUPT, at, "the end does not match the frames before it");
        else if (got < ask)
            err = fail_short(r, "the archive ends inside its index");
        i += got;
    }
    free(want);
    if (!err)
        r->place = AT_HEAD;
    return err;
}

static nz_err read_header(nz_reader *r, uint8_t tag)
{
    uint8_t bytes[NZ_HEADER_BYTES] = {tag};
    const char *reason;
    nz_err err;
    r->header_at = r->source.at - 1;
    for (size_t n = 1; (err = nz_header_load(&r->header, bytes, n, &reason)) == NZ_E_TRUNCATED; n++)
        if (nz_source_read(&r->source, bytes + n, 1) < 1)
            return fail_short(r, reason);
    if (err)
        return fail_ahead(r, err, r->header_at, reason);
    err = nz_index_add(&r->index, r->header.size + r->header.packed, r->header.raw);
    if (err)
        return fail_ahead(r, err, r->header_at,
                          err == NZ_E_MEM ? "no memory for the index"
                                          : "more frames than one archive has");
    r->have = true;
    return NZ_OK;
}

/* To the next frame's header, unless there is one already, or the end of the last archive. */
static nz_err read_next(nz_reader *r)
{
    nz_err err = r->ahead.err;
    while (!err && !r->have && r->place != AT_END) {
        uint8_t tag;
        if (r->place == AT_HEAD)
            err = read_head(r);
        else if (nz_source_read(&r->source, &tag, 1) < 1)
            err = fail_short(r, "the archive ends without its index");
        else if (tag == NZ_TAG_END)
            err = read_end(r);
        else
            err = read_header(r, tag);
    }
    return err;
}

nz_err nz_reader_open(nz_reader **out, const nz_options *opt, const nz_source *from, uint64_t room)
{
    *out = NULL;
    nz_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NZ_E_MEM;
    nz_err err = nz_crew_init(&r->crew, opt);
    if (err) {
        free(r);
        return err;
    }
    r->source = *from;
    r->room = room;
    err = read_head(r);
    if (err) {
        nz_reader_free(r);
        return err;
    }
    *out = r;
    return NZ_OK;
}

nz_err nz_reader_new(nz_reader **out, const nz_options *opt, FILE *from)
{
    nz_source source;
    nz_source_file(&source, from);
    return nz_reader_open(out, opt, &source, UINT64_MAX);
}

/* Runs on the job's thread. */
static void unpack_frame(nz_job *job)
{
    const nz_header *h = &job->header;
    size_t n = (size_t)h->raw;
    if (h->method == NZ_METHOD_BYTES) {
        job->reason = "the frame's contents are corrupt";
        job->err =
            nz_bytes_decode(&job->shape, &job->run, job->packed, (size_t)h->packed, job->raw, n);
        free(job->packed);
        job->packed = NULL;
        if (job->err == NZ_E_MEM)
            job->reason = "no memory for a frame's tables";
    }
    if (!job->err && nz_hash(job->raw, n) != h->hash) {
        job->err = NZ_E_CORRUPT;
        job->reason = "the frame's checksum does not match";
    }
    atomic_store_explicit(&job->done, h->raw, memory_order_relaxed);
}

/* A frame's shape and the bytes that unpacking it allocates. */
static nz_err frame_needs(nz_reader *r, nz_shape *shape, uint64_t *memory)
{
    const nz_header *h = &r->header;
    *shape = (nz_shape){0};
    *memory = h->raw;
    if (h->method == NZ_METHOD_STORED)
        return NZ_OK;
    nz_err err = nz_shape_load(shape, h->params);
    if (err)
        return fail_ahead(r, err, r->header_at,
                          err == NZ_E_VERSION ? "made with arithmetic this build does not know"
                                              : "parameters that no encoder writes");
    *memory += h->packed + nz_shape_memory(shape);
    return NZ_OK;
}

/* The buffer grows with what arrives: a header's word alone allocates little. */
static nz_err read_payload(nz_reader *r, uint8_t **out, size_t size)
{
    uint8_t *p = NULL;
    for (size_t n = 0, cap = 0; n < size; n = cap) {
        cap = cap < GROW_FIRST ? GROW_FIRST : 2 * cap;
        if (cap > size)
            cap = size;
        uint8_t *more = realloc(p, cap);
        if (!more) {
            free(p);
            return fail_ahead(r, NZ_E_MEM, r->header_at, "no memory for a frame");
        }
        p = more;
        if (nz_source_read(&r->source, p + n, cap - n) < cap - n) {
            free(p);
            return fail_short(r, "the archive ends inside a frame");
        }
    }
    *out = p;
    return NZ_OK;
}

/* Starts the frame whose header was read. Leaves it where it is when it must wait for memory. */
static nz_err start_frame(nz_reader *r, bool *waits)
{
    const nz_header *h = &r->header;
    nz_shape shape;
    uint64_t memory, at = r->header_at;
    nz_err err = frame_needs(r, &shape, &memory);
    if (err)
        return err;
    if (h->raw > r->room)
        return fail_ahead(r, NZ_E_FULL, at, "the contents do not fit the caller's buffer");
    *waits = !nz_crew_room(&r->crew, memory);
    if (*waits)
        return r->crew.count ? NZ_OK
                             : fail_ahead(r, NZ_E_LIMIT, at,
                                          "unpacking a frame needs more memory than the limit");

    nz_job *job = calloc(1, sizeof *job);
    if (!job)
        return fail_ahead(r, NZ_E_MEM, at, "no memory for a frame");
    *job = (nz_job){
        .header = *h, .shape = shape, .memory = memory, .offset = at, .work = unpack_frame};
    bool stored = h->method == NZ_METHOD_STORED;
    err = read_payload(r, stored ? &job->raw : &job->packed, (size_t)h->packed);
    if (!err && !stored && !(job->raw = malloc((size_t)h->raw)))
        err = fail_ahead(r, NZ_E_MEM, at, "no memory for a frame");
    if (err) {
        nz_job_free(job);
        return err;
    }
    r->room -= h->raw;
    r->have = false;
    /* What comes next decides whether this frame may use another core; an error there can wait. */
    read_next(r);
    nz_crew_start(&r->crew, job, r->have);
    return NZ_OK;
}

static void read_ahead(nz_reader *r)
{
    bool waits = false;
    while (!waits && r->crew.count < r->crew.threads && !read_next(r) && r->have &&
           !start_frame(r, &waits))
        ;
}

nz_err nz_reader_get(nz_reader *r, void *data, size_t cap, size_t *n)
{
    *n = 0;
    if (r->fault.err || cap == 0)
        return r->fault.err;
    if (!r->job) {
        read_ahead(r);
        if (r->crew.count == 0) {
            r->fault = r->ahead;
            return r->fault.err;
        }
        nz_job *job = nz_crew_take(&r->crew);
        if (!job) {
            r->fault = (nz_fault){NZ_E_STOPPED, r->source.at, "stopped by the caller"};
            return r->fault.err;
        }
        if (job->err) {
            r->fault = (nz_fault){job->err, job->offset, job->reason};
            nz_job_free(job);
            return r->fault.err;
        }
        r->job = job;
        r->given = 0;
    }
    size_t left = (size_t)r->job->header.raw - r->given;
    *n = left < cap ? left : cap;
    memcpy(data, r->job->raw + r->given, *n);
    r->given += *n;
    if (*n == left) {
        nz_job_free(r->job);
        r->job = NULL;
    }
    return NZ_OK;
}

nz_err nz_reader_frame(nz_reader *r, nz_frame *frame, int *n)
{
    static const char *const NAMES[] = {[NZ_METHOD_STORED] = "stored", [NZ_METHOD_BYTES] = "bytes"};
    *n = 0;
    nz_shape shape;
    uint64_t memory;
    if (read_next(r) || !r->have)
        goto done;
    if (frame_needs(r, &shape, &memory))
        goto done;
    if (!nz_source_skip(&r->source, r->header.packed)) {
        fail_short(r, "the archive ends inside a frame");
        goto done;
    }
    *frame = (nz_frame){.offset = r->header_at,
                        .raw = r->header.raw,
                        .packed = r->header.size + r->header.packed,
                        .check = r->header.hash,
                        .memory = memory,
                        .method = NAMES[r->header.method],
                        .level = shape.level};
    r->have = false;
    *n = 1;
done:
    r->fault = r->ahead;
    return r->fault.err;
}

uint64_t nz_reader_packed(const nz_reader *r)
{
    return r->source.at;
}

nz_fault nz_reader_fault(const nz_reader *r)
{
    return r->fault;
}

void nz_reader_free(nz_reader *r)
{
    if (!r)
        return;
    nz_crew_end(&r->crew);
    nz_job_free(r->job);
    nz_index_reset(&r->index);
    free(r);
}
