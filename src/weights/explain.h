/* What the bits of a frame's slabs are spent on.
 *
 * Planes hold parts of numbers together: a symbol is an exponent and the upper bits of a mantissa.
 * The chain rule takes them apart. Under the table in use an exponent costs -log2 of what all
 * symbols of that exponent have together; what a symbol costs beyond that is the mantissa's, or the
 * sign's where it ends the symbol. A code's bits are shared out in these proportions, so the parts
 * of a slab add up to its code. */
#ifndef NZ_WEIGHTS_EXPLAIN_H
#define NZ_WEIGHTS_EXPLAIN_H

#include "weights/max.h"
#include "weights/plane.h"
#include "weights/quants.h"
#include "weights/weights.h"

/* One pass over the slabs of a frame. */
typedef struct nz_explain {
    const nz_weights *weights;
    const nz_run *run;
    const nz_weights_base *base; /* needed for slabs that follow a difference: NZ_E_BASE */
    nz_weights_map map;
    nz_tables tables;
    nz_max *max;
    nz_coded before; /* the last slab and its code */
    nz_span before_code;
} nz_explain;

nz_err nz_explain_open(nz_explain *x, const nz_weights *w, const nz_run *run,
                       const nz_weights_base *base, const uint8_t *in, size_t packed, size_t size);
void nz_explain_close(nz_explain *x);
/* *more: false after the last slab. Sets *c and *parts; parts->packed adds up to all of its code.
 */
nz_err nz_explain_next(nz_explain *x, nz_coded *c, nz_tensor_parts *parts, bool *more);

/* Adds the bits that n blocks have as they are. */
void nz_explain_raw(nz_dtype dtype, uint64_t n, uint64_t bits[NZ_PARTS]);

/* ---- What the forms tell with ---- */

/* Which bytes of a plane have the same exponent, and which of those the same mantissa: classes. */
typedef struct nz_alike {
    uint8_t exponent[256], mantissa[256];
} nz_alike;

/* Of bytes in which these bits are an exponent's and a sign's; all others are a mantissa's. */
void nz_alike_masks(nz_alike *a, unsigned exponent, unsigned sign);

/* Adds what the next chunk in `in`, n bytes of a plane, spends on sign, exponent and mantissa.
 * `set` may be NULL, `counts` of the bytes too. NZ_E_CORRUPT, NZ_E_MEM. */
nz_err nz_explain_plane(const nz_plane *p, const nz_tables *tables, const nz_kern *kern,
                        const uint8_t *set, size_t n, const nz_alike *alike, nz_span *in,
                        uint64_t bits[NZ_PARTS], uint32_t counts[256]);

/* ---- The forms: what follows a form's number ---- */

nz_err nz_numbers_explain(const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                          const nz_other *other, nz_span code, uint64_t bits[NZ_PARTS]);
/* Of floats only. */
nz_err nz_octets_explain(const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                         const nz_value *format, nz_span code, uint64_t bits[NZ_PARTS]);
nz_err nz_turbo_explain(const nz_slab *s, nz_span code, uint64_t bits[NZ_PARTS]);
/* without: as in nz_fields_decode(). */
nz_err nz_fields_explain(const nz_slab *s, const nz_quants *without, nz_span code,
                         uint64_t bits[NZ_PARTS]);
/* False: blocks of this type have no fields that are known. */
bool nz_fields_raw(nz_dtype dtype, uint64_t n, uint64_t bits[NZ_PARTS]);

#endif
