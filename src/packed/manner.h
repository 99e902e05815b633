/* How a deflate stream was made, in the parameters of zlib. */
#ifndef NZ_PACKED_MANNER_H
#define NZ_PACKED_MANNER_H

#include "base/base.h"
#include "nz.h"

#include <stdbool.h>

typedef struct nz_manner {
    unsigned level;  /* 1 to 9 */
    unsigned window; /* log2 of bytes, 9 to 15 */
    unsigned memory; /* 1 to 9: hashes have 7 bits more, blocks 2^(memory + 6) - 1 tokens */
    bool filtered;   /* matches of up to 5 bytes are not worth it */
    bool gzip;       /* blocks as gzip and zip end them: 32767 tokens, or earlier */
} nz_manner;

enum {
    NZ_MANNER_BYTES = 2,
    NZ_GZIP_STEP = 4096, /* tokens, after which gzip may end a block, */
    NZ_GZIP_FULL = 32767 /* and does */
};

/* The tokens that fill a block. */
static inline size_t nz_manner_full(const nz_manner *m)
{
    return m->gzip ? NZ_GZIP_FULL : ((size_t)1 << (m->memory + 6)) - 1;
}

void nz_manner_store(const nz_manner *m, uint8_t out[NZ_MANNER_BYTES]);
bool nz_manner_load(nz_manner *m, const uint8_t in[NZ_MANNER_BYTES]); /* false: there is no such */

/* The one that comes closest to a stream, a good one, and its bytes. NZ_E_MEM, NZ_E_CORRUPT. */
nz_err nz_manner_find(nz_manner *best, const uint8_t *packed, size_t packed_n, const uint8_t *raw,
                      size_t raw_n);

#endif
