/* Uncompressed images: how their bytes stand in rows. */
#ifndef NZ_MODEL_RASTER_H
#define NZ_MODEL_RASTER_H

#include "base/base.h"

#include <stdbool.h>

enum { NZ_PLANES_MAX = 4 };

typedef enum nz_sample {
    NZ_SAMPLE_8,
    NZ_SAMPLE_16,        /* big-endian */
    NZ_SAMPLE_16_LITTLE, /* little-endian: two bytes change places before they are coded */
    NZ_SAMPLES
} nz_sample;

typedef struct nz_raster {
    uint16_t row;   /* bytes from one row to the next */
    uint16_t first; /* where a row begins, below row */
    uint8_t pixel;  /* bytes; 0: a byte is eight pixels, the first one highest */
    uint8_t sample; /* nz_sample: how a plane of a pixel is stored */
} nz_raster;

/* Bytes of a sample. */
NZ_INLINE uint32_t nz_sample_bytes(uint32_t sample)
{
    return sample == NZ_SAMPLE_8 ? 1 : 2;
}

bool nz_raster_valid(const nz_raster *r);

typedef struct nz_picture {
    nz_raster raster;
    size_t from, bytes; /* its rows, as far as they are there */
} nz_picture;

/* An image of 8-bit or 16-bit samples or 1-bit pixels behind the header of PNM, BMP or TIFF that
 * begins here. */
bool nz_picture_find(nz_picture *p, const uint8_t *raw, size_t n);
/* The same, if it is at least three quarters of all. */
bool nz_raster_find(nz_raster *r, const uint8_t *raw, size_t n);
/* Without one: what is coded best as an image, judged by a few pieces. */
bool nz_raster_guess(nz_raster *r, const uint8_t *raw, size_t n);

#endif
