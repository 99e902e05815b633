#include "storage.h"

#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 64 /* dicts in dicts; what lies deeper is not looked at */
#define SHAPE_MAX 64
#define KEY_MAX   64 /* bytes of a storage's key; torch counts */

/* The values of one container being walked, or one object's arguments. */
typedef struct frame {
    uint64_t run;  /* 0: at its end */
    uint32_t i;    /* next value in it */
    uint32_t item; /* number of the next item */
    size_t name_n; /* length of the container's name */
    bool arguments;
} frame;

typedef struct walk {
    nz_storages *x;
    nz_pickle *k;
    frame frame[DEPTH_MAX];
    unsigned depth;
    char name[NZ_NAME_MAX + 32];
} walk;

static nz_dtype dtype_of(const nz_pickle *k, nz_pvalue v)
{
    static const struct {
        const char *name;
        uint8_t dtype;
    } KNOWN[] = {
        {"FloatStorage", NZ_DT_F32},
        {"HalfStorage", NZ_DT_F16},
        {"BFloat16Storage", NZ_DT_BF16},
        {"DoubleStorage", NZ_DT_F64},
        {"ByteStorage", NZ_DT_U8},
        {"CharStorage", NZ_DT_I8},
        {"ShortStorage", NZ_DT_I16},
        {"IntStorage", NZ_DT_I32},
        {"LongStorage", NZ_DT_I64},
        {"BoolStorage", NZ_DT_BOOL},
        {"ComplexFloatStorage", NZ_DT_C64},
        {"ComplexDoubleStorage", NZ_DT_C128},
        {"QInt8Storage", NZ_DT_I8},
        {"QUInt8Storage", NZ_DT_U8},
        {"QInt32Storage", NZ_DT_I32},
        {"UntypedStorage", NZ_DT_U8},
        {"float32", NZ_DT_F32},
        {"float16", NZ_DT_F16},
        {"bfloat16", NZ_DT_BF16},
        {"float64", NZ_DT_F64},
        {"uint8", NZ_DT_U8},
        {"int8", NZ_DT_I8},
        {"uint16", NZ_DT_U16},
        {"int16", NZ_DT_I16},
        {"uint32", NZ_DT_U32},
        {"int32", NZ_DT_I32},
        {"uint64", NZ_DT_U64},
        {"int64", NZ_DT_I64},
        {"bool", NZ_DT_BOOL},
        {"complex64", NZ_DT_C64},
        {"complex128", NZ_DT_C128},
        {"float8_e4m3fn", NZ_DT_F8_E4M3},
        {"float8_e5m2", NZ_DT_F8_E5M2},
        {"float8_e4m3fnuz", NZ_DT_F8_E4M3FNUZ},
        {"float8_e5m2fnuz", NZ_DT_F8_E5M2FNUZ},
        {"float8_e8m0fnu", NZ_DT_F8_E8M0},
    };
    if (v.kind != NZ_PK_GLOBAL || v.n < 6 || memcmp(k->text + v.v, "torch.", 6) != 0)
        return NZ_DT_BYTES;
    const char *text = k->text + v.v, *last = text + v.n;
    while (last[-1] != '.')
        last--;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strlen(KNOWN[i].name) == (size_t)(text + v.n - last) &&
            !memcmp(KNOWN[i].name, last, strlen(KNOWN[i].name)))
            return (nz_dtype)KNOWN[i].dtype;
    return NZ_DT_BYTES;
}

/* ('storage', torch.FloatStorage, key, device, numel) and, in older files, None. */
static bool storage_of(const nz_pickle *k, nz_pvalue v, nz_view *view)
{
    size_t n;
    const nz_pvalue *a = v.kind == NZ_PK_PERSID ? nz_pickle_tuple(k, k->pool[v.v], &n) : NULL;
    if (!a || n < 5 || !nz_pickle_is(k, a[0], "storage") || a[2].kind != NZ_PK_STR ||
        a[2].n > KEY_MAX || a[4].kind != NZ_PK_INT || (n > 5 && a[5].kind != NZ_PK_NONE))
        return false;
    view->key = k->text + a[2].v;
    view->key_n = a[2].n;
    view->dtype = dtype_of(k, a[1]);
    return view->dtype != NZ_DT_BYTES &&
           !__builtin_mul_overflow(a[4].v, nz_dtype_about(view->dtype)->bytes, &view->bytes);
}

/* A tuple of integers. */
static bool integers(const nz_pickle *k, nz_pvalue v, uint64_t *out, size_t *n)
{
    const nz_pvalue *a = nz_pickle_tuple(k, v, n);
    if (!a || *n > SHAPE_MAX)
        return false;
    for (size_t i = 0; i < *n; i++) {
        if (a[i].kind != NZ_PK_INT)
            return false;
        out[i] = a[i].v;
    }
    return true;
}

/* Do the elements lie side by side, the last dim the fastest? */
static bool dense(const uint64_t *dim, const uint64_t *stride, size_t n)
{
    uint64_t step = 1;
    while (n-- > 0) {
        if (dim[n] != 1 && stride[n] != step)
            return false;
        if (__builtin_mul_overflow(step, dim[n], &step))
            return false;
    }
    return true;
}

/* Dims in the order in which they lie in memory, slowest first: a transposed matrix is dense, too.
 */
static void by_stride(uint64_t *dim, uint64_t *stride, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t d = dim[i], t = stride[i];
        size_t j = i;
        for (; j > 0 && stride[j - 1] < t; j--) {
            dim[j] = dim[j - 1];
            stride[j] = stride[j - 1];
        }
        dim[j] = d;
        stride[j] = t;
    }
}

/* Fills view->t from storage, offset, size, stride; else the view is plain. */
static void place(const nz_pickle *k, nz_view *view, nz_dtype dtype, const nz_pvalue *a)
{
    uint64_t dim[SHAPE_MAX], stride[SHAPE_MAX], end;
    size_t dims, strides;
    view->plain = true;
    if (dtype == NZ_DT_BYTES || a[1].kind != NZ_PK_INT || !integers(k, a[2], dim, &dims) ||
        !integers(k, a[3], stride, &strides) || dims != strides)
        return;
    bool empty = false;
    for (size_t i = 0; i < dims; i++)
        empty |= dim[i] == 0;
    if (!empty && !dense(dim, stride, dims)) {
        by_stride(dim, stride, dims);
        if (!dense(dim, stride, dims))
            return;
    }
    view->plain = !nz_tensor_shape(&view->t, dtype, dim, dims) ||
                  __builtin_mul_overflow(a[1].v, nz_dtype_about(dtype)->bytes, &view->t.at) ||
                  __builtin_add_overflow(view->t.at, view->t.bytes, &end) || end > view->bytes;
}

/* What a call to `f` with arguments `a` would rebuild. False: not a tensor. */
static bool tensor_of(const nz_pickle *k, nz_pvalue f, nz_pvalue args, nz_view *view)
{
    size_t n;
    const nz_pvalue *a = nz_pickle_tuple(k, args, &n);
    if (a && n == 4 && nz_pickle_is(k, f, "torch._tensor._rebuild_from_type_v2")) {
        f = a[0];
        a = nz_pickle_tuple(k, a[2], &n);
    }
    if (!a || n < 4)
        return false;
    bool typed = n >= 7 && nz_pickle_is(k, f, "torch._utils._rebuild_tensor_v3");
    if (!typed && !nz_pickle_is(k, f, "torch._utils._rebuild_tensor_v2") &&
        !nz_pickle_is(k, f, "torch._utils._rebuild_tensor") &&
        !nz_pickle_is(k, f, "torch._utils._rebuild_qtensor"))
        return false;
    if (!storage_of(k, a[0], view))
        return false;
    place(k, view, typed ? dtype_of(k, a[6]) : view->dtype, a);
    return true;
}

static nz_err view_add(walk *w, nz_view *view, size_t name_n)
{
    nz_storages *x = w->x;
    x->names += name_n + 1;
    if (x->n == NZ_TENSORS_MAX || x->names > NZ_NAMES_MAX)
        return NZ_OK;
    view->order = (uint32_t)x->n;
    if (!nz_array_grow(&x->views, &x->room, x->n + 1, sizeof *x->views, NZ_TENSORS_MAX) ||
        !(view->t.name = malloc(name_n + 1)))
        return NZ_E_MEM;
    memcpy(view->t.name, w->name, name_n);
    view->t.name[name_n] = 0;
    x->views[x->n++] = *view;
    return NZ_OK;
}

/* The container's name, a dot, and the key or number of what is in it. SIZE_MAX: too long. */
static size_t name_add(walk *w, size_t n, const nz_pvalue *key, uint32_t item)
{
    char number[24] = "?";
    const char *part = number;
    size_t part_n;
    if (!key || key->kind == NZ_PK_INT)
        snprintf(number, sizeof number, "%lld", key ? (long long)key->v : (long long)item);
    part_n = strlen(number);
    if (key && key->kind == NZ_PK_STR) {
        part = w->k->text + key->v;
        part_n = key->n;
    }
    if (n + 1 + part_n > NZ_NAME_MAX || (part_n && memchr(part, 0, part_n)))
        return SIZE_MAX;
    if (n > 0)
        w->name[n++] = '.';
    if (part_n)
        memcpy(w->name + n, part, part_n);
    return n + part_n;
}

static void enter(walk *w, uint64_t head, size_t name_n, bool arguments)
{
    nz_pvalue *h = &w->k->pool[head];
    if (h->kind == NZ_PK_SEEN || w->depth == DEPTH_MAX)
        return;
    h->kind = NZ_PK_SEEN;
    w->frame[w->depth++] = (frame){.run = h->v, .name_n = name_n, .arguments = arguments};
}

/* Looks at one value: a tensor, a storage, or something to walk into. */
static nz_err visit(walk *w, nz_pvalue v, size_t name_n)
{
    nz_view view = {0};
    switch (v.kind) {
    case NZ_PK_OBJECT: {
        const nz_pvalue *call = &w->k->pool[v.v + 1];
        if (w->k->pool[v.v].kind != NZ_PK_SEEN && tensor_of(w->k, call[0], call[1], &view)) {
            w->k->pool[v.v].kind = NZ_PK_SEEN;
            return view_add(w, &view, name_n);
        }
        enter(w, v.v, name_n, false);
        if (call[1].kind == NZ_PK_TUPLE)
            enter(w, call[1].v, name_n, true);
        return NZ_OK;
    }
    case NZ_PK_TUPLE:
    case NZ_PK_LIST:
    case NZ_PK_DICT: enter(w, v.v, name_n, false); return NZ_OK;
    case NZ_PK_PERSID: {
        if (!storage_of(w->k, v, &view))
            return NZ_OK;
        const nz_dtype_info *info = nz_dtype_about(view.dtype);
        uint64_t n = view.bytes / info->bytes;
        nz_tensor_shape(&view.t, view.dtype, &n, 1);
        return view_add(w, &view, name_n);
    }
    default: return NZ_OK;
    }
}

static int by_key(const nz_view *x, const char *key, size_t n)
{
    int c = memcmp(x->key, key, x->key_n < n ? x->key_n : n);
    return c ? c : (x->key_n > n) - (x->key_n < n);
}

/* In a storage by place, the larger first, then as the pickle has them. */
static int by_place(const void *a, const void *b)
{
    const nz_view *x = a, *y = b;
    int c = by_key(x, y->key, y->key_n);
    if (c)
        return c;
    if (x->t.at != y->t.at)
        return x->t.at < y->t.at ? -1 : 1;
    if (x->t.bytes != y->t.bytes)
        return x->t.bytes > y->t.bytes ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

nz_err nz_storages_read(nz_storages *x, nz_pickle *k)
{
    walk *w = calloc(1, sizeof *w);
    if (!w)
        return NZ_E_MEM;
    w->x = x;
    w->k = k;
    nz_err err = visit(w, k->root, 0);
    while (!err && w->depth > 0) {
        frame *f = &w->frame[w->depth - 1];
        const nz_pvalue *run = &k->pool[f->run];
        if (f->run == 0) {
            w->depth--;
            continue;
        }
        if (f->i == run->n) {
            f->run = run->v;
            f->i = 0;
            continue;
        }
        size_t name_n = f->name_n;
        const nz_pvalue *v = run + 1 + f->i++;
        if (run->kind == NZ_PK_PAIRS) {
            name_n = name_add(w, name_n, v, 0);
            v = run + 1 + f->i++;
        } else if (run->kind == NZ_PK_ITEMS) {
            /* The first argument is often the thing itself: a parameter's tensor. */
            if (!f->arguments || f->item > 0)
                name_n = name_add(w, name_n, NULL, f->item);
            f->item++;
        }
        if (name_n != SIZE_MAX)
            err = visit(w, *v, name_n);
    }
    free(w);
    x->text = k->text;
    k->text = NULL;
    k->text_n = k->text_room = 0;
    if (x->n)
        qsort(x->views, x->n, sizeof *x->views, by_place);
    return err;
}

nz_view *nz_storages_find(nz_storages *x, const char *key, size_t key_n, size_t *n)
{
    size_t lo = 0, hi = x->n, end;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (by_key(&x->views[mid], key, key_n) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == x->n || x->views[lo].used || by_key(&x->views[lo], key, key_n) != 0)
        return NULL;
    for (end = lo; end < x->n && by_key(&x->views[end], key, key_n) == 0;)
        end++;
    *n = end - lo;
    return &x->views[lo];
}

/* What no view covers. */
static nz_err add_rest(nz_scan *s, nz_dtype dtype, uint64_t at, uint64_t bytes, const char *name,
                       size_t name_n)
{
    nz_tensor t = {.at = at};
    const nz_dtype_info *info = nz_dtype_about(dtype);
    uint64_t n = bytes / info->bytes;
    if (bytes == 0)
        return NZ_OK;
    if (bytes % info->bytes || !nz_tensor_shape(&t, dtype, &n, 1))
        nz_tensor_bytes(&t, bytes);
    return nz_scan_add(s, &t, name, name_n);
}

nz_err nz_storages_add(nz_scan *s, const nz_storages *x, nz_view *first, size_t n, uint64_t at,
                       uint64_t bytes, const char *name, size_t name_n)
{
    uint64_t done = 0;
    nz_dtype dtype = x->foreign ? NZ_DT_BYTES : first->dtype;
    nz_err err = NZ_OK;
    first->used = true;
    if (at > UINT64_MAX - bytes)
        return NZ_OK;
    for (const nz_view *v = first; !err && v < first + n; v++) {
        nz_tensor t = v->t;
        if (v->plain || t.at < done || t.at > bytes || t.bytes > bytes - t.at ||
            (t.bytes == 0 && t.at > done))
            continue;
        err = add_rest(s, dtype, at + done, t.at - done, name, name_n);
        done = t.at + t.bytes;
        t.at += at;
        if (x->foreign)
            nz_tensor_bytes(&t, t.bytes);
        if (!err)
            err = nz_scan_add(s, &t, t.name, strlen(t.name));
    }
    return err ? err : add_rest(s, dtype, at + done, bytes - done, name, name_n);
}

void nz_storages_end(nz_storages *x)
{
    for (size_t i = 0; i < x->n; i++)
        free(x->views[i].t.name);
    free(x->views);
    free(x->text);
    *x = (nz_storages){0};
}
