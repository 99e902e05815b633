/* A tensor in a stream of bytes: what it is called, what it holds and where it lies. */
#ifndef NZ_CONTAINERS_TENSOR_H
#define NZ_CONTAINERS_TENSOR_H

#include "dtype.h"

#include <stdbool.h>
#include <stdint.h>

#define NZ_DIMS_MAX 8

typedef struct nz_tensor {
    char *name; /* as the container spells it, UTF-8 by its rules but not checked; never NULL */
    nz_dtype dtype;
    unsigned dims;             /* 0 for a single number */
    uint64_t dim[NZ_DIMS_MAX]; /* slowest first: elements along the last lie side by side */
    uint64_t at, bytes;        /* its data in the stream; no bytes when a dim is 0 */
} nz_tensor;

/* Sets dtype (one there is), dims, dim and bytes. More than NZ_DIMS_MAX dims are folded into the
 * first. False when a product does not fit or a row does not hold whole blocks; t is then as it
 * was. */
bool nz_tensor_shape(nz_tensor *t, nz_dtype dtype, const uint64_t *dim, size_t dims);
/* Of NZ_DT_BYTES and one dim. */
void nz_tensor_bytes(nz_tensor *t, uint64_t bytes);

#endif
