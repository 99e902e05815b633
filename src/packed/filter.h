/* The filters of PNG (its specification, 2003, section 9): every row of pixels stands behind a byte
 * that tells by which of five rules its bytes were made differences from their neighbours. */
#ifndef NZ_PACKED_FILTER_H
#define NZ_PACKED_FILTER_H

#include "base/base.h"

#include <stdbool.h>

enum { NZ_PNG_FILTERS = 5 };

/* Of `rows` rows of `row` bytes each and a filter's: the pixels, and the filters' types. `pixel`:
 * bytes of one, at least 1. False: there is no such filter. */
bool nz_png_unfilter(uint8_t *pixels, uint8_t *types, const uint8_t *filtered, size_t rows,
                     size_t row, size_t pixel);
/* And back. */
bool nz_png_filter(uint8_t *filtered, const uint8_t *pixels, const uint8_t *types, size_t rows,
                   size_t row, size_t pixel);

#endif
