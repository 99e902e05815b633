/* What a frame's header says of its method: the engine that decodes it, and its parameters. */
#ifndef NZ_ARCHIVE_PARAMS_H
#define NZ_ARCHIVE_PARAMS_H

#include "archive/format.h"
#include "mixed/mixed.h"
#include "weights/weights.h"

typedef struct nz_params {
    nz_shape shape;     /* of NZ_METHOD_BYTES */
    nz_weights weights; /* of NZ_METHOD_WEIGHTS */
    nz_mixed mixed;     /* of NZ_METHOD_MIXED */
} nz_params;

/* NZ_E_VERSION, NZ_E_CORRUPT. */
nz_err nz_params_load(nz_params *p, const nz_header *h, const char **reason);
/* Bytes that decoding allocates beside the raw and the packed ones. */
uint64_t nz_params_memory(const nz_params *p, const nz_header *h);
/* Bytes from..from + n of the frame into raw; of other methods than weights all of it. */
nz_err nz_params_decode(const nz_params *p, const nz_header *h, const nz_run *run,
                        const nz_weights_base *base, const uint8_t *payload, uint8_t *raw,
                        size_t from, size_t n);

#endif
