/* NumPy arrays. {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } */
#include "npy.h"
#include "parse.h"

#define HEADER_MAX 65536 /* numpy itself stops at 10000 */
#define SHAPE_MAX  64    /* dims of a NumPy array */

typedef struct cursor {
    const uint8_t *p, *end;
} cursor;

size_t nz_npy_size(const uint8_t p[NZ_NPY_HEAD])
{
    if (memcmp(p, "\x93NUMPY", 6) != 0 || p[6] < 1 || p[6] > 3)
        return 0;
    uint64_t n = p[6] == 1 ? 10 + (uint64_t)nz_load16(p + 8) : 12 + (uint64_t)nz_load32(p + 8);
    return n < NZ_NPY_HEAD || n > HEADER_MAX ? 0 : n;
}

static bool take(cursor *c, const char *text)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\n'))
        c->p++;
    size_t n = strlen(text);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
        return false;
    c->p += n;
    return true;
}

static bool number(cursor *c, uint64_t *v)
{
    const uint8_t *p = c->p;
    *v = 0;
    for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++)
        if (__builtin_mul_overflow(*v, 10, v) || __builtin_add_overflow(*v, *c->p - '0', v))
            return false;
    return c->p > p;
}

/* '<f4': byte order, kind, bytes. Formats without a dtype of ours only tell their size. */
static bool descr(cursor *c, nz_dtype *dtype, uint64_t *bytes)
{
    static const struct {
        char kind;
        uint8_t bytes, dtype;
    } KNOWN[] = {
        {'f', 2, NZ_DT_F16}, {'f', 4, NZ_DT_F32},   {'f', 8, NZ_DT_F64}, {'i', 1, NZ_DT_I8},
        {'i', 2, NZ_DT_I16}, {'i', 4, NZ_DT_I32},   {'i', 8, NZ_DT_I64}, {'u', 1, NZ_DT_U8},
        {'u', 2, NZ_DT_U16}, {'u', 4, NZ_DT_U32},   {'u', 8, NZ_DT_U64}, {'b', 1, NZ_DT_BOOL},
        {'c', 8, NZ_DT_C64}, {'c', 16, NZ_DT_C128}, {'M', 8, NZ_DT_I64}, {'m', 8, NZ_DT_I64},
    };
    if (!take(c, "'") || c->end - c->p < 2)
        return false;
    char order = (char)*c->p++, kind = (char)*c->p++;
    if (!strchr("<>|", order) || !strchr("fiubcMmVSUa", kind) || !number(c, bytes))
        return false;
    if (kind == 'U' && __builtin_mul_overflow(*bytes, 4, bytes))
        return false;
    const uint8_t *close = memchr(c->p, '\'', (size_t)(c->end - c->p)); /* after M8: a unit */
    if (!close || (close > c->p && kind != 'M' && kind != 'm'))
        return false;
    c->p = close + 1;
    *dtype = NZ_DT_BYTES;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (KNOWN[i].kind == kind && KNOWN[i].bytes == *bytes && (order != '>' || *bytes == 1))
            *dtype = (nz_dtype)KNOWN[i].dtype;
    return true;
}

static bool shape(cursor *c, uint64_t *dim, size_t *dims)
{
    *dims = 0;
    if (!take(c, "("))
        return false;
    while (!take(c, ")")) {
        if (*dims == SHAPE_MAX || !number(c, &dim[(*dims)++]))
            return false;
        if (!take(c, ","))
            return take(c, ")");
    }
    return true;
}

bool nz_npy_read(nz_tensor *t, const uint8_t *p, size_t n)
{
    cursor c = {p + (p[6] == 1 ? 10 : 12), p + n};
    uint64_t dim[SHAPE_MAX], bytes = 0;
    size_t dims = 0;
    nz_dtype dtype = NZ_DT_BYTES;
    bool fortran = false;
    unsigned seen = 0;
    if (!take(&c, "{"))
        return false;
    while (!take(&c, "}")) {
        bool good = false;
        if (take(&c, "'descr'")) {
            seen |= 1;
            good = take(&c, ":") && take(&c, "") && descr(&c, &dtype, &bytes);
        } else if (take(&c, "'fortran_order'")) {
            seen |= 2;
            good = take(&c, ":");
            fortran = good && take(&c, "True");
            good = fortran || take(&c, "False");
        } else if (take(&c, "'shape'")) {
            seen |= 4;
            good = take(&c, ":") && shape(&c, dim, &dims);
        }
        if (!good || (!take(&c, ",") && (c.p == c.end || *c.p != '}')))
            return false;
    }
    if (seen != 7 || !take(&c, "") || c.p < c.end)
        return false;
    for (size_t i = 0; fortran && i < dims / 2; i++) {
        uint64_t swap = dim[i];
        dim[i] = dim[dims - 1 - i];
        dim[dims - 1 - i] = swap;
    }
    if (!nz_tensor_shape(t, dtype, dim, dims))
        return false;
    if (dtype == NZ_DT_BYTES) {
        if (__builtin_mul_overflow(t->bytes, bytes, &bytes))
            return false;
        nz_tensor_bytes(t, bytes);
    }
    return true;
}

static nz_err whole(nz_scan *s, const uint8_t *p, size_t n)
{
    nz_tensor t = {.at = nz_scan_at(s) + n};
    if (!nz_npy_read(&t, p, n))
        return NZ_OK;
    nz_scan_known(s, "npy");
    return nz_scan_add(s, &t, "", 0);
}

static nz_err size(nz_scan *s, const uint8_t *p, size_t n)
{
    (void)n;
    if (nz_npy_size(p))
        nz_scan_next(s, 0, nz_npy_size(p), whole);
    return NZ_OK;
}

nz_err nz_npy_head(nz_scan *s, const uint8_t *p, size_t n)
{
    (void)p, (void)n;
    nz_scan_next(s, 0, NZ_NPY_HEAD, size);
    return NZ_OK;
}
