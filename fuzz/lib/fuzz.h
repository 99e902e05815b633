/* What all targets share: promises that are kept or the fuzzer stops, and choices drawn from its
 * bytes. */
#ifndef NZ_FUZZ_FUZZ_H
#define NZ_FUZZ_FUZZ_H

#include "base/base.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define check(good) ((good) ? (void)0 : broken(__FILE__, __LINE__, #good))

static inline void broken(const char *file, int line, const char *promise)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, promise);
    abort();
}

#define check_same(a, a_n, b, b_n) check(same(a, a_n, b, b_n))

static inline bool same(const void *a, size_t a_n, const void *b, size_t b_n)
{
    return a_n == b_n && (!a_n || !memcmp(a, b, a_n));
}

/* n zeroed bytes, exactly: a byte too far is seen. */
static inline uint8_t *room_for(size_t n)
{
    uint8_t *p = calloc(n ? n : 1, 1);
    check(p);
    return p;
}

/* A number below n, at most 65536; 0 when all bytes are used up. */
static inline unsigned choose(nz_span *from, unsigned n)
{
    unsigned v = nz_span_byte(from);
    if (n > 256)
        v |= nz_span_byte(from) << 8;
    return v % n;
}

/* The last n bytes, which are cut off: what is chosen there leaves a file in front as it is. */
static inline nz_span choices_of(const uint8_t *in, size_t *in_n, size_t n)
{
    n = n < *in_n ? n : *in_n;
    *in_n -= n;
    return nz_span_of(in + *in_n, n);
}

/* Up to n of the bytes left. */
static inline nz_span choose_bytes(nz_span *from, size_t n)
{
    size_t left = nz_span_left(from);
    return nz_span_cut(from, n < left ? n : left);
}

#endif
