/* Streams that zlib and gzip made are known by size and CRC-32: the model must make the same ones.
 * From these the test builds its files. */
#include "packed/describe.h"
#include "packed/find.h"
#include "packed/inflate.h"
#include "packed/manner.h"
#include "packed/pieces.h"
#include "packed/sums.h"

#include <criterion/criterion.h>
#include <stdlib.h>

typedef enum kind { WORDS, RECORDS, ZEROS, KINDS } kind;

static const size_t SIZES[KINDS] = {200000, 70000, 100000};

static uint32_t random32(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

static void words(uint8_t *p, size_t n)
{
    uint32_t s = 1;
    for (size_t at = 0; at < n;) {
        unsigned w = random32(&s) >> 8;
        w = (w & 63) * (w >> 8 & 63) / 63;
        for (unsigned i = 0; i < 2 + w % 7 && at < n; i++)
            p[at++] = (uint8_t)('a' + (w * 7 + i * i * 3) % 26);
        unsigned line = random32(&s) >> 8 & 15;
        if (at < n)
            p[at++] = line ? ' ' : '\n';
    }
}

static void records(uint8_t *p, size_t n)
{
    uint32_t s = 1;
    for (size_t i = 0; i < n; i++) {
        uint32_t low = random32(&s) >> 28;
        size_t field[4] = {i >> 8, i / 16 * 3, low, 7};
        p[i] = (uint8_t)field[i & 3];
    }
}

static uint8_t *input(kind k)
{
    uint8_t *p = calloc(SIZES[k], 1);
    cr_assert(p);
    if (k == WORDS)
        words(p, SIZES[k]);
    if (k == RECORDS)
        records(p, SIZES[k]);
    return p;
}

/* What zlib 1.2.13 and gzip 1.12 make: zlib.compressobj(level, zlib.DEFLATED, -window, memory,
 * strategy) in Python, and `gzip -n -level` without its head and end. */
static const struct {
    kind input;
    uint8_t manner[NZ_MANNER_BYTES];
    size_t bytes;
    uint32_t crc;
} known[] = {
    {WORDS, {0x01, 0x8f}, 56908, 0x8f865dfa},   {WORDS, {0x02, 0x8f}, 54830, 0xa5e3386a},
    {WORDS, {0x03, 0x8f}, 51109, 0x03908e6f},   {WORDS, {0x04, 0x8f}, 50966, 0x81f87a0c},
    {WORDS, {0x05, 0x8f}, 48612, 0x57198c27},   {WORDS, {0x06, 0x8f}, 44267, 0xeed0259b},
    {WORDS, {0x07, 0x8f}, 43287, 0x86f8ffc7},   {WORDS, {0x08, 0x8f}, 43003, 0x857fab26},
    {WORDS, {0x09, 0x8f}, 43003, 0x857fab26},   {WORDS, {0x06, 0x89}, 72848, 0xf452422b},
    {WORDS, {0x06, 0x8c}, 48706, 0xdeed21ad},   {WORDS, {0x06, 0x1f}, 49611, 0x6f06a82d},
    {WORDS, {0x06, 0x9f}, 44238, 0xda833c36},   {WORDS, {0x14, 0x8f}, 54741, 0xe3993cc0},
    {WORDS, {0x19, 0x8f}, 43725, 0xc2ad48ce},   {WORDS, {0x21, 0x8f}, 56896, 0x9d95d1a3},
    {WORDS, {0x23, 0x8f}, 51078, 0xd0b83b18},   {WORDS, {0x26, 0x8f}, 44246, 0x8cd1e08e},
    {WORDS, {0x29, 0x8f}, 42981, 0x84f7093d},   {RECORDS, {0x01, 0x8f}, 39708, 0x39d085f7},
    {RECORDS, {0x02, 0x8f}, 42582, 0x0cb31b18}, {RECORDS, {0x03, 0x8f}, 44713, 0x91d00e40},
    {RECORDS, {0x04, 0x8f}, 36612, 0xdcd6e4f7}, {RECORDS, {0x05, 0x8f}, 36603, 0xe49a7787},
    {RECORDS, {0x06, 0x8f}, 36603, 0xe49a7787}, {RECORDS, {0x07, 0x8f}, 36603, 0xe49a7787},
    {RECORDS, {0x08, 0x8f}, 36603, 0xe49a7787}, {RECORDS, {0x09, 0x8f}, 36603, 0xe49a7787},
    {RECORDS, {0x06, 0x89}, 34964, 0xe7a22a31}, {RECORDS, {0x06, 0x8c}, 35017, 0xba56eb8f},
    {RECORDS, {0x06, 0x1f}, 40405, 0x2b9cb4bb}, {RECORDS, {0x06, 0x9f}, 36603, 0xa80e09cc},
    {RECORDS, {0x14, 0x8f}, 47695, 0xef8219a3}, {RECORDS, {0x19, 0x8f}, 47695, 0xef8219a3},
    {RECORDS, {0x21, 0x8f}, 39797, 0x155a2fff}, {RECORDS, {0x23, 0x8f}, 45303, 0x648b2fe9},
    {RECORDS, {0x26, 0x8f}, 36603, 0xa80e09cc}, {RECORDS, {0x29, 0x8f}, 36603, 0xa80e09cc},
    {ZEROS, {0x01, 0x8f}, 454, 0x8ef52da9},     {ZEROS, {0x02, 0x8f}, 454, 0x8ef52da9},
    {ZEROS, {0x03, 0x8f}, 454, 0x8ef52da9},     {ZEROS, {0x04, 0x8f}, 114, 0x27390c0e},
    {ZEROS, {0x05, 0x8f}, 114, 0x27390c0e},     {ZEROS, {0x06, 0x8f}, 114, 0x27390c0e},
    {ZEROS, {0x07, 0x8f}, 114, 0x27390c0e},     {ZEROS, {0x08, 0x8f}, 114, 0x27390c0e},
    {ZEROS, {0x09, 0x8f}, 114, 0x27390c0e},     {ZEROS, {0x06, 0x89}, 114, 0x27390c0e},
    {ZEROS, {0x06, 0x8c}, 114, 0x27390c0e},     {ZEROS, {0x06, 0x1f}, 151, 0xaf620285},
    {ZEROS, {0x06, 0x9f}, 114, 0x27390c0e},     {ZEROS, {0x14, 0x8f}, 114, 0x27390c0e},
    {ZEROS, {0x19, 0x8f}, 114, 0x27390c0e},     {ZEROS, {0x21, 0x8f}, 454, 0x8ef52da9},
    {ZEROS, {0x23, 0x8f}, 454, 0x8ef52da9},     {ZEROS, {0x26, 0x8f}, 114, 0x27390c0e},
    {ZEROS, {0x29, 0x8f}, 114, 0x27390c0e},
};
enum { KNOWN = sizeof known / sizeof *known };

/* The stream that a manner makes, behind the bytes of `to`. */
static void pack(nz_buf *to, const uint8_t *raw, size_t n, unsigned level)
{
    const uint8_t manner[] = {(uint8_t)level, 0x8f};
    cr_assert_eq(nz_rebuild(to, raw, n, manner, sizeof manner, 2 * n + 100), NZ_OK);
}

Test(packed, zlibs_streams_are_made)
{
    for (size_t i = 0; i < KNOWN; i++) {
        nz_buf out = {0};
        uint8_t *raw = input(known[i].input);
        size_t n = SIZES[known[i].input];
        cr_assert_eq(nz_rebuild(&out, raw, n, known[i].manner, NZ_MANNER_BYTES, 2 * n), NZ_OK);
        cr_assert(out.n == known[i].bytes && nz_crc32(0, out.p, out.n) == known[i].crc,
                  "%zu: input %d, %02x %02x", i, known[i].input, known[i].manner[0],
                  known[i].manner[1]);
        nz_buf_free(&out);
        free(raw);
    }
}

static size_t described(const uint8_t *packed, size_t n, const uint8_t *raw, size_t raw_n)
{
    nz_buf d = {0}, again = {0};
    cr_assert_eq(nz_describe(&d, packed, n, raw, raw_n, raw_n + 1000), NZ_OK);
    cr_assert_eq(nz_rebuild(&again, raw, raw_n, d.p, d.n, n), NZ_OK);
    cr_assert(again.n == n && !memcmp(again.p, packed, n));
    size_t bytes = d.n;
    nz_buf_free(&d);
    nz_buf_free(&again);
    return bytes;
}

Test(packed, zlibs_streams_need_no_words, .timeout = 120)
{
    for (size_t i = 0; i < KNOWN; i++) {
        nz_buf packed = {0}, out = {0};
        uint8_t *raw = input(known[i].input);
        size_t n = SIZES[known[i].input], used;
        cr_assert_eq(nz_rebuild(&packed, raw, n, known[i].manner, NZ_MANNER_BYTES, 2 * n), NZ_OK);
        cr_assert_eq(nz_inflate_all(&out, &used, packed.p, packed.n, n), NZ_OK);
        cr_assert(used == packed.n && out.n == n && !memcmp(out.p, raw, n));
        size_t bytes = described(packed.p, packed.n, raw, n);
        cr_assert(bytes < 30, "%zu: %zu bytes", i, bytes);
        nz_buf_free(&packed);
        nz_buf_free(&out);
        free(raw);
    }
}

/* Blocks as no packer makes them, all of whose tokens are right. */
static void strange(nz_buf *to, const uint8_t *raw, size_t n, uint32_t seed)
{
    nz_bits_out out = {.to = to};
    nz_deflate b = {0};
    for (size_t at = 0; !b.last;) {
        b.kind = random32(&seed) % 2 ? NZ_DEFLATE_FIXED : NZ_DEFLATE_STORED;
        b.tokens = b.stored = 0;
        b.pad = random32(&seed);
        const uint8_t *from = raw + at;
        size_t most = random32(&seed) % 500, end = n - at < most ? n : at + most;
        if (b.kind == NZ_DEFLATE_STORED) {
            b.stored = (unsigned)(end - at);
            at = end;
        }
        while (at < end) {
            unsigned distance = 1 + random32(&seed) % 400, length = 0;
            while (distance <= at && at + length < end && length < NZ_MATCH_MAX &&
                   raw[at + length] == raw[at + length - distance])
                length++;
            bool match = length >= NZ_MATCH_MIN;
            nz_deflate_add(&b, match ? nz_match_token(length, distance) : raw[at]);
            at += match ? length : 1;
        }
        b.last = at == n;
        nz_deflate_write(&out, &b, from);
    }
    nz_deflate_reset(&b);
}

Test(packed, any_stream_can_be_described)
{
    for (uint32_t seed = 1; seed < 20; seed++) {
        nz_buf packed = {0}, out = {0};
        size_t used, n = 100 * seed * seed;
        uint8_t *raw = input(seed % 2 ? WORDS : RECORDS);
        strange(&packed, raw, n, seed);
        cr_assert_eq(nz_inflate_all(&out, &used, packed.p, packed.n, n), NZ_OK);
        cr_assert(used == packed.n && out.n == n && !memcmp(out.p, raw, n));
        size_t bytes = described(packed.p, packed.n, raw, n);
        nz_buf dear = {0};
        cr_assert_eq(nz_describe(&dear, packed.p, packed.n, raw, n, bytes - 1), NZ_E_FULL);
        cr_assert_eq(dear.n, 0);
        nz_buf_free(&dear);
        nz_buf_free(&packed);
        nz_buf_free(&out);
        free(raw);
    }
}

/* One block of more tokens than zlib and gzip let any have. */
Test(packed, large_blocks_can_be_described)
{
    nz_buf packed = {0};
    uint8_t *raw = input(WORDS);
    nz_bits_out out = {.to = &packed};
    nz_deflate b = {.kind = NZ_DEFLATE_FIXED, .last = true};
    for (size_t i = 0; i < 40000; i++)
        nz_deflate_add(&b, raw[i]);
    nz_deflate_write(&out, &b, raw);
    described(packed.p, packed.n, raw, 40000);
    nz_deflate_reset(&b);
    nz_buf_free(&packed);
    free(raw);
}

/* Own codes whose lengths and runs zlib would not choose. */
Test(packed, any_codes_can_be_described)
{
    static const uint8_t RAW[] = "abababababababab";
    nz_buf packed = {0}, out = {0};
    nz_bits_out bits = {.to = &packed};
    nz_deflate b = {.kind = NZ_DEFLATE_DYNAMIC, .last = true, .pad = 1};
    nz_codes *c = &b.codes;
    c->literals = 270;
    c->distances = 3;
    for (unsigned i = 'a'; i < 'a' + 8; i++)
        c->len[i] = 4;
    c->len[NZ_END_SYMBOL] = c->len[260] = 2;
    c->len[270 + 1] = c->len[270 + 2] = 1;
    for (unsigned i = 0; i < 273; i++, c->runs++) {
        c->run[c->runs] = c->len[i];
        c->repeat[c->runs] = 1;
        if (i == 200) {
            c->run[c->runs] = 17;
            c->repeat[c->runs] = 4;
            i += 3;
        }
    }
    c->run_lens = NZ_RUNS;
    c->run_len[0] = 1;
    c->run_len[1] = c->run_len[2] = 3;
    c->run_len[4] = c->run_len[17] = 3;
    nz_deflate_add(&b, 'a');
    nz_deflate_add(&b, 'b');
    for (int i = 0; i < 2; i++)
        nz_deflate_add(&b, nz_match_token(6, 2));
    nz_deflate_add(&b, 'a');
    nz_deflate_add(&b, 'b');
    nz_deflate_write(&bits, &b, RAW);
    nz_deflate_reset(&b);
    size_t used;
    cr_assert_eq(nz_inflate_all(&out, &used, packed.p, packed.n, 16), NZ_OK);
    cr_assert(out.n == 16 && !memcmp(out.p, RAW, 16));
    described(packed.p, packed.n, RAW, 16);
    nz_buf_free(&packed);
    nz_buf_free(&out);
}

Test(packed, bad_streams_are_refused)
{
    static const struct {
        const char *what;
        uint8_t bytes[12];
        size_t n;
        nz_err err;
    } BAD[] = {
        {"nothing", {0}, 0, NZ_E_TRUNCATED},
        {"a kind of block that there is not", {7}, 1, NZ_E_CORRUPT},
        {"a stored size without its opposite", {1, 5, 0, 5, 0}, 5, NZ_E_CORRUPT},
        {"fewer bytes than are stored", {1, 5, 0, 250, 255, 'x'}, 6, NZ_E_TRUNCATED},
        {"a match before the first byte", {3, 2, 0}, 3, NZ_E_CORRUPT},
        {"too many literals",
         {0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
         12,
         NZ_E_CORRUPT},
        {"no end", {3}, 1, NZ_E_TRUNCATED},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        nz_buf out = {0};
        size_t used;
        nz_err err = nz_inflate_all(&out, &used, BAD[i].bytes, BAD[i].n, 1000);
        cr_assert_eq(err, BAD[i].err, "%s: %d", BAD[i].what, err);
        nz_buf_free(&out);
    }
}

Test(packed, cut_streams_and_large_ones_are_refused)
{
    nz_buf packed = {0}, out = {0};
    uint8_t *raw = input(WORDS);
    size_t used;
    pack(&packed, raw, 3000, 6);
    for (size_t n = 0; n < packed.n; n++) {
        out.n = 0;
        cr_assert_eq(nz_inflate_all(&out, &used, packed.p, n, 3000), NZ_E_TRUNCATED, "%zu", n);
    }
    cr_assert_eq(nz_inflate_all(&out, &used, packed.p, packed.n, 2999), NZ_E_LIMIT);
    nz_buf_free(&packed);
    nz_buf_free(&out);
    free(raw);
}

Test(packed, corrupted_streams_and_descriptions_do_no_harm)
{
    nz_buf packed = {0}, d = {0}, out = {0};
    uint8_t *raw = input(WORDS);
    size_t used, n = 5000;
    strange(&packed, raw, n, 7);
    cr_assert_eq(nz_describe(&d, packed.p, packed.n, raw, n, n), NZ_OK);
    uint32_t seed = 1;
    for (int i = 0; i < 3000; i++) {
        nz_buf *b = i % 2 ? &packed : &d;
        size_t at = random32(&seed) % b->n;
        uint8_t flip = (uint8_t)(1 + random32(&seed) % 255);
        b->p[at] ^= flip;
        out.n = 0;
        if (i % 2)
            nz_inflate_all(&out, &used, packed.p, packed.n, n);
        else if (!nz_rebuild(&out, raw, n, d.p, d.n, 2 * n))
            cr_assert(out.n <= 2 * n);
        b->p[at] ^= flip;
    }
    nz_buf_free(&packed);
    nz_buf_free(&d);
    nz_buf_free(&out);
    free(raw);
}

/* ---- Files ---- */

static void text_put(nz_buf *to, const char *text)
{
    nz_buf_put(to, text, strlen(text));
}

static void adler_put(nz_buf *to, const uint8_t *raw, size_t n)
{
    uint8_t sum[4];
    nz_store32(sum, __builtin_bswap32(nz_adler32(1, raw, n)));
    nz_buf_put(to, sum, 4);
}

static void zlib_put(nz_buf *to, const uint8_t *raw, size_t n)
{
    text_put(to, "\x78\x9c");
    pack(to, raw, n, 6);
    adler_put(to, raw, n);
}

static void gzip_put(nz_buf *to, const uint8_t *raw, size_t n)
{
    uint8_t end[8];
    nz_buf_put(to, "\x1f\x8b\x08\x08\0\0\0\0\2\3name", 15);
    pack(to, raw, n, 9);
    nz_store32(end, nz_crc32(0, raw, n));
    nz_store32(end + 4, (uint32_t)n);
    nz_buf_put(to, end, 8);
}

static void zip_put(nz_buf *to, const uint8_t *raw, size_t n)
{
    uint8_t head[30] = "PK\3\4\x14";
    nz_store16(head + 6, 8);
    nz_store16(head + 8, 8);
    nz_store16(head + 26, 5);
    nz_store16(head + 28, 2);
    nz_buf_put(to, head, sizeof head);
    text_put(to, "a.txt??");
    pack(to, raw, n, 1);
    text_put(to, "PK\7\10 and so on");
}

/* 99 pixels of 3 bytes a row. */
static void png_put(nz_buf *to, const uint8_t *raw, size_t n)
{
    nz_buf z = {0};
    zlib_put(&z, raw, n);
    nz_buf_put(to, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x63\0\0\0\x10\x08\2\0\0\0crc!", 33);
    for (size_t at = 0; at < z.n; at += 1000)
        nz_png_put(to, z.p + at, z.n - at < 1000 ? z.n - at : 1000);
    nz_buf_put(to, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
    nz_buf_free(&z);
}

static void file_make(nz_buf *to)
{
    uint8_t *raw = input(WORDS);
    gzip_put(to, raw, 4000);
    text_put(to, "4 0 obj << /Filter /FlateDecode >>\nstream\r\n");
    zlib_put(to, raw, 3000);
    text_put(to, "\nendstream x\x9c\x78\x9c no stream");
    png_put(to, raw, 298 * 40);
    zip_put(to, raw, 9000);
    free(raw);
}

Test(packed, files_are_split_and_joined)
{
    static const struct {
        nz_piece_kind kind;
        size_t bytes;
        unsigned row, pixel;
    } WANT[] = {{NZ_PIECE_PLAIN, 15, 0, 0}, {NZ_PIECE_STREAM, 4000, 0, 0},
                {NZ_PIECE_PLAIN, 45, 0, 0}, {NZ_PIECE_STREAM, 3000, 0, 0},
                {NZ_PIECE_PLAIN, 58, 0, 0}, {NZ_PIECE_PIXELS, 11920, 298, 3},
                {NZ_PIECE_PLAIN, 49, 0, 0}, {NZ_PIECE_STREAM, 9000, 0, 0},
                {NZ_PIECE_PLAIN, 14, 0, 0}};
    nz_buf file = {0}, again = {0};
    nz_pieces s;
    file_make(&file);
    cr_assert_eq(nz_split(&s, file.p, file.n, 1 << 20), NZ_OK);
    cr_assert_eq(s.pieces, sizeof WANT / sizeof *WANT, "%zu", s.pieces);
    for (size_t i = 0; i < s.pieces; i++)
        cr_assert(s.piece[i].kind == WANT[i].kind && s.piece[i].bytes == WANT[i].bytes &&
                      s.piece[i].row == WANT[i].row && s.piece[i].pixel == WANT[i].pixel,
                  "piece %zu: %d, %zu bytes, %u, %u", i, s.piece[i].kind, s.piece[i].bytes,
                  s.piece[i].row, s.piece[i].pixel);
    cr_assert_lt(s.recipe.n, 80, "%zu", s.recipe.n);
    cr_assert_eq(nz_join(&again, s.contents.p, s.contents.n, s.recipe.p, s.recipe.n, file.n),
                 NZ_OK);
    cr_assert(again.n == file.n && !memcmp(again.p, file.p, file.n));
    again.n = 0;
    cr_assert_eq(nz_join(&again, s.contents.p, s.contents.n, s.recipe.p, s.recipe.n, file.n - 1),
                 NZ_E_LIMIT);
    nz_pieces_reset(&s);
    nz_buf_free(&file);
    nz_buf_free(&again);
}

/* However little is wrong with a file, it comes back. */
Test(packed, any_file_comes_back, .timeout = 120)
{
    nz_buf file = {0}, again = {0};
    uint32_t seed = 1;
    file_make(&file);
    for (int i = 0; i < 60; i++) {
        nz_pieces s;
        size_t at = random32(&seed) % file.n, n = i % 3 ? file.n : random32(&seed) % file.n;
        uint8_t flip = (uint8_t)(1 + random32(&seed) % 255);
        file.p[at] ^= flip;
        cr_assert_eq(nz_split(&s, file.p, n, n + random32(&seed) % 40000), NZ_OK);
        again.n = 0;
        cr_assert_eq(nz_join(&again, s.contents.p, s.contents.n, s.recipe.p, s.recipe.n, n), NZ_OK);
        cr_assert(again.n == n && !memcmp(again.p, file.p, n), "%d", i);
        nz_pieces_reset(&s);
        file.p[at] ^= flip;
    }
    nz_buf_free(&file);
    nz_buf_free(&again);
}

Test(packed, corrupted_recipes_do_no_harm)
{
    nz_buf file = {0}, again = {0};
    uint32_t seed = 1;
    nz_pieces s;
    file_make(&file);
    cr_assert_eq(nz_split(&s, file.p, file.n, 1 << 20), NZ_OK);
    for (int i = 0; i < 300; i++) {
        size_t at = random32(&seed) % s.recipe.n, n = s.recipe.n;
        uint8_t flip = (uint8_t)(1 + random32(&seed) % 255);
        s.recipe.p[at] ^= flip;
        if (i % 4 == 0)
            n = random32(&seed) % n;
        again.n = 0;
        if (!nz_join(&again, s.contents.p, s.contents.n, s.recipe.p, n, 2 * file.n))
            cr_assert(again.n <= 2 * file.n);
        s.recipe.p[at] ^= flip;
    }
    nz_pieces_reset(&s);
    nz_buf_free(&file);
    nz_buf_free(&again);
}

Test(packed, sums_are_the_known_ones)
{
    const uint8_t *p = (const uint8_t *)"123456789";
    cr_assert_eq(nz_crc32(0, p, 9), 0xcbf43926);
    cr_assert_eq(nz_crc32(nz_crc32(0, p, 4), p + 4, 5), 0xcbf43926);
    cr_assert_eq(nz_adler32(1, p, 9), 0x091e01de);
}

/* Image after image whose first chunk reaches to the end of the file and has the wrong check: read
 * again and again this would take hours. Some have a small good one in front. */
Test(packed, wrong_chunks_are_not_read_for_ever)
{
    enum { IMAGES = 100000 };
    static const char HEAD[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\0\0\0\0abcd";
    for (int good = 0; good < 2; good++) {
        nz_buf file = {0}, again = {0};
        for (size_t i = 0; i < IMAGES; i++) {
            uint8_t chunk[8] = {0, 0x30, 0, 0, 'I', 'D', 'A', 'T'};
            nz_buf_put(&file, HEAD, sizeof HEAD - 1);
            if (good)
                nz_png_put(&file, (const uint8_t *)"x", 1);
            nz_buf_put(&file, chunk, sizeof chunk);
        }
        nz_pieces s;
        cr_assert_eq(nz_split(&s, file.p, file.n, 2 * file.n), NZ_OK);
        cr_assert_eq(nz_join(&again, s.contents.p, s.contents.n, s.recipe.p, s.recipe.n, file.n),
                     0);
        cr_assert(again.n == file.n && !memcmp(again.p, file.p, file.n));
        nz_pieces_reset(&s);
        nz_buf_free(&again);
        nz_buf_free(&file);
    }
}
