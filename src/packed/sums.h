/* The checks that packed files hold of their bytes. */
#ifndef NZ_PACKED_SUMS_H
#define NZ_PACKED_SUMS_H

#include "base/base.h"

/* Of all bytes so far, which begin with a sum of 0; */
uint32_t nz_crc32(uint32_t sum, const uint8_t *p, size_t n);
/* with one of 1. */
uint32_t nz_adler32(uint32_t sum, const uint8_t *p, size_t n);

#endif
