/* Any bytes as an archive's directory, its check right: the tensors that come of it lie in the raw
 * data one behind the other, and stored again they are the same. */
#include "archive/directory.h"
#include "archive/format.h"
#include "lib/fuzz.h"

enum { MOST = 1 << 16 };

static void section_put(nz_buf *to, const uint8_t *contents, size_t n)
{
    uint8_t sum[4];
    nz_buf_byte(to, NZ_TAG_DIRECTORY);
    nz_buf_varint(to, n);
    nz_buf_put(to, contents, n);
    nz_store32(sum, nz_check32(to->p, to->n));
    nz_buf_put(to, sum, sizeof sum);
    check(!to->failed);
}

static nz_err load(nz_directory *d, const nz_buf *section, uint64_t raw)
{
    const char *reason;
    *d = (nz_directory){0};
    return nz_directory_load(d, section->p, section->n, 0, raw, (uint64_t)24 << 20, &reason);
}

static void check_tensors(const nz_directory *d, uint64_t raw)
{
    uint64_t end = 0;
    for (size_t i = 0; i < d->n; i++) {
        nz_tensor t = d->tensor[i];
        check(t.at >= end && t.bytes <= raw && t.at <= raw - t.bytes);
        check(nz_tensor_shape(&t, t.dtype, t.dim, t.dims) && t.bytes == d->tensor[i].bytes);
        end = t.at + t.bytes;
    }
}

static void check_equal(const nz_directory *a, const nz_directory *b)
{
    check(a->n == b->n);
    for (size_t i = 0; i < a->n; i++) {
        const nz_tensor *t = &a->tensor[i], *u = &b->tensor[i];
        check(!strcmp(t->name, u->name) && t->at == u->at && t->dtype == u->dtype);
        check_same(t->dim, t->dims * sizeof *t->dim, u->dim, u->dims * sizeof *u->dim);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    nz_buf section = {0}, stored = {0};
    nz_directory d, again;
    uint64_t raw = n < 4 ? 0 : (uint64_t)nz_load32(in + n - 4) << 8;
    if (n < 4 || n > MOST)
        return 0;
    section_put(&section, in, n - 4);
    if (!load(&d, &section, raw)) {
        check_tensors(&d, raw);
        check(!nz_directory_store(d.tensor, d.n, 0, raw, &stored));
        if (stored.n) {
            check(!load(&again, &stored, raw));
            check_equal(&d, &again);
            nz_directory_free(&again);
        }
    }
    nz_directory_free(&d);
    nz_buf_free(&stored);
    nz_buf_free(&section);
    return 0;
}
