/* The chunks of a slab's code: four bytes for the size of each but the last, then the chunks. */
#ifndef NZ_WEIGHTS_CHUNKS_H
#define NZ_WEIGHTS_CHUNKS_H

#include "base/base.h"
#include "base/buf.h"

/* Elements a chunk: much larger than what a chunk costs, much smaller than a tensor. */
#define NZ_CHUNK (256 << 10)

static inline size_t nz_chunks_of(size_t n)
{
    return (n + NZ_CHUNK - 1) / NZ_CHUNK;
}

typedef struct nz_chunks_out {
    size_t size_at, left, start; /* left: sizes still to be filled in */
} nz_chunks_out;

/* Room for the sizes of the chunks of n elements; the first chunk starts behind it. */
static inline nz_chunks_out nz_chunks_begin(nz_buf *out, size_t n)
{
    size_t sizes = nz_chunks_of(n) - (n > 0);
    nz_chunks_out c = {out->n, sizes, out->n + 4 * sizes};
    if (nz_buf_room(out, 4 * sizes))
        out->n += 4 * sizes;
    return c;
}

/* A chunk ends here. */
static inline void nz_chunks_end(nz_chunks_out *c, nz_buf *out)
{
    if (c->left && !out->failed) {
        nz_store32(out->p + c->size_at, (uint32_t)(out->n - c->start));
        c->size_at += 4;
        c->left--;
    }
    c->start = out->n;
}

typedef struct nz_chunks_in {
    nz_span sizes, code;
} nz_chunks_in;

/* All that is left of `in` are the chunks of n elements. */
static inline nz_chunks_in nz_chunks_open(nz_span in, size_t n)
{
    nz_chunks_in c;
    c.sizes = nz_span_cut(&in, 4 * (nz_chunks_of(n) - (n > 0)));
    c.code = in;
    return c;
}

/* The next chunk; a bad span when the sizes cannot be right. */
static inline nz_span nz_chunks_next(nz_chunks_in *c)
{
    if (c->code.bad || !nz_span_left(&c->sizes))
        return nz_span_cut(&c->code, nz_span_left(&c->code));
    nz_span size = nz_span_cut(&c->sizes, 4);
    return nz_span_cut(&c->code, size.bad ? UINT64_MAX : nz_load32(size.at));
}

#endif
