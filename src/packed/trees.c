/* Huffman's algorithm with a binary heap. Which of the equally good trees comes out depends on the
 * order of what is equally frequent, so the heap must be zlib's, step by step: the less deep tree
 * first, and of equally deep ones the one already in its place. */
#include "trees.h"

#define NODES (2 * NZ_FIXED_LITERALS)

typedef struct tree {
    unsigned count[NODES]; /* of a symbol, or of all below */
    uint16_t up[NODES], heap[NODES];
    uint8_t depth[NODES];
    unsigned n; /* in the heap, from 1 on */
} tree;

static bool before(const tree *t, unsigned a, unsigned b)
{
    return t->count[a] < t->count[b] || (t->count[a] == t->count[b] && t->depth[a] <= t->depth[b]);
}

static void sink(tree *t, unsigned at)
{
    unsigned v = t->heap[at];
    for (unsigned below = 2 * at; below <= t->n; below *= 2) {
        if (below < t->n && before(t, t->heap[below + 1], t->heap[below]))
            below++;
        if (before(t, v, t->heap[below]))
            break;
        t->heap[at] = t->heap[below];
        at = below;
    }
    t->heap[at] = (uint16_t)v;
}

/* Leaves that lie too deep take the places of shallower ones. `lengths` counts leaves by length,
 * `over` nodes beyond the longest. */
static void shorten(unsigned *lengths, unsigned longest, int over)
{
    for (; over > 0; over -= 2) {
        unsigned bits = longest - 1;
        while (!lengths[bits])
            bits--;
        lengths[bits]--;
        lengths[bits + 1] += 2;
        lengths[longest]--;
    }
}

/* Lengths of codes of up to `longest` bits for n symbols. Returns how many symbols there are up to
 * the last that has a code; at least two have one. */
static unsigned lengths_of(uint8_t *len, const unsigned *count, unsigned n, unsigned longest)
{
    tree t = {0};
    unsigned most = 0, node = n;
    memcpy(t.count, count, n * sizeof *count);
    for (unsigned i = 0; i < n; i++) {
        if (!count[i])
            continue;
        t.heap[++t.n] = (uint16_t)i;
        most = i + 1;
    }
    while (t.n < 2) {
        unsigned extra = most < 3 ? most++ : 0;
        t.heap[++t.n] = (uint16_t)extra;
        t.count[extra] = 1;
    }
    unsigned leaves = t.n;
    for (unsigned i = t.n / 2; i; i--)
        sink(&t, i);

    uint16_t order[NODES]; /* nodes, the rarest first */
    unsigned ordered = 0;
    for (; t.n > 1; node++) {
        unsigned a = t.heap[1];
        t.heap[1] = t.heap[t.n--];
        sink(&t, 1);
        unsigned b = t.heap[1];
        order[ordered++] = (uint16_t)a;
        order[ordered++] = (uint16_t)b;
        t.count[node] = t.count[a] + t.count[b];
        t.depth[node] = (uint8_t)((t.depth[a] > t.depth[b] ? t.depth[a] : t.depth[b]) + 1);
        t.up[a] = t.up[b] = (uint16_t)node;
        t.heap[1] = (uint16_t)node;
        sink(&t, 1);
    }

    unsigned lengths[NZ_CODE_MAX + 1] = {0};
    uint8_t bits[NODES] = {0};
    int over = 0;
    memset(len, 0, n);
    for (unsigned i = ordered; i--;) {
        unsigned v = order[i];
        bits[v] = (uint8_t)(bits[t.up[v]] + 1);
        if (bits[v] > longest) {
            bits[v] = (uint8_t)longest;
            over++;
        }
        lengths[bits[v]] += v < n;
    }
    memcpy(len, bits, n);
    if (!over)
        return most;
    shorten(lengths, longest, over);
    for (unsigned i = 0, l = longest; leaves; i++) {
        if (order[i] >= n)
            continue;
        while (!lengths[l])
            l--;
        lengths[l]--;
        len[order[i]] = (uint8_t)l;
        leaves--;
    }
    return most;
}

/* Runs of the n lengths, which are cut where the longest repetition ends. */
static void runs_of(nz_codes *c, const uint8_t *len, unsigned n)
{
    for (unsigned i = 0, times; i < n; i += times) {
        bool again = i > 0 && len[i] == len[i - 1] && len[i];
        unsigned most = len[i] ? again ? 6 : 7 : 138;
        for (times = 1; times < most && i + times < n && len[i + times] == len[i];)
            times++;
        unsigned s = len[i] ? 16 : times <= 10 ? 17 : 18, plain = again || !len[i] ? 0 : 1;
        if (times < 3 + plain)
            plain = times;
        for (unsigned k = 0; k < plain; k++, c->runs++) {
            c->run[c->runs] = len[i];
            c->repeat[c->runs] = 1;
        }
        if (times > plain) {
            c->run[c->runs] = (uint8_t)s;
            c->repeat[c->runs++] = (uint8_t)(times - plain);
        }
    }
}

void nz_runs_guess(nz_codes *c)
{
    c->runs = 0;
    runs_of(c, c->len, c->literals);
    runs_of(c, c->len + c->literals, c->distances);
}

void nz_run_lens_guess(nz_codes *c)
{
    unsigned count[NZ_RUNS] = {0};
    for (unsigned i = 0; i < c->runs; i++)
        count[c->run[i]]++;
    lengths_of(c->run_len, count, NZ_RUNS, NZ_RUN_CODE_MAX);
    c->run_lens = NZ_RUNS;
    while (c->run_lens > 4 && !c->run_len[nz_run_order[c->run_lens - 1]])
        c->run_lens--;
}

/* In bits, with those of the block's end but without extra ones, which both kinds of block have. */
static uint64_t size_of(const unsigned *count, const uint8_t *len, unsigned n)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < n; i++)
        bits += (uint64_t)count[i] * len[i];
    return bits;
}

static uint64_t extra_of(const unsigned *count, const nz_range *range, unsigned n)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < n; i++)
        bits += (uint64_t)count[i] * range[i].extra;
    return bits;
}

bool nz_codes_guess(nz_codes *c, const nz_deflate *b)
{
    unsigned literals[NZ_LITERALS] = {[NZ_END_SYMBOL] = 1}, distances[NZ_DISTANCES] = {0};
    for (size_t i = 0; i < b->tokens; i++) {
        nz_token t = b->token[i];
        if (!nz_token_distance(t)) {
            literals[t]++;
            continue;
        }
        literals[257 + nz_length_symbol(nz_token_bytes(t))]++;
        distances[nz_distance_symbol(nz_token_distance(t))]++;
    }
    uint8_t len[NZ_LITERALS], dlen[NZ_DISTANCES];
    c->literals = lengths_of(len, literals, NZ_LITERALS, NZ_CODE_MAX);
    c->distances = lengths_of(dlen, distances, NZ_DISTANCES, NZ_CODE_MAX);
    memcpy(c->len, len, c->literals);
    memcpy(c->len + c->literals, dlen, c->distances);
    nz_runs_guess(c);
    nz_run_lens_guess(c);

    uint8_t fixed[NZ_FIXED_LITERALS], fixed_distances[NZ_FIXED_DISTANCES];
    nz_deflate_lens(&(nz_deflate){.kind = NZ_DEFLATE_FIXED}, fixed, fixed_distances);
    unsigned runs[NZ_RUNS] = {0};
    for (unsigned i = 0; i < c->runs; i++)
        runs[c->run[i]]++;
    uint64_t extra = extra_of(literals + 257, nz_lengths, NZ_LENGTH_SYMBOLS) +
                     extra_of(distances, nz_distances, NZ_DISTANCES);
    uint64_t own = size_of(literals, len, NZ_LITERALS) + size_of(distances, dlen, NZ_DISTANCES) +
                   size_of(runs, c->run_len, NZ_RUNS) + extra_of(runs + 16, nz_repeats, 3) + 5 + 5 +
                   4 + 3 * c->run_lens + extra;
    uint64_t plain = size_of(literals, fixed, NZ_LITERALS) +
                     size_of(distances, fixed_distances, NZ_DISTANCES) + extra;
    return (plain + 3 + 7) / 8 <= (own + 3 + 7) / 8;
}
