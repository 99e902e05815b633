/* Numbers of one float format as those of another, rounded to nearest, ties to even: what a base
 * holds, in the format of what is packed. Integers do it, so every machine agrees; a NaN stays one.
 */
#ifndef NZ_WEIGHTS_CONVERT_H
#define NZ_WEIGHTS_CONVERT_H

#include "containers/dtype.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether numbers of `from` can be had as numbers of `to`: F64, F32, F16, BF16, F8_E4M3, F8_E5M2,
 * and every type as itself. */
bool nz_convert_can(nz_dtype from, nz_dtype to);
/* n numbers; raw and base lie anywhere and do not overlap. */
void nz_convert(nz_dtype to, uint8_t *raw, nz_dtype from, const uint8_t *base, size_t n);

#endif
