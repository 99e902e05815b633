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

static nz_form form_of(const nz_slab *s, nz_weights_mode mode, const uint8_t *raw)
{
    if (mode == NZ_MODE_TURBO && nz_turbo_suits(s, raw))
        return NZ_FORM_TURBO;
    if (nz_number_of(s->dtype))
        return NZ_FORM_NUMBERS;
    if (nz_fields_known(s->dtype))
        return NZ_FORM_FIELDS;
    return nz_dtype_about(s->dtype)->bytes <= NZ_OCTETS_MAX ? NZ_FORM_OCTETS : NZ_FORM_RAW;
}

/* Encoding, perhaps in several forms, each of which takes the place of the one before. */
typedef struct attempt {
    const nz_slab *slab;
    const nz_kern *kern;
    nz_tables *tables;
    const nz_other *other;
    const uint8_t *raw;
    nz_buf *out;
    size_t start, tables_before;
} attempt;

static nz_err attempt_as(attempt *a, nz_form form, bool *repeats)
{
    const nz_slab *s = a->slab;
    nz_buf *out = a->out;
    out->n = a->start;
    a->tables->n = a->tables_before; /* nobody else has seen those that were added */
    nz_buf_byte(out, form);
    switch (form) {
    case NZ_FORM_NUMBERS:
        return nz_numbers_encode(s, a->kern, a->tables, a->other, a->raw, out, repeats);
    case NZ_FORM_OCTETS: return nz_octets_encode(s, a->kern, a->tables, NULL, a->raw, out);
    case NZ_FORM_FIELDS: return nz_fields_encode(s, a->kern, a->tables, NULL, a->raw, out);
    case NZ_FORM_TURBO: return nz_turbo_encode(s, a->kern, a->raw, out);
    case NZ_FORM_DELTA:
    case NZ_FORM_MAX:
    case NZ_FORM_RAW: break;
    }
    nz_buf_put(out, a->raw, (size_t)nz_slab_bytes(s));
    return NZ_OK;
}

/* As octets too, where repeats may show better: that code takes the other's place unless it is
 * larger. */
static nz_err attempt_octets(attempt *a)
{
    nz_tables tables = {0};
    nz_buf out = {0};
    attempt b = {a->slab, a->kern, &tables, a->other, a->raw, &out, 0, a->tables_before};
    nz_err err = NZ_OK;
    for (size_t i = 0; i < a->tables_before && !err; i++)
        err = nz_tables_add(&tables, &a->tables->table[i]);
    if (!err)
        err = attempt_as(&b, NZ_FORM_OCTETS, NULL);
    if (!err && out.failed)
        err = NZ_E_MEM;
    if (!err && out.n <= a->out->n - a->start) {
        nz_tables other = *a->tables;
        *a->tables = tables;
        tables = other;
        a->out->n = a->start;
        nz_buf_put(a->out, out.p, out.n);
    }
    nz_tables_free(&tables);
    nz_buf_free(&out);
    return err;
}

bool nz_slab_follows(nz_span code)
{
    return nz_span_byte(&code) == NZ_FORM_NUMBERS && nz_span_byte(&code) >> 2;
}

nz_err nz_slab_encode(const nz_slab *s, nz_weights_mode mode, const nz_kern *kern,
                      nz_tables *tables, const nz_other *other, const uint8_t *raw, nz_buf *out)
{
    nz_form form = form_of(s, mode, raw);
    bool repeats = false;
    attempt a = {s, kern, tables, other, raw, out, out->n, tables->n};
    nz_err err = attempt_as(&a, form, &repeats);
    if (!err && repeats)
        err = attempt_octets(&a);
    if (!err && !out->failed && out->n - a.start > nz_slab_bytes(s) + 1)
        err = attempt_as(&a, NZ_FORM_RAW, &repeats);
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
        return nz_fields_decode(s, kern, tables, NULL, code, raw, (size_t)from, (size_t)n);
    case NZ_FORM_TURBO: return nz_turbo_decode(s, kern, code, raw, (size_t)from, (size_t)n);
    default: return NZ_E_CORRUPT;
    }
}
