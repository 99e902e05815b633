/* The headers of an archive, to bytes and back: pure functions, formats/archive.md in code. */
#ifndef NZ_ARCHIVE_FORMAT_H
#define NZ_ARCHIVE_FORMAT_H

#include "backend/hash.h"
#include "base/varint.h"
#include "model/bytes.h"
#include "nz.h"

#define NZ_FORMAT_VERSION 1
#define NZ_MAGIC_BYTES    4
#define NZ_HEAD_BYTES     8
#define NZ_TAG_FRAME      0xf0
#define NZ_TAG_END        0xe0
#define NZ_HEADER_BYTES   (1 + 2 * NZ_VARINT_BYTES + NZ_SHAPE_BYTES + 8 + 4) /* the longest */
/* Frames in one archive, so that its index stays below 11 MiB; then another archive starts. */
#define NZ_INDEX_FRAMES (UINT64_C(1) << 20)

typedef enum nz_method {
    NZ_METHOD_STORED = 0,
    NZ_METHOD_BYTES = 1,
    NZ_METHOD_WEIGHTS = 2,
    NZ_METHOD_KV = 3,
    NZ_METHOD_LLM = 4,
    NZ_METHOD_MIXED = 5,
} nz_method;

/* A frame's header. */
typedef struct nz_header {
    nz_method method;
    uint64_t raw, packed; /* packed == raw when stored */
    uint64_t hash;        /* XXH3-64 of the raw bytes */
    uint8_t params[NZ_SHAPE_BYTES];
    size_t size; /* of the header itself; nz_header_load() sets it */
} nz_header;

/* What the end says about the frames before it. Starts as {0}. */
typedef struct nz_index {
    uint64_t frames, raw, packed; /* packed: headers included */
    uint64_t directory;           /* bytes of the section behind the frames; 0: there is none */
    uint8_t *entries;
    size_t n, cap;
} nz_index;

uint32_t nz_check32(const void *p, size_t n); /* the low half of nz_hash() */

void nz_head_store(uint8_t out[NZ_HEAD_BYTES]);
/* Of `n` bytes, which may be fewer: NZ_E_MAGIC, NZ_E_TRUNCATED, NZ_E_CORRUPT or NZ_E_VERSION. */
nz_err nz_head_load(const uint8_t *in, size_t n, const char **reason);

size_t nz_header_store(const nz_header *h, uint8_t out[NZ_HEADER_BYTES]);
/* NZ_E_TRUNCATED: more than `n` bytes are needed, and what is there may be right. */
nz_err nz_header_load(nz_header *h, const uint8_t *in, size_t n, const char **reason);

/* One more frame, of `packed` bytes with its header. NZ_E_MEM; NZ_E_CORRUPT: there are too many. */
nz_err nz_index_add(nz_index *x, uint64_t packed, uint64_t raw);
/* The whole end; the caller frees *out. */
nz_err nz_index_store(const nz_index *x, uint8_t **out, size_t *n);
/* The end that in[0..n) ends with, of *size bytes. The entries stay in `in`: *x is not to be reset.
 * NZ_E_TRUNCATED: there is none; NZ_E_CORRUPT: it is damaged, or no encoder's. */
nz_err nz_index_load(nz_index *x, const uint8_t *in, size_t n, size_t *size, const char **reason);
void nz_index_reset(nz_index *x); /* frees; {0} again */

#endif
