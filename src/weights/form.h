/* The forms a slab may be coded in: each writes and reads what follows the form's number. */
#ifndef NZ_WEIGHTS_FORM_H
#define NZ_WEIGHTS_FORM_H

#include "weights/lz.h"
#include "weights/plane.h"
#include "weights/quants.h"
#include "weights/slab.h"
#include <stdbool.h>

typedef enum nz_form {
    NZ_FORM_RAW = 0,
    NZ_FORM_NUMBERS = 1, /* of a format with an exponent */
    NZ_FORM_OCTETS = 2,  /* planes of the bytes of a number */
    NZ_FORM_FIELDS = 3,  /* blocks of several fields, each a slab */
    NZ_FORM_TURBO = 4,   /* exponents of almost fixed length */
    NZ_FORM_DELTA = 5,   /* told by the difference from the base's tensor; weights.c reads it, */
    NZ_FORM_MAX = 6      /* by a model that learns from slab to slab; and this */
} nz_form;

/* Elements a chunk of a slab with these planes: more where repeats are told, which lie far apart.
 */
static inline size_t nz_slab_chunk(const nz_plane *planes, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (planes[k].kind == NZ_PLANE_LZ)
            return NZ_LZ_MOST;
    return NZ_CHUNK;
}

/* *repeats: there are some, and taking numbers apart may have hidden more. */
nz_err nz_numbers_encode(const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                         const nz_other *other, const uint8_t *raw, nz_buf *out, bool *repeats);
nz_err nz_numbers_decode(const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                         const nz_other *other, nz_span code, uint8_t *raw, size_t from, size_t n);

/* What is known of elements besides: set[(i - first) / each] is the set of element i. Reading needs
 * the sets from the start of the chunk of the first element it reads to its last. */
typedef struct nz_known {
    const uint8_t *set; /* [count]; NULL: nothing is known */
    size_t count, each, first;
    unsigned sets;
} nz_known;

/* Elements of any plain type; `known` may be NULL. */
nz_err nz_octets_encode(const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                        const nz_known *known, const uint8_t *raw, nz_buf *out);
nz_err nz_octets_decode(const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                        const nz_known *known, nz_span code, uint8_t *raw, size_t from, size_t n);

/* Whether blocks of this type have fields that are known here. */
bool nz_fields_known(nz_dtype dtype);
/* without: not the fields of these quants, which are read as zeros; NULL: all. */
nz_err nz_fields_encode(const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                        const nz_quants *without, const uint8_t *raw, nz_buf *out);
nz_err nz_fields_decode(const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                        const nz_quants *without, nz_span code, uint8_t *raw, size_t from,
                        size_t n);

/* Whether the form is for numbers of this type, and a sample shows that it saves what it can. */
bool nz_turbo_suits(const nz_slab *s, const uint8_t *raw);
nz_err nz_turbo_encode(const nz_slab *s, const nz_kern *kern, const uint8_t *raw, nz_buf *out);
nz_err nz_turbo_decode(const nz_slab *s, const nz_kern *kern, nz_span code, uint8_t *raw,
                       size_t from, size_t n);

#endif
