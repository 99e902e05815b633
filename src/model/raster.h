/* Uncompressed images: how their bytes stand in rows, from the header they begin with. */
#ifndef NZ_MODEL_RASTER_H
#define NZ_MODEL_RASTER_H

#include "base/base.h"

#include <stdbool.h>

enum { NZ_PIXEL_MAX = 4 };

typedef struct nz_raster {
    uint16_t row;   /* bytes from one row to the next */
    uint16_t first; /* where a row begins, below row */
    uint8_t pixel; /* bytes, one for each plane; 0: a byte is eight pixels, the first one highest */
} nz_raster;

bool nz_raster_valid(const nz_raster *r);
/* An image of 8-bit samples or 1-bit pixels behind a header of PNM, BMP or TIFF. */
bool nz_raster_find(nz_raster *r, const uint8_t *raw, size_t n);

#endif
