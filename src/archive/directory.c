#include "archive/directory.h"
#include "archive/format.h"
#include "base/base.h"
#include "weights/plane.h"

#include <stdlib.h>

/* Contents: count, names' and numbers' plane each with its size, tables. */
enum { STRIP = 4096 };

void nz_directory_free(nz_directory *d)
{
    for (size_t i = 0; i < d->n; i++)
        free(d->tensor[i].name);
    free(d->tensor);
    *d = (nz_directory){0};
}

/* One tensor after the other; of a name only what differs from the one before. */
static void list(const nz_tensor *t, size_t n, nz_buf *out)
{
    const char *before = "";
    uint64_t end = 0;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0, length = strlen(t[i].name);
        while (same < length && same < 255 && t[i].name[same] == before[same])
            same++;
        nz_buf_byte(out, (unsigned)same);
        nz_buf_put(out, t[i].name + same, length - same + 1);
        nz_buf_byte(out, t[i].dtype);
        nz_buf_byte(out, t[i].dims);
        for (unsigned k = 0; k < t[i].dims; k++)
            nz_buf_varint(out, t[i].dim[k]);
        nz_buf_varint(out, t[i].at - end);
        before = t[i].name;
        end = t[i].at + t[i].bytes;
    }
}

nz_err nz_directory_store(const nz_tensor *t, size_t n, nz_buf *out)
{
    nz_buf plain = {0}, body = {0};
    nz_tables tables = {0};
    nz_plane plane = {0};
    nz_kern kern;
    uint32_t counts[1][256] = {{0}};
    uint64_t cost;
    if (!n)
        return NZ_OK;
    list(t, n, &plain);
    nz_err err = plain.failed ? NZ_E_MEM : NZ_OK;
    if (err || plain.n > NZ_DIRECTORY_MAX)
        goto done; /* too large to be read again: left out */
    nz_kern_init(&kern, 0);
    nz_plane_count(counts, plain.p, NULL, plain.n);
    err = nz_plane_choose(&plane, &tables, counts, 1, &cost);
    if (err)
        goto done;
    nz_buf_varint(&body, n);
    nz_buf_varint(&body, plain.n);
    err = nz_tables_store(&tables, &body);
    nz_plane_store(&plane, &body);
    nz_plane_encode(&plane, &kern, plain.p, NULL, plain.n, &body);
    size_t start = out->n;
    nz_buf_byte(out, NZ_TAG_DIRECTORY);
    nz_buf_varint(out, body.n);
    nz_buf_put(out, body.p, body.n);
    uint8_t check[4];
    nz_store32(check, (uint32_t)nz_hash(out->p + start, out->n - start));
    nz_buf_put(out, check, sizeof check);
    if (!err && (body.failed || out->failed))
        err = NZ_E_MEM;
done:
    nz_plane_free(&plane);
    nz_tables_free(&tables);
    nz_buf_free(&plain);
    nz_buf_free(&body);
    return err;
}

/* A zero byte ends the rest of a name. */
static nz_err name_load(nz_tensor *t, const char *before, nz_span *in)
{
    size_t same = nz_span_byte(in);
    const uint8_t *zero = nz_span_left(in) ? memchr(in->at, 0, nz_span_left(in)) : NULL;
    if (!zero || same > strlen(before))
        return NZ_E_CORRUPT;
    size_t rest = (size_t)(zero - in->at);
    t->name = malloc(same + rest + 1);
    if (!t->name)
        return NZ_E_MEM;
    memcpy(t->name, before, same);
    memcpy(t->name + same, in->at, rest + 1);
    in->at = zero + 1;
    return NZ_OK;
}

static nz_err tensor_load(nz_tensor *t, const char *before, uint64_t *end, nz_span *in)
{
    nz_err err = name_load(t, before, in);
    if (err)
        return err;
    unsigned dtype = nz_span_byte(in), dims = nz_span_byte(in);
    uint64_t dim[NZ_DIMS_MAX];
    if (dims > NZ_DIMS_MAX || !nz_dtype_about(dtype))
        return NZ_E_CORRUPT;
    for (unsigned k = 0; k < dims; k++)
        dim[k] = nz_span_varint(in);
    uint64_t gap = nz_span_varint(in);
    if (in->bad || !nz_tensor_shape(t, (nz_dtype)dtype, dim, dims) || gap > UINT64_MAX - *end)
        return NZ_E_CORRUPT;
    t->at = *end + gap;
    if (t->bytes > UINT64_MAX - t->at)
        return NZ_E_CORRUPT;
    *end = t->at + t->bytes;
    return NZ_OK;
}

static nz_err list_load(nz_directory *d, size_t count, nz_span in)
{
    uint64_t end = 0;
    enum { LEAST = 5 }; /* bytes a tensor takes */
    if (count > nz_span_left(&in) / LEAST)
        return NZ_E_CORRUPT;
    d->tensor = calloc(count + 1, sizeof *d->tensor);
    if (!d->tensor)
        return NZ_E_MEM;
    for (size_t i = 0; i < count; i++) {
        d->n = i + 1; /* a name that was made is freed */
        nz_err err = tensor_load(&d->tensor[i], i ? d->tensor[i - 1].name : "", &end, &in);
        if (err)
            return err;
    }
    return nz_span_left(&in) ? NZ_E_CORRUPT : NZ_OK;
}

nz_err nz_directory_load(nz_directory *d, const uint8_t *in, size_t n)
{
    nz_tables tables = {0};
    nz_plane plane = {0};
    nz_plane_reader r;
    nz_kern kern;
    *d = (nz_directory){0};
    nz_span s = nz_span_of(in, n);
    uint64_t count = nz_span_varint(&s), size = nz_span_varint(&s);
    if (s.bad || size > NZ_DIRECTORY_MAX || size == 0)
        return NZ_E_CORRUPT;
    uint8_t *plain = malloc((size_t)size);
    nz_err err = plain ? nz_tables_load(&tables, &s) : NZ_E_MEM;
    if (!err)
        err = nz_plane_load(&plane, &tables, &s);
    if (!err && plane.sets > 1)
        err = NZ_E_CORRUPT;
    if (!err)
        err = nz_plane_open(&r, &plane, (size_t)size, &s);
    if (err)
        goto done;
    nz_kern_init(&kern, 0);
    const uint8_t *from = nz_plane_read(&r, &kern, NULL, plain, (size_t)size);
    err = nz_plane_close(&r);
    if (!err && nz_span_left(&s))
        err = NZ_E_CORRUPT;
    if (!err)
        err = list_load(d, (size_t)count, nz_span_of(from, (size_t)size));
    if (err)
        nz_directory_free(d);
done:
    free(plain);
    nz_plane_free(&plane);
    nz_tables_free(&tables);
    return err;
}
