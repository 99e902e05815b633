/* A stream of bytes in any pieces: the tensors found are the same, in order, apart and whole. */
#ifndef NZ_FUZZ_SCANNED_H
#define NZ_FUZZ_SCANNED_H

#include "containers/scan.h"
#include "fuzz.h"

static nz_scan *scan_of(const uint8_t *in, size_t n, size_t piece)
{
    nz_scan *s;
    check(!nz_scan_new(&s));
    for (size_t at = 0; at < n; at += piece)
        check(!nz_scan_put(s, in + at, n - at < piece ? n - at : piece));
    return s;
}

static void check_tensors(const nz_tensor *t, const nz_tensor *u, size_t n)
{
    uint64_t end = 0;
    for (size_t i = 0; i < n; i++) {
        check(t[i].at == u[i].at && t[i].bytes == u[i].bytes && t[i].dtype == u[i].dtype);
        check(!strcmp(t[i].name, u[i].name));
        check_same(t[i].dim, t[i].dims * sizeof *t[i].dim, u[i].dim, u[i].dims * sizeof *u[i].dim);
        check(t[i].at >= end && t[i].at <= UINT64_MAX - t[i].bytes);
        end = t[i].at + t[i].bytes;
        nz_tensor again = t[i];
        check(nz_tensor_shape(&again, t[i].dtype, t[i].dim, t[i].dims));
        check(again.bytes == t[i].bytes);
    }
}

static void use_scan(const uint8_t *in, size_t n)
{
    if (!n)
        return;
    nz_scan *whole = scan_of(in, n, n), *cut = scan_of(in, n, 1 + in[n - 1] % 64);
    size_t a, b;
    const nz_tensor *t = nz_scan_tensors(whole, &a), *u = nz_scan_tensors(cut, &b);
    check(a == b && nz_scan_container(whole) == nz_scan_container(cut));
    check(nz_scan_over(whole) == nz_scan_over(cut));
    check_tensors(t, u, a);
    nz_scan_free(whole);
    nz_scan_free(cut);
}

/* With a head that is right over the first bytes, so that one format is all there is to find. */
static inline void use_scan_as(const uint8_t *in, size_t n, const void *head, size_t head_n)
{
    if (n < head_n)
        return;
    uint8_t *p = room_for(n);
    memcpy(p, in, n);
    memcpy(p, head, head_n);
    use_scan(p, n);
    free(p);
}

#endif
