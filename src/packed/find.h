/* Where deflate streams may begin: behind the headers of gzip and of zip members, in PNG images,
 * and behind headers of zlib, in PDF and elsewhere. Whether one is there, inflating tells. */
#ifndef NZ_PACKED_FIND_H
#define NZ_PACKED_FIND_H

#include "base/base.h"
#include "base/buf.h"

typedef enum nz_wrap {
    NZ_WRAP_NONE, /* a zip member: nothing is around the stream that depends on it, */
    NZ_WRAP_GZIP, /* its bytes' CRC-32 and number follow, */
    NZ_WRAP_ZLIB, /* their Adler-32 follows, */
    NZ_WRAP_PNG,  /* or zlib's whole format is cut into chunks with a CRC-32 each */
    NZ_WRAPS
} nz_wrap;

typedef struct nz_found {
    nz_wrap wrap;
    size_t from; /* where what shows it begins, */
    size_t at;   /* and the stream itself, or PNG's first chunk of it */
    /* PNG's: bytes of a row, with its filter's, 0 when interlaced; of a pixel; bits of a sample. */
    unsigned row, pixel, depth;
} nz_found;

/* The first at `from` or behind it; false: there is none. Of *waste, bytes that may be read in
 * vain, those are taken that were; with the last of them the search ends. */
bool nz_find(nz_found *found, const uint8_t *p, size_t n, size_t from, uint64_t *waste);

enum { NZ_PNG_FRAME = 12 /* bytes around a chunk's own */ };

/* The bytes of the PNG chunk at p, which says IDAT and has the right check; false: it is none. */
bool nz_png_data(nz_span *data, const uint8_t *p, size_t n);
/* What was read in vain there for a check that is wrong. */
void nz_png_waste(uint64_t *waste, const uint8_t *p, size_t n);
/* Puts such a chunk around the n bytes at p. */
void nz_png_put(nz_buf *to, const uint8_t *p, size_t n);

#endif
