#include "tensor.h"

bool nz_tensor_shape(nz_tensor *t, nz_dtype dtype, const uint64_t *dim, size_t dims)
{
    const nz_dtype_info *info = nz_dtype_about(dtype);
    nz_tensor r = *t;
    r.dtype = dtype;
    r.dims = 0;
    size_t fold = dims > NZ_DIMS_MAX ? dims - NZ_DIMS_MAX : 0;
    for (size_t i = 0; i < dims; i++) {
        if (i == 0 || i > fold)
            r.dim[r.dims++] = dim[i];
        else if (__builtin_mul_overflow(r.dim[0], dim[i], &r.dim[0]))
            return false;
    }
    uint64_t row = r.dims ? r.dim[r.dims - 1] : 1;
    if (row % info->elements)
        return false;
    r.bytes = info->bytes;
    if (__builtin_mul_overflow(r.bytes, row / info->elements, &r.bytes))
        return false;
    /* A dim of 0 makes the tensor empty, however large the others are. */
    for (unsigned i = 0; i < r.dims; i++)
        if (r.dim[i] == 0)
            r.bytes = 0;
    for (unsigned i = 0; r.bytes && i + 1 < r.dims; i++)
        if (__builtin_mul_overflow(r.bytes, r.dim[i], &r.bytes))
            return false;
    *t = r;
    return true;
}

void nz_tensor_bytes(nz_tensor *t, uint64_t bytes)
{
    t->dtype = NZ_DT_BYTES;
    t->dims = 1;
    t->dim[0] = bytes;
    t->bytes = bytes;
}
