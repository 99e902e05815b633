#include "weights/delta.h"
#include "base/base.h"
#include "base/bits.h"
#include "weights/convert.h"
#include "weights/form.h"
#include "weights/plane.h"
#include "weights/value.h"

#include <stdlib.h>

enum { STRIP = 4096, SETS = NZ_PLANE_SETS, UNITS_MAX = 8 };

/* What is subtracted: numbers, or the bytes of anything else. */
typedef struct delta {
    nz_value value;   /* of a unit */
    unsigned bytes;   /* of it */
    unsigned below;   /* bits of the difference in the symbol, below the first */
    int exponent_low; /* of the first set but one */
    size_t n;         /* units */
    size_t per;       /* units a block */
    nz_dtype dtype, base_dtype;
    const uint8_t *base;
    nz_plane symbol;
} delta;

/* The difference as a number without a sign, small for small ones, cut to the unit's bits. */
static uint64_t fold(const delta *d, uint64_t difference)
{
    unsigned up = 64 - d->value.bits;
    int64_t v = (int64_t)(difference << up) >> up;
    uint64_t z = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
    return d->value.bits == 64 ? z : z & ((UINT64_C(1) << d->value.bits) - 1);
}

static uint64_t unfold(uint64_t z)
{
    return z >> 1 ^ (UINT64_C(0) - (z & 1));
}

static unsigned length_of(uint64_t z)
{
    return z ? 64 - (unsigned)__builtin_clzll(z) : 0;
}

/* By the exponent of the base; integers are of one set. */
static uint8_t set_of(const delta *d, uint64_t base)
{
    if (!d->value.exponent)
        return 0;
    int e = nz_value_split(&d->value, base).exponent - d->exponent_low;
    return (uint8_t)(e < 0 ? 0 : e < SETS ? e : SETS - 1);
}

static void delta_init(delta *d, const nz_slab *s, nz_dtype base_dtype, const uint8_t *base)
{
    const nz_dtype_info *info = nz_dtype_about(s->dtype);
    *d = (delta){.dtype = s->dtype, .base_dtype = base_dtype, .base = base, .bytes = 1, .per = 1};
    if (info->elements == 1 && (info->bytes == 2 || info->bytes == 4 || info->bytes == 8))
        d->bytes = info->bytes;
    else
        d->per = info->bytes;
    d->below = d->bytes == 8 ? 1 : 2;
    d->n = (size_t)s->n * d->per;
    const nz_value *value = nz_value_of(s->dtype);
    d->value = value ? *value : (nz_value){.bits = (uint8_t)(8 * d->bytes)};
}

NZ_INLINE uint64_t unit_at(const delta *d, const uint8_t *p, size_t i)
{
    return nz_value_load(&d->value, p + i * d->bytes);
}

/* Units at..at + n of the base, in the slab's format. */
static void take_base(const delta *d, uint8_t *to, size_t at, size_t n)
{
    size_t bytes = nz_dtype_about(d->base_dtype)->bytes / d->per;
    if (d->base_dtype == d->dtype)
        memcpy(to, d->base + at * bytes, n * bytes);
    else
        nz_convert(d->dtype, to, d->base_dtype, d->base + at * bytes, n);
}

/* The sets are the binades around the mean of the base's exponents. */
static void find_sets(delta *d)
{
    uint8_t strip[STRIP * UNITS_MAX];
    uint64_t sum = 0, count = 0;
    if (!d->value.exponent)
        return;
    for (size_t at = 0; at < d->n; at += STRIP) {
        size_t n = d->n - at < STRIP ? d->n - at : STRIP;
        take_base(d, strip, at, n);
        for (size_t i = 0; i < n; i++) {
            int e = nz_value_split(&d->value, unit_at(d, strip, i)).exponent;
            sum += (unsigned)e;
            count += e > 0;
        }
    }
    d->exponent_low = count ? (int)(sum / count) - SETS * 5 / 8 : 0;
}

/* The symbol of a difference: 0; 1 + (length - 1) << below | the bits below the first. */
static unsigned told(const delta *d, unsigned length)
{
    return length - 1 < d->below ? length - 1 : d->below;
}

static uint8_t symbol_of(const delta *d, uint64_t z)
{
    unsigned length = length_of(z);
    if (!length)
        return 0;
    unsigned in = told(d, length);
    uint64_t next = z >> (length - 1 - in) & ((1u << in) - 1);
    return (uint8_t)(1 + ((length - 1) << d->below) + next);
}

static void measure(const delta *d, uint8_t *symbol, uint8_t *set, uint64_t *z, const uint8_t *raw,
                    size_t at, size_t n)
{
    const delta own = *d; /* what is written cannot alias it */
    uint8_t strip[STRIP * UNITS_MAX];
    take_base(d, strip, at, n);
    for (size_t i = 0; i < n; i++) {
        uint64_t base = unit_at(&own, strip, i), v = unit_at(&own, raw, at + i);
        z[i] = fold(&own, nz_value_rank(&own.value, v) - nz_value_rank(&own.value, base));
        symbol[i] = symbol_of(&own, z[i]);
        set[i] = set_of(&own, base);
    }
}

/* The bits of differences that symbols do not tell. */
static void rest_put(const delta *d, nz_bits_out *b, const uint64_t *z, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned length = length_of(z[i]), rest = length ? length - 1 - told(d, length) : 0;
        uint64_t v = z[i] & ((UINT64_C(1) << rest) - 1);
        if (rest > 32) {
            nz_bits_put(b, v & UINT32_MAX, 32);
            v >>= 32;
            rest -= 32;
        }
        nz_bits_put(b, v, rest);
    }
}

static uint64_t rest_get(nz_bits_in *b, unsigned n)
{
    if (n <= 32)
        return nz_bits_get(b, n);
    uint64_t low = nz_bits_get(b, 32);
    return low | (uint64_t)nz_bits_get(b, n - 32) << 32;
}

nz_err nz_delta_encode(const nz_slab *s, const nz_kern *kern, nz_tables *tables, const uint8_t *raw,
                       nz_dtype base_dtype, const uint8_t *base, nz_buf *out)
{
    delta d;
    delta_init(&d, s, base_dtype, base);
    find_sets(&d);
    uint32_t counts[SETS][256] = {{0}};
    uint8_t *symbol = malloc(2 * (size_t)NZ_CHUNK), *set = symbol + NZ_CHUNK;
    uint64_t *z = malloc(STRIP * sizeof *z);
    nz_err err = symbol && z ? NZ_OK : NZ_E_MEM;
    bool same = base_dtype == s->dtype && !memcmp(raw, base, (size_t)nz_slab_bytes(s));
    counts[0][0] = same; /* then the plane is a fill, whatever the sets */
    for (size_t at = 0; at < d.n && !same && !err; at += STRIP) {
        size_t n = d.n - at < STRIP ? d.n - at : STRIP;
        measure(&d, symbol, set, z, raw, at, n);
        nz_plane_count(counts, symbol, set, n);
    }
    if (!err)
        err = nz_plane_choose(&d.symbol, tables, counts, SETS);
    if (err)
        goto done;
    nz_buf_int16(out, d.exponent_low);
    nz_plane_store(&d.symbol, out);
    nz_chunks_out chunks = nz_chunks_begin(out, d.n, NZ_CHUNK);
    for (size_t at = 0; at < d.n; at += NZ_CHUNK) {
        size_t n = d.n - at < NZ_CHUNK ? d.n - at : NZ_CHUNK;
        nz_buf rest = {0};
        nz_bits_out bits = {.to = &rest};
        for (size_t i = 0; i < n && !same; i += STRIP) {
            size_t m = n - i < STRIP ? n - i : STRIP;
            measure(&d, symbol + i, set + i, z, raw, at + i, m);
            rest_put(&d, &bits, z, m);
        }
        nz_bits_flush(&bits);
        nz_plane_encode(&d.symbol, kern, symbol, set, n, out);
        nz_buf_put(out, rest.p, rest.n);
        out->failed |= rest.failed;
        nz_buf_free(&rest);
        nz_chunks_end(&chunks, out);
    }
    if (out->failed)
        err = NZ_E_MEM;
done:
    nz_plane_free(&d.symbol);
    free(symbol);
    free(z);
    return err;
}

static nz_err unchunk(const delta *d, const nz_kern *kern, const nz_chunk *chunk, uint8_t *raw)
{
    const size_t size = chunk->size, from = chunk->from, n = chunk->n;
    nz_span code = chunk->code;
    nz_plane_reader r;
    uint8_t strip[STRIP * UNITS_MAX], set[STRIP], to[STRIP];
    nz_err err = nz_plane_open(&r, &d->symbol, size, &code);
    if (err)
        return err;
    if (d->symbol.kind == NZ_PLANE_FILL && d->symbol.fill == 0) {
        take_base(d, raw, chunk->at + from, n);
        return from + n == size && nz_span_left(&code) ? NZ_E_CORRUPT : NZ_OK;
    }
    nz_bits_in bits = {.in = code};
    for (size_t i = 0; i < size && i < from + n; i += STRIP) {
        size_t m = size - i < STRIP ? size - i : STRIP;
        take_base(d, strip, chunk->at + i, m);
        for (size_t k = 0; k < m; k++)
            set[k] = set_of(d, unit_at(d, strip, k));
        const uint8_t *symbol = nz_plane_read(&r, kern, set, to, m);
        for (size_t k = 0; k < m; k++) {
            uint64_t z = 0;
            if (symbol[k]) {
                unsigned length = ((symbol[k] - 1u) >> d->below) + 1;
                if (length > d->value.bits)
                    return NZ_E_CORRUPT;
                unsigned in = told(d, length), rest = length - 1 - in;
                z = (UINT64_C(1) << in | ((symbol[k] - 1u) & ((1u << in) - 1))) << rest;
                z |= rest_get(&bits, rest);
            }
            if (i + k < from || i + k >= from + n)
                continue;
            uint64_t v = nz_value_rank(&d->value, unit_at(d, strip, k)) + unfold(z);
            nz_value_store(&d->value, raw + (i + k - from) * d->bytes,
                           nz_value_unrank(&d->value, v));
        }
    }
    if (bits.in.bad)
        return NZ_E_CORRUPT;
    if (from + n < size)
        return NZ_OK;
    return nz_bits_all(&bits) ? nz_plane_close(&r) : NZ_E_CORRUPT;
}

nz_err nz_delta_decode(const nz_slab *s, const nz_kern *kern, const nz_tables *tables, nz_span code,
                       nz_dtype base_dtype, const uint8_t *base, uint8_t *raw, uint64_t first,
                       uint64_t count)
{
    delta d;
    delta_init(&d, s, base_dtype, base);
    d.exponent_low = nz_span_int16(&code);
    nz_err err = nz_plane_load(&d.symbol, tables, &code);
    if (err)
        return err;
    if (d.symbol.sets != SETS)
        err = NZ_E_CORRUPT;
    size_t from = (size_t)first * d.per;
    nz_chunk chunk;
    nz_chunks_in chunks = nz_chunks_open(code, d.n, NZ_CHUNK, from, (size_t)count * d.per);
    while (!err && nz_chunks_next(&chunks, &chunk))
        err = unchunk(&d, kern, &chunk, raw + (chunk.at + chunk.from - from) * d.bytes);
    if (!err && !nz_chunks_all(&chunks))
        err = NZ_E_CORRUPT;
    nz_plane_free(&d.symbol);
    return err;
}
