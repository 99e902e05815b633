#include "archive/base.h"
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
    const nz_tensor **name; /* sorted */
    size_t count;
};

static int by_name(const void *a, const void *b)
{
    const nz_tensor *x = *(const nz_tensor *const *)a, *y = *(const nz_tensor *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

nz_err nz_base_new(nz_base **out, const void *p, size_t n)
{
    *out = NULL;
    nz_base *b = calloc(1, sizeof *b);
    if (!b)
        return NZ_E_MEM;
    b->p = p;
    b->n = n;
    XXH128_canonicalFromHash((XXH128_canonical_t *)b->hash, XXH3_128bits(p, n));
    nz_err err = nz_scan_new(&b->scan);
    if (!err)
        err = nz_scan_put(b->scan, p, n);
    const nz_tensor *t = err ? NULL : nz_scan_tensors(b->scan, &b->count);
    if (!err && !(b->name = calloc(b->count + 1, sizeof *b->name)))
        err = NZ_E_MEM;
    if (err) {
        nz_base_free(b);
        return err;
    }
    for (size_t i = 0; i < b->count; i++)
        b->name[i] = &t[i];
    qsort(b->name, b->count, sizeof *b->name, by_name);
    *out = b;
    return NZ_OK;
}

void nz_base_free(nz_base *b)
{
    if (!b)
        return;
    nz_scan_free(b->scan);
    free(b->name);
    free(b);
}

nz_weights_base nz_base_view(const nz_base *b)
{
    return b ? (nz_weights_base){b->p, b->n} : (nz_weights_base){0};
}

const nz_tensor *nz_base_find(const nz_base *b, const nz_tensor *t)
{
    size_t low = 0, high = b ? b->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(b->name[middle]->name, t->name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (!b || low == b->count || strcmp(b->name[low]->name, t->name) != 0)
        return NULL;
    const nz_tensor *found = b->name[low];
    const nz_dtype_info *theirs = nz_dtype_about(found->dtype), *ours = nz_dtype_about(t->dtype);
    if (!nz_convert_can(found->dtype, t->dtype) ||
        found->bytes / theirs->bytes != t->bytes / ours->bytes || found->at > b->n ||
        found->bytes > b->n - found->at)
        return NULL;
    return found;
}

void nz_base_store(const nz_base *b, uint8_t out[NZ_BASE_BYTES])
{
    out[0] = NZ_TAG_BASE;
    memcpy(out + 1, b->hash, NZ_BASE_HASH);
    nz_store64(out + 1 + NZ_BASE_HASH, b->n);
    nz_store32(out + NZ_BASE_BYTES - 4, (uint32_t)nz_hash(out, NZ_BASE_BYTES - 4));
}

bool nz_base_load(uint8_t hash[NZ_BASE_HASH], uint64_t *size, const uint8_t in[NZ_BASE_BYTES])
{
    memcpy(hash, in + 1, NZ_BASE_HASH);
    *size = nz_load64(in + 1 + NZ_BASE_HASH);
    return nz_load32(in + NZ_BASE_BYTES - 4) == (uint32_t)nz_hash(in, NZ_BASE_BYTES - 4);
}

bool nz_base_is(const nz_base *b, const uint8_t hash[NZ_BASE_HASH], uint64_t size)
{
    return b && b->n == size && !memcmp(b->hash, hash, NZ_BASE_HASH);
}
