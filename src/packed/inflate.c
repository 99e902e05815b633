#include "inflate.h"

#define LOOK_BITS 10 /* codes up to here are found by one look */

typedef struct decoder {
    uint16_t look[1 << LOOK_BITS]; /* symbol << 4 | length; 0: a longer code, or none */
    uint16_t count[NZ_CODE_MAX + 1];
    uint16_t sorted[NZ_FIXED_LITERALS]; /* symbols, by code */
} decoder;

/* A set of codes is complete, or at most one code of one bit. */
static bool decoder_init(decoder *d, const uint8_t *len, unsigned n)
{
    uint16_t code[NZ_FIXED_LITERALS], at[NZ_CODE_MAX + 2] = {0};
    memset(d, 0, sizeof *d);
    for (unsigned i = 0; i < n; i++)
        d->count[len[i]]++;
    d->count[0] = 0;
    int left = 1;
    for (unsigned bits = 1; bits <= NZ_CODE_MAX; bits++) {
        left = 2 * left - d->count[bits];
        if (left < 0)
            return false;
        at[bits + 1] = at[bits] + d->count[bits];
    }
    unsigned codes = at[NZ_CODE_MAX + 1];
    if (left > 0 && codes > d->count[1])
        return false;
    nz_code_assign(code, len, n);
    for (unsigned i = 0; i < n; i++) {
        if (!len[i])
            continue;
        d->sorted[at[len[i]]++] = (uint16_t)i;
        for (unsigned k = code[i]; len[i] <= LOOK_BITS && k < 1 << LOOK_BITS; k += 1u << len[i])
            d->look[k] = (uint16_t)(i << 4 | len[i]);
    }
    return true;
}

nz_inflate nz_inflate_of(const uint8_t *in, size_t n, uint64_t most)
{
    return (nz_inflate){.at = in, .end = in + n, .most = most};
}

/* Up to 32 bits ahead. */
static uint32_t look(nz_inflate *z, unsigned n)
{
    for (; z->n < n; z->n += 8) {
        if (z->at < z->end)
            z->v |= (uint64_t)*z->at++ << z->n;
        else
            z->past++;
    }
    return (uint32_t)(z->v & ((UINT64_C(1) << n) - 1));
}

static void skip(nz_inflate *z, unsigned n)
{
    z->v >>= n;
    z->n -= n;
}

static uint32_t get(nz_inflate *z, unsigned n)
{
    uint32_t v = look(z, n);
    skip(z, n);
    return v;
}

static bool truncated(const nz_inflate *z)
{
    return 8 * z->past > z->n;
}

/* The next symbol, or -1 for a code that there is not. */
static int symbol(nz_inflate *z, const decoder *d)
{
    unsigned found = d->look[look(z, LOOK_BITS)];
    if (found) {
        skip(z, found & 15);
        return (int)(found >> 4);
    }
    unsigned bits = look(z, NZ_CODE_MAX), code = 0, first = 0, at = 0;
    for (unsigned n = 1; n <= NZ_CODE_MAX; n++, bits >>= 1) {
        code = code << 1 | (bits & 1);
        first <<= 1;
        if (code - first < d->count[n]) {
            skip(z, n);
            return d->sorted[at + code - first];
        }
        first += d->count[n];
        at += d->count[n];
    }
    return -1;
}

static nz_err stored(nz_inflate *z, nz_deflate *b)
{
    b->pad = get(z, z->n & 7);
    b->stored = get(z, 16);
    unsigned check = get(z, 16);
    if (truncated(z))
        return NZ_E_TRUNCATED;
    if ((b->stored ^ check) != 65535)
        return NZ_E_CORRUPT;
    z->at = nz_inflate_at(z);
    z->v = z->n = z->past = 0;
    if ((size_t)(z->end - z->at) < b->stored)
        return NZ_E_TRUNCATED;
    z->at += b->stored;
    z->raw += b->stored;
    return z->raw > z->most ? NZ_E_LIMIT : NZ_OK;
}

static bool codes(nz_inflate *z, nz_codes *c)
{
    decoder d;
    c->literals = 257 + get(z, 5);
    c->distances = 1 + get(z, 5);
    c->run_lens = 4 + get(z, 4);
    c->runs = 0;
    memset(c->run_len, 0, sizeof c->run_len);
    for (unsigned i = 0; i < c->run_lens; i++)
        c->run_len[nz_run_order[i]] = (uint8_t)get(z, 3);
    if (c->literals > NZ_LITERALS || c->distances > NZ_DISTANCES ||
        !decoder_init(&d, c->run_len, NZ_RUNS))
        return false;
    for (unsigned n = c->literals + c->distances, i = 0; i < n;) {
        int s = symbol(z, &d);
        if (s < 0)
            return false;
        unsigned times = 1, len = (unsigned)s;
        if (s > NZ_CODE_MAX) {
            const nz_range *r = &nz_repeats[s - NZ_CODE_MAX - 1];
            times = r->base + get(z, r->extra);
            if (times > n - i || (s == 16 && i == 0))
                return false;
            len = s == 16 ? c->len[i - 1] : 0;
        }
        c->run[c->runs] = (uint8_t)s;
        c->repeat[c->runs++] = (uint8_t)times;
        memset(c->len + i, (int)len, times);
        i += times;
    }
    return true;
}

static nz_err tokens(nz_inflate *z, nz_deflate *b)
{
    uint8_t len[NZ_FIXED_LITERALS], dlen[NZ_FIXED_DISTANCES];
    decoder literals, distances;
    nz_deflate_lens(b, len, dlen);
    if (!decoder_init(&literals, len, NZ_FIXED_LITERALS) ||
        !decoder_init(&distances, dlen, NZ_FIXED_DISTANCES))
        return NZ_E_CORRUPT;
    for (;;) {
        int s = symbol(z, &literals);
        nz_token t = (nz_token)s;
        if (truncated(z))
            return NZ_E_TRUNCATED;
        if (s == NZ_END_SYMBOL)
            return NZ_OK;
        if (s > NZ_END_SYMBOL) {
            s -= NZ_END_SYMBOL + 1;
            if (s >= NZ_LENGTH_SYMBOLS)
                return NZ_E_CORRUPT;
            unsigned length = nz_lengths[s].base + get(z, nz_lengths[s].extra);
            s = symbol(z, &distances);
            if (s < 0 || s >= NZ_DISTANCES || length > NZ_MATCH_MAX)
                return NZ_E_CORRUPT;
            unsigned distance = nz_distances[s].base + get(z, nz_distances[s].extra);
            if (distance > z->raw)
                return NZ_E_CORRUPT;
            t = nz_match_token(length, distance);
        } else if (s < 0) {
            return NZ_E_CORRUPT;
        }
        z->raw += nz_token_bytes(t);
        if (z->raw > z->most)
            return NZ_E_LIMIT;
        if (!nz_deflate_add(b, t))
            return NZ_E_MEM;
    }
}

nz_err nz_inflate_block(nz_inflate *z, nz_deflate *b)
{
    b->last = get(z, 1);
    b->kind = get(z, 2);
    b->tokens = b->pad = b->stored = 0;
    nz_err err = NZ_E_CORRUPT;
    if (truncated(z))
        err = NZ_E_TRUNCATED;
    else if (b->kind == NZ_DEFLATE_STORED)
        err = stored(z, b);
    else if (b->kind == NZ_DEFLATE_FIXED || (b->kind == NZ_DEFLATE_DYNAMIC && codes(z, &b->codes)))
        err = tokens(z, b);
    if (!err && b->last && b->kind != NZ_DEFLATE_STORED)
        b->pad = get(z, z->n & 7);
    return err == NZ_E_CORRUPT && truncated(z) ? NZ_E_TRUNCATED : err;
}

const uint8_t *nz_inflate_at(const nz_inflate *z)
{
    return z->at + z->past - z->n / 8;
}

/* The bytes that `b` stands for. */
static void spread(nz_buf *raw, const nz_deflate *b, const uint8_t *stored)
{
    if (b->kind == NZ_DEFLATE_STORED)
        nz_buf_put(raw, stored, b->stored);
    for (size_t i = 0; i < b->tokens; i++) {
        unsigned distance = nz_token_distance(b->token[i]), n = nz_token_bytes(b->token[i]);
        uint8_t *to = nz_buf_room(raw, n);
        if (!to)
            return;
        if (!distance)
            *to = (uint8_t)b->token[i];
        else
            for (unsigned k = 0; k < n; k++)
                to[k] = *(to + k - distance);
        raw->n += n;
    }
}

nz_err nz_inflate_all(nz_buf *raw, size_t *used, const uint8_t *in, size_t n, uint64_t most)
{
    nz_inflate z = nz_inflate_of(in, n, most);
    nz_deflate b = {0};
    nz_err err;
    do {
        err = nz_inflate_block(&z, &b);
        if (!err)
            spread(raw, &b, nz_inflate_at(&z) - b.stored);
        if (!err && raw->failed)
            err = NZ_E_MEM;
    } while (!err && !b.last);
    *used = (size_t)(nz_inflate_at(&z) - in);
    nz_deflate_reset(&b);
    return err;
}
