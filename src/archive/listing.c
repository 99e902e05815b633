/* The tensors of an archive: what they are, where, and what they take. */
#include "archive/access.h"
#include "base/base.h"

_Static_assert(NZ_TENSOR_DIMS == NZ_DIMS_MAX, "tensors of the library and of its interface");

size_t nz_tensor_count(const nz_archive *a)
{
    return a->directory.n;
}

nz_err nz_tensor_about(const nz_archive *a, size_t tensor, nz_tensor_info *info)
{
    if (tensor >= a->directory.n)
        return NZ_E_ARG;
    const nz_tensor *t = &a->directory.tensor[tensor];
    *info = (nz_tensor_info){.name = t->name,
                             .dtype = nz_dtype_about(t->dtype)->name,
                             .dims = t->dims,
                             .at = t->at,
                             .bytes = t->bytes};
    memcpy(info->dim, t->dim, t->dims * sizeof *t->dim);
    return NZ_OK;
}

size_t nz_tensor_find(const nz_archive *a, const char *name)
{
    const nz_tensor *t = nz_by_name_find(&a->by_name, name);
    return t ? (size_t)(t - a->directory.tensor) : a->directory.n;
}

nz_err nz_tensor_read(const nz_archive *a, size_t tensor, uint64_t from, void *to, size_t n,
                      nz_fault *fault)
{
    if (tensor >= a->directory.n)
        return nz_fault_set(fault, NZ_E_ARG, a->n, "no tensor of that number");
    const nz_tensor *t = &a->directory.tensor[tensor];
    if (from > t->bytes || n > t->bytes - from)
        return nz_fault_set(fault, NZ_E_ARG, a->n, "more bytes than the tensor has");
    return nz_archive_read(a, t->at + from, to, n, fault);
}

/* ---- What they take ---- */

/* Some bytes of a tensor have a code of their own. */
static void count(nz_tensor_packed *t, uint64_t bytes, uint64_t packed, const char *form)
{
    t->packed += packed;
    t->rest -= bytes;
    if (!t->form)
        t->form = form;
    else if (strcmp(t->form, form))
        t->form = "mixed";
}

/* Slabs and tensors ascend alike; a slab in no tensor is nobody's. */
static nz_err count_slabs(const nz_entry *e, const nz_opened *f, const nz_tensor *t, size_t n,
                          nz_tensor_packed *all)
{
    nz_weights_map map;
    nz_coded c;
    nz_err err = nz_weights_map_open(&map, f->payload, (size_t)f->header.packed, (size_t)e->raw);
    while (!err && nz_weights_map_next(&map, &c)) {
        uint64_t at = e->at + c.placed.at, bytes = nz_slab_bytes(&c.placed.slab);
        while (n && t->at + t->bytes <= at)
            t++, all++, n--;
        if (n && t->at <= at && bytes <= t->at + t->bytes - at)
            count(all, bytes, c.packed, nz_slab_form(c.form));
    }
    return err;
}

/* A frame and the tensors of which it has bytes. */
static nz_err count_frame(const nz_archive *a, const nz_entry *e, const nz_tensor *t, size_t n,
                          nz_tensor_packed *all, nz_fault *fault)
{
    nz_opened f;
    nz_err err = nz_entry_open(a, e, &f, fault);
    if (err)
        return err;
    if (f.header.method == NZ_METHOD_WEIGHTS)
        return nz_fault_set(fault, count_slabs(e, &f, t, n, all), e->offset,
                            "the frame's contents are corrupt");
    for (size_t i = 0; i < n && f.header.method == NZ_METHOD_STORED; i++) {
        uint64_t low = t[i].at > e->at ? t[i].at : e->at, end = e->at + e->raw;
        uint64_t high = t[i].at + t[i].bytes < end ? t[i].at + t[i].bytes : end;
        if (low < high)
            count(&all[i], high - low, high - low, "stored");
    }
    return NZ_OK;
}

nz_err nz_tensor_measure(const nz_archive *a, nz_tensor_packed *all, nz_fault *fault)
{
    const nz_tensor *t = a->directory.tensor;
    size_t n = a->directory.n, first = 0;
    nz_fault_set(fault, NZ_OK, 0, NULL);
    for (size_t i = 0; i < n; i++)
        all[i] = (nz_tensor_packed){.rest = t[i].bytes};
    for (size_t i = 0; i < a->frames && first < n; i++) {
        const nz_entry *e = &a->frame[i];
        while (first < n && t[first].at + t[first].bytes <= e->at)
            first++;
        size_t last = first;
        while (last < n && t[last].at < e->at + e->raw)
            last++;
        nz_err err =
            last > first ? count_frame(a, e, t + first, last - first, all + first, fault) : NZ_OK;
        if (err)
            return err;
    }
    return NZ_OK;
}
