/* Bytes that grow while they are written, bytes that shrink while they are read. Neither needs its
 * errors asked for at every step: a failed buffer takes nothing more, a bad span gives zeros. */
#ifndef NZ_BASE_BUF_H
#define NZ_BASE_BUF_H

#include "base/pool.h"

typedef struct nz_buf {
    uint8_t *p; /* the owner frees it with nz_buf_free(); NULL while empty */
    size_t n, cap;
    bool failed;   /* there was no memory */
    nz_pool *pool; /* where large ones get it from; NULL: malloc() */
} nz_buf;

void nz_buf_free(nz_buf *b); /* empty again */
/* Room for n more bytes behind the last, to be counted into b->n by the caller; NULL: failed. */
uint8_t *nz_buf_room(nz_buf *b, size_t n);
void nz_buf_put(nz_buf *b, const void *p, size_t n);
void nz_buf_byte(nz_buf *b, unsigned v);
void nz_buf_int16(nz_buf *b, int v); /* two bytes, the lower first */
void nz_buf_varint(nz_buf *b, uint64_t v);

typedef struct nz_span {
    const uint8_t *at, *end;
    bool bad; /* there was less than asked for, or no varint where one must be */
} nz_span;

nz_span nz_span_of(const void *p, size_t n);
size_t nz_span_left(const nz_span *s);
/* The next n bytes, or an empty span that is bad, as `s` is from then on. */
nz_span nz_span_cut(nz_span *s, uint64_t n);
unsigned nz_span_byte(nz_span *s);
int16_t nz_span_int16(nz_span *s);
uint64_t nz_span_varint(nz_span *s);

#endif
