#include "archive/base.h"
#include "archive/by_name.h"
#include "archive/format.h"
#include "base/base.h"
#include "containers/scan.h"
#include "weights/convert.h"

#include <stdlib.h>
#include <xxhash.h>

struct nz_base {
    const uint8_t *p;
    size_t n;
    uint8_t hash[NZ_BASE_HASH];
    nz_scan *scan;
    nz_by_name by_name;
    const nz_tensor **by_size; /* [count] */
    size_t count;
};

/* Tensors of a size that are compared with one that is packed, at most. */
enum { TRIES = 1024 };

static int by_size(const void *x, const void *y)
{
    const nz_tensor *a = *(const nz_tensor *const *)x, *b = *(const nz_tensor *const *)y;
    return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* Those of a size as they lie in the file: what is found first must not depend on a library. */
static int by_size_and_place(const void *x, const void *y)
{
    const nz_tensor *a = *(const nz_tensor *const *)x, *b = *(const nz_tensor *const *)y;
    int order = by_size(x, y);
    return order ? order : (a > b) - (a < b);
}

static nz_err sort_tensors(nz_base *b)
{
    const nz_tensor *t = nz_scan_tensors(b->scan, &b->count);
    if (!(b->by_size = malloc((b->count + 1) * sizeof *b->by_size)))
        return NZ_E_MEM;
    for (size_t i = 0; i < b->count; i++)
        b->by_size[i] = &t[i];
    qsort(b->by_size, b->count, sizeof *b->by_size, by_size_and_place);
    return nz_by_name_make(&b->by_name, t, b->count);
}

nz_err nz_base_new(nz_base **out, const void *p, size_t n)
{
    *out = NULL;
    if (n == 0)
        return NZ_E_ARG; /* no archive can name it */
    nz_base *b = calloc(1, sizeof *b);
    if (!b)
        return NZ_E_MEM;
    b->p = p;
    b->n = n;
    XXH128_canonicalFromHash((XXH128_canonical_t *)b->hash, XXH3_128bits(p, n));
    nz_err err = nz_scan_new(&b->scan);
    if (!err)
        err = nz_scan_put(b->scan, p, n);
    if (!err)
        err = sort_tensors(b);
    if (err)
        nz_base_free(b);
    else
        *out = b;
    return err;
}

void nz_base_free(nz_base *b)
{
    if (!b)
        return;
    nz_scan_free(b->scan);
    nz_by_name_free(&b->by_name);
    free(b->by_size);
    free(b);
}

uint64_t nz_base_about(const nz_base *b, unsigned char hash[NZ_BASE_HASH])
{
    memcpy(hash, b->hash, NZ_BASE_HASH);
    return b->n;
}

nz_weights_base nz_base_view(const nz_base *b)
{
    return b ? (nz_weights_base){b->p, b->n} : (nz_weights_base){0};
}

/* ---- Which of its tensors serves another ---- */

static bool within(const nz_base *b, const nz_tensor *t)
{
    return t->at <= b->n && t->bytes <= b->n - t->at;
}

static bool same_at(const nz_base *b, const nz_tensor *theirs, const nz_tensor *ours,
                    const uint8_t *raw, uint64_t from, size_t n)
{
    return theirs->dtype == ours->dtype && theirs->bytes == ours->bytes && within(b, theirs) &&
           !memcmp(b->p + theirs->at + from, raw, n);
}

static const nz_tensor *find_same(const nz_base *b, const nz_tensor *t, const uint8_t *raw,
                                  uint64_t from, size_t n)
{
    size_t low = 0, high = b->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_size(&b->by_size[middle], &t) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i < b->count && i - low < TRIES; i++) {
        const nz_tensor *theirs = b->by_size[i];
        if (theirs->bytes != t->bytes)
            break;
        if (same_at(b, theirs, t, raw, from, n))
            return theirs;
    }
    return NULL;
}

static bool alike(const nz_base *b, const nz_tensor *theirs, const nz_tensor *ours)
{
    const nz_dtype_info *one = nz_dtype_about(theirs->dtype), *other = nz_dtype_about(ours->dtype);
    return nz_convert_can(theirs->dtype, ours->dtype) &&
           theirs->bytes / one->bytes == ours->bytes / other->bytes && within(b, theirs);
}

const nz_tensor *nz_base_find(const nz_base *b, const nz_tensor *t, const uint8_t *raw,
                              uint64_t from, size_t n)
{
    const nz_tensor *named = b ? nz_by_name_find(&b->by_name, t->name) : NULL;
    if (!b || (named && same_at(b, named, t, raw, from, n)))
        return named;
    const nz_tensor *same = find_same(b, t, raw, from, n);
    return same ? same : named && alike(b, named, t) ? named : NULL;
}

void nz_base_store(const nz_base *b, uint8_t out[NZ_BASE_BYTES])
{
    out[0] = NZ_TAG_BASE;
    memcpy(out + 1, b->hash, NZ_BASE_HASH);
    nz_store64(out + 1 + NZ_BASE_HASH, b->n);
    nz_store32(out + NZ_BASE_BYTES - 4, nz_check32(out, NZ_BASE_BYTES - 4));
}

bool nz_base_load(uint8_t hash[NZ_BASE_HASH], uint64_t *size, const uint8_t in[NZ_BASE_BYTES])
{
    memcpy(hash, in + 1, NZ_BASE_HASH);
    *size = nz_load64(in + 1 + NZ_BASE_HASH);
    return nz_load32(in + NZ_BASE_BYTES - 4) == nz_check32(in, NZ_BASE_BYTES - 4);
}

nz_err nz_base_fits(const nz_base *b, const uint8_t hash[NZ_BASE_HASH], uint64_t size,
                    const char **reason)
{
    *reason = "packed against a base file, which must be given";
    if (!b)
        return NZ_E_BASE;
    *reason = "packed against another base file than the one given";
    return b->n == size && !memcmp(b->hash, hash, NZ_BASE_HASH) ? NZ_OK : NZ_E_BASE;
}
