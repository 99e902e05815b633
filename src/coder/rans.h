/* Static rANS over bytes (J. Duda, arXiv 1311.2540), interleaved: 12-bit frequencies, 32-bit
 * states, 16-bit words (F. Giesen, arXiv 1402.3392). Symbol i belongs to lane i mod L; all lanes
 * share one stream of words, in the order the decoder wants them, behind the lanes' states.
 *
 * There may be several tables: `set[i]` says which of them codes symbol i, NULL: the first. L is 32
 * for NZ_RANS_WIDE symbols and more, so that vectors can do the work, else 1, so that short arrays
 * do not pay for 32 states. */
#ifndef NZ_CODER_RANS_H
#define NZ_CODER_RANS_H

#include "backend/kern.h"
#include "nz.h"

#define NZ_RANS_WIDE 4096 /* symbols */

typedef struct nz_rans_encoder {
    nz_rans_symbol symbol[256];
} nz_rans_encoder;

typedef struct nz_rans_decoder {
    nz_rans_slot slot[NZ_RANS_SLOTS];
} nz_rans_decoder;

/* Frequencies sum to NZ_RANS_SLOTS and none is larger than NZ_RANS_SLOTS - 1: a table has at least
 * two symbols. A symbol of frequency 0 must not be encoded. */
void nz_rans_encoder_init(nz_rans_encoder *e, const uint16_t freq[256]);
void nz_rans_decoder_init(nz_rans_decoder *d, const uint16_t freq[256]);

/* The largest result for n symbols. */
size_t nz_rans_bound(size_t n);
/* Writes the code of n symbols so that it ends at `end` and returns its size; there must be
 * nz_rans_bound(n) bytes in front of `end`. */
size_t nz_rans_encode(const nz_kern *k, const nz_rans_encoder *tables, const uint8_t *set,
                      const uint8_t *symbols, size_t n, uint8_t *end);

/* Decoding in pieces: all but the last must be multiples of NZ_RANS_LANES symbols. */
typedef struct nz_rans {
    nz_rans_state state;
    size_t lanes;
    int over; /* words were missing: the code is corrupt, zeros were read instead */
} nz_rans;

/* `n`: of all pieces together. The code stays the caller's. */
void nz_rans_open(nz_rans *r, const uint8_t *code, size_t size, size_t n);
void nz_rans_decode(const nz_kern *k, nz_rans *r, const nz_rans_decoder *tables, const uint8_t *set,
                    uint8_t *symbols, size_t n);
/* After the last piece: NZ_E_CORRUPT unless the code ends exactly as the encoder ends it. */
nz_err nz_rans_close(const nz_rans *r);

#endif
