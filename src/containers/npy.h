/* The header of a NumPy array: the magic, a version, its own length and a Python dict as text. */
#ifndef NZ_CONTAINERS_NPY_H
#define NZ_CONTAINERS_NPY_H

#include "tensor.h"

#define NZ_NPY_HEAD 12 /* bytes that tell the whole header's length */

/* The header's length with these first bytes; 0: not an array, or an absurd header. */
size_t nz_npy_size(const uint8_t p[NZ_NPY_HEAD]);
/* The array behind the header p[0..n); `at` and `name` are the caller's. False: none, or its bytes
 * cannot be told. */
bool nz_npy_read(nz_tensor *t, const uint8_t *p, size_t n);

#endif
