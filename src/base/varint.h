/* Numbers of 7 bits a byte, low bits first, the top bit set on all but the last byte; at most 10
 * bytes and only the shortest form. */
#ifndef NZ_BASE_VARINT_H
#define NZ_BASE_VARINT_H

#include <stddef.h>
#include <stdint.h>

#define NZ_VARINT_BYTES 10 /* the longest */

size_t nz_varint_store(uint8_t out[NZ_VARINT_BYTES], uint64_t v);
/* Bytes read; 0: `n` bytes are not enough; more than NZ_VARINT_BYTES: not a varint. */
size_t nz_varint_load(uint64_t *v, const uint8_t *in, size_t n);

#endif
