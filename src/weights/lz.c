#include "weights/lz.h"
#include "base/base.h"
#include "base/bits.h"
#include "base/log.h"

#include <stdlib.h>

enum {
    OFFSETS = 3,
    PLAIN = 16,   /* numbers below are their own symbols */
    SYMBOLS = 54, /* for numbers below 2 NZ_LZ_MOST */
    COPY = 16     /* bytes copied at once */
};

static const uint32_t first_offsets[OFFSETS] = {1, 2, 4};

/* The offset with index k, or a new one in place of the last, comes to the front. */
static void offsets_move(uint32_t last[OFFSETS], unsigned k, uint32_t offset)
{
    for (; k > 0; k--)
        last[k] = last[k - 1];
    last[0] = offset;
}

/* ---- Looking for repeats ---- */

enum {
    BIT = 16,       /* prices are in 1/16 bit */
    WORTH = 24,     /* bits that what is hashed should be worth: shorter new copies do not pay */
    WAYS = 2,       /* places of a bucket, the newest first */
    NEAR_BITS = 15, /* of the number of buckets, at most */
    FAR_BITS = 18,
    PLACE_BITS = 22, /* of an entry: a place; above them lie bits of its hash */
    MARGIN = 16,     /* bytes before the end where no copy starts */
    NICE = 48,       /* bytes: no longer copies are looked for, and not all in them is remembered */
    PATIENCE = 64,   /* literals in a row for each place more that is passed over, */
    SKIP = 16,       /* at most so many at once */
    RARE = 4,        /* places at a time from which on not all are remembered, */
    STRIDE = 8       /* but one in so many, at most; every SKIP + 1st meets them */
};

typedef struct table {
    uint32_t (*bucket)[WAYS];
    unsigned shift; /* of hashes */
} table;

/* Few bytes find short copies close by. They are found too often to find long ones from far away,
 * for which there are more bytes and more places. */
typedef struct finder {
    const uint8_t *bytes, *end;
    int price;                      /* of a literal */
    table near, far;                /* places by the hash of the bytes there, */
    unsigned near_bytes, far_bytes; /* so many; 0: there is no such table */
    size_t stride;                  /* one place in so many is remembered among those passed over */
    size_t next;                    /* the first place not yet remembered */
} finder;

typedef struct match {
    int gain; /* over literals, 0: there is none */
    uint32_t length, offset;
} match;

static bool table_new(table *t, unsigned bits)
{
    t->shift = 32 - bits;
    t->bucket = calloc((size_t)1 << bits, sizeof *t->bucket);
    return t->bucket;
}

static void finder_free(finder *f)
{
    free(f->near.bucket);
    free(f->far.bucket);
}

static unsigned lesser(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static bool finder_new(finder *f, const uint8_t *bytes, size_t n, unsigned price)
{
    unsigned bits = nz_log2_whole((uint32_t)n | 1 << 10), least = WORTH * BIT / (price ? price : 1);
    *f = (finder){.bytes = bytes, .end = bytes + n, .price = (int)price};
    least = least < 4 ? 4 : least;
    f->near_bytes = least <= 8 ? least : 0;
    f->far_bytes = least <= 8 ? 2 * least : 16;
    f->stride = lesser(STRIDE, 1u << (bits > FAR_BITS ? bits - FAR_BITS - 1 : 0));
    if (table_new(&f->far, lesser(bits, FAR_BITS)) &&
        (!f->near_bytes || table_new(&f->near, lesser(bits, NEAR_BITS))))
        return true;
    finder_free(f);
    return false;
}

static uint32_t near_hash(const finder *f, const uint8_t *p)
{
    uint64_t v = nz_load64(p) << (64 - 8 * f->near_bytes);
    return (uint32_t)(v * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

static uint32_t far_hash(const finder *f, const uint8_t *p)
{
    uint64_t v = nz_load64(p) * UINT64_C(0x9E3779B97F4A7C15);
    v ^= v >> 32 ^ nz_load64(p + f->far_bytes - 8);
    return (uint32_t)(v * UINT64_C(0xD6E8FEB86659FD93) >> 32);
}

static inline void table_put(const table *t, uint32_t hash, size_t at)
{
    uint32_t *b = t->bucket[hash >> t->shift];
    for (unsigned k = WAYS - 1; k > 0; k--)
        b[k] = b[k - 1];
    b[0] = hash << PLACE_BITS | (uint32_t)at;
}

/* The places before `end`, which has MARGIN bytes behind it; where they are rare not all of them,
 * and none for short copies. */
static inline void remember(finder *f, size_t end, bool rare)
{
    size_t stride = rare ? f->stride : 1;
    bool near = stride == 1 && f->near_bytes;
    for (size_t at = (f->next + stride - 1) & ~(stride - 1); at < end; at += stride) {
        table_put(&f->far, far_hash(f, f->bytes + at), at);
        if (near)
            table_put(&f->near, near_hash(f, f->bytes + at), at);
    }
    f->next = f->next < end ? end : f->next;
}

static inline uint32_t common(const uint8_t *a, const uint8_t *b, const uint8_t *b_end)
{
    const uint8_t *start = b;
    while (b_end - b >= 8) {
        uint64_t d = nz_load64(a) ^ nz_load64(b);
        if (d)
            return (uint32_t)(b - start) + (uint32_t)__builtin_ctzll(d) / 8;
        a += 8;
        b += 8;
    }
    while (b < b_end && *a == *b) {
        a++;
        b++;
    }
    return (uint32_t)(b - start);
}

static inline void consider(match *best, const finder *f, const uint8_t *here, uint32_t offset,
                            unsigned cost)
{
    uint32_t length = common(here - offset, here, f->end);
    int gain = (int)length * f->price - (int)cost;
    if (gain > best->gain)
        *best = (match){gain, length, offset};
}

static inline void look_up(match *best, const finder *f, size_t at, const table *t, uint32_t hash)
{
    const uint8_t *here = f->bytes + at;
    const uint32_t *b = t->bucket[hash >> t->shift];
    for (unsigned k = 0; k < WAYS; k++) {
        uint32_t place = b[k] & ((1 << PLACE_BITS) - 1), offset = (uint32_t)at - place;
        bool same = (b[k] ^ hash << PLACE_BITS) >> PLACE_BITS == 0 && place < at;
        if (same && nz_load32(here) == nz_load32(here - offset))
            consider(best, f, here, offset, (10 + nz_log2_whole(offset)) * BIT);
    }
}

static inline match find(const finder *f, size_t at, const uint32_t last[OFFSETS])
{
    const uint8_t *here = f->bytes + at;
    match best = {0};
    for (unsigned k = 0; k < OFFSETS; k++)
        if (last[k] <= at && nz_load16(here) == nz_load16(here - last[k]))
            consider(&best, f, here, last[k], (6 + k) * BIT);
    if (best.length < NICE)
        look_up(&best, f, at, &f->far, far_hash(f, here));
    if (best.length < NICE && f->near_bytes)
        look_up(&best, f, at, &f->near, near_hash(f, here));
    return best;
}

/* ---- Streams out ---- */

typedef struct sink {
    nz_buf *to;
    nz_bits_out extra;
} sink;

static void put_number(sink *s, unsigned stream, uint32_t v)
{
    if (v < PLAIN) {
        nz_buf_byte(&s->to[stream], v);
        return;
    }
    unsigned e = nz_log2_whole(v);
    nz_buf_byte(&s->to[stream], PLAIN + 2 * (e - 4) + (v >> (e - 1) & 1));
    nz_bits_put(&s->extra, v & ((UINT32_C(1) << (e - 1)) - 1), e - 1);
}

static void put_step(sink *s, uint32_t last[OFFSETS], const uint8_t *literals, size_t run,
                     const match *m)
{
    unsigned k = 0;
    while (k < OFFSETS && last[k] != m->offset)
        k++;
    nz_buf_put(&s->to[NZ_LZ_LITERALS], literals, run);
    put_number(s, NZ_LZ_RUNS, (uint32_t)run);
    put_number(s, NZ_LZ_OFFSETS, k < OFFSETS ? k : m->offset + OFFSETS - 1);
    put_number(s, NZ_LZ_LENGTHS, m->length - NZ_LZ_MATCH);
    offsets_move(last, k < OFFSETS ? k : OFFSETS - 1, m->offset);
}

nz_err nz_lz_parse(nz_buf to[NZ_LZ_STREAMS], const uint8_t *bytes, size_t n, unsigned price)
{
    finder f;
    sink s = {.to = to, .extra = {.to = &to[NZ_LZ_EXTRA]}};
    uint32_t last[OFFSETS];
    for (unsigned k = 0; k < NZ_LZ_STREAMS; k++)
        nz_buf_room(&to[k], k == NZ_LZ_LITERALS ? n : 1); /* empty ones have an address too */
    memcpy(last, first_offsets, sizeof last);
    if (!finder_new(&f, bytes, n, price))
        return NZ_E_MEM;
    size_t from = 0,
           end = n < MARGIN ? 0 : n - MARGIN + 1; /* from: the first literal not yet told */
    for (size_t at = 0; at < end;) {
        size_t step = 1 + (at - from) / PATIENCE;
        remember(&f, at, step >= RARE);
        match m = find(&f, at, last);
        if (m.gain <= 0) {
            at += step < SKIP + 1 ? step : SKIP + 1;
            continue;
        }
        /* A step later there may be a better one. */
        while (at + 1 < end && m.length < NICE) {
            remember(&f, at + 1, false);
            match later = find(&f, at + 1, last);
            if (later.gain <= m.gain)
                break;
            m = later;
            at++;
        }
        /* It may begin among the places passed over. */
        while (at > from && at > m.offset && bytes[at - 1] == bytes[at - 1 - m.offset]) {
            at--;
            m.length++;
        }
        put_step(&s, last, bytes + from, at - from, &m);
        at += m.length;
        from = at;
        if (m.length >= NICE)
            remember(&f, at < end ? at : end, true);
    }
    nz_buf_put(&to[NZ_LZ_LITERALS], bytes + from, n - from);
    nz_bits_flush(&s.extra);
    finder_free(&f);
    for (unsigned k = 0; k < NZ_LZ_STREAMS; k++)
        if (to[k].failed)
            return NZ_E_MEM;
    return NZ_OK;
}

/* ---- Is it worth a look? ---- */

enum {
    SPACING = 512, /* between the places remembered, at most */
    WINDOWS = 8,   /* at least */
    CHANCE = 40,   /* bits that a repeat must be worth not to be one by chance */
    FOUND = 2,     /* repeats are a reason to parse, */
    FEW = 24       /* and one in so many windows */
};

/* Of the `length` bytes at p, at least 4, from both ends. */
static uint32_t ends_hash(const uint8_t *p, size_t length, unsigned bits)
{
    uint64_t v = nz_load32(p) | (uint64_t)nz_load32(p + length - 4) << 32;
    return (uint32_t)(v * UINT64_C(0x9E3779B97F4A7C15) >> (64 - bits));
}

/* How a chunk is sampled. */
typedef struct sample {
    size_t length;  /* of the repeats looked for */
    size_t spacing; /* one place in so many is remembered */
    size_t windows; /* of `spacing` places each, all of which are looked up; 0: it is too short */
} sample;

static sample sample_of(size_t n, unsigned price)
{
    sample s = {.length = (CHANCE + CHANCE / 4) * BIT / (price ? price : 1), .spacing = 8};
    s.length = s.length < 4 ? 4 : s.length > 64 ? 64 : s.length;
    while (s.spacing < SPACING && 4 * s.spacing * s.spacing < n)
        s.spacing *= 2;
    s.spacing -= 3; /* rows are often even, and columns of them differ */
    s.windows = 2 * n / (s.spacing * s.spacing);
    s.windows = n < 2 * (s.spacing + s.length) ? 0 : s.windows < WINDOWS ? WINDOWS : s.windows;
    return s;
}

/* Whether the bytes at both places are the same and worth it. */
static bool is_repeat(const uint8_t *a, const uint8_t *b, size_t n, const uint8_t prices[256])
{
    unsigned sum = 0;
    if (memcmp(a, b, n) != 0)
        return false;
    for (size_t i = 0; i < n; i++)
        sum += prices[a[i]];
    return sum >= CHANCE * BIT;
}

/* Repeats found. A long one is met once a window, however far it reaches. */
static size_t probe(const uint8_t *bytes, size_t n, const sample *s, const uint8_t prices[256])
{
    enum { BITS = 14 };
    uint32_t place[1 << BITS]; /* + 1 */
    unsigned bits = nz_log2_whole((uint32_t)(n / s->spacing)) + 1;
    size_t last = n - s->length, found = 0;
    bits = bits < BITS ? bits : BITS;
    memset(place, 0, sizeof *place << bits);
    for (size_t at = 0; at <= last; at += s->spacing)
        place[ends_hash(bytes + at, s->length, bits)] = (uint32_t)at + 1;
    for (size_t w = 0; w < s->windows; w++) {
        size_t start = (last - s->spacing) / (s->windows - 1) * w;
        for (size_t at = start; at < start + s->spacing; at++) {
            uint32_t there = place[ends_hash(bytes + at, s->length, bits)];
            if (there && there - 1 != at)
                found += is_repeat(bytes + there - 1, bytes + at, s->length, prices);
        }
    }
    return found;
}

bool nz_lz_likely(const uint8_t *bytes, size_t n, size_t chunk, unsigned price,
                  const uint8_t prices[256])
{
    size_t found = 0, windows = 0;
    for (size_t at = 0; at < n; at += chunk) {
        size_t size = n - at < chunk ? n - at : chunk;
        sample s = sample_of(size, price);
        windows += s.windows;
        if (s.windows)
            found += probe(bytes + at, size, &s, prices);
    }
    return found >= FOUND && found >= windows / FEW;
}

/* ---- And back ---- */

typedef struct source {
    const uint8_t *at;
    uint64_t bit, size;
} source;

/* Up to 24 bits. Behind the end there are zeros. */
static uint32_t get_bits(source *s, unsigned n)
{
    uint64_t from = s->bit >> 3, v = 0;
    if (s->size >= 8 && from <= s->size - 8)
        v = nz_load64(s->at + from);
    else
        for (unsigned i = 0; i < 4 && from + i < s->size; i++)
            v |= (uint64_t)s->at[from + i] << 8 * i;
    v >>= s->bit & 7;
    s->bit += n;
    return (uint32_t)v & ((UINT32_C(1) << n) - 1);
}

/* Exactly used up, up to the zeros that fill the last byte. */
static bool bits_over(const source *s)
{
    return s->size == (s->bit + 7) / 8 && (s->bit % 8 == 0 || !(s->at[s->size - 1] >> s->bit % 8));
}

typedef struct number {
    uint32_t base;
    uint32_t extra; /* bits */
} number;

static void numbers_fill(number table[256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t extra = i < PLAIN ? 0 : (i - PLAIN) / 2 + 3;
        if (i < PLAIN)
            table[i] = (number){i, 0};
        else if (i < SYMBOLS)
            table[i] = (number){(2 | (i & 1)) << extra, extra};
        else
            table[i] = (number){UINT32_C(1) << 30, 0}; /* longer than any chunk */
    }
}

/* Bytes from `from` to `to` with `left` bytes of room at both; whole vectors where they fit. */
static inline void copy(uint8_t *to, const uint8_t *from, size_t n, size_t left)
{
    if (NZ_UNLIKELY(left < n + COPY)) {
        memcpy(to, from, n);
        return;
    }
    for (size_t i = 0; i < n; i += COPY)
        memcpy(to + i, from + i, COPY);
}

static inline void copy_match(uint8_t *to, size_t offset, size_t n, size_t left)
{
    const uint8_t *from = to - offset;
    if (offset >= COPY) {
        if (NZ_LIKELY(left >= n + COPY)) {
            for (size_t i = 0; i < n; i += COPY)
                memcpy(to + i, from + i, COPY);
            return;
        }
    } else if (offset == 1) {
        memset(to, *from, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

nz_err nz_lz_expand(uint8_t *to, size_t n, const nz_span from[NZ_LZ_STREAMS])
{
    number table[256];
    source bits = {from[NZ_LZ_EXTRA].at, 0, nz_span_left(&from[NZ_LZ_EXTRA])};
    const uint8_t *literal = from[NZ_LZ_LITERALS].at, *runs = from[NZ_LZ_RUNS].at;
    const uint8_t *lengths = from[NZ_LZ_LENGTHS].at, *offsets = from[NZ_LZ_OFFSETS].at;
    size_t literals = nz_span_left(&from[NZ_LZ_LITERALS]);
    size_t steps = nz_span_left(&from[NZ_LZ_RUNS]);
    if (nz_span_left(&from[NZ_LZ_LENGTHS]) != steps || nz_span_left(&from[NZ_LZ_OFFSETS]) != steps)
        return NZ_E_CORRUPT;
    uint32_t last[OFFSETS];
    memcpy(last, first_offsets, sizeof last);
    numbers_fill(table);
    size_t at = 0;
    for (size_t i = 0; i < steps; i++) {
        number r = table[runs[i]], o = table[offsets[i]], l = table[lengths[i]];
        size_t run = r.base + get_bits(&bits, r.extra);
        uint32_t offset = o.base + get_bits(&bits, o.extra);
        size_t length = l.base + get_bits(&bits, l.extra) + NZ_LZ_MATCH;
        if (run > literals || run > n - at)
            return NZ_E_CORRUPT;
        copy(to + at, literal, run, literals < n - at ? literals : n - at);
        literal += run;
        literals -= run;
        at += run;
        unsigned k = offset < OFFSETS ? offset : OFFSETS - 1;
        offset = offset < OFFSETS ? last[k] : offset - (OFFSETS - 1);
        offsets_move(last, k, offset);
        if (offset > at || length > n - at)
            return NZ_E_CORRUPT;
        copy_match(to + at, offset, length, n - at);
        at += length;
    }
    if (literals != n - at || !bits_over(&bits))
        return NZ_E_CORRUPT;
    if (literals)
        memcpy(to + at, literal, literals);
    return NZ_OK;
}
