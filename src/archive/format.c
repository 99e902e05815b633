/* Headers to bytes and back. */
#include "archive/format.h"
#include "base/base.h"
#include "base/buf.h"

#include <stdlib.h>

static const uint8_t MAGIC[NZ_MAGIC_BYTES] = {0xce, 0x4e, 0x5a, 0x0a};

uint32_t nz_check32(const void *p, size_t n)
{
    return (uint32_t)nz_hash(p, n);
}

void nz_head_store(uint8_t out[NZ_HEAD_BYTES])
{
    memcpy(out, MAGIC, NZ_MAGIC_BYTES);
    out[4] = NZ_FORMAT_VERSION;
    out[5] = 0;
    uint32_t check = nz_check32(out, 6);
    out[6] = (uint8_t)check;
    out[7] = (uint8_t)(check >> 8);
}

nz_err nz_head_load(const uint8_t *in, size_t n, const char **reason)
{
    *reason = "not an nzip archive";
    if (n && memcmp(in, MAGIC, n < NZ_MAGIC_BYTES ? n : NZ_MAGIC_BYTES) != 0)
        return NZ_E_MAGIC;
    *reason = "the archive ends inside its head";
    if (n < NZ_HEAD_BYTES)
        return NZ_E_TRUNCATED;
    *reason = "the head's checksum does not match";
    if (nz_load16(in + 6) != (nz_check32(in, 6) & 0xffff))
        return NZ_E_CORRUPT;
    *reason = "a format version this build does not know";
    if (in[4] != NZ_FORMAT_VERSION)
        return NZ_E_VERSION;
    *reason = "flags this build does not know";
    return in[5] ? NZ_E_VERSION : NZ_OK;
}

size_t nz_header_store(const nz_header *h, uint8_t out[NZ_HEADER_BYTES])
{
    size_t n = 0;
    out[n++] = (uint8_t)(NZ_TAG_FRAME + h->method);
    n += nz_varint_store(out + n, h->raw);
    if (h->method != NZ_METHOD_STORED) {
        n += nz_varint_store(out + n, h->packed);
        memcpy(out + n, h->params, NZ_SHAPE_BYTES);
        n += NZ_SHAPE_BYTES;
    }
    nz_store64(out + n, h->hash);
    n += 8;
    nz_store32(out + n, nz_check32(out, n));
    return n + 4;
}

/* What a frame with a right check must still keep. */
static nz_err header_rules(const nz_header *h, const char **reason)
{
    static const char *const REFUSED[NZ_METHOD_MIXED + 1] = {
        [NZ_METHOD_KV] = "the method \"kv\" is not supported by this build",
        [NZ_METHOD_LLM] = "the method \"llm\" is not supported by this build",
    };
    if (h->method > NZ_METHOD_MIXED || REFUSED[h->method]) {
        *reason = h->method > NZ_METHOD_MIXED ? "an unknown method" : REFUSED[h->method];
        return NZ_E_METHOD;
    }
    *reason = "an empty frame";
    if (h->raw == 0)
        return NZ_E_CORRUPT;
    *reason = "a frame larger than its method's largest";
    if (h->raw > NZ_FRAME_MAX)
        return NZ_E_CORRUPT;
    *reason = "a packed frame not smaller than its contents";
    if (h->method != NZ_METHOD_STORED && h->packed >= h->raw)
        return NZ_E_CORRUPT;
    *reason = NULL;
    return NZ_OK;
}

nz_err nz_header_load(nz_header *h, const uint8_t *in, size_t n, const char **reason)
{
    memset(h, 0, sizeof *h);
    *reason = "the archive ends inside a frame's header";
    if (n == 0)
        return NZ_E_TRUNCATED;
    *reason = "neither a frame nor the end of the archive";
    if ((in[0] & 0xf0) != NZ_TAG_FRAME)
        return NZ_E_CORRUPT;
    h->method = (nz_method)(in[0] & 15);
    bool stored = h->method == NZ_METHOD_STORED;

    size_t at = 1;
    uint64_t *const sizes[] = {&h->raw, &h->packed};
    for (int i = 0; i < (stored ? 1 : 2); i++) {
        size_t used = nz_varint_load(sizes[i], in + at, n - at);
        *reason = "a malformed size in a frame's header";
        if (used > NZ_VARINT_BYTES)
            return NZ_E_CORRUPT;
        *reason = "the archive ends inside a frame's header";
        if (used == 0)
            return NZ_E_TRUNCATED;
        at += used;
    }
    if (n - at < (stored ? 0 : NZ_SHAPE_BYTES) + 8 + 4)
        return NZ_E_TRUNCATED;
    if (stored) {
        h->packed = h->raw;
    } else {
        memcpy(h->params, in + at, NZ_SHAPE_BYTES);
        at += NZ_SHAPE_BYTES;
    }
    h->hash = nz_load64(in + at);
    at += 8;
    h->size = at + 4;
    *reason = "the checksum of a frame's header does not match";
    if (nz_load32(in + at) != nz_check32(in, at))
        return NZ_E_CORRUPT;
    return header_rules(h, reason);
}

nz_err nz_index_add(nz_index *x, uint64_t packed, uint64_t raw)
{
    if (x->frames >= NZ_INDEX_FRAMES)
        return NZ_E_CORRUPT;
    if (x->cap - x->n < 2 * NZ_VARINT_BYTES) {
        size_t cap = x->cap ? 2 * x->cap : 1024;
        uint8_t *more = realloc(x->entries, cap);
        if (!more)
            return NZ_E_MEM;
        x->entries = more;
        x->cap = cap;
    }
    x->n += nz_varint_store(x->entries + x->n, packed);
    x->n += nz_varint_store(x->entries + x->n, raw);
    x->frames++;
    x->packed += packed;
    x->raw += raw;
    return NZ_OK;
}

nz_err nz_index_store(const nz_index *x, uint8_t **out, size_t *n)
{
    uint8_t *p = malloc(1 + 3 * NZ_VARINT_BYTES + x->n + 8);
    if (!p)
        return NZ_E_MEM;
    size_t at = 0;
    p[at++] = NZ_TAG_END;
    at += nz_varint_store(p + at, x->frames);
    at += nz_varint_store(p + at, x->raw);
    if (x->n)
        memcpy(p + at, x->entries, x->n);
    at += x->n;
    if (x->directory)
        at += nz_varint_store(p + at, x->directory);
    nz_store32(p + at, (uint32_t)at);
    nz_store32(p + at + 4, nz_check32(p, at + 4));
    *out = p;
    *n = at + 8;
    return NZ_OK;
}

/* What the entries add up to, and what follows them. */
static bool entries_load(nz_index *x, nz_span *in)
{
    enum { LEAST = 1 + 1 + 8 + 4 + 1 }; /* bytes a frame takes, header included */
    x->frames = nz_span_varint(in);
    uint64_t total = nz_span_varint(in);
    if (in->bad || x->frames > NZ_INDEX_FRAMES)
        return false;
    x->entries = (uint8_t *)(uintptr_t)in->at;
    for (uint64_t i = 0; i < x->frames; i++) {
        uint64_t packed = nz_span_varint(in), raw = nz_span_varint(in);
        if (in->bad || packed < LEAST || raw == 0 || raw > NZ_FRAME_MAX)
            return false;
        if (packed > NZ_HEADER_BYTES + raw)
            return false;
        x->packed += packed;
        x->raw += raw;
    }
    x->n = (size_t)(in->at - x->entries);
    if (nz_span_left(in) && !(x->directory = nz_span_varint(in)))
        return false;
    return x->raw == total && !in->bad && !nz_span_left(in);
}

nz_err nz_index_load(nz_index *x, const uint8_t *in, size_t n, size_t *size, const char **reason)
{
    enum { SIZE_AND_CHECK = 8, LEAST = 1 + 1 + 1 };
    *x = (nz_index){0};
    *reason = "no archive ends where the file does: it was cut short, or something was added";
    if (n < LEAST + SIZE_AND_CHECK)
        return NZ_E_TRUNCATED;
    const uint8_t *tail = in + n - SIZE_AND_CHECK;
    size_t body = nz_load32(tail);
    if (body < LEAST || body > n - SIZE_AND_CHECK || tail[-(ptrdiff_t)body] != NZ_TAG_END)
        return NZ_E_TRUNCATED;
    *size = body + SIZE_AND_CHECK;
    *reason = "the checksum of the end does not match";
    if (nz_load32(tail + 4) != nz_check32(tail - body, body + 4))
        return NZ_E_CORRUPT;
    nz_span s = nz_span_of(tail - body + 1, body - 1);
    *reason = "an end that no encoder writes";
    return entries_load(x, &s) ? NZ_OK : NZ_E_CORRUPT;
}

void nz_index_reset(nz_index *x)
{
    free(x->entries);
    *x = (nz_index){0};
}
