/* Numbers with exponents of a fixed length: three bits each where rANS needs 2.5, but unpacked as
 * fast as memory takes them. The exponents of neighbours lie close: a block of 512 numbers has a
 * base, and an exponent's code is how far it lies below, 0 to 6. The few others are listed.
 *
 * The code of a slab is that of its chunks, one after the other, NZ_SLAB_CHUNK numbers each and the
 * last what is left. Of a chunk of n numbers:
 *
 *   varint            k, how many of its exponents are listed
 *   n / 512 bytes     base of each block, rounded up
 *   k bytes           the listed exponents, in the order of their numbers
 *   n / 32 groups     rounded up, of 44 bytes for BF16, 56 for F16, 108 for F32; see
 *                     backend/turbo.h. A last group that is not full ends in numbers of code 0
 *                     and rest 0, which are not kept.
 *
 * Code c < 7 of a number means the exponent (base - c) mod 256, code 7 the next listed one. Then
 * number = v >> 1 | v << (bits - 1), v being the exponent in front of the rest. F16 has exponents
 * of five bits: only those count. A reader refuses lists that are too short or too long, and bytes
 * behind the last chunk. Groups lie behind the list, so that what a kernel reads behind its end is
 * there. */
#include "base/base.h"
#include "weights/form.h"

#include <assert.h>

enum {
    CHUNK = NZ_SLAB_CHUNK,
    GROUP = NZ_TURBO_GROUP,
    BLOCK = NZ_TURBO_BLOCK,
    LAST = NZ_TURBO_ODD - 1, /* code */
    SAMPLE = 64              /* blocks that the choice of the form is made by */
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

/* The base that leaves the fewest of n exponents odd, the highest such; *odd: how many. */
static uint8_t base_of(const uint8_t *exponent, size_t n, size_t *odd)
{
    uint8_t low = 255, high = 0;
    for (size_t i = 0; i < n; i++) {
        low = exponent[i] < low ? exponent[i] : low;
        high = exponent[i] > high ? exponent[i] : high;
    }
    /* Two counters of a value keep equal neighbours from waiting for each other. Those of the
     * values that may be asked for are cleared. */
    uint16_t even[256 + LAST], other[256 + LAST];
    size_t span = high - low + 1u + LAST, i = 0;
    memset(even, 0, span * sizeof *even);
    memset(other, 0, span * sizeof *other);
    for (; i + 2 <= n; i += 2) {
        even[exponent[i] - low + LAST]++;
        other[exponent[i + 1] - low + LAST]++;
    }
    if (i < n)
        even[exponent[i] - low + LAST]++;
    for (size_t k = 0; k < span; k++)
        even[k] = (uint16_t)(even[k] + other[k]);
    size_t near = 0, most = 0, best = 0;
    for (size_t k = 0; k < LAST; k++)
        near += even[span - 1 - k];
    for (size_t b = span - 1; b >= LAST; near -= even[b--]) {
        near += even[b - LAST];
        if (near > most) {
            most = near;
            best = b;
        }
    }
    *odd = n - most;
    return (uint8_t)(best - LAST + low);
}

/* The bases of a chunk; returns how many of its exponents they leave odd. */
static size_t find_bases(const turbo *t, uint8_t *base, const uint8_t *raw, size_t n)
{
    uint8_t exponent[BLOCK];
    size_t odd, all = 0;
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        exponents(t, exponent, raw + i * t->bytes, m);
        base[i / BLOCK] = base_of(exponent, m, &odd);
        all += odd;
    }
    return all;
}

bool nz_turbo_suits(const nz_slab *s, const uint8_t *raw)
{
    const turbo *t = turbo_of(s->dtype);
    if (!t)
        return false;
    uint8_t exponent[BLOCK];
    uint32_t any = 0;
    size_t n = (size_t)s->n, seen = 0, all = 0, odd;
    size_t blocks = blocks_of(n), step = blocks > SAMPLE ? blocks / SAMPLE : 1;
    for (size_t i = 0; i < n; i += step * BLOCK) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        any |= exponents(t, exponent, raw + i * t->bytes, m);
        base_of(exponent, m, &odd);
        all += odd;
        seen += m;
    }
    /* Numbers that were once shorter, and those that are often zero, are better told by symbols. */
    return any & 15 && all <= seen / 4;
}

/* ---- Chunks ---- */

static void chunk_write(const turbo *t, const nz_kern *kern, const uint8_t *raw, size_t n,
                        nz_buf *out)
{
    uint8_t base[CHUNK / BLOCK];
    size_t odds = find_bases(t, base, raw, n), blocks = blocks_of(n), whole = n / GROUP * GROUP;
    nz_buf_varint(out, odds);
    nz_buf_put(out, base, blocks);
    /* Padding is numbers of code 0, so that it adds nothing to the list. */
    size_t room = odds + groups_of(n) * t->group;
    uint8_t *odd = nz_buf_room(out, room);
    if (!odd)
        return;
    uint8_t *groups = odd + odds;
    size_t found = kern->turbo_split[t->shape](groups, odd, raw, base, whole);
    if (whole < n) {
        uint8_t last[GROUP * 4];
        uint32_t pad = (uint32_t)base[blocks - 1] << t->fraction;
        for (size_t i = 0; i < GROUP; i++)
            for (size_t k = 0; k < t->bytes; k++)
                last[i * t->bytes + k] = (uint8_t)(pad >> 8 * k);
        memcpy(last, raw + whole * t->bytes, (n - whole) * t->bytes);
        found += kern->turbo_split[t->shape](groups + whole / GROUP * t->group, odd + found, last,
                                             base + blocks - 1, GROUP);
    }
    assert(found == odds);
    (void)found;
    out->n += room;
}

/* Odd exponents of the first n groups. */
static size_t count_odds(const turbo *t, const uint8_t *groups, size_t n)
{
    size_t odds = 0;
    for (size_t i = 0; i < n; i++, groups += t->group)
        odds += (size_t)__builtin_popcount(nz_load32(groups) & nz_load32(groups + 4) &
                                           nz_load32(groups + 8));
    return odds;
}

/* Numbers from..from + n of a chunk of `size`, which has just the room that its parts need. */
static nz_err chunk_read(const turbo *t, const nz_kern *kern, const uint8_t *code, size_t odds,
                         size_t size, uint8_t *raw, size_t from, size_t n)
{
    nz_turbo_state s = {.base = code, .odd = code + blocks_of(size), .at = from / GROUP * GROUP};
    s.end = s.odd + odds;
    s.groups = s.end;
    size_t before = count_odds(t, s.groups, from / GROUP);
    if (before > odds)
        return NZ_E_CORRUPT;
    s.odd += before;
    for (size_t i = from, end = from + n; i < end;) {
        size_t skip = i % GROUP, m = (end - i) / GROUP * GROUP;
        if (skip || !m) {
            uint8_t part[GROUP * 4] = {0};
            m = end - i < GROUP - skip ? end - i : GROUP - skip;
            kern->turbo_join[t->shape](part, &s, GROUP);
            memcpy(raw, part + skip * t->bytes, m * t->bytes);
        } else {
            kern->turbo_join[t->shape](raw, &s, m);
        }
        raw += m * t->bytes;
        i += m;
    }
    return s.odd > s.end || (from + n == size && s.odd < s.end) ? NZ_E_CORRUPT : NZ_OK;
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
        uint64_t odds = nz_span_varint(&code);
        if (odds > size)
            return NZ_E_CORRUPT;
        nz_span chunk = nz_span_cut(&code, blocks_of(size) + odds + groups_of(size) * t->group);
        if (chunk.bad || code.bad)
            return NZ_E_CORRUPT;
        if (at + size <= from || at >= from + n)
            continue;
        size_t low = from > at ? from - at : 0, high = from + n - at < size ? from + n - at : size;
        nz_err err = chunk_read(t, kern, chunk.at, (size_t)odds, size,
                                raw + (at + low - from) * t->bytes, low, high - low);
        if (err)
            return err;
    }
    return nz_span_left(&code) ? NZ_E_CORRUPT : NZ_OK;
}
