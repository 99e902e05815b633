#include "guess.h"

#include <stdlib.h>

enum {
    TOO_FAR = 4096, /* for matches of the shortest length */
    FILTERED = 5,   /* longest of the matches dropped */
    LAZY_LEVEL = 4,
    WALK_MOST = 4096, /* places in a chain */
    GZIP_LEVEL = 3    /* from here on gzip ends blocks early */
};

/* Searches are shorter behind a match of `good` length, not begun behind one of `lazy`, and end
 * with one of `nice`. Without waiting, `lazy` is the longest match all of whose places are kept. */
typedef struct effort {
    uint16_t good, lazy, nice, chain;
} effort;

static const effort EFFORTS[9] = {
    {4, 4, 8, 4},      {4, 5, 16, 8},        {4, 6, 32, 32},
    {4, 4, 16, 16},    {8, 16, 32, 32},      {8, 16, 128, 128},
    {8, 32, 128, 256}, {32, 128, 258, 1024}, {32, 258, 258, 4096},
};

typedef struct match {
    unsigned length, distance; /* shorter than NZ_MATCH_MIN: none */
} match;

struct nz_guess {
    nz_manner manner;
    effort effort;
    const uint8_t *raw;
    size_t n, at;
    size_t kept;              /* positions before this are in the chains, or never will be */
    uint32_t *head, *earlier; /* 0 ends a chain: the first position is never found */
    size_t waiting;           /* where the next match is known already, */
    match next;               /* this one */
};

void nz_guess_free(nz_guess *g)
{
    if (!g)
        return;
    free(g->head);
    free(g->earlier);
    free(g);
}

nz_err nz_guess_new(nz_guess **out, const nz_manner *m, const uint8_t *raw, size_t n)
{
    if (n > INT32_MAX)
        return NZ_E_LIMIT;
    nz_guess *g = calloc(1, sizeof *g);
    if (g) {
        *g = (nz_guess){.manner = *m, .effort = EFFORTS[m->level - 1], .raw = raw, .n = n};
        g->waiting = SIZE_MAX;
        g->head = calloc((size_t)1 << (m->memory + 7), sizeof *g->head);
        g->earlier = malloc(((size_t)1 << m->window) * sizeof *g->earlier);
    }
    if (!g || !g->head || !g->earlier) {
        nz_guess_free(g);
        return NZ_E_MEM;
    }
    *out = g;
    return NZ_OK;
}

size_t nz_guess_at(const nz_guess *g)
{
    return g->at;
}

static uint32_t *head(nz_guess *g, size_t at)
{
    unsigned bits = g->manner.memory + 7, shift = (bits + 2) / 3;
    const uint8_t *p = g->raw + at;
    uint32_t hash = (uint32_t)p[0] << 2 * shift ^ (uint32_t)p[1] << shift ^ p[2];
    return &g->head[hash & ((1u << bits) - 1)];
}

static uint32_t *earlier(nz_guess *g, size_t at)
{
    return &g->earlier[at & (((size_t)1 << g->manner.window) - 1)];
}

static void keep(nz_guess *g, size_t to)
{
    for (; g->kept < to && g->n - g->kept >= NZ_MATCH_MIN; g->kept++) {
        uint32_t *h = head(g, g->kept);
        *earlier(g, g->kept) = *h;
        *h = (uint32_t)g->kept;
    }
}

static unsigned same(const uint8_t *a, const uint8_t *b, unsigned most)
{
    unsigned n = 0;
    while (n < most && a[n] == b[n])
        n++;
    return n;
}

/* A match longer than `length`, after one of that length was found right before. */
static match search(nz_guess *g, size_t at, unsigned length)
{
    match best = {.length = length};
    size_t left = g->n - at, far = ((size_t)1 << g->manner.window) - NZ_LOOK_AHEAD;
    unsigned most = left < NZ_MATCH_MAX ? (unsigned)left : NZ_MATCH_MAX;
    unsigned nice = g->effort.nice < most ? g->effort.nice : most;
    unsigned chain = length >= g->effort.good ? g->effort.chain >> 2 : g->effort.chain;
    if (length >= most || left < NZ_MATCH_MIN)
        return best;
    keep(g, at);
    const uint8_t *here = g->raw + at;
    size_t from = *head(g, at);
    if (!from || at - from > far)
        return best;
    do {
        const uint8_t *there = g->raw + from;
        if (there[best.length] != here[best.length])
            continue;
        unsigned n = same(there, here, most);
        if (n > best.length) {
            best = (match){n, (unsigned)(at - from)};
            if (n >= nice)
                break;
        }
    } while ((from = *earlier(g, from)) && at - from < far && --chain);
    return best;
}

/* The match here, unless it costs more than it saves. */
static match worthy(const nz_guess *g, match m)
{
    bool short_one = g->manner.filtered && m.length <= FILTERED;
    bool far_one = m.length == NZ_MATCH_MIN && m.distance > TOO_FAR;
    return short_one || far_one ? (match){0} : m;
}

nz_token nz_guess_token(nz_guess *g, bool *eager)
{
    nz_token literal = g->raw[g->at];
    *eager = false;
    if (g->manner.level < LAZY_LEVEL) {
        match m = search(g, g->at, NZ_MATCH_MIN - 1);
        return m.distance ? nz_match_token(m.length, m.distance) : literal;
    }
    match m = g->next;
    if (g->waiting != g->at)
        m = worthy(g, search(g, g->at, NZ_MATCH_MIN - 1));
    if (!m.distance)
        return literal;
    if (m.length < g->effort.lazy && g->n - g->at > 1) {
        match next = worthy(g, search(g, g->at + 1, m.length));
        if (next.length > m.length) {
            g->waiting = g->at + 1;
            g->next = next;
            *eager = true;
            return literal;
        }
    }
    return nz_match_token(m.length, m.distance);
}

void nz_guess_take(nz_guess *g, nz_token t)
{
    size_t to = g->at + nz_token_bytes(t);
    if (g->manner.level < LAZY_LEVEL && nz_token_distance(t) &&
        (nz_token_bytes(t) > g->effort.lazy || g->n - to < NZ_MATCH_MIN)) {
        keep(g, g->at + 1);
        g->kept = to;
    }
    g->at = to;
}

void nz_filling_add(nz_filling *f, nz_token t)
{
    unsigned distance = nz_token_distance(t);
    f->tokens++;
    f->last = f->bytes;
    f->bytes += nz_token_bytes(t);
    if (distance) {
        f->matches++;
        f->distance_bits += 5 + nz_distances[nz_distance_symbol(distance)].extra;
    }
}

/* Few matches, and these worth it: gzip begins another block, whose codes may fit better. */
static bool gzip_full(const nz_filling *f, unsigned level)
{
    if (level < GZIP_LEVEL || f->tokens % NZ_GZIP_STEP || !f->tokens)
        return false;
    uint64_t packed = (8 * f->tokens + f->distance_bits) >> 3;
    uint64_t raw = f->last + (level >= LAZY_LEVEL);
    return f->matches < f->tokens / 2 && packed < raw / 2;
}

bool nz_filling_full(const nz_filling *f, const nz_manner *m)
{
    return f->tokens == nz_manner_full(m) || (m->gzip && gzip_full(f, m->level));
}

bool nz_guess_fills(const nz_guess *g, const nz_deflate *b)
{
    nz_filling f = {0};
    for (size_t i = 0; i < b->tokens; i++) {
        if (nz_filling_full(&f, &g->manner))
            return false;
        nz_filling_add(&f, b->token[i]);
    }
    return nz_filling_full(&f, &g->manner) || f.bytes == g->n - g->at;
}

/* zlib stores bytes after it found tokens for them. */
bool nz_guess_stored(nz_guess *g, size_t most, size_t *bytes)
{
    nz_filling f = {0};
    size_t at = g->at;
    bool eager, full = false;
    while (!(full = g->at == g->n || nz_filling_full(&f, &g->manner)) && f.bytes < most) {
        nz_token t = nz_guess_token(g, &eager);
        nz_filling_add(&f, t);
        nz_guess_take(g, t);
    }
    *bytes = f.bytes;
    g->at = at;
    return full;
}

void nz_guess_pass(nz_guess *g, size_t bytes)
{
    g->at += bytes;
}

/* Walks the earlier places where `length` bytes are as here, nearest first, to the one at
 * `distance`, or if that is 0 to the `skip`th. */
static bool walk(nz_guess *g, unsigned length, unsigned *distance, unsigned *skip)
{
    unsigned seen = 0;
    if (g->n - g->at < length)
        return false;
    keep(g, g->at);
    size_t from = *head(g, g->at), before = g->n;
    for (unsigned steps = 0; steps < WALK_MOST && from && from < before; steps++) {
        if (g->at > from && g->at - from <= NZ_WINDOW_MAX &&
            same(g->raw + from, g->raw + g->at, length) == length) {
            unsigned d = (unsigned)(g->at - from);
            if (*distance ? *distance == d : *skip == seen) {
                *distance = d;
                *skip = seen;
                return true;
            }
            seen++;
        }
        before = from;
        from = *earlier(g, from);
    }
    return false;
}

bool nz_guess_skip(nz_guess *g, unsigned length, unsigned distance, unsigned *skip)
{
    return walk(g, length, &distance, skip);
}

unsigned nz_guess_distance(nz_guess *g, unsigned length, unsigned skip)
{
    unsigned distance = 0;
    return walk(g, length, &distance, &skip) ? distance : 0;
}
