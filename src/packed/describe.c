#include "describe.h"
#include "coder/arith.h"
#include "guess.h"
#include "inflate.h"
#include "trees.h"

/* ---- Adaptive bits: the same calls read and write ---- */

#define CHANCE_BITS 22
#define CHANCE_EVEN (1u << (CHANCE_BITS - 1))
#define CHANCE_SURE ((1u << CHANCE_BITS) - (1u << (CHANCE_BITS - 6)))
#define SEEN_MOST   255

enum { NUMBER_BITS = 31, CLASSES = 7, PAST = 4 };

typedef struct chance {
    uint32_t one; /* of 2^CHANCE_BITS */
    uint32_t seen;
} chance;

/* Whether zlib would do the same, */
typedef struct sames {
    chance coded, stored, token[CLASSES][PAST], filled, fixed, lens, runs, run_lens, last, pad;
} sames;

/* and what is done instead. */
typedef struct others {
    chance literal[CLASSES], length_same[CLASSES], length[2][256];
    chance known[2], skip[NUMBER_BITS], tokens[NUMBER_BITS];
    chance len[NZ_CODE_MAX + 1][16], run[4][4], repeat[3][128], run_len[8][8];
} others;

typedef struct code {
    nz_arith a;
    bool reads;
    bool bad; /* what was read cannot be */
    unsigned past;
    sames same;
    others other;
} code;

static unsigned bit_from(code *c, chance *m, uint32_t start, unsigned v)
{
    if (!m->seen)
        *m = (chance){start, 1};
    uint32_t p = m->one >> (CHANCE_BITS - 16);
    p = p < 1 ? 1 : p > 65535 ? 65535 : p;
    if (c->reads)
        v = (unsigned)nz_arith_decode(&c->a, p);
    else
        nz_arith_encode(&c->a, p, (int)v);
    m->seen += m->seen < SEEN_MOST;
    if (v)
        m->one += ((1u << CHANCE_BITS) - m->one) / m->seen;
    else
        m->one -= m->one / m->seen;
    return v;
}

static unsigned bit(code *c, chance *m, unsigned v)
{
    return bit_from(c, m, CHANCE_EVEN, v);
}

/* A stream in which nothing but this happens, and is true, is all zeros, of which none are kept. */
static bool same(code *c, chance *m, bool v)
{
    return bit_from(c, m, CHANCE_SURE, v);
}

/* Of up to 8 bits; m: 2^bits. */
static unsigned symbol(code *c, chance *m, unsigned bits, unsigned v)
{
    unsigned at = 1;
    for (unsigned i = bits; i--;)
        at = at << 1 | bit(c, &m[at], v >> i & 1);
    return at - (1u << bits);
}

static uint32_t plain(code *c, unsigned bits, uint32_t v)
{
    uint32_t got = 0;
    for (unsigned i = bits; i--;) {
        unsigned one = v >> i & 1;
        if (c->reads)
            one = (unsigned)nz_arith_decode(&c->a, 1 << 15);
        else
            nz_arith_encode(&c->a, 1 << 15, (int)one);
        got = got << 1 | one;
    }
    return got;
}

/* Below 2^NUMBER_BITS - 1. */
static uint32_t number(code *c, chance m[NUMBER_BITS], uint32_t v)
{
    unsigned bits = 0;
    while (bits < NUMBER_BITS - 1 && !bit(c, &m[bits], (v + 1) >> bits == 1))
        bits++;
    return ((1u << bits) | plain(c, bits, v + 1)) - 1;
}

/* ---- Tokens ---- */

/* What zlib would do, as far as it tells how likely that is what was done. */
static unsigned class_of(nz_token t, bool eager)
{
    unsigned n = nz_token_bytes(t);
    if (!nz_token_distance(t))
        return eager;
    return n < 5 ? n - 1 : n < 9 ? 4 : n < 33 ? 5 : 6;
}

static unsigned distance_code(code *c, nz_guess *g, unsigned length, unsigned v)
{
    unsigned skip = 0;
    bool known = !c->reads && nz_guess_skip(g, length, v, &skip);
    if (bit(c, &c->other.known[length > NZ_MATCH_MIN], known)) {
        v = nz_guess_distance(g, length, number(c, c->other.skip, skip));
        c->bad |= !v;
        return v;
    }
    return 1 + plain(c, 15, v - 1);
}

static nz_token token_code(code *c, nz_guess *g, const uint8_t *raw, size_t left, nz_token t)
{
    bool eager;
    nz_token want = nz_guess_token(g, &eager);
    unsigned class = class_of(want, eager);
    bool right = same(c, &c->same.token[class][c->past], t == want);
    c->past = (c->past << 1 | !right) & (PAST - 1);
    if (right)
        return want;
    bool match = nz_token_distance(want);
    nz_token literal = raw[nz_guess_at(g)];
    if (match && bit(c, &c->other.literal[class], t == literal))
        return literal;
    unsigned length = nz_token_bytes(t);
    if (match && bit(c, &c->other.length_same[class], length == nz_token_bytes(want)))
        length = nz_token_bytes(want);
    else
        length = NZ_MATCH_MIN + symbol(c, c->other.length[match], 8, length - NZ_MATCH_MIN);
    c->bad |= length > left;
    return c->bad ? literal : nz_match_token(length, distance_code(c, g, length, t >> 16));
}

/* ---- Blocks ---- */

/* The model of a stream, and where in its bytes it is. */
typedef struct state {
    code c;
    nz_manner manner;
    nz_guess *guess;
    const uint8_t *raw;
    size_t n;
} state;

static size_t left(const state *s)
{
    return s->n - nz_guess_at(s->guess);
}

static nz_err tokens_code(state *s, nz_deflate *b)
{
    code *c = &s->c;
    nz_filling f = {0};
    bool guessed = same(c, &c->same.filled, !c->reads && nz_guess_fills(s->guess, b));
    size_t tokens = guessed ? left(s) : number(c, c->other.tokens, (uint32_t)b->tokens);
    if (c->reads)
        b->tokens = 0;
    for (size_t i = 0; i < tokens && !(guessed && nz_filling_full(&f, &s->manner)); i++) {
        if (!left(s)) {
            c->bad |= !guessed;
            break;
        }
        nz_token t = token_code(c, s->guess, s->raw, left(s), c->reads ? 0 : b->token[i]);
        if (c->bad)
            return NZ_E_CORRUPT;
        if (!c->reads && c->a.over)
            return NZ_E_FULL;
        if (c->reads && !nz_deflate_add(b, t))
            return NZ_E_MEM;
        nz_filling_add(&f, t);
        nz_guess_take(s->guess, t);
    }
    return c->bad ? NZ_E_CORRUPT : NZ_OK;
}

/* Either way zlib's own tokens for these bytes are looked for, which the model remembers. */
static void stored_code(state *s, nz_deflate *b)
{
    code *c = &s->c;
    size_t bytes;
    bool full = !c->reads && nz_guess_stored(s->guess, b->stored, &bytes);
    if (same(c, &c->same.stored, full && bytes == b->stored)) {
        if (c->reads)
            nz_guess_stored(s->guess, SIZE_MAX, &bytes);
    } else {
        bytes = plain(c, 16, b->stored);
        if (c->reads)
            nz_guess_stored(s->guess, bytes, &(size_t){0});
    }
    c->bad |= bytes > NZ_STORED_MAX || bytes > left(s);
    if (c->bad)
        return;
    b->stored = (unsigned)bytes;
    nz_guess_pass(s->guess, bytes);
}

static void lens_code(code *c, nz_codes *codes, const nz_codes *guess)
{
    unsigned all = guess->literals + guess->distances;
    bool right = codes->literals == guess->literals && codes->distances == guess->distances &&
                 !memcmp(codes->len, guess->len, all);
    if (same(c, &c->same.lens, right)) {
        codes->literals = guess->literals;
        codes->distances = guess->distances;
        memcpy(codes->len, guess->len, all);
        return;
    }
    codes->literals = 257 + plain(c, 5, codes->literals - 257);
    codes->distances = 1 + plain(c, 5, codes->distances - 1);
    c->bad |= codes->literals > NZ_LITERALS || codes->distances > NZ_DISTANCES;
    for (unsigned i = 0; i < codes->literals + codes->distances && !c->bad; i++) {
        bool literal = i < codes->literals;
        unsigned k = literal ? i : guess->literals + i - codes->literals;
        unsigned expected = k < (literal ? guess->literals : all) ? guess->len[k] : 0;
        codes->len[i] = (uint8_t)symbol(c, c->other.len[expected], 4, codes->len[i]);
    }
}

/* Each length by itself, or as a run. */
static void runs_code(code *c, nz_codes *codes, const nz_codes *guess)
{
    bool right = codes->runs == guess->runs && !memcmp(codes->run, guess->run, guess->runs) &&
                 !memcmp(codes->repeat, guess->repeat, guess->runs);
    if (same(c, &c->same.runs, right)) {
        codes->runs = guess->runs;
        memcpy(codes->run, guess->run, guess->runs);
        memcpy(codes->repeat, guess->repeat, guess->runs);
        return;
    }
    unsigned n = codes->literals + codes->distances, runs = 0;
    for (unsigned i = 0, times; i < n && !c->bad; i += times, runs++) {
        bool again = i > 0 && codes->len[i] == codes->len[i - 1];
        unsigned s = codes->run[runs] > NZ_CODE_MAX ? codes->run[runs] - NZ_CODE_MAX : 0;
        s = symbol(c, c->other.run[2 * again + !codes->len[i]], 2, s);
        times = 1;
        if (s) {
            const nz_range *r = &nz_repeats[s - 1];
            unsigned more = symbol(c, c->other.repeat[s - 1], r->extra,
                                   codes->repeat[runs] - (unsigned)r->base);
            times = r->base + more;
        }
        c->bad |= times > n - i || (s == 1 && !i);
        codes->run[runs] = (uint8_t)(s ? s + NZ_CODE_MAX : codes->len[i]);
        codes->repeat[runs] = (uint8_t)times;
    }
    codes->runs = runs;
}

static void run_lens_code(code *c, nz_codes *codes, const nz_codes *guess)
{
    bool right = codes->run_lens == guess->run_lens &&
                 !memcmp(codes->run_len, guess->run_len, sizeof guess->run_len);
    if (same(c, &c->same.run_lens, right)) {
        codes->run_lens = guess->run_lens;
        memcpy(codes->run_len, guess->run_len, sizeof guess->run_len);
        return;
    }
    codes->run_lens = 4 + plain(c, 4, codes->run_lens - 4);
    c->bad |= codes->run_lens > NZ_RUNS;
    for (unsigned i = 0; i < codes->run_lens && !c->bad; i++) {
        uint8_t *len = &codes->run_len[nz_run_order[i]];
        unsigned expected = guess->run_len[nz_run_order[i]];
        *len = (uint8_t)symbol(c, c->other.run_len[expected], 3, *len);
    }
}

/* Each part as zlib would write it after the parts before it, or as it is. */
static void codes_code(code *c, nz_codes *codes, nz_codes *guess)
{
    if (c->reads)
        *codes = (nz_codes){0};
    lens_code(c, codes, guess);
    if (c->bad)
        return;
    *guess = *codes;
    nz_runs_guess(guess);
    runs_code(c, codes, guess);
    if (c->bad)
        return;
    *guess = *codes;
    nz_run_lens_guess(guess);
    run_lens_code(c, codes, guess);
}

/* One block, read from the description or written into it. */
static nz_err block_code(state *s, nz_deflate *b)
{
    code *c = &s->c;
    bool stored = !same(c, &c->same.coded, b->kind != NZ_DEFLATE_STORED);
    if (stored) {
        b->kind = NZ_DEFLATE_STORED;
        b->tokens = 0;
        stored_code(s, b);
    } else {
        nz_codes guess;
        nz_err err = tokens_code(s, b);
        if (err)
            return err;
        bool fixed = nz_codes_guess(&guess, b);
        fixed ^= !same(c, &c->same.fixed, fixed == (b->kind == NZ_DEFLATE_FIXED));
        b->kind = fixed ? NZ_DEFLATE_FIXED : NZ_DEFLATE_DYNAMIC;
        if (!fixed)
            codes_code(c, &b->codes, &guess);
    }
    if (c->bad)
        return NZ_E_CORRUPT;
    bool ends = !left(s);
    b->last = ends ^ !same(c, &c->same.last, b->last == ends);
    if ((stored || b->last) && !same(c, &c->same.pad, !b->pad))
        b->pad = plain(c, 7, b->pad);
    if (b->last && left(s))
        return NZ_E_CORRUPT;
    return !c->reads && c->a.over ? NZ_E_FULL : NZ_OK;
}

static nz_err state_init(state *s, const nz_manner *m, const uint8_t *raw, size_t n)
{
    *s = (state){.manner = *m, .raw = n ? raw : (const uint8_t *)"", .n = n};
    return nz_guess_new(&s->guess, m, raw, n);
}

/* ---- Streams ---- */

nz_err nz_describe(nz_buf *to, const uint8_t *packed, size_t packed_n, const uint8_t *raw,
                   size_t raw_n, size_t most)
{
    nz_manner m;
    state s;
    nz_deflate b = {0};
    nz_inflate z = nz_inflate_of(packed, packed_n, raw_n);
    if (most < NZ_MANNER_BYTES)
        return NZ_E_FULL;
    nz_err err = nz_manner_find(&m, packed, packed_n, raw, raw_n);
    if (err || (err = state_init(&s, &m, raw, raw_n)))
        return err;
    uint8_t *out = nz_buf_room(to, most);
    if (!out)
        err = NZ_E_MEM;
    else {
        nz_manner_store(&m, out);
        nz_arith_write(&s.c.a, out + NZ_MANNER_BYTES, most - NZ_MANNER_BYTES);
    }
    while (!err && !b.last) {
        err = nz_inflate_block(&z, &b);
        if (!err)
            err = block_code(&s, &b);
    }
    if (!err && nz_arith_flush(&s.c.a))
        err = NZ_E_FULL;
    if (!err) {
        const uint8_t *end = s.c.a.at;
        while (end > out + NZ_MANNER_BYTES && !end[-1])
            end--;
        to->n += (size_t)(end - out);
    }
    nz_deflate_reset(&b);
    nz_guess_free(s.guess);
    return err;
}

nz_err nz_rebuild(nz_buf *to, const uint8_t *raw, size_t raw_n, const uint8_t *description,
                  size_t n, size_t most)
{
    nz_manner m;
    state s;
    nz_deflate b = {0};
    nz_bits_out out = {.to = to};
    size_t from = to->n;
    if (n < NZ_MANNER_BYTES || !nz_manner_load(&m, description))
        return NZ_E_CORRUPT;
    nz_err err = state_init(&s, &m, raw, raw_n);
    if (err)
        return err;
    s.c.reads = true;
    nz_arith_read(&s.c.a, description + NZ_MANNER_BYTES, n - NZ_MANNER_BYTES);
    while (!err && !b.last) {
        const uint8_t *at = s.raw + nz_guess_at(s.guess);
        b = (nz_deflate){.token = b.token, .room = b.room};
        err = block_code(&s, &b);
        if (!err)
            nz_deflate_write(&out, &b, at);
        if (!err && to->failed)
            err = NZ_E_MEM;
        if (!err && to->n - from > most)
            err = NZ_E_LIMIT;
    }
    nz_deflate_reset(&b);
    nz_guess_free(s.guess);
    return err;
}
