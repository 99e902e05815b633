#include "base/varint.h"

size_t nz_varint_store(uint8_t out[NZ_VARINT_BYTES], uint64_t v)
{
    size_t n = 0;
    for (; v >= 128; v >>= 7)
        out[n++] = (uint8_t)(v | 128);
    out[n++] = (uint8_t)v;
    return n;
}

size_t nz_varint_load(uint64_t *v, const uint8_t *in, size_t n)
{
    *v = 0;
    for (size_t i = 0; i < n && i < NZ_VARINT_BYTES; i++) {
        /* The tenth byte holds bit 63 alone. */
        if (i == NZ_VARINT_BYTES - 1 && in[i] > 1)
            break;
        *v |= (uint64_t)(in[i] & 127) << 7 * i;
        if (in[i] < 128)
            return i && !in[i] ? NZ_VARINT_BYTES + 1 : i + 1;
    }
    return n < NZ_VARINT_BYTES ? 0 : NZ_VARINT_BYTES + 1;
}
