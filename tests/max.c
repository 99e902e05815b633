/* The max coder of weights: whatever the bits, they come back; structure is found; junk decodes to
 * junk and nothing worse. */
#include "weights/max.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct {
    const char *name;
    nz_value f;
} formats[] = {
    {"F8_E4M3", {8, 4, 3}}, {"F8_E5M2", {8, 5, 2}}, {"F16", {16, 5, 10}}, {"BF16", {16, 8, 7}},
    {"F32", {32, 8, 23}},   {"F64", {64, 11, 52}},  {"I8", {8, 0, 0}},    {"I16", {16, 0, 0}},
    {"I32", {32, 0, 0}},    {"I64", {64, 0, 0}},
};

enum { FORMATS = sizeof formats / sizeof *formats, ROOM = 1 << 16 };

static const nz_value bf16 = {16, 8, 7}, f32 = {32, 8, 23}, i64 = {64, 0, 0};

static nz_kern kern;

static void kernels(void)
{
    nz_kern_init(&kern, nz_cpu());
}

TestSuite(max, .init = kernels, .timeout = 600);

static uint32_t random32(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

static nz_max *fresh(const nz_kern *k)
{
    nz_max *m;
    cr_assert_eq(nz_max_new(&m, k), NZ_OK);
    return m;
}

/* Codes a tensor twice, as two tensors of one frame, decodes both and returns the packed size. */
static size_t round_trip(const nz_value *f, const uint8_t *raw, size_t n, size_t row)
{
    size_t bytes = n * f->bits / 8, cap = 3 * bytes + 64;
    uint8_t *out = malloc(cap), *back = malloc(bytes + 1);
    nz_arith a;
    nz_max *m = fresh(&kern);
    nz_arith_write(&a, out, cap);
    nz_max_encode(m, &a, f, raw, n, row);
    size_t once = (size_t)(a.at - out);
    nz_max_encode(m, &a, f, raw, n, row);
    cr_assert(!nz_arith_flush(&a));
    nz_max_free(m);
    size_t packed = (size_t)(a.at - out);
    m = fresh(&kern);
    nz_arith_read(&a, out, packed);
    for (int i = 0; i < 2; i++) {
        memset(back, 0x5a, bytes + 1);
        nz_max_decode(m, &a, f, back, n, row);
        cr_assert(!memcmp(back, raw, bytes) && back[bytes] == 0x5a);
    }
    cr_assert(!nz_arith_check(&a));
    nz_max_free(m);
    free(out);
    free(back);
    return once;
}

/* Numbers that look like weights: the sum of four random ones, about as large as 2^-4. */
static void fill_weights(const nz_value *f, uint8_t *raw, size_t n, uint32_t *seed)
{
    for (size_t i = 0; i < n; i++) {
        int64_t v = -(1 << 17);
        for (int k = 0; k < 4; k++)
            v += random32(seed) >> 16;
        nz_value_parts r = {.sign = v < 0};
        uint64_t x = (uint64_t)(v < 0 ? -v : v) | 1;
        int top = nz_value_top(x), bias = f->exponent ? (1 << (f->exponent - 1)) - 1 : 6;
        r.exponent = bias - 4 + top - 16;
        r.exponent = r.exponent < 1 ? 1 : r.exponent;
        int bits = nz_value_mantissa_bits(f, r.exponent);
        uint64_t low = x << (63 - top) << 1; /* what follows the leading one */
        r.mantissa = bits ? low >> (64 - bits) : 0;
        nz_value_store(f, raw + i * (f->bits / 8), nz_value_join(f, r));
    }
}

Test(max, fields_and_ranks_are_one_to_one)
{
    for (size_t k = 0; k < FORMATS; k++) {
        const nz_value *f = &formats[k].f;
        uint32_t seed = 3;
        for (uint32_t i = 0; i < 70000; i++) {
            uint64_t u = ((uint64_t)random32(&seed) << 32 | random32(&seed)) >> (64 - f->bits);
            if (f->bits <= 16)
                u = i & nz_value_mask(f->bits);
            nz_value_parts v = nz_value_split(f, u);
            cr_assert_eq(nz_value_join(f, v), u, "%s", formats[k].name);
            cr_assert_leq(v.exponent, nz_value_exponent_max(f));
            cr_assert_eq(nz_value_unrank(f, nz_value_rank(f, u)), u, "%s", formats[k].name);
        }
    }
    cr_assert_lt(nz_value_rank(&bf16, 0xbf80), nz_value_rank(&bf16, 0x8000)); /* -1 < -0 */
    cr_assert_lt(nz_value_rank(&bf16, 0x8000), nz_value_rank(&bf16, 0x0000)); /* -0 < 0 */
    cr_assert_lt(nz_value_rank(&i64, UINT64_MAX), nz_value_rank(&i64, 0));    /* -1 < 0 */
}

Test(max, every_format_and_shape_comes_back)
{
    static const size_t shapes[][2] = {{0, 0},    {1, 0},    {1, 1},     {2, 1},    {7, 3},
                                       {100, 0},  {100, 10}, {101, 10},  {999, 40}, {1200, 40},
                                       {40, 100}, {640, 20}, {2000, 300}};
    uint8_t *raw = malloc(ROOM);
    uint32_t seed = 1;
    for (size_t k = 0; k < FORMATS; k++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            fill_weights(&formats[k].f, raw, shapes[i][0], &seed);
            round_trip(&formats[k].f, raw, shapes[i][0], shapes[i][1]);
        }
    free(raw);
}

Test(max, every_bit_pattern_comes_back)
{
    /* All of 16 bits: subnormals, both zeros, infinities, every NaN payload. */
    uint8_t *raw = malloc(2 * 65536);
    for (uint32_t order = 0; order < 2; order++) {
        for (uint32_t i = 0; i < 65536; i++)
            nz_value_store(&bf16, raw + 2 * (size_t)i, order ? i * 40503u & 65535 : i);
        for (size_t k = 0; k < FORMATS; k++)
            if (formats[k].f.bits <= 16 || order)
                round_trip(&formats[k].f, raw, 2 * 65536 / 4 * 8 / formats[k].f.bits, 64);
    }
    free(raw);
}

Test(max, random_bits_hardly_grow)
{
    uint8_t *raw = malloc(ROOM);
    uint32_t seed = 77;
    for (size_t i = 0; i < ROOM; i++)
        raw[i] = (uint8_t)(random32(&seed) >> 24);
    for (size_t k = 0; k < FORMATS; k++) {
        size_t n = ROOM * 8 / formats[k].f.bits;
        size_t packed = round_trip(&formats[k].f, raw, n, 64);
        cr_assert_leq(packed, ROOM + ROOM / 25, "%s: %zu", formats[k].name, packed);
    }
    free(raw);
}

Test(max, weights_shrink)
{
    uint8_t *raw = malloc(ROOM);
    uint32_t seed = 5;
    fill_weights(&bf16, raw, ROOM / 2, &seed);
    /* Sums of four: about 10.5 bits of 16. */
    cr_assert_lt(round_trip(&bf16, raw, ROOM / 2, 64), ROOM * 67 / 100);
    free(raw);
}

Test(max, repeats_are_nearly_free)
{
    uint8_t *raw = malloc(ROOM);
    uint32_t seed = 5;
    size_t row = 256, bytes = 4 * row;
    fill_weights(&f32, raw, row, &seed);
    for (size_t at = bytes; at < ROOM; at += bytes)
        memcpy(raw + at, raw, bytes);
    cr_assert_lt(round_trip(&f32, raw, ROOM / 4, row), bytes + (ROOM - bytes) / 50);
    cr_assert_lt(round_trip(&f32, raw, ROOM / 4, 0), bytes + (ROOM - bytes) / 50);
    memset(raw, 0, ROOM);
    for (size_t k = 0; k < FORMATS; k++) {
        size_t packed = round_trip(&formats[k].f, raw, ROOM * 8 / formats[k].f.bits, 64);
        cr_assert_lt(packed, ROOM / 50, "%s: %zu", formats[k].name, packed);
    }
    for (size_t i = 0; i < 4096; i++)
        nz_value_store(&i64, raw + 8 * i, 1000 + 3 * i);
    cr_assert_lt(round_trip(&i64, raw, 4096, 0), 4096 * 8 / 50);
    free(raw);
}

Test(max, rows_that_depend_on_each_other_shrink)
{
    /* The second half of each row is the first half plus a little. */
    enum { ROW = 64, ROWS = 512 };
    uint8_t *raw = malloc(2 * ROW * ROWS);
    uint32_t seed = 8;
    fill_weights(&bf16, raw, ROW * ROWS, &seed);
    size_t apart = round_trip(&bf16, raw, ROW * ROWS, ROW);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = ROW / 2; j < ROW; j++) {
            uint8_t *to = raw + 2 * (i * ROW + j);
            nz_value_store(&bf16, to, nz_load16(to - ROW) + (random32(&seed) >> 28));
        }
    size_t together = round_trip(&bf16, raw, ROW * ROWS, ROW);
    cr_assert_lt(together + ROW * ROWS / 8, apart, "%zu, %zu", together, apart);
    free(raw);
}

Test(max, floats_made_from_shorter_ones_cost_as_those)
{
    uint8_t *raw = malloc(ROOM), *wide = malloc(2 * ROOM);
    uint32_t seed = 21;
    size_t n = ROOM / 2;
    fill_weights(&bf16, raw, n, &seed);
    for (size_t i = 0; i < n; i++)
        nz_store32(wide + 4 * i, (uint32_t)nz_load16(raw + 2 * i) << 16);
    size_t was = round_trip(&bf16, raw, n, 64);
    cr_assert_lt(round_trip(&f32, wide, n, 64), was + was / 50);
    free(raw);
    free(wide);
}

Test(max, any_input_decodes)
{
    enum { IN = 3000 };
    uint8_t *in = malloc(IN), *raw = malloc(ROOM);
    uint32_t seed = 99;
    for (int round = 0; round < 60; round++) {
        size_t n = random32(&seed) % IN;
        uint8_t *tight = malloc(n + !n); /* exact, so that sanitizers see a step too far */
        int keep = round % 3;            /* random, zeros, ones */
        for (size_t i = 0; i < n; i++)
            tight[i] = keep == 0 ? (uint8_t)random32(&seed) : keep == 1 ? 0 : 255;
        nz_max *m = fresh(&kern);
        nz_arith a;
        nz_arith_read(&a, tight, n);
        for (int k = 0; k < 4; k++) {
            const nz_value *f = &formats[random32(&seed) % FORMATS].f;
            nz_max_decode(m, &a, f, raw, ROOM / 8, 1 + random32(&seed) % 200);
        }
        nz_max_free(m);
        free(tight);
    }
    free(in);
    free(raw);
}

Test(max, memory_is_bounded)
{
    cr_assert_leq(nz_max_memory(), UINT64_C(64) << 20);
}

/* What a sample is coded as: all of it changes when anything about the model does. */
static uint64_t sample_digest(const nz_kern *k)
{
    enum { N = 6000, CAP = 1 << 18 };
    uint8_t *raw = malloc(8 * N), *out = malloc(CAP);
    uint32_t seed = 2024;
    nz_max *m = fresh(k);
    nz_arith a;
    nz_arith_write(&a, out, CAP);
    for (size_t i = 0; i < FORMATS; i++) {
        fill_weights(&formats[i].f, raw, N, &seed);
        nz_max_encode(m, &a, &formats[i].f, raw, N, i % 2 ? 48 : 100);
    }
    cr_assert(!nz_arith_flush(&a));
    nz_max_free(m);
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (const uint8_t *p = out; p < a.at; p++)
        digest = (digest ^ *p) * UINT64_C(0x100000001b3);
    free(raw);
    free(out);
    return digest;
}

Test(max, coded_bytes_are_pinned)
{
    nz_kern c;
    nz_kern_init(&c, 0);
    /* On purpose only: a change here is a new version of the arithmetic. */
    const uint64_t want = UINT64_C(0xa87b3eaa1fe76f1c);
    cr_assert_eq(sample_digest(&kern), want, "%llx", (unsigned long long)sample_digest(&kern));
    cr_assert_eq(sample_digest(&c), want, "plain C");
}
