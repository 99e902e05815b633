/* Unpacking: headers and payloads are read in order, up to a frame a core ahead; each becomes a
 * job; checked frames are handed out in order. What goes wrong while reading ahead waits until the
 * good frames in front of it are handed out. */
#include "archive/reader.h"
#include "archive/base.h"
#include "archive/crew.h"
#include "archive/directory.h"
#include "archive/unpack.h"
#include "base/base.h"
#include "model/prior.h"

#include <errno.h>
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
    const nz_base *file; /* that the caller gave */
    uint8_t base_hash[NZ_BASE_HASH];
    uint64_t base_size; /* of the file that this archive needs; 0: none */
    uint64_t room;      /* raw bytes that frames not yet started may have */
    uint8_t *into;      /* the caller's memory for what is not yet started; NULL: our own */
    nz_job *job;        /* being handed out */
    size_t given;
};

static nz_err fail_ahead(nz_reader *r, nz_err err, uint64_t offset, const char *reason)
{
    r->ahead = (nz_fault){err, offset, reason};
    return err;
}

/* What the caller is told. Much may have happened since reading failed: errno is what it was then.
 */
static nz_err tell(nz_reader *r, nz_fault fault)
{
    r->fault = fault;
    if (fault.err == NZ_E_READ)
        errno = r->source.error;
    return fault.err;
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
    r->base_size = 0;
    return NZ_OK;
}

/* Which base the archive needs, its tag already read. Whether it was given shows at the first frame
 * that is decoded: a listing needs none. */
static nz_err read_base(nz_reader *r, uint8_t tag)
{
    uint8_t bytes[NZ_BASE_BYTES] = {tag};
    uint64_t at = r->source.at - 1;
    if (nz_source_read(&r->source, bytes + 1, sizeof bytes - 1) < sizeof bytes - 1)
        return fail_short(r, "the archive ends inside the name of its base");
    if (r->index.frames || r->index.directory || r->base_size)
        return fail_ahead(r, NZ_E_CORRUPT, at, "a base named behind a frame");
    if (!nz_base_load(r->base_hash, &r->base_size, bytes) || !r->base_size)
        return fail_ahead(r, NZ_E_CORRUPT, at, "the checksum of the base's name does not match");
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

/* The buffer grows with what arrives: a header's word alone allocates little. A block of the pool
 * is there at once: its pages are not. */
static nz_err read_payload(nz_reader *r, nz_block *to, size_t size, const char *ends)
{
    for (size_t n = 0, cap = 0; n < size; n = cap) {
        cap = size <= NZ_POOL_MOST ? size : cap < GROW_FIRST ? GROW_FIRST : 2 * cap;
        if (cap > size)
            cap = size;
        if (!nz_block_resize(r->crew.pool, to, n, cap))
            return fail_ahead(r, NZ_E_MEM, r->header_at, "no memory for a frame");
        if (nz_source_read(&r->source, to->p + n, cap - n) < cap - n)
            return fail_short(r, ends);
    }
    return NZ_OK;
}

/* `n` more bytes of the directory; like a payload's they are there before the memory is. */
static nz_err read_section(nz_reader *r, nz_buf *to, uint64_t n)
{
    while (n) {
        size_t part = n < GROW_FIRST ? (size_t)n : GROW_FIRST;
        uint8_t *p = nz_buf_room(to, part);
        if (!p)
            return fail_ahead(r, NZ_E_MEM, r->header_at, "no memory for the directory");
        if (nz_source_read(&r->source, p, part) < part)
            return fail_short(r, "the archive ends inside its directory");
        to->n += part;
        n -= part;
    }
    return NZ_OK;
}

/* The directory, its tag already read. Decoding needs none of it, but it must be right. */
static nz_err read_directory(nz_reader *r)
{
    nz_buf section = {0};
    nz_directory d = {0};
    uint64_t size = 0;
    size_t used = 0;
    const char *reason;
    nz_err err = NZ_OK;
    r->header_at = r->source.at - 1;
    nz_buf_byte(&section, NZ_TAG_DIRECTORY);
    while (used == 0 && !err) {
        err = read_section(r, &section, 1);
        if (!err)
            used = nz_varint_load(&size, section.p + 1, section.n - 1);
    }
    if (err)
        goto done;
    if (used > NZ_VARINT_BYTES || size > NZ_DIRECTORY_MAX || r->index.directory)
        err = fail_ahead(r, NZ_E_CORRUPT, r->header_at, "a malformed directory");
    else if (!nz_crew_room(&r->crew, size))
        err = fail_ahead(r, NZ_E_LIMIT, r->header_at,
                         "the directory needs more memory than the limit");
    else
        err = read_section(r, &section, size + 4);
    if (err)
        goto done;
    r->index.directory = section.n;
    uint64_t room = r->crew.memory - r->crew.used - size;
    err = nz_directory_load(&d, section.p, section.n, 0, r->index.raw, room, &reason);
    if (err)
        fail_ahead(r, err, r->header_at, reason);
done:
    nz_directory_free(&d);
    nz_buf_free(&section);
    return err;
}

static nz_err read_header(nz_reader *r, uint8_t tag)
{
    uint8_t bytes[NZ_HEADER_BYTES] = {tag};
    const char *reason;
    nz_err err;
    if (r->index.directory)
        return fail_ahead(r, NZ_E_CORRUPT, r->source.at - 1, "a frame behind the directory");
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
        else if (tag == NZ_TAG_BASE)
            err = read_base(r, tag);
        else if (tag == NZ_TAG_DIRECTORY)
            err = read_directory(r);
        else
            err = read_header(r, tag);
    }
    return err;
}

nz_err nz_reader_open(nz_reader **out, const nz_options *opt, const nz_source *from, uint8_t *into,
                      uint64_t room)
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
    r->into = into;
    r->file = opt ? opt->base : NULL;
    r->room = room;
    err = read_head(r);
    if (err) {
        int error = r->source.error;
        nz_reader_free(r);
        errno = error;
        return err;
    }
    *out = r;
    return NZ_OK;
}

nz_err nz_reader_new(nz_reader **out, const nz_options *opt, FILE *from)
{
    nz_source source;
    nz_source_file(&source, from);
    return nz_reader_open(out, opt, &source, NULL, UINT64_MAX);
}

static nz_err frame_needs(nz_reader *r, nz_job *job)
{
    const char *reason;
    nz_err err = nz_unpack_job(job, &r->header, r->header_at, &reason);
    return err ? fail_ahead(r, err, r->header_at, reason) : NZ_OK;
}

/* Where the job unpacks to: the caller's memory, or its own. */
static nz_err place_raw(nz_reader *r, nz_job *job)
{
    if (!r->into && !nz_block_resize(r->crew.pool, &job->raw_block, 0, (size_t)job->header.raw))
        return fail_ahead(r, NZ_E_MEM, r->header_at, "no memory for a frame");
    job->raw = r->into ? r->into : job->raw_block.p;
    if (r->into)
        r->into += job->header.raw;
    return NZ_OK;
}

/* The payload: in place where the archive is in memory, else read. A stored one is the raw data. */
static nz_err place_payload(nz_reader *r, nz_job *job)
{
    static const char ends[] = "the archive ends inside a frame";
    size_t size = (size_t)job->header.packed;
    nz_err err = NZ_OK;
    if (job->header.method == NZ_METHOD_STORED && !r->into) {
        err = read_payload(r, &job->raw_block, size, ends);
        job->raw = job->raw_block.p;
        return err;
    }
    if (job->header.method == NZ_METHOD_STORED) {
        err = place_raw(r, job);
        return err || nz_source_read(&r->source, job->raw, size) == size ? err
                                                                         : fail_short(r, ends);
    }
    job->packed = nz_source_take(&r->source, size);
    if (!job->packed) {
        err = read_payload(r, &job->packed_block, size, ends);
        job->packed = job->packed_block.p;
    }
    return err ? err : place_raw(r, job);
}

/* Starts the frame whose header was read. Leaves it where it is when it must wait for others. */
static nz_err start_frame(nz_reader *r, bool *waits)
{
    uint64_t at = r->header_at;
    nz_job needs, *job;
    nz_err err = frame_needs(r, &needs);
    if (err)
        return err;
    const char *reason;
    if (r->base_size && nz_base_fits(r->file, r->base_hash, r->base_size, &reason))
        return fail_ahead(r, NZ_E_BASE, at, reason);
    if (needs.header.raw > r->room)
        return fail_ahead(r, NZ_E_FULL, at, "the contents do not fit the caller's buffer");
    *waits = nz_unpack_waits(&r->crew, &needs);
    if (*waits)
        return NZ_OK;
    if (!nz_crew_room(&r->crew, needs.memory))
        return fail_ahead(r, NZ_E_LIMIT, at, "unpacking a frame needs more memory than the limit");
    job = malloc(sizeof *job);
    if (!job)
        return fail_ahead(r, NZ_E_MEM, at, "no memory for a frame");
    *job = needs;
    if (r->base_size)
        job->base = nz_base_view(r->file);
    err = place_payload(r, job);
    if (err) {
        nz_job_free(&r->crew, job);
        return err;
    }
    r->room -= job->header.raw;
    r->have = false;
    /* What comes next decides whether this frame may use another core; an error there can wait. */
    read_next(r);
    nz_crew_start(&r->crew, job, r->have);
    return NZ_OK;
}

static void read_ahead(nz_reader *r)
{
    bool waits = false;
    while (!waits && !read_next(r) && r->have && !start_frame(r, &waits))
        ;
}

nz_err nz_reader_get(nz_reader *r, void *data, size_t cap, size_t *n)
{
    *n = 0;
    if (r->fault.err || cap == 0)
        return tell(r, r->fault);
    if (!r->job) {
        read_ahead(r);
        if (r->crew.count == 0)
            return tell(r, r->ahead);
        nz_job *job = nz_crew_take(&r->crew);
        if (!job)
            return tell(r, (nz_fault){NZ_E_STOPPED, r->source.at, "stopped by the caller"});
        if (job->err) {
            nz_fault fault = {job->err, job->offset, job->reason};
            nz_job_free(&r->crew, job);
            return tell(r, fault);
        }
        r->job = job;
        r->given = 0;
    }
    if (nz_unpack_give(r->job, &r->given, data, cap, n)) {
        nz_job_free(&r->crew, r->job);
        r->job = NULL;
    }
    return NZ_OK;
}

_Static_assert(NZ_FRAME_KINDS == NZ_VIEWS_MAX, "views of the library and of its interface");

/* The views of a mixed frame, whose payload is next; returns how many bytes of it were read. A
 * broken list shows when the frame is decoded. */
static size_t list_views(nz_reader *r, nz_frame *frame)
{
    uint8_t head[NZ_MIXED_LIST_BYTES];
    nz_mixed_list l;
    size_t codes, packed = (size_t)r->header.packed, n = sizeof head;
    n = nz_source_read(&r->source, head, packed < n ? packed : n);
    if (nz_mixed_list_load(&l, &codes, head, n, packed))
        return n;
    frame->kinds = l.views;
    for (unsigned i = 0; i < l.views; i++) {
        frame->kind[i] =
            (nz_frame_kind){nz_kind_name(l.view[i].content.kind), l.raw[i], l.packed[i]};
        if (l.view[i].prior)
            frame->prior = nz_prior_name(l.view[i].prior);
    }
    return n;
}

nz_err nz_reader_frame(nz_reader *r, nz_frame *frame, int *n)
{
    static const char *const NAMES[] = {[NZ_METHOD_STORED] = "stored",
                                        [NZ_METHOD_BYTES] = "bytes",
                                        [NZ_METHOD_WEIGHTS] = "weights",
                                        [NZ_METHOD_MIXED] = "mixed"};
    *n = 0;
    nz_job needs;
    if (read_next(r) || !r->have)
        goto done;
    if (frame_needs(r, &needs))
        goto done;
    *frame = (nz_frame){.offset = r->header_at,
                        .raw = r->header.raw,
                        .packed = r->header.size + r->header.packed,
                        .check = r->header.hash,
                        .memory = needs.memory,
                        .method = NAMES[r->header.method],
                        .level = needs.params.shape.level + needs.params.mixed.level,
                        .prior = nz_prior_name(needs.params.shape.prior)};
    size_t seen = r->header.method == NZ_METHOD_MIXED ? list_views(r, frame) : 0;
    if (!nz_source_skip(&r->source, r->header.packed - seen)) {
        fail_short(r, "the archive ends inside a frame");
        goto done;
    }
    r->have = false;
    *n = 1;
done:
    return tell(r, r->ahead);
}

uint64_t nz_reader_base(const nz_reader *r, unsigned char hash[NZ_BASE_HASH])
{
    memcpy(hash, r->base_hash, NZ_BASE_HASH);
    return r->base_size;
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
    nz_job_free(&r->crew, r->job);
    nz_crew_end(&r->crew);
    nz_index_reset(&r->index);
    free(r);
}
