/* Reads a raw deflate stream block by block, and refuses whatever RFC 1951 does not allow. */
#ifndef NZ_PACKED_INFLATE_H
#define NZ_PACKED_INFLATE_H

#include "deflate.h"
#include "nz.h"

typedef struct nz_inflate {
    const uint8_t *at, *end;
    uint64_t v;    /* bits read ahead, */
    unsigned n;    /* so many; */
    unsigned past; /* of them, bytes behind the end, which are zeros */
    uint64_t raw;  /* bytes that the blocks stand for so far, */
    uint64_t most; /* and at most */
} nz_inflate;

nz_inflate nz_inflate_of(const uint8_t *in, size_t n, uint64_t most);
/* Call it until b->last. NZ_E_CORRUPT; NZ_E_TRUNCATED: the stream goes on behind its n bytes;
 * NZ_E_LIMIT: more than `most`; NZ_E_MEM. */
nz_err nz_inflate_block(nz_inflate *z, nz_deflate *b);
/* The first byte not read: behind a stored block's bytes, or behind the stream. */
const uint8_t *nz_inflate_at(const nz_inflate *z);

/* The whole stream's bytes, behind those of `raw`. *used: the stream's own bytes. */
nz_err nz_inflate_all(nz_buf *raw, size_t *used, const uint8_t *in, size_t n, uint64_t most);

#endif
