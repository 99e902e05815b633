/* Archives are found from the last to the first, each by its end, and then read from the first to
 * the last; frames only where their bytes are wanted. */
#include "archive/access.h"
#include "archive/crew.h"
#include "base/parallel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

nz_err nz_fault_set(nz_fault *fault, nz_err err, uint64_t offset, const char *reason)
{
    if (fault)
        *fault = err ? (nz_fault){err, offset, reason} : (nz_fault){0};
    return err;
}

/* ---- Opening ---- */

/* One of the archives; `index` borrows from it. */
typedef struct part {
    size_t head, directory; /* offsets; the directory has index.directory bytes */
    const uint8_t *base;    /* the section that names its base; NULL: there is none */
    nz_index index;
} part;

/* The archive that ends at `end`. */
static nz_err find_part(const nz_archive *a, size_t end, part *p, nz_fault *fault)
{
    const char *reason;
    size_t size = 0;
    nz_err err = nz_index_load(&p->index, a->bytes, end, &size, &reason);
    if (err)
        return nz_fault_set(fault, err, err == NZ_E_TRUNCATED ? end : end - size, reason);
    const nz_index *x = &p->index;
    size_t tag = end - size;
    if (x->directory > tag || x->packed > tag - x->directory ||
        tag - x->directory - x->packed < NZ_HEAD_BYTES)
        return nz_fault_set(fault, NZ_E_CORRUPT, tag, "an index of more than there is");
    p->directory = tag - (size_t)x->directory;
    p->head = p->directory - (size_t)x->packed - NZ_HEAD_BYTES;
    p->base = NULL;
    err = nz_head_load(a->bytes + p->head, NZ_HEAD_BYTES, &reason);
    if (err && p->head >= NZ_BASE_BYTES &&
        a->bytes[p->head + NZ_HEAD_BYTES - NZ_BASE_BYTES] == NZ_TAG_BASE) {
        p->base = a->bytes + p->head + NZ_HEAD_BYTES - NZ_BASE_BYTES;
        p->head -= NZ_BASE_BYTES;
        err = nz_head_load(a->bytes + p->head, NZ_HEAD_BYTES, &reason);
    }
    if (err == NZ_E_MAGIC)
        return nz_fault_set(fault, NZ_E_CORRUPT, tag,
                            "the end does not match the frames before it");
    return nz_fault_set(fault, err, p->head, reason);
}

/* All of them, the last one first, for the caller to free. */
static nz_err find_parts(nz_archive *a, part **out, size_t *count, nz_fault *fault)
{
    size_t cap = 0, end = a->n;
    const char *reason;
    *out = NULL;
    *count = 0;
    nz_err err = nz_head_load(a->bytes, a->n < NZ_HEAD_BYTES ? a->n : NZ_HEAD_BYTES, &reason);
    if (err)
        return nz_fault_set(fault, err, err == NZ_E_TRUNCATED ? a->n : 0, reason);
    while (end) {
        if (*count == cap) {
            cap = cap ? 2 * cap : 1;
            part *more = realloc(*out, cap * sizeof *more);
            if (!more)
                return nz_fault_set(fault, NZ_E_MEM, end, "no memory for the index");
            *out = more;
        }
        part *p = *out + *count;
        err = find_part(a, end, p, fault);
        if (err)
            return err;
        (*count)++;
        end = p->head;
    }
    return NZ_OK;
}

static nz_err add_frames(nz_archive *a, const part *p)
{
    size_t frames = (size_t)p->index.frames;
    if (frames > a->room - a->frames) {
        size_t room = a->frames + frames > 2 * a->room ? a->frames + frames : 2 * a->room;
        nz_entry *more = realloc(a->frame, room * sizeof *more);
        if (!more)
            return NZ_E_MEM;
        a->frame = more;
        a->room = room;
    }
    nz_span entries = nz_span_of(p->index.entries, p->index.n);
    uint64_t offset = p->head + NZ_HEAD_BYTES + (p->base ? NZ_BASE_BYTES : 0);
    for (size_t i = 0; i < frames; i++) {
        uint64_t packed = nz_span_varint(&entries), raw = nz_span_varint(&entries);
        a->frame[a->frames++] = (nz_entry){offset, packed, a->raw, raw, p->base};
        offset += packed;
        a->raw += raw;
    }
    return NZ_OK;
}

static nz_err add_part(nz_archive *a, const part *p, nz_fault *fault)
{
    uint64_t from = a->raw, after = from + p->index.raw;
    const char *reason = "no memory for the index";
    if (after < from)
        return nz_fault_set(fault, NZ_E_CORRUPT, p->head, "more raw bytes than can be counted");
    nz_err err = add_frames(a, p);
    if (!err && p->index.directory)
        err = nz_directory_load(&a->directory, a->bytes + p->directory, (size_t)p->index.directory,
                                from, p->index.raw, a->memory, &reason);
    return nz_fault_set(fault, err, err == NZ_E_MEM ? p->head : p->directory, reason);
}

static nz_err open_bytes(nz_archive *a, const void *p, size_t n, nz_fault *fault)
{
    part *parts;
    size_t count;
    a->bytes = p;
    a->n = n;
    nz_err err = find_parts(a, &parts, &count, fault);
    while (count && !err)
        err = add_part(a, &parts[--count], fault);
    free(parts);
    if (!err && (err = nz_by_name_make(&a->by_name, a->directory.tensor, a->directory.n)))
        nz_fault_set(fault, err, 0, "no memory for the directory");
    return err;
}

static nz_err archive_new(nz_archive **out, const nz_options *opt, nz_fault *fault)
{
    nz_fault_set(fault, NZ_OK, 0, NULL);
    *out = NULL;
    if (opt && opt->threads < 0)
        return nz_fault_set(fault, NZ_E_ARG, 0, "fewer threads than none");
    nz_archive *a = calloc(1, sizeof *a);
    if (!a)
        return nz_fault_set(fault, NZ_E_MEM, 0, "no memory for an archive");
    a->threads = nz_crew_threads(opt);
    a->memory = nz_crew_memory(opt);
    a->verify = opt && opt->verify;
    a->base = opt ? opt->base : NULL;
    a->progress = opt ? opt->progress : NULL;
    a->progress_arg = opt ? opt->progress_arg : NULL;
    nz_kern_init(&a->kern, nz_cpu());
    *out = a;
    return NZ_OK;
}

/* What was opened is the caller's, what was not is nobody's. */
static nz_err archive_done(nz_archive **out, nz_archive *a, nz_err err)
{
    if (err)
        nz_archive_free(a);
    else
        *out = a;
    return err;
}

nz_err nz_archive_open(nz_archive **out, const void *p, size_t n, const nz_options *opt,
                       nz_fault *fault)
{
    nz_archive *a;
    *out = NULL;
    nz_err err = archive_new(&a, opt, fault);
    return err ? err : archive_done(out, a, open_bytes(a, p, n, fault));
}

static nz_err map_file(nz_archive *a, FILE *from, nz_fault *fault)
{
    struct stat st;
    void *p = MAP_FAILED;
    if (fstat(fileno(from), &st))
        goto done;
    if (S_ISREG(st.st_mode) && st.st_size == 0)
        return NZ_OK; /* not an archive, and nothing to map */
    errno = S_ISREG(st.st_mode) ? EFBIG : ESPIPE;
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size <= SIZE_MAX)
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fileno(from), 0);
done:
    if (p == MAP_FAILED)
        return nz_fault_set(fault, NZ_E_READ, 0, "the file cannot be mapped");
    a->mapped = true;
    a->bytes = p;
    a->n = (size_t)st.st_size;
    return NZ_OK;
}

nz_err nz_archive_open_file(nz_archive **out, FILE *from, const nz_options *opt, nz_fault *fault)
{
    nz_archive *a;
    *out = NULL;
    nz_err err = archive_new(&a, opt, fault);
    if (err)
        return err;
    err = map_file(a, from, fault);
    if (!err)
        err = open_bytes(a, a->bytes, a->n, fault);
    return archive_done(out, a, err);
}

void nz_archive_free(nz_archive *a)
{
    if (!a)
        return;
    if (a->mapped)
        munmap((void *)(uintptr_t)a->bytes, a->n);
    nz_directory_free(&a->directory);
    nz_by_name_free(&a->by_name);
    free(a->frame);
    free(a);
}

/* ---- Reading ---- */

nz_err nz_entry_open(const nz_archive *a, const nz_entry *e, nz_opened *f, nz_fault *fault)
{
    const char *reason;
    const uint8_t *p = a->bytes + e->offset;
    *f = (nz_opened){0};
    nz_err err = nz_header_load(&f->header, p, (size_t)e->packed, &reason);
    const nz_header *h = &f->header;
    if (!err && (h->raw != e->raw || h->size + h->packed != e->packed))
        err = NZ_E_TRUNCATED;
    if (err == NZ_E_TRUNCATED) /* there is more, but it is the next frame's */
        return nz_fault_set(fault, NZ_E_CORRUPT, e->offset, "a frame is not what the index says");
    if (err)
        return nz_fault_set(fault, err, e->offset, reason);
    f->payload = p + h->size;
    err = nz_params_load(&f->params, h, &reason);
    return nz_fault_set(fault, err, e->offset, reason);
}

/* Raw bytes that are asked for, and where they go. */
typedef struct wanted {
    const nz_archive *a;
    uint64_t from, end;
    uint8_t *to;
} wanted;

/* Some of them, in one frame: n bytes from its byte `from` on. */
typedef struct piece {
    size_t from, n;
    uint8_t *to;
    bool whole; /* all of the frame is decoded, and checked */
} piece;

static piece piece_of(const wanted *w, const nz_entry *e, const nz_opened *f)
{
    uint64_t low = e->at > w->from ? e->at : w->from;
    uint64_t high = e->at + e->raw < w->end ? e->at + e->raw : w->end;
    piece p = {(size_t)(low - e->at), (size_t)(high - low), w->to + (low - w->from), false};
    p.whole = p.n == e->raw || w->a->verify || f->header.method == NZ_METHOD_BYTES ||
              f->header.method == NZ_METHOD_MIXED;
    return p;
}

/* What decoding it allocates. */
static uint64_t piece_memory(const piece *p, const nz_opened *f)
{
    const nz_header *h = &f->header;
    uint64_t aside = p->whole && p->n < h->raw ? h->raw : 0;
    uint64_t parts = h->method == NZ_METHOD_WEIGHTS ? h->raw : 0;
    return aside + parts + nz_params_memory(&f->params, h);
}

nz_err nz_entry_base(const nz_archive *a, const nz_entry *e, nz_weights_base *base, nz_fault *fault)
{
    uint8_t hash[NZ_BASE_HASH];
    uint64_t size;
    *base = (nz_weights_base){0};
    if (!e->base)
        return NZ_OK;
    if (!nz_base_load(hash, &size, e->base))
        return nz_fault_set(fault, NZ_E_CORRUPT, (uint64_t)(e->base - a->bytes),
                            "the checksum of the base's name does not match");
    const char *reason;
    nz_err err = nz_base_fits(a->base, hash, size, &reason);
    if (!err)
        *base = nz_base_view(a->base);
    return nz_fault_set(fault, err, e->offset, reason);
}

static nz_err read_piece(const piece *p, const nz_opened *f, const nz_run *run,
                         const nz_weights_base *base, uint64_t offset, nz_fault *fault)
{
    size_t size = (size_t)f->header.raw;
    uint8_t *aside = NULL, *raw = p->to;
    const char *reason = "the frame's contents are corrupt";
    nz_err err = NZ_OK;
    if (p->whole && p->n < size && !(raw = aside = malloc(size)))
        err = NZ_E_MEM;
    if (!err)
        err = nz_params_decode(&f->params, &f->header, run, base, f->payload, raw,
                               p->whole ? 0 : p->from, p->whole ? size : p->n);
    if (err == NZ_E_MEM)
        reason = "no memory for a frame";
    if (!err && p->whole && nz_hash(raw, size) != f->header.hash) {
        err = NZ_E_CORRUPT;
        reason = "the frame's checksum does not match";
    }
    if (!err && aside)
        memcpy(p->to, aside + p->from, p->n);
    free(aside);
    return err ? nz_fault_set(fault, err, offset, reason) : NZ_OK;
}

/* The frame with that byte of the raw data, which there is. */
static size_t frame_at(const nz_archive *a, uint64_t at)
{
    size_t low = 0, high = a->frames;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (a->frame[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* All headers before any memory is taken: the most that one of the frames needs. */
static nz_err most_memory(const wanted *w, size_t first, size_t last, uint64_t *most,
                          nz_fault *fault)
{
    nz_opened f;
    *most = 0;
    for (size_t i = first; i <= last; i++) {
        const nz_entry *e = &w->a->frame[i];
        nz_err err = nz_entry_open(w->a, e, &f, fault);
        if (err)
            return err;
        piece p = piece_of(w, e, &f);
        uint64_t memory = piece_memory(&p, &f);
        if (memory > w->a->memory)
            return nz_fault_set(fault, NZ_E_LIMIT, e->offset,
                                "unpacking a frame needs more memory than the limit");
        if (memory > *most)
            *most = memory;
    }
    return NZ_OK;
}

/* Frames side by side; of several errors the first frame's is told. */
typedef struct batch {
    const wanted *w;
    size_t first; /* frame */
    nz_run run;
    _Atomic size_t bad;
    pthread_mutex_t lock; /* of `told` */
    nz_fault told;
} batch;

static nz_err read_entry(const batch *b, const nz_entry *e, nz_fault *fault)
{
    const nz_archive *a = b->w->a;
    nz_opened f;
    nz_weights_base base;
    nz_err err = nz_entry_open(a, e, &f, fault);
    if (!err)
        err = nz_entry_base(a, e, &base, fault);
    if (err)
        return err;
    piece p = piece_of(b->w, e, &f);
    return read_piece(&p, &f, &b->run, &base, e->offset, fault);
}

static void read_one(void *arg, size_t i, bool caller)
{
    batch *b = arg;
    nz_fault own = {0};
    (void)caller;
    if (i > atomic_load(&b->bad) || !read_entry(b, &b->w->a->frame[b->first + i], &own))
        return;
    pthread_mutex_lock(&b->lock);
    if (i < atomic_load(&b->bad)) {
        atomic_store(&b->bad, i);
        b->told = own;
    }
    pthread_mutex_unlock(&b->lock);
}

static nz_err read_frames(const wanted *w, size_t first, size_t last, int threads, nz_fault *fault)
{
    batch b = {.w = w,
               .first = first,
               .run = {.kern = &w->a->kern, .second_core = threads < w->a->threads},
               .bad = SIZE_MAX,
               .lock = PTHREAD_MUTEX_INITIALIZER};
    nz_parallel(last - first + 1, threads, read_one, &b);
    pthread_mutex_destroy(&b.lock);
    return nz_fault_set(fault, b.told.err, b.told.offset, b.told.reason);
}

nz_err nz_archive_read(const nz_archive *a, uint64_t from, void *to, size_t n, nz_fault *fault)
{
    nz_fault_set(fault, NZ_OK, 0, NULL);
    if (from > a->raw || n > a->raw - from)
        return nz_fault_set(fault, NZ_E_ARG, a->n, "more bytes than the archive holds");
    if (n == 0)
        return NZ_OK;
    wanted w = {a, from, from + n, to};
    size_t first = frame_at(a, from), last = frame_at(a, from + n - 1);
    uint64_t most;
    nz_err err = most_memory(&w, first, last, &most, fault);
    if (err)
        return err;
    uint64_t threads = last - first + 1;
    if (threads > (uint64_t)a->threads)
        threads = (uint64_t)a->threads;
    if (most && threads > a->memory / most)
        threads = a->memory / most;
    return read_frames(&w, first, last, (int)threads, fault);
}

uint64_t nz_archive_raw(const nz_archive *a)
{
    return a->raw;
}

uint64_t nz_archive_base(const nz_archive *a, unsigned char hash[NZ_BASE_HASH])
{
    uint64_t size = 0;
    for (size_t i = 0; i < a->frames && !size; i++)
        if (a->frame[i].base && !nz_base_load(hash, &size, a->frame[i].base))
            return 0; /* reading says what is wrong */
    return size;
}
