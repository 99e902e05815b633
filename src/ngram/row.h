/* Tables, records and images repeat at a distance; the bytes one row above tell about the next. */
#ifndef NZ_NGRAM_ROW_H
#define NZ_NGRAM_ROW_H

#include "base/base.h"

enum { NZ_ROW_MIN = 8, NZ_ROW_MAX = 2048, NZ_ROW_STEP = 16384 /* bytes between looks */ };

/* The distance at which the last bytes before pos resemble those above them most: the one known
 * before unless another is better, or there is too little to tell. Start with NZ_ROW_MIN. */
uint32_t nz_row_find(const uint8_t *raw, uint32_t pos, uint32_t known);

#endif
