/* The chunks of a slab's code: four bytes for the size of each but the last, then the chunks. */
#ifndef NZ_WEIGHTS_CHUNKS_H
#define NZ_WEIGHTS_CHUNKS_H

#include "base/base.h"
#include "base/buf.h"

/* Elements a chunk: much larger than what a chunk costs, much smaller than a tensor. */
#define NZ_CHUNK (256 << 10)

/* Sizes told of the chunks of n elements, `each` a chunk. */
static inline size_t nz_chunks_sizes(size_t n, size_t each)
{
    return n ? (n - 1) / each : 0;
}

typedef struct nz_chunks_out {
    size_t size_at, left, start; /* left: sizes still to be filled in */
} nz_chunks_out;

/* Room for the sizes of the chunks of n elements; the first chunk starts behind it. */
static inline nz_chunks_out nz_chunks_begin(nz_buf *out, size_t n, size_t each)
{
    size_t sizes = nz_chunks_sizes(n, each);
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

/* Reading some elements: */
typedef struct nz_chunks_in {
    nz_span sizes, code;
    size_t at, n, each; /* the next chunk's first element, all elements, those of a chunk */
    size_t from, end;   /* the elements wanted */
} nz_chunks_in;

typedef struct nz_chunk {
    nz_span code;
    size_t at, size; /* its first element, how many it has */
    size_t from, n;  /* those wanted of it, from its first on */
} nz_chunk;

/* All that is left of `in` are the chunks of n elements, of which from..from + count are wanted. */
static inline nz_chunks_in nz_chunks_open(nz_span in, size_t n, size_t each, size_t from,
                                          size_t count)
{
    nz_chunks_in c = {.n = n, .each = each, .from = from, .end = from + count};
    c.sizes = nz_span_cut(&in, 4 * nz_chunks_sizes(n, each));
    c.code = in;
    return c;
}

/* The next chunk with elements that are wanted; false after the last and when the code is bad. */
static inline bool nz_chunks_next(nz_chunks_in *c, nz_chunk *chunk)
{
    while (c->at < c->n && !c->code.bad) {
        size_t at = c->at, size = c->n - at < c->each ? c->n - at : c->each;
        uint64_t bytes = nz_span_left(&c->code);
        if (nz_span_left(&c->sizes))
            bytes = nz_load32(nz_span_cut(&c->sizes, 4).at);
        *chunk = (nz_chunk){.code = nz_span_cut(&c->code, bytes), .at = at, .size = size};
        c->at += size;
        if (at + size <= c->from || at >= c->end)
            continue;
        chunk->from = c->from > at ? c->from - at : 0;
        chunk->n = (c->end - at < size ? c->end - at : size) - chunk->from;
        return !chunk->code.bad;
    }
    return false;
}

/* Whether the code was that of the chunks and nothing else, after the last. */
static inline bool nz_chunks_all(const nz_chunks_in *c)
{
    return !c->code.bad && !nz_span_left(&c->code);
}

#endif
