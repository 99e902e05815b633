/* A slab told by its difference from another: the same tensor of a base file.
 *
 * Both are read as integers that ascend with the numbers, the base first brought to the slab's
 * format; fine-tuning moves a number by little, so the difference is short. Its length, with the
 * two bits below the first, is a symbol, of a set by the base's exponent, which tells how far a
 * step of training goes in units of the last place; the other bits follow as they are. */
#ifndef NZ_WEIGHTS_DELTA_H
#define NZ_WEIGHTS_DELTA_H

#include "weights/slab.h"

/* Blocks of types without an exponent differ as bytes do. `base` holds as many blocks as the slab,
 * of a type that nz_convert_can() bring to the slab's. NZ_E_MEM. */
nz_err nz_delta_encode(const nz_slab *s, const nz_kern *kern, nz_tables *tables, const uint8_t *raw,
                       nz_dtype base_dtype, const uint8_t *base, nz_buf *out);
/* Blocks from..from + n. Any code is safe. NZ_E_CORRUPT, NZ_E_MEM. */
nz_err nz_delta_decode(const nz_slab *s, const nz_kern *kern, const nz_tables *tables, nz_span code,
                       nz_dtype base_dtype, const uint8_t *base, uint8_t *raw, uint64_t from,
                       uint64_t n);

#endif
