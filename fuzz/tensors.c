/* Weights frames of slabs of any types, in any mode, with a base and without: what is packed comes
 * back, whole and in parts, and what tells of it counts every bit. */
#include "lib/numbers.h"
#include "weights/explain.h"
#include "weights/weights.h"

enum {
    MOST = 1 << 13,
    SLABS = 3,
    BLOCKS = 2048,
    BYTES_MOST = 1 << 12,
    LONG_MOST = 3 << 14,
    GAP = 96
};

typedef struct frame {
    nz_buf raw, base, head, codes;
    nz_placed slab[SLABS];
    size_t slabs;
    nz_weights_mode mode;
    nz_weights weights;
    nz_kern kern;
} frame;

/* Of the same type or another float, a little different from the slab or not at all like it. */
static void put_base(frame *f, nz_span *from, nz_placed *p)
{
    size_t bytes = (size_t)nz_slab_bytes(&p->slab), start = f->base.n;
    p->base_dtype = choose(from, 2) ? p->slab.dtype : dtype_from(from);
    p->base_at = start;
    if (p->base_dtype == p->slab.dtype && choose(from, 4)) {
        nz_buf_put(&f->base, f->raw.p + p->at, bytes);
        for (unsigned i = choose(from, 64); i && bytes; i--)
            f->base.p[start + choose(from, (unsigned)bytes)] ^= (uint8_t)choose(from, 8);
    } else {
        const nz_dtype_info *info = nz_dtype_about(p->base_dtype);
        put_numbers(&f->base, from, (size_t)p->slab.n * info->bytes, info->bytes);
    }
}

static void put_slab(frame *f, nz_span *from)
{
    nz_placed *p = &f->slab[f->slabs];
    const nz_placed *before = f->slabs && choose(from, 2) ? p - 1 : NULL;
    put_numbers(&f->raw, from, choose(from, GAP), 0);
    nz_dtype dtype = before ? before->slab.dtype : dtype_from(from);
    const nz_dtype_info *info = nz_dtype_about(dtype);
    bool is_long = choose(from, 8) == 0;
    uint64_t most = (is_long ? LONG_MOST : BYTES_MOST) / info->bytes;
    uint64_t n = before ? before->slab.n : 1 + choose(from, is_long ? LONG_MOST : BLOCKS);
    n = n < most ? n : most;
    *p = (nz_placed){.slab = {dtype, n, 1 + choose(from, choose(from, 2) ? 128 : 4096)},
                     .at = f->raw.n,
                     .base_at = UINT64_MAX};
    put_numbers(&f->raw, from, (size_t)nz_slab_bytes(&p->slab), info->bytes);
    if (f->base.n)
        put_base(f, from, p);
    f->slabs++;
}

static void make(frame *f, nz_span *from)
{
    *f = (frame){.mode = (nz_weights_mode)choose(from, NZ_MODE_MAX + 1)};
    nz_kern_init(&f->kern, choose(from, 2) ? 0 : nz_cpu());
    if (choose(from, 3) == 0)
        nz_buf_byte(&f->base, 0);
    for (unsigned n = 1 + choose(from, SLABS); n; n--)
        put_slab(f, from);
    put_numbers(&f->raw, from, choose(from, 4 * GAP), 0);
    check(!f->raw.failed && !f->base.failed);
}

static void decode(const frame *f, const nz_buf *payload, const nz_weights_base *base, size_t from,
                   size_t n)
{
    uint8_t *to = room_for(n);
    check(!nz_weights_decode(&f->weights, &(nz_run){.kern = &f->kern}, base, payload->p, payload->n,
                             to, f->raw.n, from, n));
    check_same(to, n, f->raw.p + from, n);
    free(to);
}

static void explain(const frame *f, const nz_buf *payload, const nz_weights_base *base)
{
    nz_explain x;
    nz_coded c;
    nz_tensor_parts parts;
    nz_run run = {.kern = &f->kern};
    size_t slabs = 0;
    bool more = true;
    check(!nz_explain_open(&x, &f->weights, &run, base, payload->p, payload->n, f->raw.n));
    for (;;) {
        uint64_t packed = 0, raw = 0;
        check(!nz_explain_next(&x, &c, &parts, &more));
        if (!more)
            break;
        for (int k = 0; k < NZ_PARTS; k++) {
            packed += parts.packed[k];
            raw += parts.raw[k];
        }
        check(packed == 8 * c.packed && raw == 8 * nz_slab_bytes(&c.placed.slab));
        slabs++;
    }
    check(slabs == f->slabs);
    nz_explain_close(&x);
}

static void use(frame *f, nz_span *from)
{
    nz_weights_base base = {f->base.p, f->base.n};
    check(!nz_weights_encode(&f->weights, f->mode, &(nz_run){.kern = &f->kern}, &base, f->raw.p,
                             f->raw.n, f->slab, f->slabs, &f->head, &f->codes));
    nz_buf_put(&f->head, f->codes.p, f->codes.n);
    check(!f->head.failed);
    decode(f, &f->head, &base, 0, f->raw.n);
    size_t at = choose(from, (unsigned)f->raw.n), end = at + choose(from, (unsigned)f->raw.n) + 1;
    decode(f, &f->head, &base, at, end < f->raw.n ? end - at : f->raw.n - at);
    explain(f, &f->head, &base);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    frame f;
    nz_span from = nz_span_of(in, n);
    if (n > MOST)
        return 0;
    make(&f, &from);
    use(&f, &from);
    nz_buf_free(&f.raw);
    nz_buf_free(&f.base);
    nz_buf_free(&f.head);
    nz_buf_free(&f.codes);
    return 0;
}
