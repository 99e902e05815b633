#include "archive/directory.h"
#include "archive/format.h"
#include "base/base.h"
#include "weights/plane.h"

#include <stdlib.h>

/* Plain, a tensor is a name, of which a byte tells how much is as in the one before and a zero ends
 * the rest, its dtype, dims, and the bytes between it and the one before. */
enum { SAME_MAX = 255, TENSOR_LEAST = 5 };

/* The names of one section, in a block with all that were added before. */
struct nz_names {
    struct nz_names *before;
    char text[];
};

void nz_directory_free(nz_directory *d)
{
    while (d->names) {
        struct nz_names *before = d->names->before;
        free(d->names);
        d->names = before;
    }
    free(d->tensor);
    *d = (nz_directory){0};
}

uint64_t nz_directory_most(uint64_t raw)
{
    return raw / 32 + 1024;
}

/* ---- Storing ---- */

static void list(const nz_tensor *t, size_t n, uint64_t from, nz_buf *out)
{
    const char *before = "";
    for (size_t i = 0; i < n; i++) {
        size_t same = 0, length = strlen(t[i].name);
        while (same < length && same < SAME_MAX && t[i].name[same] == before[same])
            same++;
        nz_buf_byte(out, (unsigned)same);
        nz_buf_put(out, t[i].name + same, length - same + 1);
        nz_buf_byte(out, t[i].dtype);
        nz_buf_byte(out, t[i].dims);
        for (unsigned k = 0; k < t[i].dims; k++)
            nz_buf_varint(out, t[i].dim[k]);
        nz_buf_varint(out, t[i].at - from);
        before = t[i].name;
        from = t[i].at + t[i].bytes;
    }
}

/* One plane: its size, tables, the plane and its code. */
static nz_err contents_store(const nz_buf *plain, nz_buf *body)
{
    nz_tables tables = {0};
    nz_plane plane = {0};
    nz_kern kern;
    uint32_t counts[1][256] = {{0}};
    nz_kern_init(&kern, 0);
    nz_plane_count(counts, plain->p, NULL, plain->n);
    nz_err err = nz_plane_choose(&plane, &tables, counts, 1);
    if (!err) {
        nz_buf_varint(body, plain->n);
        err = nz_tables_store(&tables, body);
    }
    if (!err) {
        nz_plane_store(&plane, body);
        nz_plane_encode(&plane, &kern, plain->p, NULL, plain->n, body);
    }
    nz_plane_free(&plane);
    nz_tables_free(&tables);
    return err;
}

static void section_put(const nz_buf *body, nz_buf *out)
{
    size_t start = out->n;
    uint8_t check[4];
    nz_buf_byte(out, NZ_TAG_DIRECTORY);
    nz_buf_varint(out, body->n);
    nz_buf_put(out, body->p, body->n);
    if (out->failed)
        return;
    nz_store32(check, nz_check32(out->p + start, out->n - start));
    nz_buf_put(out, check, sizeof check);
}

static uint64_t names_bytes(const nz_tensor *t, size_t n)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += strlen(t[i].name) + 1;
    return bytes;
}

nz_err nz_directory_store(const nz_tensor *t, size_t n, uint64_t from, uint64_t raw, nz_buf *out)
{
    nz_buf plain = {0}, body = {0};
    nz_err err = NZ_OK;
    while (n && t->at < from)
        t++, n--;
    while (n && t[n - 1].at + t[n - 1].bytes > from + raw)
        n--; /* a truncated file's, or the next archive's */
    if (n == 0 || n > NZ_DIRECTORY_TENSORS || names_bytes(t, n) > NZ_DIRECTORY_MAX)
        return NZ_OK;
    nz_buf_varint(&body, n);
    list(t, n, from, &plain);
    if (plain.n > NZ_DIRECTORY_MAX)
        goto done;
    err = plain.failed ? NZ_E_MEM : contents_store(&plain, &body);
    if (!err && body.n <= NZ_DIRECTORY_MAX &&
        1 + NZ_VARINT_BYTES + body.n + 4 <= nz_directory_most(raw))
        section_put(&body, out);
    if (!err && (body.failed || out->failed))
        err = NZ_E_MEM;
done:
    nz_buf_free(&plain);
    nz_buf_free(&body);
    return err;
}

/* ---- Loading ---- */

/* One tensor of the list; its name stays where it is: `same` bytes of the one before, then `rest`.
 */
typedef struct listed {
    nz_tensor tensor;
    size_t same;
    const char *rest;
    size_t length; /* of the whole name */
} listed;

/* The next one; *t is the one before, all zeros before the first, which ends where raw data starts.
 */
static bool list_next(listed *t, nz_span *in)
{
    uint64_t end = t->tensor.at + t->tensor.bytes, dim[NZ_DIMS_MAX];
    size_t before = t->length;
    t->same = nz_span_byte(in);
    const uint8_t *zero = nz_span_left(in) ? memchr(in->at, 0, nz_span_left(in)) : NULL;
    if (!zero || t->same > before)
        return false;
    t->rest = (const char *)in->at;
    t->length = t->same + (size_t)(zero - in->at);
    in->at = zero + 1;
    unsigned dtype = nz_span_byte(in), dims = nz_span_byte(in);
    if (dims > NZ_DIMS_MAX || !nz_dtype_about(dtype))
        return false;
    for (unsigned k = 0; k < dims; k++)
        dim[k] = nz_span_varint(in);
    uint64_t gap = nz_span_varint(in);
    if (in->bad || !nz_tensor_shape(&t->tensor, (nz_dtype)dtype, dim, dims))
        return false;
    t->tensor.at = end + gap;
    return gap <= UINT64_MAX - end && t->tensor.bytes <= UINT64_MAX - t->tensor.at;
}

/* Without taking any memory for them: whether all are right, and what their names take. */
static bool list_check(nz_span in, size_t count, uint64_t raw, uint64_t *names)
{
    listed t = {0};
    *names = 0;
    for (size_t i = 0; i < count; i++) {
        if (!list_next(&t, &in))
            return false;
        *names += t.length + 1;
    }
    return !nz_span_left(&in) && t.tensor.at + t.tensor.bytes <= raw && *names <= NZ_DIRECTORY_MAX;
}

/* Of a list that was checked. */
static nz_err list_take(nz_directory *d, nz_span in, size_t count, uint64_t from, size_t names)
{
    if (count > d->cap - d->n) {
        size_t cap = d->n + count > 2 * d->cap ? d->n + count : 2 * d->cap;
        nz_tensor *more = realloc(d->tensor, cap * sizeof *more);
        if (!more)
            return NZ_E_MEM;
        d->tensor = more;
        d->cap = cap;
    }
    struct nz_names *block = malloc(sizeof *block + names);
    if (!block)
        return NZ_E_MEM;
    block->before = d->names;
    d->names = block;
    listed t = {0};
    char *name = block->text, *before = name;
    for (size_t i = 0; i < count; i++) {
        list_next(&t, &in);
        memcpy(name, before, t.same);
        memcpy(name + t.same, t.rest, t.length - t.same + 1);
        nz_tensor *to = &d->tensor[d->n++];
        *to = t.tensor;
        to->at += from;
        to->name = before = name;
        name += t.length + 1;
    }
    return NZ_OK;
}

static nz_err list_load(nz_directory *d, nz_span in, uint64_t count, uint64_t from, uint64_t raw,
                        uint64_t memory)
{
    uint64_t names;
    if (count > NZ_DIRECTORY_TENSORS || count > nz_span_left(&in) / TENSOR_LEAST)
        return NZ_E_CORRUPT;
    if (!list_check(in, (size_t)count, raw, &names))
        return NZ_E_CORRUPT;
    /* The array grows by doubling; an index by name is as long. */
    uint64_t takes = names + count * (2 * sizeof *d->tensor + sizeof(void *));
    if (nz_span_left(&in) + takes > memory)
        return NZ_E_LIMIT;
    d->memory += takes;
    return list_take(d, in, (size_t)count, from, (size_t)names);
}

static nz_err contents_load(nz_directory *d, nz_span s, uint64_t from, uint64_t raw,
                            uint64_t memory)
{
    nz_tables tables = {0};
    nz_plane plane = {0};
    nz_plane_reader r;
    nz_kern kern;
    uint64_t count = nz_span_varint(&s), size = nz_span_varint(&s);
    if (s.bad || size > NZ_DIRECTORY_MAX || count == 0)
        return NZ_E_CORRUPT;
    if (memory < d->memory || size > memory - d->memory)
        return NZ_E_LIMIT;
    memory -= d->memory;
    uint8_t *plain = malloc((size_t)size + 1);
    nz_err err = plain ? nz_tables_load(&tables, &s) : NZ_E_MEM;
    if (!err)
        err = nz_plane_load(&plane, &tables, &s);
    if (!err && plane.sets > 1)
        err = NZ_E_CORRUPT;
    if (!err)
        err = nz_plane_open(&r, &plane, (size_t)size, &s);
    if (err)
        goto done;
    nz_kern_init(&kern, nz_cpu());
    const uint8_t *list = nz_plane_read(&r, &kern, NULL, plain, (size_t)size);
    err = nz_plane_close(&r);
    if (!err && nz_span_left(&s))
        err = NZ_E_CORRUPT;
    if (!err)
        err = list_load(d, nz_span_of(list, (size_t)size), count, from, raw, memory);
done:
    free(plain);
    nz_plane_free(&plane);
    nz_tables_free(&tables);
    return err;
}

nz_err nz_directory_load(nz_directory *d, const uint8_t *in, size_t n, uint64_t from, uint64_t raw,
                         uint64_t memory, const char **reason)
{
    nz_span s = nz_span_of(in, n);
    unsigned tag = nz_span_byte(&s);
    nz_span contents = nz_span_cut(&s, nz_span_varint(&s));
    *reason = "a malformed directory";
    if (tag != NZ_TAG_DIRECTORY || s.bad || nz_span_left(&s) != 4)
        return NZ_E_CORRUPT;
    *reason = "the directory's checksum does not match";
    if (nz_load32(s.at) != nz_check32(in, n - 4))
        return NZ_E_CORRUPT;
    nz_err err = contents_load(d, contents, from, raw, memory);
    *reason = err == NZ_E_MEM     ? "no memory for the directory"
              : err == NZ_E_LIMIT ? "the directory needs more memory than the limit"
                                  : "a malformed directory";
    return err;
}
