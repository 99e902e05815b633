/* The forms a slab may be coded in: each writes and reads what follows the form's number. */
#ifndef NZ_WEIGHTS_FORM_H
#define NZ_WEIGHTS_FORM_H

#include "weights/slab.h"
#include <stdbool.h>

typedef enum nz_form {
    NZ_FORM_RAW = 0,
    NZ_FORM_NUMBERS = 1, /* of a format with an exponent */
    NZ_FORM_OCTETS = 2,  /* planes of the bytes of a number */
    NZ_FORM_FIELDS = 3,  /* blocks of several fields, each a slab */
    NZ_FORM_TURBO = 4,   /* exponents of a fixed length */
    NZ_FORM_DELTA = 5,   /* told by the difference from the base's tensor; weights.c reads it, */
    NZ_FORM_MAX = 6      /* by a model that learns from slab to slab; and this */
} nz_form;

nz_err nz_numbers_encode(const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                         const nz_other *other, const uint8_t *raw, nz_buf *out);
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
nz_err nz_fields_encode(const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                        const uint8_t *raw, nz_buf *out);
nz_err nz_fields_decode(const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                        nz_span code, uint8_t *raw, size_t from, size_t n);

#endif
