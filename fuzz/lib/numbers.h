/* Tensors' bytes that are long, though drawn from few: what is there is said again with changes, or
 * numbers around a scale as weights are. */
#ifndef NZ_FUZZ_NUMBERS_H
#define NZ_FUZZ_NUMBERS_H

#include "containers/dtype.h"
#include "fuzz.h"

/* Some are no type. */
static nz_dtype dtype_from(nz_span *from)
{
    unsigned v = choose(from, NZ_DT_END);
    for (unsigned i = 0; i < NZ_DT_END; i++)
        if (nz_dtype_about((v + i) % NZ_DT_END))
            return (nz_dtype)((v + i) % NZ_DT_END);
    return NZ_DT_BYTES;
}

static uint32_t next_random(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

/* The high bytes of numbers of `bytes` each move little. */
static void put_noise(nz_buf *to, nz_span *from, size_t n, unsigned bytes)
{
    uint32_t s = 1 + choose(from, 65536);
    unsigned middle = choose(from, 256), wide = choose(from, 32), zeros = choose(from, 4);
    for (size_t i = 0; i < n; i++) {
        uint32_t v = next_random(&s) >> 8;
        bool high = bytes && i % bytes == bytes - 1, low = bytes > 2 && i % bytes < zeros;
        nz_buf_byte(to, high ? (middle + (v & v >> 8) % (wide + 1)) & 255 : low ? 0 : v & 255);
    }
}

/* A piece again and again, one byte of it another each time. */
static void put_again(nz_buf *to, nz_span *from, size_t n)
{
    nz_span piece = choose_bytes(from, 1 + choose(from, 64));
    size_t m = nz_span_left(&piece);
    unsigned step = choose(from, 256), place = choose(from, 64);
    for (size_t i = 0; i < n; i++) {
        unsigned v = m ? piece.at[i % m] : 0;
        nz_buf_byte(to, m && i % m == place % m ? (v + i / m * step) & 255 : v);
    }
}

/* n bytes of numbers of `bytes` each. */
static void put_numbers(nz_buf *to, nz_span *from, size_t n, unsigned bytes)
{
    unsigned how = choose(from, 4);
    if (how == 0) {
        nz_span plain = choose_bytes(from, n);
        nz_buf_put(to, plain.at, nz_span_left(&plain));
        n -= nz_span_left(&plain);
    }
    if (how < 3)
        put_noise(to, from, n, how == 2 ? 0 : bytes);
    else
        put_again(to, from, n);
    check(!to->failed);
}

#endif
