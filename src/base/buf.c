#include "base/buf.h"
#include "base/varint.h"

#include <string.h>

void nz_buf_free(nz_buf *b)
{
    nz_block_free(b->pool, &(nz_block){b->p, b->cap});
    *b = (nz_buf){.pool = b->pool};
}

uint8_t *nz_buf_room(nz_buf *b, size_t n)
{
    enum { FIRST = 256 };
    if (b->failed)
        return NULL;
    if (b->cap - b->n < n || !b->p) {
        size_t cap = b->cap < FIRST ? FIRST : 2 * b->cap;
        if (cap - b->n < n)
            cap = b->n + n;
        nz_block more = {b->p, b->cap};
        if (cap <= b->n || !nz_block_resize(b->pool, &more, b->n, cap)) {
            b->failed = true;
            return NULL;
        }
        b->p = more.p;
        b->cap = more.n;
    }
    return b->p + b->n;
}

void nz_buf_put(nz_buf *b, const void *p, size_t n)
{
    uint8_t *to = nz_buf_room(b, n);
    if (to && n) {
        memcpy(to, p, n);
        b->n += n;
    }
}

void nz_buf_byte(nz_buf *b, unsigned v)
{
    uint8_t byte = (uint8_t)v;
    nz_buf_put(b, &byte, 1);
}

void nz_buf_int16(nz_buf *b, int v)
{
    nz_buf_byte(b, (unsigned)v & 255);
    nz_buf_byte(b, (unsigned)v >> 8 & 255);
}

void nz_buf_varint(nz_buf *b, uint64_t v)
{
    uint8_t bytes[NZ_VARINT_BYTES];
    nz_buf_put(b, bytes, nz_varint_store(bytes, v));
}

nz_span nz_span_of(const void *p, size_t n)
{
    return (nz_span){p, n ? (const uint8_t *)p + n : p, false};
}

size_t nz_span_left(const nz_span *s)
{
    return (size_t)(s->end - s->at);
}

nz_span nz_span_cut(nz_span *s, uint64_t n)
{
    if (s->bad || n > nz_span_left(s)) {
        s->bad = true;
        return (nz_span){s->end, s->end, true};
    }
    nz_span part = {s->at, s->at + n, false};
    s->at += n;
    return part;
}

unsigned nz_span_byte(nz_span *s)
{
    nz_span part = nz_span_cut(s, 1);
    return part.bad ? 0 : *part.at;
}

int16_t nz_span_int16(nz_span *s)
{
    unsigned low = nz_span_byte(s), high = nz_span_byte(s);
    return (int16_t)(low | high << 8);
}

uint64_t nz_span_varint(nz_span *s)
{
    uint64_t v;
    size_t n = nz_varint_load(&v, s->at, nz_span_left(s));
    if (s->bad || n == 0 || n > NZ_VARINT_BYTES) {
        s->bad = true;
        return 0;
    }
    s->at += n;
    return v;
}
