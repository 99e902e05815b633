#include "weights/explain.h"
#include "base/base.h"
#include "base/log.h"
#include "weights/form.h"

#include <stdlib.h>

enum { STRIP = 4096 };

/* ---- Planes ---- */

void nz_alike_masks(nz_alike *a, unsigned exponent, unsigned sign)
{
    for (unsigned b = 0; b < 256; b++) {
        a->exponent[b] = (uint8_t)(b & exponent);
        a->mantissa[b] = (uint8_t)(b & ~sign);
    }
}

/* What frequencies the bytes of a set are coded by. A plane of repeats has none: how often each
 * byte comes must do. */
static void frequencies(uint32_t freq[256], const nz_plane *p, const nz_tables *tables,
                        unsigned set, const uint32_t counts[256])
{
    bool table = p->kind == NZ_PLANE_RANS && p->table[set] < tables->n;
    for (unsigned b = 0; b < 256; b++)
        freq[b] = table                    ? tables->table[p->table[set]].freq[b]
                  : p->kind == NZ_PLANE_LZ ? counts[b]
                                           : 1;
}

/* What it costs to tell only the classes of the bytes counted, in 1/256 bit. */
static uint64_t cost(const uint32_t counts[256], const uint32_t freq[256], const uint8_t class[256])
{
    uint32_t all = 0, part[256] = {0}, n[256] = {0};
    uint64_t sum = 0;
    for (unsigned b = 0; b < 256; b++) {
        all += freq[b];
        part[class[b]] += freq[b];
        n[class[b]] += counts[b];
    }
    for (unsigned c = 0; c < 256; c++)
        if (n[c] && part[c])
            sum += (uint64_t)n[c] * (nz_log2(all) - nz_log2(part[c]));
    return sum >> (NZ_LOG_BITS - 8);
}

/* So much of size as `part` is of `whole`. */
static uint64_t share(uint64_t size, uint64_t part, uint64_t whole)
{
    for (; whole >> 28; whole >>= 1) /* sizes of frames have 34 bits */
        part >>= 1;
    return whole ? size * part / whole : 0;
}

nz_err nz_explain_plane(const nz_plane *p, const nz_tables *tables, const nz_kern *kern,
                        const uint8_t *set, size_t n, const nz_alike *alike, nz_span *in,
                        uint64_t bits[NZ_PARTS], uint32_t counts[256])
{
    uint32_t seen[NZ_PLANE_SETS][256] = {{0}}, freq[256];
    uint8_t strip[STRIP], all[256];
    nz_plane_reader r;
    size_t left = nz_span_left(in);
    nz_err err = nz_plane_open(&r, p, n, in);
    if (err)
        return err;
    for (size_t i = 0; i < n; i += STRIP) {
        size_t m = n - i < STRIP ? n - i : STRIP;
        const uint8_t *sets = p->sets > 1 ? set + i : NULL;
        nz_plane_count(seen, nz_plane_read(&r, kern, sets, strip, m), sets, m);
    }
    if ((err = nz_plane_close(&r)))
        return err;
    uint64_t exponent = 0, number = 0, whole = 0, size = 8 * (uint64_t)(left - nz_span_left(in));
    for (unsigned b = 0; b < 256; b++)
        all[b] = (uint8_t)b;
    for (unsigned s = 0; s < p->sets; s++) {
        frequencies(freq, p, tables, s, seen[s]);
        exponent += cost(seen[s], freq, alike->exponent);
        number += cost(seen[s], freq, alike->mantissa);
        whole += cost(seen[s], freq, all);
        for (unsigned b = 0; counts && b < 256; b++)
            counts[b] += seen[s][b];
    }
    exponent = share(size, exponent, whole);
    number = share(size, number, whole);
    bits[NZ_PART_EXPONENT] += exponent;
    bits[NZ_PART_MANTISSA] += number - exponent;
    bits[NZ_PART_SIGN] += share(size, whole, whole) - number;
    return NZ_OK;
}

/* ---- Slabs ---- */

void nz_explain_raw(nz_dtype dtype, uint64_t n, uint64_t bits[NZ_PARTS])
{
    const nz_value *v = nz_value_of(dtype);
    if (v && v->exponent) {
        bits[NZ_PART_SIGN] += n;
        bits[NZ_PART_EXPONENT] += n * v->exponent;
        bits[NZ_PART_MANTISSA] += n * v->mantissa;
    } else if (!nz_fields_raw(dtype, n, bits)) {
        bits[NZ_PART_VALUE] += 8 * n * nz_dtype_about(dtype)->bytes;
    }
}

static nz_err explain_max(nz_explain *x, const nz_slab *s, nz_span code, uint64_t bits[NZ_PARTS])
{
    const nz_value *v = nz_value_of(s->dtype);
    const nz_quants *quants = nz_quants_of(s->dtype);
    nz_max_spent spent = {0};
    nz_span rest = code;
    uint64_t whole = 0;
    uint8_t *raw = malloc((size_t)nz_slab_bytes(s));
    nz_err err = raw ? NZ_OK : NZ_E_MEM;
    if (!err && !x->max)
        err = nz_max_new(&x->max, x->run->kern);
    if (!err) {
        nz_max_watch(x->max, &spent);
        err = nz_weights_slab_max(x->max, s, x->run->kern, &x->tables, code, raw);
        nz_max_watch(x->max, NULL);
    }
    free(raw);
    nz_span_byte(&rest);
    if (!err && quants && !quants->extreme) {
        nz_span fields = nz_span_cut(&rest, nz_span_varint(&rest));
        err = nz_fields_explain(s, quants, fields, bits);
    }
    if (err)
        return err;
    uint64_t size = 8 * (uint64_t)nz_span_left(&rest);
    if (v && !v->exponent) {
        bits[NZ_PART_VALUE] += size;
        return NZ_OK;
    }
    for (unsigned k = 0; k < NZ_PARTS; k++)
        whole += spent.bits[k];
    for (unsigned k = 0; k < NZ_PARTS; k++)
        bits[k] += share(size, spent.bits[k], whole);
    return NZ_OK;
}

/* The slab before, which this one follows, for the caller to free. */
static nz_err load_before(nz_explain *x, const nz_slab *s, nz_other *other, uint8_t **raw)
{
    const nz_slab *b = &x->before.placed.slab;
    nz_span code = x->before_code;
    if (!code.at || b->n != s->n || nz_slab_follows(code))
        return NZ_E_CORRUPT;
    if (x->before.form == NZ_FORM_DELTA && !x->base->p)
        return NZ_E_BASE;
    *raw = malloc((size_t)nz_slab_bytes(b));
    if (!*raw)
        return NZ_E_MEM;
    *other = (nz_other){b->dtype, 0, (size_t)b->n, *raw};
    return nz_weights_slab(b, x->run, x->base, &x->tables, NULL, code, *raw, 0, b->n);
}

static nz_err explain_numbers(nz_explain *x, const nz_slab *s, nz_span code,
                              uint64_t bits[NZ_PARTS])
{
    nz_other other = {0};
    uint8_t *raw = NULL;
    bool follows = nz_slab_follows(code);
    nz_err err = follows ? load_before(x, s, &other, &raw) : NZ_OK;
    nz_span_byte(&code);
    if (!err)
        err = nz_numbers_explain(s, x->run->kern, &x->tables, follows ? &other : NULL, code, bits);
    free(raw);
    return err;
}

static nz_err explain_slab(nz_explain *x, const nz_slab *s, nz_span code, uint64_t bits[NZ_PARTS])
{
    const nz_value *v = nz_value_of(s->dtype);
    nz_span rest = code;
    uint64_t size = 8 * (uint64_t)nz_span_left(&code);
    switch (nz_span_byte(&rest)) {
    case NZ_FORM_RAW:
        nz_explain_raw(s->dtype, s->n, bits);
        return nz_span_left(&rest) == nz_slab_bytes(s) ? NZ_OK : NZ_E_CORRUPT;
    case NZ_FORM_NUMBERS: return explain_numbers(x, s, code, bits);
    case NZ_FORM_OCTETS:
        if (v && v->exponent)
            return nz_octets_explain(s, x->run->kern, &x->tables, v, rest, bits);
        bits[NZ_PART_VALUE] += size;
        return NZ_OK;
    case NZ_FORM_FIELDS: return nz_fields_explain(s, NULL, rest, bits);
    case NZ_FORM_TURBO: return nz_turbo_explain(s, rest, bits);
    case NZ_FORM_DELTA: bits[NZ_PART_DIFFERENCE] += size; return NZ_OK;
    case NZ_FORM_MAX: return explain_max(x, s, code, bits);
    default: return NZ_E_CORRUPT;
    }
}

/* ---- Frames ---- */

nz_err nz_explain_open(nz_explain *x, const nz_weights *w, const nz_run *run,
                       const nz_weights_base *base, const uint8_t *in, size_t packed, size_t size)
{
    *x = (nz_explain){.weights = w, .run = run, .base = base};
    nz_err err = nz_weights_map_open(&x->map, in, packed, size);
    if (err)
        return err;
    nz_weights_map all = x->map;
    nz_coded c;
    while (nz_weights_map_next(&all, &c))
        ;
    return nz_tables_load(&x->tables, &all.map); /* they are what follows the map */
}

void nz_explain_close(nz_explain *x)
{
    nz_max_free(x->max);
    nz_tables_free(&x->tables);
}

nz_err nz_explain_next(nz_explain *x, nz_coded *c, nz_tensor_parts *parts, bool *more)
{
    const uint8_t *at = x->map.codes.at;
    *more = nz_weights_map_next(&x->map, c);
    if (!*more)
        return NZ_OK;
    const nz_slab *s = &c->placed.slab;
    nz_span code = nz_span_of(at, (size_t)c->packed);
    bool allowed = x->weights->mode == NZ_MODE_MAX && /* its memory was counted */
                   nz_weights_memory(x->weights) >= nz_max_memory();
    *parts = (nz_tensor_parts){0};
    nz_err err =
        c->form == NZ_FORM_MAX && !allowed ? NZ_E_CORRUPT : explain_slab(x, s, code, parts->packed);
    if (c->form == NZ_FORM_DELTA)
        parts->raw[NZ_PART_DIFFERENCE] = 8 * nz_slab_bytes(s);
    else
        nz_explain_raw(s->dtype, s->n, parts->raw);
    uint64_t told = 0;
    for (unsigned k = 0; k < NZ_PARTS; k++)
        told += parts->packed[k];
    parts->packed[NZ_PART_SIDE] += 8 * c->packed - told;
    x->before = *c;
    x->before_code = code;
    return err;
}
