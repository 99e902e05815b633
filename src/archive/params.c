#include "archive/params.h"

#include <string.h>

nz_err nz_params_load(nz_params *p, const nz_header *h, const char **reason)
{
    nz_err err = NZ_OK;
    *p = (nz_params){0};
    if (h->method == NZ_METHOD_BYTES)
        err = nz_shape_load(&p->shape, h->params);
    else if (h->method == NZ_METHOD_WEIGHTS)
        err = nz_weights_load(&p->weights, h->params);
    else if (h->method == NZ_METHOD_MIXED)
        err = nz_mixed_load(&p->mixed, h->params);
    *reason = err != NZ_E_VERSION                ? "parameters that no encoder writes"
              : p->shape.numerics == NZ_NUMERICS ? "made with a prior this build does not know"
                                                 : "made with arithmetic this build does not know";
    return err;
}

uint64_t nz_params_memory(const nz_params *p, const nz_header *h)
{
    switch (h->method) {
    case NZ_METHOD_BYTES: return nz_shape_memory(&p->shape);
    case NZ_METHOD_WEIGHTS: return nz_weights_memory(&p->weights);
    case NZ_METHOD_MIXED: return nz_mixed_memory(&p->mixed);
    default: return 0;
    }
}

nz_err nz_params_decode(const nz_params *p, const nz_header *h, const nz_run *run,
                        const nz_weights_base *base, const uint8_t *payload, uint8_t *raw,
                        size_t from, size_t n)
{
    size_t packed = (size_t)h->packed, size = (size_t)h->raw;
    switch (h->method) {
    case NZ_METHOD_BYTES: return nz_bytes_decode(&p->shape, run, payload, packed, raw, size);
    case NZ_METHOD_WEIGHTS:
        return nz_weights_decode(&p->weights, run, base, payload, packed, raw, size, from, n);
    case NZ_METHOD_MIXED: return nz_mixed_decode(&p->mixed, run, payload, packed, raw, size);
    default: memcpy(raw, payload + from, n); return NZ_OK;
    }
}
