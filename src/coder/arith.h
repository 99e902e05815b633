/* 32-bit binary arithmetic coder with 16-bit probabilities (carry-less range, as in lpaq).
 *
 * The interval [lo, hi] is inclusive. For p in [1, 65535] and lo < hi the split
 * mid = lo + ((hi - lo) * p >> 16) satisfies lo <= mid < hi, so neither half is ever empty, and
 * bytes are shifted out while the leading bytes agree, which keeps hi - lo >= 2^16 or the leading
 * bytes adjacent; both ends cost at most four bytes. */
#ifndef NZ_CODER_ARITH_H
#define NZ_CODER_ARITH_H

#include "base/base.h"

typedef struct nz_arith {
    uint32_t lo, hi, code; /* code: decoder only */
    uint8_t *at, *end;     /* output, or input; past the end the decoder reads zeros */
    int over; /* encoder: the output did not fit; decoder: bytes read past the end, up to 5 */
} nz_arith;

/* `out` may be NULL, with no room: what is written is lost and never too much. */
void nz_arith_write(nz_arith *a, uint8_t *out, size_t cap);
void nz_arith_read(nz_arith *a, const uint8_t *in, size_t n);
/* Writes what is left; returns 0 when all of it fitted. */
int nz_arith_flush(nz_arith *a);
/* After the last bit was read: 0 when the input ends exactly as nz_arith_flush() would end it. */
int nz_arith_check(const nz_arith *a);

NZ_INLINE uint32_t nz_arith_mid(const nz_arith *a, uint32_t p)
{
    return a->lo + (uint32_t)(((uint64_t)(a->hi - a->lo) * p) >> 16);
}

/* Leading bytes that agree go out. */
NZ_INLINE void nz_arith_shift_out(nz_arith *a)
{
    while (NZ_UNLIKELY(!((a->lo ^ a->hi) >> 24))) {
        if (a->at < a->end)
            *a->at++ = (uint8_t)(a->hi >> 24);
        else
            a->over = a->end != NULL;
        a->lo <<= 8;
        a->hi = a->hi << 8 | 255;
    }
}

/* p: probability of a one, 1..65535 of 65536. */
NZ_INLINE void nz_arith_encode(nz_arith *a, uint32_t p, int bit)
{
    uint32_t mid = nz_arith_mid(a, p);
    if (bit)
        a->hi = mid;
    else
        a->lo = mid + 1;
    nz_arith_shift_out(a);
}

NZ_INLINE uint32_t nz_arith_next(nz_arith *a)
{
    if (NZ_LIKELY(a->at < a->end))
        return *a->at++;
    a->over += a->over < 5;
    return 0;
}

NZ_INLINE void nz_arith_shift_in(nz_arith *a)
{
    while (NZ_UNLIKELY(!((a->lo ^ a->hi) >> 24))) {
        a->lo <<= 8;
        a->hi = a->hi << 8 | 255;
        a->code = a->code << 8 | nz_arith_next(a);
    }
}

/* The bit is each branch's own constant, not the comparison's result: what follows runs ahead on
 * the processor's guess instead of waiting. */
NZ_INLINE int nz_arith_decode(nz_arith *a, uint32_t p)
{
    uint32_t mid = nz_arith_mid(a, p);
    int bit = 0;
    if (a->code <= mid) {
        a->hi = mid;
        bit = 1;
        NZ_OPAQUE(bit);
    } else {
        a->lo = mid + 1;
    }
    nz_arith_shift_in(a);
    return bit;
}

/* ---- Bits that nothing predicts, `bits` <= 8 at a time and without a branch on any ---- */

/* The part of the interval that v selects, of 2^bits equal ones; the last takes the rest. */
NZ_INLINE void nz_arith_take(nz_arith *a, uint32_t part, uint32_t v, int bits)
{
    a->lo += part * v;
    if (v + 1 < 1u << bits)
        a->hi = a->lo + part - 1;
}

/* Parts are exact enough unless the interval is narrow, which it is now and then. */
NZ_INLINE int nz_arith_wide(const nz_arith *a)
{
    return NZ_LIKELY(a->hi - a->lo >= 1u << 24);
}

NZ_INLINE void nz_arith_encode_even(nz_arith *a, uint32_t v, int bits)
{
    if (!nz_arith_wide(a)) {
        while (bits--)
            nz_arith_encode(a, 1 << 15, v >> bits & 1);
        return;
    }
    nz_arith_take(a, (a->hi - a->lo) >> bits, v, bits);
    nz_arith_shift_out(a);
}

NZ_INLINE uint32_t nz_arith_decode_even(nz_arith *a, int bits)
{
    uint32_t v = 0;
    if (!nz_arith_wide(a)) {
        while (bits--)
            v = v << 1 | (uint32_t)nz_arith_decode(a, 1 << 15);
        return v;
    }
    uint32_t part = (a->hi - a->lo) >> bits, most = (1u << bits) - 1;
    v = (a->code - a->lo) / part;
    v = v < most ? v : most;
    nz_arith_take(a, part, v, bits);
    nz_arith_shift_in(a);
    return v;
}

#endif
