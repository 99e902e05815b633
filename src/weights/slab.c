#include "weights/slab.h"
#include "base/base.h"
#include "weights/form.h"
#include "weights/number.h"

const char *nz_slab_form(unsigned form)
{
    static const char *const NAMES[] = {
        [NZ_FORM_RAW] = "stored",    [NZ_FORM_NUMBERS] = "numbers", [NZ_FORM_OCTETS] = "bytes",
        [NZ_FORM_FIELDS] = "fields", [NZ_FORM_TURBO] = "turbo",     [NZ_FORM_DELTA] = "delta",
        [NZ_FORM_MAX] = "max"};
    return form < sizeof NAMES / sizeof *NAMES ? NAMES[form] : "unknown";
}

uint64_t nz_slab_bytes(const nz_slab *s)
{
    return s->n * nz_dtype_about(s->dtype)->bytes;
}

static nz_form form_of(nz_dtype dtype)
{
    if (nz_number_of(dtype))
        return NZ_FORM_NUMBERS;
    if (nz_fields_known(dtype))
        return NZ_FORM_FIELDS;
    return nz_dtype_about(dtype)->bytes <= NZ_OCTETS_MAX ? NZ_FORM_OCTETS : NZ_FORM_RAW;
}

static nz_err encode_as(nz_form form, const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                        const nz_other *other, const uint8_t *raw, nz_buf *out)
{
    nz_buf_byte(out, form);
    switch (form) {
    case NZ_FORM_NUMBERS: return nz_numbers_encode(s, kern, tables, other, raw, out);
    case NZ_FORM_OCTETS: return nz_octets_encode(s, kern, tables, NULL, raw, out);
    case NZ_FORM_FIELDS: return nz_fields_encode(s, kern, tables, raw, out);
    case NZ_FORM_TURBO:
    case NZ_FORM_DELTA:
    case NZ_FORM_MAX:
    case NZ_FORM_RAW: break;
    }
    nz_buf_put(out, raw, (size_t)nz_slab_bytes(s));
    return NZ_OK;
}

bool nz_slab_follows(nz_span code)
{
    return nz_span_byte(&code) == NZ_FORM_NUMBERS && nz_span_byte(&code) >> 2;
}

nz_err nz_slab_encode(const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                      const nz_other *other, const uint8_t *raw, nz_buf *out)
{
    size_t start = out->n, had = tables->n;
    nz_err err = encode_as(form_of(s->dtype), s, kern, tables, other, raw, out);
    if (!err && !out->failed && out->n - start > nz_slab_bytes(s) + 1) {
        out->n = start;
        tables->n = had; /* nobody else has seen those it added */
        err = encode_as(NZ_FORM_RAW, s, kern, tables, NULL, raw, out);
    }
    return !err && out->failed ? NZ_E_MEM : err;
}

nz_err nz_slab_decode(const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                      const nz_other *other, nz_span code, uint8_t *raw, uint64_t from, uint64_t n)
{
    size_t bytes = nz_dtype_about(s->dtype)->bytes;
    if (code.bad || from > s->n || n > s->n - from)
        return NZ_E_CORRUPT;
    switch (nz_span_byte(&code)) {
    case NZ_FORM_RAW:
        if (nz_span_left(&code) != nz_slab_bytes(s))
            return NZ_E_CORRUPT;
        memcpy(raw, code.at + from * bytes, (size_t)n * bytes);
        return NZ_OK;
    case NZ_FORM_NUMBERS:
        return nz_numbers_decode(s, kern, tables, other, code, raw, (size_t)from, (size_t)n);
    case NZ_FORM_OCTETS:
        return nz_octets_decode(s, kern, tables, NULL, code, raw, (size_t)from, (size_t)n);
    case NZ_FORM_FIELDS:
        return nz_fields_decode(s, kern, tables, code, raw, (size_t)from, (size_t)n);
    default: return NZ_E_CORRUPT;
    }
}
