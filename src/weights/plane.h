/* A plane: bytes that mean the same thing, one after the other, coded in chunks by rANS, as they
 * are, as one value, or by their repeats. Its bytes may belong to several sets, each with a table
 * of its own.
 *
 * A plane of repeats is five planes of one set each, the streams of weights/lz.h in their order;
 * none of them is of repeats again. A chunk tells as varints the steps, the literals and the bytes
 * of extra bits; then comes that much of the five. Of no bytes there is no code at all. */
#ifndef NZ_WEIGHTS_PLANE_H
#define NZ_WEIGHTS_PLANE_H

#include "weights/table.h"

#define NZ_PLANE_SETS 16

typedef enum nz_plane_kind {
    NZ_PLANE_RAW = 0,
    NZ_PLANE_FILL = 1,
    NZ_PLANE_RANS = 2,
    NZ_PLANE_LZ = 3
} nz_plane_kind;

typedef struct nz_plane_repeats nz_plane_repeats;

typedef struct nz_plane {
    nz_plane_kind kind;
    uint8_t fill;
    unsigned sets;                 /* 1 to NZ_PLANE_SETS */
    uint16_t table[NZ_PLANE_SETS]; /* of the frame's, NZ_TABLES_MAX: a set without bytes */
    nz_rans_encoder *encoder;      /* [sets], made for packing */
    nz_rans_decoder *decoder;      /* [sets], made for unpacking */
    nz_plane_repeats *repeats;     /* of NZ_PLANE_LZ, otherwise NULL */
} nz_plane;

void nz_plane_free(nz_plane *p);

/* counts[set][byte] += 1 for n bytes; `set` may be NULL: all zeros. */
void nz_plane_count(uint32_t (*counts)[256], const uint8_t *bytes, const uint8_t *set, size_t n);

/* Whether a sample of a long plane is as good as random: no need to count it all. */
bool nz_plane_is_noise(const uint8_t *bytes, size_t n);

/* Chooses how to code bytes with these counts, and makes the encoder. */
nz_err nz_plane_choose(nz_plane *p, nz_tables *tables, uint32_t (*counts)[256], unsigned sets);

/* The same, but may choose NZ_PLANE_LZ, for the repeats in the n bytes that the counts are of
 * (NULL: for none). Then `chunk`, at most NZ_LZ_MOST, must be the size of all chunks but the last:
 * repeats lie further apart than other chunks reach. */
nz_err nz_plane_choose_repeats(nz_plane *p, nz_tables *tables, uint32_t (*counts)[256],
                               unsigned sets, const uint8_t *bytes, size_t n, size_t chunk);

void nz_plane_store(const nz_plane *p, nz_buf *out);
/* Makes the decoder. NZ_E_CORRUPT, NZ_E_MEM. Sets of bytes to decode must be below p->sets. */
nz_err nz_plane_load(nz_plane *p, const nz_tables *tables, nz_span *in);

/* One chunk, with its size in front where it needs one; those of an NZ_PLANE_LZ once each, in
 * order: they were parsed when it was chosen. */
void nz_plane_encode(const nz_plane *p, const nz_kern *kern, const uint8_t *bytes,
                     const uint8_t *set, size_t n, nz_buf *out);

/* The same, in strips: all but the last are multiples of NZ_RANS_LANES bytes. Of an NZ_PLANE_LZ one
 * chunk may be open at a time: the plane holds its bytes. */
typedef struct nz_plane_reader {
    const nz_plane *plane;
    nz_span code;
    nz_rans rans;
    size_t n;        /* of NZ_PLANE_LZ: bytes not yet unpacked, */
    nz_err unpacked; /* and whether that went well */
} nz_plane_reader;

/* Takes a chunk of n bytes from `in`. NZ_E_CORRUPT, NZ_E_MEM. */
nz_err nz_plane_open(nz_plane_reader *r, const nz_plane *p, size_t n, nz_span *in);
/* n of its bytes: copied to `to`, or, where they lie somewhere as they are, in place. */
const uint8_t *nz_plane_read(nz_plane_reader *r, const nz_kern *kern, const uint8_t *set,
                             uint8_t *to, size_t n);
/* After the last byte of the chunk: NZ_E_CORRUPT if its code says so. */
nz_err nz_plane_close(const nz_plane_reader *r);

/* A short plane, all of it at once: how it is coded, and the code. Does nothing when *err is set.
 */
void nz_plane_whole_store(const uint8_t *bytes, size_t n, const nz_kern *kern, nz_tables *tables,
                          nz_buf *out, nz_err *err);
nz_err nz_plane_whole_load(uint8_t *bytes, size_t n, const nz_kern *kern, const nz_tables *tables,
                           nz_span *in);

#endif
