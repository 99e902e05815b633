/* A slab: one tensor, or some rows of it, the unit that is coded in one way.
 *
 * Numbers with an exponent become symbols relative to their scale (scale.h) and planes of rest;
 * numbers without become planes of bytes; both are coded in chunks, so that a part can be read
 * without the rest. Whichever form is smallest by a sample is taken. */
#ifndef NZ_WEIGHTS_SLAB_H
#define NZ_WEIGHTS_SLAB_H

#include "containers/dtype.h"
#include "weights/chunks.h"
#include "weights/table.h"
#include <stdbool.h>

/* The widest element coded as planes of its bytes. */
#define NZ_OCTETS_MAX 16

typedef struct nz_slab {
    nz_dtype dtype;
    uint64_t n;   /* blocks of the dtype; for plain numbers: numbers */
    uint64_t row; /* blocks a row, at least 1 */
} nz_slab;

uint64_t nz_slab_bytes(const nz_slab *s);

/* A slab of as many elements that another's scale may follow (scale.h); NULL where there is none.
 * Reading needs it from the start of the chunk of the first element that is read to the last. */
typedef struct nz_other {
    nz_dtype dtype;
    size_t first, n;    /* elements that raw holds */
    const uint8_t *raw; /* not of the memory that is read into */
} nz_other;

/* Appends the code of a slab; `tables` gains what it needs. NZ_E_MEM. */
nz_err nz_slab_encode(const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                      const nz_other *other, const uint8_t *raw, nz_buf *out);
/* Whether a code needs the other slab to be read. */
bool nz_slab_follows(nz_span code);
/* Blocks from..from + n of the slab into raw. Any code is safe. NZ_E_CORRUPT, NZ_E_MEM. */
nz_err nz_slab_decode(const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                      const nz_other *other, nz_span code, uint8_t *raw, uint64_t from, uint64_t n);
/* What codes of this first byte are called in a listing: "numbers"; "unknown" when there are none.
 */
const char *nz_slab_form(unsigned form);

#endif
