#include "weights/convert.h"
#include "base/base.h"

#include <string.h>

typedef struct format {
    nz_dtype dtype;
    uint8_t bytes, exponent, mantissa;
} format;

static const format FORMATS[] = {
    {NZ_DT_F64, 8, 11, 52}, {NZ_DT_F32, 4, 8, 23},    {NZ_DT_F16, 2, 5, 10},
    {NZ_DT_BF16, 2, 8, 7},  {NZ_DT_F8_E4M3, 1, 4, 3}, {NZ_DT_F8_E5M2, 1, 5, 2},
};

static const format *format_of(nz_dtype dtype)
{
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
        if (FORMATS[i].dtype == dtype)
            return &FORMATS[i];
    return NULL;
}

bool nz_convert_can(nz_dtype from, nz_dtype to)
{
    return from == to || (format_of(from) && format_of(to));
}

static uint64_t shift_round(uint64_t m, int down)
{
    if (down <= 0)
        return m << -down;
    if (down > 63)
        return 0;
    uint64_t half = UINT64_C(1) << (down - 1), rest = m & ((half << 1) - 1), q = m >> down;
    return q + (rest > half || (rest == half && (q & 1)));
}

/* E4M3 has no infinity: what would be one is its NaN. */
static uint64_t convert_one(const format *t, const format *f, uint64_t v)
{
    uint64_t sign = v >> (f->exponent + f->mantissa) & 1;
    int e = (int)(v >> f->mantissa & ((UINT64_C(1) << f->exponent) - 1));
    uint64_t m = v & ((UINT64_C(1) << f->mantissa) - 1);
    const int f_most = (1 << f->exponent) - 1, t_most = (1 << t->exponent) - 1;
    const uint64_t infinity = (uint64_t)t_most << t->mantissa;
    uint64_t out;
    if (e == f_most && (f->dtype != NZ_DT_F8_E4M3 || m == 7)) {
        out = m ? infinity | ((UINT64_C(1) << t->mantissa) - 1) : infinity;
    } else {
        /* As a normal number with its leading one, m below 2^(mantissa + 1). */
        int exponent = e - (f_most >> 1), bias = t_most >> 1;
        if (e == 0) {
            exponent++;
            while (m && !(m >> f->mantissa)) {
                m <<= 1;
                exponent--;
            }
        } else {
            m |= UINT64_C(1) << f->mantissa;
        }
        int te = exponent + bias, down = f->mantissa - t->mantissa;
        if (te < 1) {
            out = shift_round(m, down + 1 - te); /* subnormal; may round up to normal */
        } else {
            /* The leading one adds itself to the exponent, and so does rounding up. */
            out = ((uint64_t)(te - 1) << t->mantissa) + shift_round(m, down);
        }
        uint64_t most = t->dtype == NZ_DT_F8_E4M3 ? infinity | 6 : infinity - 1;
        if (m == 0)
            out = 0;
        else if (out > most)
            out = t->dtype == NZ_DT_F8_E4M3 ? most : infinity;
    }
    return sign << (t->exponent + t->mantissa) | out;
}

void nz_convert(nz_dtype to, uint8_t *raw, nz_dtype from, const uint8_t *base, size_t n)
{
    if (to == from) {
        memcpy(raw, base, n * nz_dtype_about(to)->bytes);
        return;
    }
    const format *t = format_of(to), *f = format_of(from);
    for (size_t i = 0; i < n; i++) {
        uint64_t v = nz_load(base + i * f->bytes, f->bytes);
        nz_store(raw + i * t->bytes, convert_one(t, f, v), t->bytes);
    }
}
