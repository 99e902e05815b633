/* What the tensors' bits are spent on: frames side by side, as they are read. */
#include "weights/explain.h"
#include "archive/access.h"
#include "base/parallel.h"

#include <pthread.h>

const char *nz_part_name(nz_part part)
{
    static const char *const NAMES[NZ_PARTS] = {
        [NZ_PART_SIGN] = "sign",         [NZ_PART_EXPONENT] = "exponent",
        [NZ_PART_MANTISSA] = "mantissa", [NZ_PART_VALUE] = "value",
        [NZ_PART_SCALES] = "scales",     [NZ_PART_MINIMA] = "minima",
        [NZ_PART_QUANTS] = "quants",     [NZ_PART_DIFFERENCE] = "difference",
        [NZ_PART_SIDE] = "side"};
    return (unsigned)part < NZ_PARTS ? NAMES[part] : NULL;
}

/* What all frames share. */
typedef struct survey {
    const nz_archive *a;
    nz_tensor_parts *all;
    nz_run run;
    _Atomic uint64_t done; /* raw bytes */
    _Atomic bool stopped;
    _Atomic size_t bad;   /* the first frame with an error */
    pthread_mutex_t lock; /* of all[] and `told` */
    nz_fault told;
} survey;

static void tell_progress(survey *v)
{
    const nz_archive *a = v->a;
    if (a->progress && a->progress(a->progress_arg, v->done))
        v->stopped = true;
}

static void add(survey *v, size_t tensor, const nz_tensor_parts *parts)
{
    pthread_mutex_lock(&v->lock);
    for (unsigned k = 0; k < NZ_PARTS; k++) {
        v->all[tensor].raw[k] += parts->raw[k];
        v->all[tensor].packed[k] += parts->packed[k];
    }
    pthread_mutex_unlock(&v->lock);
}

/* The first tensor that ends behind that byte of the raw data. */
static size_t tensor_behind(const nz_archive *a, uint64_t at)
{
    const nz_tensor *t = a->directory.tensor;
    size_t low = 0, high = a->directory.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t[middle].at + t[middle].bytes <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_tensors(const nz_archive *a, const nz_entry *e)
{
    size_t i = tensor_behind(a, e->at);
    return i < a->directory.n && a->directory.tensor[i].at < e->at + e->raw;
}

/* Bytes of a number that is cut have no parts. */
static void explain_stored(survey *v, const nz_entry *e)
{
    const nz_archive *a = v->a;
    uint64_t end = e->at + e->raw;
    for (size_t i = tensor_behind(a, e->at); i < a->directory.n; i++) {
        const nz_tensor *t = &a->directory.tensor[i];
        uint64_t low = t->at > e->at ? t->at : e->at;
        uint64_t high = t->at + t->bytes < end ? t->at + t->bytes : end;
        unsigned block = nz_dtype_about(t->dtype)->bytes;
        nz_tensor_parts parts = {0};
        if (t->at >= end)
            break;
        if (low >= high)
            continue;
        nz_explain_raw(t->dtype, (high - low) / block, parts.raw);
        parts.raw[NZ_PART_VALUE] += 8 * ((high - low) % block);
        memcpy(parts.packed, parts.raw, sizeof parts.raw);
        add(v, i, &parts);
    }
}

static nz_err explain_slabs(survey *v, const nz_entry *e, const nz_opened *f,
                            const nz_weights_base *base, bool caller)
{
    const nz_archive *a = v->a;
    nz_explain x;
    nz_coded c;
    nz_tensor_parts parts;
    bool more = true;
    uint64_t before = e->at;
    nz_err err = nz_explain_open(&x, &f->params.weights, &v->run, base, f->payload,
                                 (size_t)f->header.packed, (size_t)e->raw);
    while (!err && more && !(err = nz_explain_next(&x, &c, &parts, &more)) && more) {
        uint64_t at = e->at + c.placed.at, end = at + nz_slab_bytes(&c.placed.slab);
        size_t i = tensor_behind(a, at);
        const nz_tensor *t = &a->directory.tensor[i];
        if (i < a->directory.n && t->at <= at && end <= t->at + t->bytes)
            add(v, i, &parts);
        v->done += end - before;
        before = end;
        if (caller)
            tell_progress(v);
        err = v->stopped ? NZ_E_STOPPED : NZ_OK;
    }
    v->done += e->at + e->raw - before;
    nz_explain_close(&x);
    return err;
}

static nz_err explain_frame(survey *v, const nz_entry *e, bool caller, nz_fault *fault)
{
    const nz_archive *a = v->a;
    nz_opened f;
    nz_weights_base base = {0};
    if (v->stopped)
        return nz_fault_set(fault, NZ_E_STOPPED, e->offset, nz_err_text(NZ_E_STOPPED));
    nz_err err = nz_entry_open(a, e, &f, fault);
    if (!err && a->base)
        err = nz_entry_base(a, e, &base, fault);
    if (err)
        return err;
    if (f.header.method == NZ_METHOD_STORED)
        explain_stored(v, e);
    if (f.header.method == NZ_METHOD_WEIGHTS)
        err = explain_slabs(v, e, &f, &base, caller);
    return nz_fault_set(fault, err, e->offset,
                        err == NZ_E_CORRUPT ? "the frame's contents are corrupt"
                        : err == NZ_E_BASE  ? "packed against a base file, which must be given"
                                            : nz_err_text(err));
}

/* The most that one of the frames with tensors needs. */
static nz_err most_memory(const nz_archive *a, uint64_t *most, nz_fault *fault)
{
    *most = 0;
    for (size_t i = 0; i < a->frames; i++) {
        nz_opened f;
        if (!has_tensors(a, &a->frame[i]))
            continue;
        nz_err err = nz_entry_open(a, &a->frame[i], &f, fault);
        if (err)
            return err;
        uint64_t memory = f.header.method == NZ_METHOD_WEIGHTS
                              ? f.header.raw + nz_weights_memory(&f.params.weights)
                              : 0;
        if (memory > a->memory)
            return nz_fault_set(fault, NZ_E_LIMIT, a->frame[i].offset,
                                "unpacking a frame needs more memory than the limit");
        *most = memory > *most ? memory : *most;
    }
    return NZ_OK;
}

static void explain_one(void *arg, size_t i, bool caller)
{
    survey *v = arg;
    const nz_entry *e = &v->a->frame[i];
    nz_fault own = {0};
    if (i > atomic_load(&v->bad) || !has_tensors(v->a, e) || !explain_frame(v, e, caller, &own))
        return;
    pthread_mutex_lock(&v->lock);
    if (i < atomic_load(&v->bad)) {
        atomic_store(&v->bad, i);
        v->told = own;
    }
    pthread_mutex_unlock(&v->lock);
}

nz_err nz_tensor_explain(const nz_archive *a, nz_tensor_parts *all, nz_fault *fault)
{
    uint64_t most;
    survey v = {.a = a,
                .all = all,
                .run = {.kern = &a->kern},
                .bad = SIZE_MAX,
                .lock = PTHREAD_MUTEX_INITIALIZER};
    nz_fault_set(fault, NZ_OK, 0, NULL);
    nz_err err = most_memory(a, &most, fault);
    if (err)
        return err;
    for (size_t i = 0; i < a->directory.n; i++)
        all[i] = (nz_tensor_parts){0};
    int threads = most > a->memory / (uint64_t)a->threads ? (int)(a->memory / most) : a->threads;
    nz_parallel(a->frames, threads, explain_one, &v);
    pthread_mutex_destroy(&v.lock);
    return nz_fault_set(fault, v.told.err, v.told.offset, v.told.reason);
}
