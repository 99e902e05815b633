/* Deflate streams of any choices: blocks of all kinds, any tokens that a decoder takes, codes as
 * zlib makes them or of lengths that only have to be complete. */
#ifndef NZ_FUZZ_DEFLATED_H
#define NZ_FUZZ_DEFLATED_H

#include "fuzz.h"
#include "packed/deflate.h"
#include "packed/trees.h"

/* Literals as they come, matches as far back as there is something, now and then both long. */
static bool put_token(nz_deflate *b, nz_span *from, size_t raw)
{
    unsigned what = choose(from, 256);
    if (what < 160 || !raw)
        return nz_deflate_add(b, choose(from, 256));
    size_t back = raw < NZ_WINDOW_MAX ? raw : NZ_WINDOW_MAX;
    unsigned distance = what % 2 && back > 1 ? choose(from, (unsigned)back) : choose(from, 4);
    unsigned length = what > 240 ? choose(from, NZ_MATCH_MAX - 2) : choose(from, 8);
    distance = distance < back ? distance : (unsigned)back - 1;
    return nz_deflate_add(b, nz_match_token(NZ_MATCH_MIN + length, distance + 1));
}

/* Lengths of a complete set of n codes, as even as can be. */
static void lens_even(uint8_t *len, unsigned n)
{
    unsigned bits = 1;
    while (1u << bits < n)
        bits++;
    unsigned shorter = (1u << bits) - n;
    for (unsigned i = 0; i < n; i++)
        len[i] = (uint8_t)(bits - (i < shorter));
}

static void codes_even(nz_codes *c, bool plain)
{
    c->literals = NZ_LITERALS;
    c->distances = NZ_DISTANCES;
    lens_even(c->len, c->literals);
    lens_even(c->len + c->literals, c->distances);
    nz_runs_guess(c);
    nz_run_lens_guess(c);
    if (!plain)
        return;
    c->runs = c->literals + c->distances; /* as if no length came twice */
    memcpy(c->run, c->len, c->runs);
    memset(c->repeat, 1, c->runs);
    c->run_lens = NZ_RUNS;
    lens_even(c->run_len, NZ_RUNS);
}

/* Puts the bytes that a block stands for behind those before it. */
static void spread(nz_buf *raw, const nz_deflate *b)
{
    for (size_t i = 0; i < b->tokens; i++) {
        unsigned distance = nz_token_distance(b->token[i]);
        for (unsigned n = nz_token_bytes(b->token[i]); n; n--)
            nz_buf_byte(raw, distance ? raw->p[raw->n - distance] : b->token[i]);
    }
}

static void put_block(nz_buf *raw, nz_bits_out *out, nz_deflate *b, nz_span *from)
{
    enum { TOKENS = 64 };
    size_t start = raw->n, bytes = start;
    b->kind = (nz_deflate_kind)choose(from, 3);
    b->last = choose(from, 4) == 0 || !nz_span_left(from);
    b->pad = choose(from, 4) ? 0 : choose(from, 256);
    b->tokens = b->stored = 0;
    if (b->kind == NZ_DEFLATE_STORED) {
        nz_span stored = choose_bytes(from, choose(from, 300));
        b->stored = (unsigned)nz_span_left(&stored);
        nz_buf_put(raw, stored.at, b->stored);
    } else {
        for (unsigned n = choose(from, 4) ? choose(from, TOKENS) : choose(from, 4096); n; n--) {
            check(put_token(b, from, bytes));
            bytes += nz_token_bytes(b->token[b->tokens - 1]);
        }
        spread(raw, b);
    }
    if (b->kind == NZ_DEFLATE_DYNAMIC && nz_codes_guess(&b->codes, b) && choose(from, 2))
        b->kind = NZ_DEFLATE_FIXED;
    if (b->kind == NZ_DEFLATE_DYNAMIC && choose(from, 4) == 0)
        codes_even(&b->codes, choose(from, 2));
    check(!raw->failed);
    nz_deflate_write(out, b, raw->n > start ? raw->p + start : NULL);
}

/* A stream drawn from what is left of `from`, and the bytes it holds. */
static void deflate_from(nz_buf *to, nz_buf *raw, nz_span *from)
{
    nz_deflate b = {0};
    nz_bits_out out = {.to = to};
    do
        put_block(raw, &out, &b, from);
    while (!b.last);
    nz_bits_flush(&out);
    check(!to->failed);
    nz_deflate_reset(&b);
}

#endif
