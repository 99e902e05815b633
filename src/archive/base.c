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
};

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
    size_t count = 0;
    const nz_tensor *t = err ? NULL : nz_scan_tensors(b->scan, &count);
    if (!err)
        err = nz_by_name_make(&b->by_name, t, count);
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
    free(b);
}

nz_weights_base nz_base_view(const nz_base *b)
{
    return b ? (nz_weights_base){b->p, b->n} : (nz_weights_base){0};
}

const nz_tensor *nz_base_find(const nz_base *b, const nz_tensor *t)
{
    const nz_tensor *found = b ? nz_by_name_find(&b->by_name, t->name) : NULL;
    if (!found)
        return NULL;
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
