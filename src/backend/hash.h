/* XXH3-64, seed 0. */
#ifndef NZ_BACKEND_HASH_H
#define NZ_BACKEND_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t nz_hash(const void *p, size_t n);

uint64_t nz_hash_avx2(const void *p, size_t n); /* where there is AVX2 */

#endif
