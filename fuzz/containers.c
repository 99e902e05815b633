/* Any bytes may come in, in any pieces: the tensors are the same, in order, apart and whole. */
#include "base/base.h"
#include "containers/scan.h"

#include <stdlib.h>

static void check(bool good)
{
    if (!good)
        abort();
}

static nz_scan *scan_of(const uint8_t *in, size_t n, size_t piece)
{
    nz_scan *s;
    check(nz_scan_new(&s) == NZ_OK);
    for (size_t at = 0; at < n; at += piece)
        check(nz_scan_put(s, in + at, n - at < piece ? n - at : piece) == NZ_OK);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    if (n == 0)
        return 0;
    nz_scan *whole = scan_of(in, n, n), *cut = scan_of(in, n, 1 + in[n - 1] % 64);
    size_t a, b;
    const nz_tensor *t = nz_scan_tensors(whole, &a), *u = nz_scan_tensors(cut, &b);
    check(a == b && nz_scan_container(whole) == nz_scan_container(cut));
    check(nz_scan_over(whole) == nz_scan_over(cut));
    uint64_t end = 0;
    for (size_t i = 0; i < a; i++) {
        check(t[i].at == u[i].at && t[i].bytes == u[i].bytes && t[i].dtype == u[i].dtype);
        check(!strcmp(t[i].name, u[i].name) && t[i].dims == u[i].dims);
        check(!t[i].dims || !memcmp(t[i].dim, u[i].dim, t[i].dims * sizeof *t[i].dim));
        check(t[i].at >= end && t[i].at <= UINT64_MAX - t[i].bytes);
        end = t[i].at + t[i].bytes;
        nz_tensor again = t[i];
        check(nz_tensor_shape(&again, t[i].dtype, t[i].dim, t[i].dims));
        check(again.bytes == t[i].bytes);
    }
    nz_scan_free(whole);
    nz_scan_free(cut);
    return 0;
}
