#include "deflate.h"

#include <stdlib.h>

const nz_range nz_lengths[NZ_LENGTH_SYMBOLS] = {
    {3, 0},  {4, 0},  {5, 0},  {6, 0},   {7, 0},   {8, 0},   {9, 0},   {10, 0},  {11, 1}, {13, 1},
    {15, 1}, {17, 1}, {19, 2}, {23, 2},  {27, 2},  {31, 2},  {35, 3},  {43, 3},  {51, 3}, {59, 3},
    {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0}};
const nz_range nz_distances[NZ_DISTANCES] = {
    {1, 0},     {2, 0},     {3, 0},     {4, 0},      {5, 1},      {7, 1},
    {9, 2},     {13, 2},    {17, 3},    {25, 3},     {33, 4},     {49, 4},
    {65, 5},    {97, 5},    {129, 6},   {193, 6},    {257, 7},    {385, 7},
    {513, 8},   {769, 8},   {1025, 9},  {1537, 9},   {2049, 10},  {3073, 10},
    {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13}};
const nz_range nz_repeats[3] = {{3, 2}, {3, 3}, {11, 7}};
const uint8_t nz_run_order[NZ_RUNS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                       11, 4,  12, 3, 13, 2, 14, 1, 15};

static unsigned symbol(const nz_range *range, unsigned symbols, unsigned v)
{
    unsigned low = 0;
    for (unsigned high = symbols; high - low > 1;) {
        unsigned mid = (low + high) / 2;
        if (range[mid].base <= v)
            low = mid;
        else
            high = mid;
    }
    return low;
}

unsigned nz_length_symbol(unsigned length)
{
    return symbol(nz_lengths, NZ_LENGTH_SYMBOLS, length);
}

unsigned nz_distance_symbol(unsigned distance)
{
    return symbol(nz_distances, NZ_DISTANCES, distance);
}

void nz_deflate_reset(nz_deflate *b)
{
    free(b->token);
    *b = (nz_deflate){0};
}

bool nz_deflate_add(nz_deflate *b, nz_token t)
{
    if (b->tokens == b->room) {
        size_t room = b->room ? 2 * b->room : 4096;
        nz_token *more = realloc(b->token, room * sizeof *more);
        if (!more)
            return false;
        b->token = more;
        b->room = room;
    }
    b->token[b->tokens++] = t;
    return true;
}

void nz_deflate_lens(const nz_deflate *b, uint8_t literals[NZ_FIXED_LITERALS],
                     uint8_t distances[NZ_FIXED_DISTANCES])
{
    if (b->kind == NZ_DEFLATE_FIXED) {
        memset(literals, 8, 144);
        memset(literals + 144, 9, 256 - 144);
        memset(literals + 256, 7, 280 - 256);
        memset(literals + 280, 8, NZ_FIXED_LITERALS - 280);
        memset(distances, 5, NZ_FIXED_DISTANCES);
        return;
    }
    const nz_codes *c = &b->codes;
    memset(literals, 0, NZ_FIXED_LITERALS);
    memset(distances, 0, NZ_FIXED_DISTANCES);
    memcpy(literals, c->len, c->literals);
    memcpy(distances, c->len + c->literals, c->distances);
}

void nz_code_assign(uint16_t *code, const uint8_t *len, unsigned n)
{
    unsigned count[NZ_CODE_MAX + 1] = {0}, next[NZ_CODE_MAX + 1] = {0};
    for (unsigned i = 0; i < n; i++)
        count[len[i]]++;
    count[0] = 0;
    for (unsigned bits = 1; bits <= NZ_CODE_MAX; bits++)
        next[bits] = (next[bits - 1] + count[bits - 1]) << 1;
    for (unsigned i = 0; i < n; i++) {
        unsigned v = len[i] ? next[len[i]]++ : 0;
        code[i] = 0;
        for (unsigned bit = 0; bit < len[i]; bit++, v >>= 1)
            code[i] = (uint16_t)(code[i] << 1 | (v & 1));
    }
}

static void codes_write(nz_bits_out *out, const nz_codes *c)
{
    uint16_t code[NZ_RUNS];
    nz_code_assign(code, c->run_len, NZ_RUNS);
    nz_bits_put(out, c->literals - 257, 5);
    nz_bits_put(out, c->distances - 1, 5);
    nz_bits_put(out, c->run_lens - 4, 4);
    for (unsigned i = 0; i < c->run_lens; i++)
        nz_bits_put(out, c->run_len[nz_run_order[i]], 3);
    for (unsigned i = 0; i < c->runs; i++) {
        unsigned s = c->run[i];
        nz_bits_put(out, code[s], c->run_len[s]);
        if (s > NZ_CODE_MAX) {
            const nz_range *r = &nz_repeats[s - NZ_CODE_MAX - 1];
            nz_bits_put(out, c->repeat[i] - r->base, r->extra);
        }
    }
}

static void tokens_write(nz_bits_out *out, const nz_deflate *b)
{
    uint8_t len[NZ_FIXED_LITERALS], dlen[NZ_FIXED_DISTANCES];
    uint16_t code[NZ_FIXED_LITERALS], dcode[NZ_FIXED_DISTANCES];
    nz_deflate_lens(b, len, dlen);
    nz_code_assign(code, len, NZ_FIXED_LITERALS);
    nz_code_assign(dcode, dlen, NZ_FIXED_DISTANCES);
    for (size_t i = 0; i < b->tokens; i++) {
        nz_token t = b->token[i];
        unsigned distance = nz_token_distance(t);
        if (!distance) {
            nz_bits_put(out, code[t], len[t]);
            continue;
        }
        unsigned s = nz_length_symbol(nz_token_bytes(t)), d = nz_distance_symbol(distance);
        nz_bits_put(out, code[257 + s], len[257 + s]);
        nz_bits_put(out, nz_token_bytes(t) - nz_lengths[s].base, nz_lengths[s].extra);
        nz_bits_put(out, dcode[d], dlen[d]);
        nz_bits_put(out, distance - nz_distances[d].base, nz_distances[d].extra);
    }
    nz_bits_put(out, code[NZ_END_SYMBOL], len[NZ_END_SYMBOL]);
}

/* Up to the next byte. */
static void fill(nz_bits_out *out, unsigned pad)
{
    unsigned n = (8 - out->n) & 7;
    nz_bits_put(out, pad & ((1u << n) - 1), n);
}

void nz_deflate_write(nz_bits_out *out, const nz_deflate *b, const uint8_t *raw)
{
    nz_bits_put(out, b->last, 1);
    nz_bits_put(out, b->kind, 2);
    if (b->kind == NZ_DEFLATE_STORED) {
        fill(out, b->pad);
        nz_bits_put(out, b->stored, 16);
        nz_bits_put(out, b->stored ^ 65535, 16);
        nz_buf_put(out->to, raw, b->stored);
        return;
    }
    if (b->kind == NZ_DEFLATE_DYNAMIC)
        codes_write(out, &b->codes);
    tokens_write(out, b);
    if (b->last)
        fill(out, b->pad);
}
