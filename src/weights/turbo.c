/* Numbers with exponents of almost fixed length: 2.7 bits each where rANS needs 2.5, but unpacked
 * as fast as memory takes them. The exponents of neighbours lie close: a block of 512 numbers has a
 * base, and digits of two bits tell how far from it an exponent lies, most of them one digit. The
 * few that lie too far are listed.
 *
 * The code of a slab is that of its chunks, one after the other, NZ_CHUNK numbers each and the
 * last what is left. Of a chunk of n numbers:
 *
 *   varint            k, how many of its exponents are listed
 *   3 varints         b, c, d, bits of second, third and fourth digits
 *   n / 512 bytes     base of each block, rounded up
 *   k bytes           the listed exponents, in the order of their numbers
 *   b / 8 bytes       the second digits, rounded up, with bits of 0; then c / 8, then d / 8
 *   n / 32 groups     rounded up; of 40 bytes for BF16, 52 for F16, 104 for F32. A last group that
 *                     is not full ends in numbers with an exponent equal to the base and a rest of
 *                     0, which are not kept.
 *
 * backend/turbo.h tells what is in groups and digits. Exponents are counted mod 256; F16 has five
 * bits of them, the rest are dropped. A number is v >> 1 | v << (bits - 1), v being the exponent in
 * front of the rest. A reader refuses lists and digits that are fewer or more than the groups ask
 * for, and bytes behind the last chunk. Groups lie last, so that what a kernel reads behind the
 * lists is there. */
#include "base/base.h"
#include "weights/explain.h"
#include "weights/form.h"

#include <assert.h>

enum {
    CHUNK = NZ_CHUNK,
    GROUP = NZ_TURBO_GROUP,
    BLOCK = NZ_TURBO_BLOCK,
    BELOW = 9, /* the lowest exponent near a base, and the highest */
    ABOVE = 2,
    ODD_BITS = 16, /* four digits and a byte */
    SAMPLE = 64    /* blocks that the choice of the form is made by */
};

typedef struct turbo {
    nz_turbo_shape shape;
    uint8_t bytes, group; /* of a number, of a group of them */
    uint8_t fraction;     /* bits below the exponent in memory */
    uint8_t mask;
} turbo;

static const turbo *turbo_of(nz_dtype dtype)
{
    static const turbo f16 = {NZ_TURBO_F16, 2, NZ_TURBO_F16_BYTES, 10, 31};
    static const turbo bf16 = {NZ_TURBO_BF16, 2, NZ_TURBO_BF16_BYTES, 7, 255};
    static const turbo f32 = {NZ_TURBO_F32, 4, NZ_TURBO_F32_BYTES, 23, 255};
    switch (dtype) {
    case NZ_DT_F16: return &f16;
    case NZ_DT_BF16: return &bf16;
    case NZ_DT_F32: return &f32;
    default: return NULL;
    }
}

static size_t blocks_of(size_t n)
{
    return (n + BLOCK - 1) / BLOCK;
}

static size_t groups_of(size_t n)
{
    return (n + GROUP - 1) / GROUP;
}

/* ---- Bases ---- */

/* What the exponents of a chunk need beside their first digits. */
typedef struct extra {
    size_t odds, bits[NZ_TURBO_LATER];
} extra;

/* Exponents of n numbers, at most a block; returns the bits that any of them has. */
static uint32_t exponents(const turbo *t, uint8_t *to, const uint8_t *raw, size_t n)
{
    uint32_t any = 0;
    if (t->bytes == 2) {
        uint16_t x[BLOCK], all = 0;
        memcpy(x, raw, 2 * n);
        for (size_t i = 0; i < n; i++) {
            all |= x[i];
            to[i] = (uint8_t)(x[i] >> t->fraction) & t->mask;
        }
        any = all;
    } else {
        uint32_t x[BLOCK];
        memcpy(x, raw, 4 * n);
        for (size_t i = 0; i < n; i++) {
            any |= x[i];
            to[i] = (uint8_t)(x[i] >> t->fraction);
        }
    }
    return any;
}

/* The base that tells n exponents, at least one, in the fewest bits; adds what they then need to
 * *e. */
static uint8_t base_of(const uint8_t *exponent, size_t n, extra *e)
{
    uint8_t low = exponent[0], high = low;
    for (size_t i = 1; i < n; i++) {
        low = exponent[i] < low ? exponent[i] : low;
        high = exponent[i] > high ? exponent[i] : high;
    }
    /* Two counters of a value keep equal neighbours from waiting for each other. */
    uint16_t counts[BELOW + 256 + ABOVE], more[256], saved[256];
    size_t span = high - low + 1u, i = 0, best = 0;
    memset(counts, 0, (BELOW + span + ABOVE) * sizeof *counts);
    memset(more, 0, span * sizeof *more);
    memset(saved, 0, span * sizeof *saved);
    uint16_t *count = counts + BELOW;
    for (; i + 2 <= n; i += 2) {
        count[exponent[i] - low]++;
        more[exponent[i + 1] - low]++;
    }
    if (i < n)
        more[exponent[i] - low]++;
    for (size_t b = 0; b < span; b++)
        count[b] = (uint16_t)(count[b] + more[b]);
    for (unsigned k = 0; k < NZ_TURBO_NEAR; k++) {
        const uint16_t *at = count + NZ_TURBO_FROM_BASE[k], bits = (uint16_t)(2 * (k / 3 + 1));
        for (size_t b = 0; b < span; b++)
            saved[b] = (uint16_t)(saved[b] + at[b] * (ODD_BITS - bits));
    }
    for (size_t b = 0; b < span; b++)
        if (saved[b] > saved[best])
            best = b;
    size_t odds = n;
    for (unsigned k = 0; k < NZ_TURBO_NEAR; k++) {
        uint8_t at = (uint8_t)(best + (size_t)NZ_TURBO_FROM_BASE[k]); /* mod 256, as exponents */
        size_t near = at < span ? count[at] : 0;
        odds -= near;
        for (unsigned d = 0; d < k / 3; d++)
            e->bits[d] += 2 * near;
    }
    for (unsigned d = 0; d < NZ_TURBO_LATER; d++)
        e->bits[d] += 2 * odds;
    e->odds += odds;
    return (uint8_t)(low + best);
}

/* The bases of a chunk. */
static extra find_bases(const turbo *t, uint8_t *base, const uint8_t *raw, size_t n)
{
    uint8_t exponent[BLOCK];
    extra e = {0};
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        exponents(t, exponent, raw + i * t->bytes, m);
        base[i / BLOCK] = base_of(exponent, m, &e);
    }
    return e;
}

bool nz_turbo_suits(const nz_slab *s, const uint8_t *raw)
{
    const turbo *t = turbo_of(s->dtype);
    if (!t)
        return false;
    uint8_t exponent[BLOCK];
    uint32_t any = 0;
    extra e = {0};
    size_t n = (size_t)s->n, seen = 0;
    size_t blocks = blocks_of(n), step = blocks > SAMPLE ? blocks / SAMPLE : 1;
    for (size_t i = 0; i < n; i += step * BLOCK) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        any |= exponents(t, exponent, raw + i * t->bytes, m);
        base_of(exponent, m, &e);
        seen += m;
    }
    /* Numbers that were once shorter, and those that are often zero, are better told by symbols. */
    return any & 15 && e.odds <= seen / 4;
}

/* ---- Chunks ---- */

/* Bytes of a chunk behind its counts. */
static size_t chunk_bytes(const turbo *t, size_t n, const extra *e)
{
    size_t bytes = blocks_of(n) + e->odds + groups_of(n) * t->group;
    for (int d = 0; d < NZ_TURBO_LATER; d++)
        bytes += (e->bits[d] + 7) / 8;
    return bytes;
}

static void chunk_write(const turbo *t, const nz_kern *kern, const uint8_t *raw, size_t n,
                        nz_buf *out)
{
    uint8_t base[CHUNK / BLOCK];
    extra e = find_bases(t, base, raw, n);
    nz_buf_varint(out, e.odds);
    for (int d = 0; d < NZ_TURBO_LATER; d++)
        nz_buf_varint(out, e.bits[d]);
    size_t blocks = blocks_of(n), whole = n / GROUP * GROUP, room = chunk_bytes(t, n, &e);
    uint8_t *at = nz_buf_room(out, room);
    if (!at)
        return;
    memcpy(at, base, blocks);
    nz_turbo_out to = {.base = at, .odd = at + blocks, .groups = at + blocks + e.odds};
    for (int d = 0; d < NZ_TURBO_LATER; d++) {
        to.bits[d] = to.groups;
        to.groups += (e.bits[d] + 7) / 8;
    }
    kern->turbo_split[t->shape](&to, raw, whole);
    if (whole < n) {
        uint8_t last[GROUP * 4];
        uint32_t pad = (uint32_t)base[blocks - 1] << t->fraction;
        for (size_t i = 0; i < GROUP; i++)
            nz_store(last + i * t->bytes, pad, t->bytes);
        memcpy(last, raw + whole * t->bytes, (n - whole) * t->bytes);
        kern->turbo_split[t->shape](&to, last, GROUP);
    }
    for (int d = 0; d < NZ_TURBO_LATER; d++)
        for (unsigned k = 0; k < to.lasts[d]; k += 8)
            *to.bits[d]++ = (uint8_t)(to.last[d] >> k);
    assert(to.odd == at + blocks + e.odds && to.bits[NZ_TURBO_LATER - 1] == to.groups);
    out->n += room;
}

/* No more of each than n numbers can have. */
static bool extra_read(extra *e, size_t n, nz_span *in)
{
    uint64_t odds = nz_span_varint(in);
    e->odds = (size_t)odds;
    bool good = odds <= n;
    for (int d = 0; d < NZ_TURBO_LATER; d++) {
        uint64_t bits = nz_span_varint(in);
        e->bits[d] = (size_t)bits;
        good &= bits <= 2 * n;
    }
    return good && !in->bad;
}

/* Numbers from..from + n of a chunk of `size`; `code` has just the room that its parts need. */
static nz_err chunk_read(const turbo *t, const nz_kern *kern, const uint8_t *code, const extra *e,
                         size_t size, uint8_t *raw, size_t from, size_t n)
{
    nz_turbo_in in = {.base = code, .odd = code + blocks_of(size)};
    in.odd_end = in.groups = in.odd + e->odds;
    for (int d = 0; d < NZ_TURBO_LATER; d++) {
        in.bits[d] = in.groups;
        in.bit_end[d] = e->bits[d];
        in.groups += (e->bits[d] + 7) / 8;
    }
    /* Groups in front of those wanted are read for what they take of the lists. */
    uint8_t strip[BLOCK * 4] = {0};
    size_t start = from / GROUP * GROUP, end = from + n, m;
    for (size_t i = 0; i < start; i += m) {
        m = start - i < BLOCK ? start - i : BLOCK;
        kern->turbo_join[t->shape](strip, &in, m);
    }
    for (size_t i = from; i < end; i += m, raw += m * t->bytes) {
        size_t skip = i % GROUP;
        m = (end - i) / GROUP * GROUP;
        if (skip || !m) {
            m = end - i < GROUP - skip ? end - i : GROUP - skip;
            kern->turbo_join[t->shape](strip, &in, GROUP);
            memcpy(raw, strip + skip * t->bytes, m * t->bytes);
        } else {
            kern->turbo_join[t->shape](raw, &in, m);
        }
    }
    bool over = in.odd > in.odd_end, left = in.odd < in.odd_end;
    for (int d = 0; d < NZ_TURBO_LATER; d++) {
        over |= in.bit[d] > in.bit_end[d];
        left |= in.bit[d] < in.bit_end[d];
    }
    return over || (left && end == size) ? NZ_E_CORRUPT : NZ_OK;
}

/* ---- Slabs ---- */

nz_err nz_turbo_encode(const nz_slab *slab, const nz_kern *kern, const uint8_t *raw, nz_buf *out)
{
    const turbo *t = turbo_of(slab->dtype);
    size_t n = (size_t)slab->n;
    for (size_t at = 0; at < n; at += CHUNK)
        chunk_write(t, kern, raw + at * t->bytes, n - at < CHUNK ? n - at : CHUNK, out);
    return out->failed ? NZ_E_MEM : NZ_OK;
}

nz_err nz_turbo_decode(const nz_slab *slab, const nz_kern *kern, nz_span code, uint8_t *raw,
                       size_t from, size_t n)
{
    const turbo *t = turbo_of(slab->dtype);
    if (!t)
        return NZ_E_CORRUPT;
    for (size_t at = 0, end = (size_t)slab->n; at < end; at += CHUNK) {
        size_t size = end - at < CHUNK ? end - at : CHUNK;
        extra e;
        if (!extra_read(&e, size, &code))
            return NZ_E_CORRUPT;
        nz_span chunk = nz_span_cut(&code, chunk_bytes(t, size, &e));
        if (chunk.bad)
            return NZ_E_CORRUPT;
        if (at + size <= from || at >= from + n)
            continue;
        size_t low = from > at ? from - at : 0, high = from + n - at < size ? from + n - at : size;
        nz_err err = chunk_read(t, kern, chunk.at, &e, size, raw + (at + low - from) * t->bytes,
                                low, high - low);
        if (err)
            return err;
    }
    return nz_span_left(&code) ? NZ_E_CORRUPT : NZ_OK;
}

/* Of what is behind the counts, bases and numbers that fill the last group up are nobody's. */
nz_err nz_turbo_explain(const nz_slab *slab, nz_span code, uint64_t bits[NZ_PARTS])
{
    const turbo *t = turbo_of(slab->dtype);
    if (!t)
        return NZ_E_CORRUPT;
    for (size_t at = 0, end = (size_t)slab->n; at < end; at += CHUNK) {
        size_t n = end - at < CHUNK ? end - at : CHUNK;
        extra e;
        if (!extra_read(&e, n, &code) || nz_span_cut(&code, chunk_bytes(t, n, &e)).bad)
            return NZ_E_CORRUPT;
        bits[NZ_PART_SIGN] += n;
        bits[NZ_PART_MANTISSA] += (uint64_t)n * t->fraction;
        bits[NZ_PART_EXPONENT] += 2 * (uint64_t)n + 8 * e.odds;
        for (int d = 0; d < NZ_TURBO_LATER; d++)
            bits[NZ_PART_EXPONENT] += e.bits[d];
    }
    return nz_span_left(&code) ? NZ_E_CORRUPT : NZ_OK;
}
