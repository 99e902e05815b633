/* The blocks of ggml: scales, minima and quants lie mixed in memory and are told apart here. Each
 * field is a slab of its own. Quants that are measured from a minimum are spread by how far it lies
 * from zero, in units of their scale: that, from the fields before, is their set.
 * Layouts: ggml-common.h of llama.cpp. */
#include "base/base.h"
#include "weights/explain.h"
#include "weights/form.h"

#include <stdlib.h>

typedef struct field {
    nz_dtype dtype;
    uint8_t at, count; /* bytes before it in a block; elements */
    nz_part part;
} field;

enum { FIELDS_MAX = 6, RATIO_SETS = 16 };

typedef struct layout {
    uint8_t dtype, fields;
    /* Fields with the scale, the minimum, which follows it, and the quants that they spread; the
     * first is the scale. 0: there is none. */
    uint8_t scale, minimum, quants;
    field field[FIELDS_MAX];
} layout;

#define F16(at)                          \
    {                                    \
        NZ_DT_F16, at, 1, NZ_PART_SCALES \
    }
#define MINIMUM(at)                      \
    {                                    \
        NZ_DT_F16, at, 1, NZ_PART_MINIMA \
    }
#define S8(at, n)                       \
    {                                   \
        NZ_DT_U8, at, n, NZ_PART_SCALES \
    }
#define U8(at, n)                       \
    {                                   \
        NZ_DT_U8, at, n, NZ_PART_QUANTS \
    }
#define I8(at, n)                       \
    {                                   \
        NZ_DT_I8, at, n, NZ_PART_QUANTS \
    }

static const layout LAYOUTS[] = {
    {NZ_DT_Q4_0, 2, 0, 0, 0, {F16(0), U8(2, 16)}},
    {NZ_DT_Q4_1, 3, 0, 1, 2, {F16(0), MINIMUM(2), U8(4, 16)}},
    {NZ_DT_Q5_0, 3, 0, 0, 0, {F16(0), U8(2, 4), U8(6, 16)}},
    {NZ_DT_Q5_1, 4, 0, 1, 3, {F16(0), MINIMUM(2), U8(4, 4), U8(8, 16)}},
    {NZ_DT_Q8_0, 2, 0, 0, 0, {F16(0), I8(2, 32)}},
    {NZ_DT_Q8_1, 3, 0, 0, 0, {F16(0), F16(2), I8(4, 32)}},
    {NZ_DT_Q2_K, 4, 0, 1, 0, {F16(80), MINIMUM(82), S8(0, 16), U8(16, 64)}},
    {NZ_DT_Q3_K, 4, 0, 0, 0, {F16(108), S8(96, 12), U8(0, 32), U8(32, 64)}},
    {NZ_DT_Q4_K, 4, 0, 1, 0, {F16(0), MINIMUM(2), S8(4, 12), U8(16, 128)}},
    {NZ_DT_Q5_K, 5, 0, 1, 0, {F16(0), MINIMUM(2), S8(4, 12), U8(16, 32), U8(48, 128)}},
    {NZ_DT_Q6_K,
     4,
     0,
     0,
     0,
     {F16(208), {NZ_DT_I8, 192, 16, NZ_PART_SCALES}, U8(0, 128), U8(128, 64)}},
    {NZ_DT_IQ4_NL, 2, 0, 0, 0, {F16(0), U8(2, 16)}},
    {NZ_DT_IQ4_XS, 4, 0, 0, 0, {F16(0), S8(2, 2), S8(4, 4), U8(8, 128)}},
    {NZ_DT_IQ2_XXS, 2, 0, 0, 0, {F16(0), U8(2, 64)}},
    {NZ_DT_IQ2_XS, 3, 0, 0, 0, {F16(0), U8(2, 64), S8(66, 8)}},
    {NZ_DT_IQ2_S, 4, 0, 0, 0, {F16(0), U8(2, 64), U8(66, 8), S8(74, 8)}},
    {NZ_DT_IQ3_XXS, 3, 0, 0, 0, {F16(0), U8(2, 64), U8(66, 32)}},
    {NZ_DT_IQ3_S, 5, 0, 0, 0, {F16(0), U8(2, 64), U8(66, 8), U8(74, 32), S8(106, 4)}},
    {NZ_DT_IQ1_S, 3, 0, 0, 0, {F16(0), U8(2, 32), U8(34, 16)}},
    {NZ_DT_IQ1_M, 3, 0, 0, 0, {U8(0, 32), U8(32, 16), S8(48, 8)}},
    {NZ_DT_TQ1_0, 3, 0, 0, 0, {F16(52), U8(0, 48), U8(48, 4)}},
    {NZ_DT_TQ2_0, 2, 0, 0, 0, {F16(64), U8(0, 64)}},
    {NZ_DT_MXFP4, 2, 0, 0, 0, {S8(0, 1), U8(1, 16)}},
};

static const layout *layout_of(nz_dtype dtype)
{
    for (size_t i = 0; i < sizeof LAYOUTS / sizeof *LAYOUTS; i++)
        if (LAYOUTS[i].dtype == dtype)
            return &LAYOUTS[i];
    return NULL;
}

bool nz_fields_known(nz_dtype dtype)
{
    return layout_of(dtype) != NULL;
}

/* Whether a field is for somebody else to code. */
static bool left_out(const nz_quants *without, const field *f)
{
    return without && f->at >= without->at && f->at < without->at + without->size;
}

static size_t field_bytes(const field *f)
{
    return f->count * nz_dtype_about(f->dtype)->bytes;
}

static nz_slab field_slab(const nz_slab *s, const field *f)
{
    return (nz_slab){f->dtype, s->n * f->count, s->row * f->count};
}

static void gather(uint8_t *to, const uint8_t *raw, size_t block, const field *f, size_t n)
{
    size_t bytes = field_bytes(f);
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * bytes, raw + i * block + f->at, bytes);
}

static void scatter(uint8_t *raw, const uint8_t *from, size_t block, const field *f, size_t n)
{
    size_t bytes = field_bytes(f);
    for (size_t i = 0; i < n; i++)
        memcpy(raw + i * block + f->at, from + i * bytes, bytes);
}

/* The minimum over the scale: exponent and three bits of mantissa of both, subtracted, so in about
 * eighths of a binade; from 2 to 32 steps where it is usual. */
static void ratios(uint8_t *set, const uint8_t *raw, size_t block, const layout *l, size_t n)
{
    enum { FIRST = 2 << 3 };
    for (size_t i = 0; i < n; i++) {
        const uint8_t *b = raw + i * block;
        int scale = (nz_load16(b + l->field[l->scale].at) & 0x7fff) >> 7;
        int minimum = (nz_load16(b + l->field[l->minimum].at) & 0x7fff) >> 7;
        int r = minimum - scale - FIRST;
        set[i] = (uint8_t)(r < 0 ? 0 : r < RATIO_SETS ? r : RATIO_SETS - 1);
    }
}

nz_err nz_fields_encode(const nz_slab *s, const nz_kern *kern, nz_tables *tables,
                        const nz_quants *without, const uint8_t *raw, nz_buf *out)
{
    const layout *l = layout_of(s->dtype);
    size_t block = nz_dtype_about(s->dtype)->bytes, n = (size_t)s->n;
    uint8_t *part = malloc(n * (block + 3)), *set = part + n * block, *scale = set + n;
    nz_buf codes = {0};
    nz_err err = part ? NZ_OK : NZ_E_MEM;
    for (unsigned k = 0; k < l->fields && !err; k++) {
        const field *f = &l->field[k];
        nz_slab slab = field_slab(s, f);
        size_t before = codes.n;
        if (left_out(without, f))
            continue;
        gather(part, raw, block, f, n);
        if (k == 0 && l->minimum)
            gather(scale, raw, block, f, n);
        if (l->quants && k == l->quants) {
            ratios(set, raw, block, l, n);
            nz_known known = {set, n, field_bytes(f), 0, RATIO_SETS};
            err = nz_octets_encode(&slab, kern, tables, &known, part, &codes);
        } else {
            nz_other other = {NZ_DT_F16, 0, n, scale};
            bool follows = l->minimum && k == l->minimum;
            err = nz_slab_encode(&slab, NZ_MODE_FAST, kern, tables, follows ? &other : NULL, part,
                                 &codes);
        }
        nz_buf_varint(out, codes.n - before);
    }
    nz_buf_put(out, codes.p, codes.n);
    if (!err && (codes.failed || out->failed))
        err = NZ_E_MEM;
    nz_buf_free(&codes);
    free(part);
    return err;
}

nz_err nz_fields_decode(const nz_slab *s, const nz_kern *kern, const nz_tables *tables,
                        const nz_quants *without, nz_span code, uint8_t *raw, size_t from, size_t n)
{
    const layout *l = layout_of(s->dtype);
    if (!l)
        return NZ_E_CORRUPT;
    size_t block = nz_dtype_about(s->dtype)->bytes;
    /* What other fields follow is needed from the start of their chunks on, and the minima's are
     * the longest: there all fields start. */
    size_t start = l->minimum ? from - from % NZ_CHUNK : from;
    size_t count = from + n - start;
    uint8_t *part = malloc(count * (2 * block + 3)), *whole = part + count * block;
    uint8_t *set = whole + count * block, *scale = set + count;
    nz_span sizes = code;
    nz_err err = part ? NZ_OK : NZ_E_MEM;
    if (without && !err)
        memset(whole, 0, count * block);
    for (unsigned k = 0; k < l->fields; k++)
        if (!left_out(without, &l->field[k]))
            nz_span_varint(&code);
    for (unsigned k = 0; k < l->fields && !err; k++) {
        const field *f = &l->field[k];
        if (left_out(without, f))
            continue;
        nz_slab slab = field_slab(s, f);
        nz_span one = nz_span_cut(&code, nz_span_varint(&sizes));
        if (one.bad) {
            err = NZ_E_CORRUPT;
        } else if (l->quants && k == l->quants) {
            ratios(set, whole, block, l, count);
            nz_known known = {set, count, field_bytes(f), start * field_bytes(f), RATIO_SETS};
            err = nz_octets_decode(&slab, kern, tables, &known, one, part, start * f->count,
                                   count * f->count);
        } else {
            nz_other other = {NZ_DT_F16, start, count, scale};
            bool follows = l->minimum && k == l->minimum;
            err = nz_slab_decode(&slab, kern, tables, follows ? &other : NULL, one, part,
                                 start * f->count, count * f->count);
        }
        if (!err)
            scatter(whole, part, block, f, count);
        if (!err && k == 0 && l->minimum)
            memcpy(scale, part, count * field_bytes(f));
    }
    if (!err && nz_span_left(&code))
        err = NZ_E_CORRUPT;
    if (!err)
        memcpy(raw, whole + (from - start) * block, n * block);
    free(part);
    return err;
}

bool nz_fields_raw(nz_dtype dtype, uint64_t n, uint64_t bits[NZ_PARTS])
{
    const layout *l = layout_of(dtype);
    for (unsigned k = 0; l && k < l->fields; k++)
        bits[l->field[k].part] += 8 * n * field_bytes(&l->field[k]);
    return l;
}

nz_err nz_fields_explain(const nz_slab *s, const nz_quants *without, nz_span code,
                         uint64_t bits[NZ_PARTS])
{
    const layout *l = layout_of(s->dtype);
    nz_span sizes = code;
    if (!l)
        return NZ_E_CORRUPT;
    for (unsigned k = 0; k < l->fields; k++)
        if (!left_out(without, &l->field[k]))
            nz_span_varint(&code);
    for (unsigned k = 0; k < l->fields; k++) {
        if (left_out(without, &l->field[k]))
            continue;
        nz_span one = nz_span_cut(&code, nz_span_varint(&sizes));
        bits[l->field[k].part] += 8 * (uint64_t)nz_span_left(&one);
    }
    return code.bad || nz_span_left(&code) ? NZ_E_CORRUPT : NZ_OK;
}
