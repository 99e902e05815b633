/* GGUF, versions 2 and 3, little-endian: counts, keys with values, tensor infos, and after padding
 * the data. Walked item by item: nothing but the infos is kept. */
#include "parse.h"

#include <stdlib.h>

#define ALIGNMENT  32 /* when the key general.alignment is missing */
#define ARRAYS_MAX 8  /* arrays in arrays */

enum {
    T_U8,
    T_I8,
    T_U16,
    T_I16,
    T_U32,
    T_I32,
    T_F32,
    T_BOOL,
    T_STRING,
    T_ARRAY,
    T_U64,
    T_I64,
    T_F64
};

/* Bytes of a value, 0 where it says so itself. */
static const uint8_t SIZE[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

typedef struct info {
    nz_tensor t;  /* t.at is relative to the data */
    bool unknown; /* type, hence bytes */
} info;

typedef struct gguf {
    uint64_t tensors, keys; /* still to come */
    uint64_t align;
    struct {
        uint32_t type;
        uint64_t left;
    } array[ARRAYS_MAX]; /* being walked, innermost last */
    unsigned arrays;
    info *infos;
    size_t n, room, names; /* names: their bytes */
} gguf;

static nz_step key_size, key_name, value_alignment, value_string, value_array, info_size, info_head,
    info_rest;

static void end(void *state)
{
    gguf *g = state;
    for (size_t i = 0; i < g->n; i++)
        free(g->infos[i].t.name);
    free(g->infos);
}

static int by_offset(const void *a, const void *b)
{
    const info *x = a, *y = b;
    if (x->t.at != y->t.at)
        return x->t.at < y->t.at ? -1 : 1;
    return strcmp(x->t.name, y->t.name);
}

/* Where a tensor's type is unknown its bytes reach to the next one's. */
static nz_err add_all(nz_scan *s, gguf *g, uint64_t data)
{
    if (g->n)
        qsort(g->infos, g->n, sizeof *g->infos, by_offset);
    for (size_t i = 0; i < g->n; i++) {
        nz_tensor t = g->infos[i].t;
        if (g->infos[i].unknown) {
            if (i + 1 == g->n)
                break;
            nz_tensor_bytes(&t, g->infos[i + 1].t.at - t.at);
        }
        if (__builtin_add_overflow(t.at, data, &t.at))
            break;
        nz_err err = nz_scan_add(s, &t, t.name, strlen(t.name));
        if (err)
            return err;
    }
    return NZ_OK;
}

/* What follows at `skip` from here: a key, an info or the data. */
static nz_err next(nz_scan *s, gguf *g, uint64_t skip)
{
    if (g->keys > 0) {
        g->keys--;
        nz_scan_next(s, skip, 8, key_size);
    } else if (g->tensors > 0) {
        g->tensors--;
        nz_scan_next(s, skip, 8, info_size);
    } else {
        uint64_t at = nz_scan_at(s) + skip;
        uint64_t pad = -at & (g->align - 1);
        if (at <= UINT64_MAX - pad)
            return add_all(s, g, at + pad);
    }
    return NZ_OK;
}

/* The next value of the innermost array, or what follows when none is left. */
static nz_err next_value(nz_scan *s, gguf *g, uint64_t skip)
{
    while (g->arrays > 0 && g->array[g->arrays - 1].left == 0)
        g->arrays--;
    if (g->arrays == 0)
        return next(s, g, skip);
    g->array[g->arrays - 1].left--;
    if (g->array[g->arrays - 1].type == T_STRING)
        nz_scan_next(s, skip, 8, value_string);
    else
        nz_scan_next(s, skip, 12, value_array);
    return NZ_OK;
}

static nz_err value_string(nz_scan *s, const uint8_t *p, size_t n)
{
    uint64_t to;
    return __builtin_add_overflow(n, nz_load64(p), &to) ? NZ_OK
                                                        : next_value(s, nz_scan_state(s), to);
}

static nz_err value_array(nz_scan *s, const uint8_t *p, size_t n)
{
    gguf *g = nz_scan_state(s);
    uint32_t type = nz_load32(p);
    uint64_t count = nz_load64(p + 4), bytes;
    if (type >= sizeof SIZE)
        return NZ_OK;
    if (SIZE[type]) {
        if (__builtin_mul_overflow(count, SIZE[type], &bytes) ||
            __builtin_add_overflow(bytes, n, &bytes))
            return NZ_OK;
        return next_value(s, g, bytes);
    }
    if (g->arrays == ARRAYS_MAX)
        return NZ_OK;
    g->array[g->arrays].type = type;
    g->array[g->arrays++].left = count;
    return next_value(s, g, n);
}

static nz_err value_alignment(nz_scan *s, const uint8_t *p, size_t n)
{
    gguf *g = nz_scan_state(s);
    g->align = nz_load32(p);
    if (g->align == 0 || (g->align & (g->align - 1)))
        return NZ_OK;
    return next(s, g, n);
}

static nz_err key_size(nz_scan *s, const uint8_t *p, size_t n)
{
    if (nz_load64(p) <= NZ_NAME_MAX)
        nz_scan_next(s, n, nz_load64(p) + 4, key_name);
    return NZ_OK;
}

static nz_err key_name(nz_scan *s, const uint8_t *p, size_t n)
{
    static const char KEY[] = "general.alignment";
    uint32_t type = nz_load32(p + n - 4);
    if (n - 4 == sizeof KEY - 1 && !memcmp(p, KEY, n - 4) && type == T_U32)
        nz_scan_next(s, n, 4, value_alignment);
    else if (type == T_STRING)
        nz_scan_next(s, n, 8, value_string);
    else if (type == T_ARRAY)
        nz_scan_next(s, n, 12, value_array);
    else if (type < sizeof SIZE)
        return next(s, nz_scan_state(s), n + SIZE[type]);
    return NZ_OK;
}

static nz_err info_size(nz_scan *s, const uint8_t *p, size_t n)
{
    (void)n;
    if (nz_load64(p) <= NZ_NAME_MAX)
        nz_scan_next(s, 0, 8 + nz_load64(p) + 4, info_head);
    return NZ_OK;
}

/* Name and number of dims; then the window takes in the rest. */
static nz_err info_head(nz_scan *s, const uint8_t *p, size_t n)
{
    uint32_t dims = nz_load32(p + n - 4);
    if (dims <= NZ_DIMS_MAX)
        nz_scan_next(s, 0, n + 8 * dims + 4 + 8, info_rest);
    return NZ_OK;
}

static bool type_known(uint32_t type, nz_dtype *dtype)
{
    static const nz_dtype PLAIN[] = {
        [0] = NZ_DT_F32,  [1] = NZ_DT_F16,  [24] = NZ_DT_I8,  [25] = NZ_DT_I16,
        [26] = NZ_DT_I32, [27] = NZ_DT_I64, [28] = NZ_DT_F64, [30] = NZ_DT_BF16,
    };
    if (type < sizeof PLAIN / sizeof *PLAIN && PLAIN[type])
        *dtype = PLAIN[type];
    else if (type < NZ_DT_END - NZ_DT_GGML && nz_dtype_about(NZ_DT_GGML + type))
        *dtype = (nz_dtype)(NZ_DT_GGML + type);
    else
        return false;
    return true;
}

static nz_err info_rest(nz_scan *s, const uint8_t *p, size_t n)
{
    gguf *g = nz_scan_state(s);
    size_t name = nz_load64(p);
    const uint8_t *q = p + 8 + name;
    uint32_t dims = nz_load32(q);
    uint64_t dim[NZ_DIMS_MAX];
    for (uint32_t i = 0; i < dims; i++)
        dim[dims - 1 - i] = nz_load64(q + 4 + 8 * i);
    q += 4 + 8 * dims;
    info x = {.t = {.at = nz_load64(q + 4)}};
    nz_dtype dtype;
    x.unknown = !type_known(nz_load32(q), &dtype) || !nz_tensor_shape(&x.t, dtype, dim, dims);
    if (memchr(p + 8, 0, name))
        return next(s, g, n);
    g->names += name + 1;
    if (g->names > NZ_NAMES_MAX)
        return NZ_OK;
    if (!nz_array_grow(&g->infos, &g->room, g->n + 1, sizeof *g->infos, NZ_TENSORS_MAX) ||
        !(x.t.name = malloc(name + 1)))
        return NZ_E_MEM;
    memcpy(x.t.name, p + 8, name);
    x.t.name[name] = 0;
    g->infos[g->n++] = x;
    return next(s, g, n);
}

static nz_err counts(nz_scan *s, const uint8_t *p, size_t n)
{
    uint64_t tensors = nz_load64(p + 8), keys = nz_load64(p + 16);
    if (tensors > NZ_TENSORS_MAX)
        return NZ_OK;
    gguf *g = nz_scan_keep(s, sizeof *g, end);
    if (!g)
        return NZ_E_MEM;
    nz_scan_known(s, "gguf");
    g->tensors = tensors;
    g->keys = keys;
    g->align = ALIGNMENT;
    return next(s, g, n);
}

nz_err nz_gguf_head(nz_scan *s, const uint8_t *p, size_t n)
{
    (void)n;
    uint32_t version = nz_load32(p + 4);
    if (version == 2 || version == 3)
        nz_scan_next(s, 0, 24, counts);
    return NZ_OK;
}
