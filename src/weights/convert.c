#include "weights/convert.h"
#include "weights/value.h"

static bool is_float(nz_dtype dtype)
{
    const nz_value *f = nz_value_of(dtype);
    return f && f->exponent;
}

bool nz_convert_can(nz_dtype from, nz_dtype to)
{
    return from == to || (is_float(from) && is_float(to));
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

/* What overflows becomes infinity, or the largest number where there is none. */
static uint64_t convert_one(const nz_value *t, const nz_value *f, uint64_t v)
{
    nz_value_parts p = nz_value_split(f, v);
    int e = p.exponent;
    uint64_t m = p.mantissa;
    const int f_most = nz_value_exponent_max(f), t_most = nz_value_exponent_max(t);
    const uint64_t infinity = (uint64_t)t_most << t->mantissa;
    uint64_t out;
    if (e == f_most && (!nz_value_is_finite(f) || m == 7)) {
        out = m ? infinity | nz_value_mask(t->mantissa) : infinity;
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
        uint64_t most = nz_value_is_finite(t) ? infinity | 6 : infinity - 1;
        if (m == 0)
            out = 0;
        else if (out > most)
            out = nz_value_is_finite(t) ? most : infinity;
    }
    return (uint64_t)p.sign << (t->bits - 1) | out;
}

void nz_convert(nz_dtype to, uint8_t *raw, nz_dtype from, const uint8_t *base, size_t n)
{
    if (to == from) {
        memcpy(raw, base, n * nz_dtype_about(to)->bytes);
        return;
    }
    const nz_value *t = nz_value_of(to), *f = nz_value_of(from);
    for (size_t i = 0; i < n; i++) {
        uint64_t v = nz_value_load(f, base + i * (f->bits / 8));
        nz_value_store(t, raw + i * (t->bits / 8), convert_one(t, f, v));
    }
}
