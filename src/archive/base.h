/* Behind nz_base: a file in memory and its tensors, to be found by name or by what they hold. */
#ifndef NZ_ARCHIVE_BASE_H
#define NZ_ARCHIVE_BASE_H

#include "containers/tensor.h"
#include "weights/weights.h"

#define NZ_TAG_BASE   0xc0
#define NZ_BASE_BYTES (1 + NZ_BASE_HASH + 8 + 4) /* tag, hash, size, check */

nz_weights_base nz_base_view(const nz_base *b); /* NULL: {0} */
/* A tensor that can serve as the base of n bytes of `t`, its from-th on, which are at raw: one of
 * its size with these very bytes in that place, or the one of its name. NULL: there is none. */
const nz_tensor *nz_base_find(const nz_base *b, const nz_tensor *t, const uint8_t *raw,
                              uint64_t from, size_t n);

/* The section that names a base. */
void nz_base_store(const nz_base *b, uint8_t out[NZ_BASE_BYTES]);
/* False: the check does not match. */
bool nz_base_load(uint8_t hash[NZ_BASE_HASH], uint64_t *size, const uint8_t in[NZ_BASE_BYTES]);
/* Whether it is the one that a section names. NZ_E_BASE. */
nz_err nz_base_fits(const nz_base *b, const uint8_t hash[NZ_BASE_HASH], uint64_t size,
                    const char **reason);

#endif
