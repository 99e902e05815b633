/* ONNX: a protobuf of messages in messages, walked field by field.
 *
 * Tensors are the initializers of graphs and the values of attributes, in graphs within attributes
 * too. Protobuf has no magic, so until a graph has begun every field must be one of a model's. */
#include "parse.h"

#include <stdlib.h>

#define DEPTH_MAX  48   /* messages entered; what lies deeper is skipped */
#define STRING_MAX 1024 /* producer, domain; other protobufs have long messages there */
#define SHAPE_MAX  64
#define FIELD_MAX  20 /* bytes of a field's tag and its number or length */

enum { MODEL, GRAPH, NODE, ATTRIBUTE, TENSOR, SPARSE, FUNCTION };
enum { VARINT = 0, FIXED64 = 1, BLOCK = 2, FIXED32 = 5 };

/* Which fields are messages that may hold tensors. */
static const struct {
    uint8_t in, field, kind;
} ENTER[] = {
    {MODEL, 7, GRAPH},      {MODEL, 25, FUNCTION},   {GRAPH, 1, NODE},
    {GRAPH, 5, TENSOR},     {GRAPH, 15, SPARSE},     {NODE, 5, ATTRIBUTE},
    {ATTRIBUTE, 5, TENSOR}, {ATTRIBUTE, 6, GRAPH},   {ATTRIBUTE, 10, TENSOR},
    {ATTRIBUTE, 11, GRAPH}, {ATTRIBUTE, 22, SPARSE}, {ATTRIBUTE, 23, SPARSE},
    {SPARSE, 1, TENSOR},    {SPARSE, 2, TENSOR},     {FUNCTION, 7, NODE},
};

typedef struct text {
    size_t n;
    char c[NZ_NAME_MAX];
} text;

typedef struct onnx {
    struct {
        uint64_t end;
        uint8_t kind;
    } message[DEPTH_MAX]; /* innermost last */
    unsigned depth;
    bool known;

    /* The tensor being walked. */
    uint64_t type, dim[SHAPE_MAX];
    size_t dims;   /* SHAPE_MAX + 1: too many */
    text name;     /* its own */
    text output;   /* of the node around it: a constant's name when it has none of its own */
    uint64_t left; /* bytes of packed dims */
} onnx;

static nz_step field, packed_dims, name_text, output_text;

/* A varint at p[*at], which moves behind it. 1; 0: it goes on after n; -1: too large. */
static int varint(const uint8_t *p, size_t n, size_t *at, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (*at == n)
            return 0;
        uint8_t byte = p[(*at)++];
        if (shift == 63 && byte > 1)
            return -1;
        *v |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return 1;
    }
    return -1;
}

/* The field at `skip` from here, once the messages that end there are left. */
static nz_err next(nz_scan *s, onnx *o, uint64_t skip)
{
    uint64_t at = nz_scan_at(s) + skip;
    while (o->depth > 1 && o->message[o->depth - 1].end == at)
        o->depth--;
    nz_scan_next(s, skip, 1, field);
    return NZ_OK;
}

static nz_dtype dtype_of(uint64_t type)
{
    static const uint8_t DTYPE[] = {
        [1] = NZ_DT_F32,          [2] = NZ_DT_U8,           [3] = NZ_DT_I8,
        [4] = NZ_DT_U16,          [5] = NZ_DT_I16,          [6] = NZ_DT_I32,
        [7] = NZ_DT_I64,          [9] = NZ_DT_BOOL,         [10] = NZ_DT_F16,
        [11] = NZ_DT_F64,         [12] = NZ_DT_U32,         [13] = NZ_DT_U64,
        [14] = NZ_DT_C64,         [15] = NZ_DT_C128,        [16] = NZ_DT_BF16,
        [17] = NZ_DT_F8_E4M3,     [18] = NZ_DT_F8_E4M3FNUZ, [19] = NZ_DT_F8_E5M2,
        [20] = NZ_DT_F8_E5M2FNUZ, [21] = NZ_DT_U4,          [22] = NZ_DT_I4,
        [23] = NZ_DT_F4,          [24] = NZ_DT_F8_E8M0,
    };
    return type < sizeof DTYPE ? (nz_dtype)DTYPE[type] : NZ_DT_BYTES;
}

static nz_err add(nz_scan *s, const onnx *o, uint64_t skip, uint64_t bytes)
{
    nz_tensor t = {.at = nz_scan_at(s) + skip};
    nz_dtype dtype = dtype_of(o->type);
    if (dtype == NZ_DT_BYTES || o->dims > SHAPE_MAX ||
        !nz_tensor_shape(&t, dtype, o->dim, o->dims) || t.bytes != bytes)
        nz_tensor_bytes(&t, bytes);
    const text *name = o->name.n ? &o->name : &o->output;
    return nz_scan_add(s, &t, name->c, name->n);
}

static void dims_add(onnx *o, uint64_t dim)
{
    if (o->dims < SHAPE_MAX)
        o->dim[o->dims++] = dim;
    else
        o->dims = SHAPE_MAX + 1;
}

/* Is this what a model may hold before its graph, or a graph at its beginning? No other message is
 * entered before the graph: its functions come later. */
static bool plausible(unsigned kind, uint64_t number, unsigned wire, uint64_t v)
{
    static const uint32_t BLOCKS[] = {
        [MODEL] = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 14 | 1 << 20,
        [GRAPH] = 1 << 1 | 1 << 2 | 1 << 5 | 0x1f << 10 | 1 << 15 | 1 << 16,
    };
    if (kind == MODEL && (number == 1 || number == 5))
        return wire == VARINT;
    return wire == BLOCK && number < 32 && BLOCKS[kind] >> number & 1 &&
           (kind != MODEL || number > 4 || v <= STRING_MAX);
}

static nz_err block(nz_scan *s, onnx *o, unsigned kind, uint64_t number, size_t n, uint64_t bytes)
{
    if (kind == TENSOR && number == 9) {
        nz_err err = add(s, o, n, bytes);
        return err ? err : next(s, o, n + bytes);
    }
    if (kind == TENSOR && number == 1 && bytes > 0) {
        o->left = bytes;
        nz_scan_next(s, n, 1, packed_dims);
        return NZ_OK;
    }
    if (bytes > 0 && bytes <= NZ_NAME_MAX &&
        ((kind == TENSOR && number == 8) || (kind == NODE && number == 2 && !o->output.n))) {
        nz_scan_next(s, n, bytes, kind == TENSOR ? name_text : output_text);
        return NZ_OK;
    }
    for (size_t i = 0; i < sizeof ENTER / sizeof *ENTER && bytes > 0 && o->depth < DEPTH_MAX; i++) {
        if (ENTER[i].in != kind || ENTER[i].field != number)
            continue;
        o->message[o->depth].kind = ENTER[i].kind;
        o->message[o->depth++].end = nz_scan_at(s) + n + bytes;
        if (ENTER[i].kind == TENSOR)
            o->type = o->dims = o->name.n = 0;
        if (ENTER[i].kind == NODE || kind == GRAPH)
            o->output.n = 0;
        return next(s, o, n);
    }
    return next(s, o, n + bytes);
}

static nz_err field(nz_scan *s, const uint8_t *p, size_t n)
{
    onnx *o = nz_scan_state(s);
    unsigned kind = o->message[o->depth - 1].kind;
    uint64_t tag, v = 0, left = o->message[o->depth - 1].end - nz_scan_at(s);
    size_t at = 0;
    int got = varint(p, n, &at, &tag);
    unsigned wire = tag & 7;
    if (got > 0 && wire != FIXED64 && wire != FIXED32)
        got = varint(p, n, &at, &v);
    if (got == 0 && n < left && n < FIELD_MAX)
        nz_scan_next(s, 0, n + 1, field);
    if (got <= 0)
        return NZ_OK;
    left -= at;
    uint64_t number = tag >> 3;
    uint64_t size = wire == BLOCK ? v : wire == FIXED64 ? 8 : wire == FIXED32 ? 4 : 0;
    if (number == 0 || (wire > BLOCK && wire != FIXED32) || size > left)
        return NZ_OK;
    if (!o->known) {
        if (!plausible(kind, number, wire, v))
            return NZ_OK;
        o->known = kind == GRAPH;
        if (o->known)
            nz_scan_known(s, "onnx");
    }
    if (wire == BLOCK)
        return block(s, o, kind, number, at, size);
    if (kind == TENSOR && wire == VARINT && number == 1)
        dims_add(o, v);
    if (kind == TENSOR && wire == VARINT && number == 2)
        o->type = v;
    return next(s, o, at + size);
}

static nz_err packed_dims(nz_scan *s, const uint8_t *p, size_t n)
{
    onnx *o = nz_scan_state(s);
    uint64_t v;
    size_t at = 0;
    int got = varint(p, n, &at, &v);
    if (got == 0 && n < o->left)
        nz_scan_next(s, 0, n + 1, packed_dims);
    if (got <= 0)
        return NZ_OK;
    dims_add(o, v);
    o->left -= at;
    if (o->left == 0)
        return next(s, o, at);
    nz_scan_next(s, at, 1, packed_dims);
    return NZ_OK;
}

static nz_err name_text(nz_scan *s, const uint8_t *p, size_t n)
{
    onnx *o = nz_scan_state(s);
    memcpy(o->name.c, p, n);
    o->name.n = n;
    return next(s, o, n);
}

static nz_err output_text(nz_scan *s, const uint8_t *p, size_t n)
{
    onnx *o = nz_scan_state(s);
    memcpy(o->output.c, p, n);
    o->output.n = n;
    return next(s, o, n);
}

nz_err nz_onnx_head(nz_scan *s, const uint8_t *p, size_t n)
{
    (void)n;
    /* The version is the first field and a known one follows: text and most other files end here,
     * before any memory is spent. */
    if (!plausible(MODEL, p[2] >> 3, p[2] & 7, 0) && p[2] < 128)
        return NZ_OK;
    onnx *o = nz_scan_keep(s, sizeof *o, NULL);
    if (!o)
        return NZ_E_MEM;
    o->message[0].kind = MODEL;
    o->message[0].end = UINT64_MAX;
    o->depth = 1;
    nz_scan_next(s, 0, 1, field);
    return NZ_OK;
}
