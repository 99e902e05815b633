/* The max coder of weights: whatever the bits, they come back; structure is found; junk decodes to
 * junk and nothing worse. */
#include "weights/max.h"
#include "weights/convert.h"
#include "weights/slab.h"

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

static const nz_dtype blocks[] = {NZ_DT_Q4_0, NZ_DT_Q4_1, NZ_DT_Q5_0, NZ_DT_Q5_1, NZ_DT_Q8_0,
                                  NZ_DT_Q2_K, NZ_DT_Q3_K, NZ_DT_Q4_K, NZ_DT_Q5_K, NZ_DT_Q6_K};

enum { BLOCKS = sizeof blocks / sizeof *blocks };

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

/* Numbers, or blocks of quants. */
typedef struct tensor {
    const nz_value *value;
    const nz_quants *quants; /* NULL: numbers */
    size_t n, row;
} tensor;

static void encode(nz_max *m, nz_arith *a, const tensor *t, const uint8_t *raw)
{
    if (t->quants)
        cr_assert_eq(nz_max_encode_blocks(m, a, t->quants, raw, t->n, t->row), NZ_OK);
    else
        nz_max_encode(m, a, t->value, raw, t->n, t->row);
}

/* Of blocks what is not the model's is there before. */
static void decode(nz_max *m, nz_arith *a, const tensor *t, const uint8_t *raw, uint8_t *back,
                   size_t bytes)
{
    memset(back, 0x5a, bytes + 1);
    if (!t->quants) {
        nz_max_decode(m, a, t->value, back, t->n, t->row);
        return;
    }
    if (!t->quants->extreme)
        memcpy(back, raw, bytes);
    nz_quants_clear(t->quants, back, t->n);
    cr_assert_eq(nz_max_decode_blocks(m, a, t->quants, back, t->n, t->row), NZ_OK);
}

/* Codes a tensor twice, as two tensors of one frame, decodes both and returns the packed size. */
static size_t both_ways(const tensor *t, const uint8_t *raw, size_t bytes)
{
    size_t cap = 3 * bytes + 64;
    uint8_t *out = malloc(cap), *back = malloc(bytes + 1);
    nz_arith a;
    nz_max *m = fresh(&kern);
    nz_arith_write(&a, out, cap);
    encode(m, &a, t, raw);
    size_t once = (size_t)(a.at - out);
    encode(m, &a, t, raw);
    cr_assert(!nz_arith_flush(&a));
    nz_max_free(m);
    size_t packed = (size_t)(a.at - out);
    m = fresh(&kern);
    nz_arith_read(&a, out, packed);
    for (int i = 0; i < 2; i++) {
        decode(m, &a, t, raw, back, bytes);
        cr_assert(!memcmp(back, raw, bytes) && back[bytes] == 0x5a);
    }
    cr_assert(!nz_arith_check(&a));
    nz_max_free(m);
    free(out);
    free(back);
    return once;
}

static size_t round_trip(const nz_value *f, const uint8_t *raw, size_t n, size_t row)
{
    return both_ways(&(tensor){.value = f, .n = n, .row = row}, raw, n * f->bits / 8);
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
    int rounds = getenv("NZ_SHORT") ? 18 : 60;
    for (int round = 0; round < rounds; round++) {
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
            const nz_quants *q = nz_quants_of(blocks[random32(&seed) % BLOCKS]);
            for (size_t i = 0; i < ROOM; i += 7)
                raw[i] = (uint8_t)random32(&seed);
            size_t row = round % 2 ? SIZE_MAX - 3 : random32(&seed) % 9;
            cr_assert_eq(nz_max_decode_blocks(m, &a, q, raw, 20, row), NZ_OK);
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

/* ---- Blocks ---- */

/* An element as the formats' own description has it, in halves of 2^-24; d and m: of the block. */
static int64_t element(nz_dtype dtype, const uint8_t *b, unsigned i)
{
    const unsigned half = i / 128, in = i % 128, col = i % 32;
    const int64_t d0 = nz_quants_half(nz_load16(b)), d2 = nz_quants_half(nz_load16(b + 2));
    const unsigned low = i < 16 ? 0 : 4; /* of blocks of 32 */
    switch (dtype) {
    case NZ_DT_Q4_0: return d0 * ((b[2 + i % 16] >> low & 15) - 8);
    case NZ_DT_Q4_1: return d0 * (b[4 + i % 16] >> low & 15) + d2;
    case NZ_DT_Q5_0:
        return d0 * (int)(((b[6 + i % 16] >> low & 15) | (nz_load32(b + 2) >> i & 1) << 4) - 16);
    case NZ_DT_Q5_1:
        return d0 * ((b[8 + i % 16] >> low & 15) | (nz_load32(b + 4) >> i & 1) << 4) + d2;
    case NZ_DT_Q8_0: return d0 * (int8_t)b[2 + i];
    case NZ_DT_Q2_K: {
        const uint8_t scale = b[i / 16];
        const int64_t d = nz_quants_half(nz_load16(b + 80)), m = nz_quants_half(nz_load16(b + 82));
        return d * (scale & 15) * (b[16 + 32 * half + col] >> 2 * (in / 32) & 3) - m * (scale >> 4);
    }
    case NZ_DT_Q3_K: {
        const uint8_t *s = b + 96;
        const unsigned k = i / 16;
        int scale = (k < 8 ? s[k] & 15 : s[k - 8] >> 4) | (s[8 + k % 4] >> k / 4 * 2 & 3) << 4;
        int q = (b[32 + 32 * half + col] >> 2 * (in / 32) & 3) - (b[col] >> i / 32 & 1 ? 0 : 4);
        return nz_quants_half(nz_load16(b + 108)) * (scale - 32) * q;
    }
    case NZ_DT_Q4_K:
    case NZ_DT_Q5_K: {
        const uint8_t *s = b + 4, *q = b + (dtype == NZ_DT_Q4_K ? 16 : 48);
        const unsigned k = i / 32;
        int scale = k < 4 ? s[k] & 63 : (s[k + 4] & 15) | s[k - 4] >> 6 << 4;
        int min = k < 4 ? s[k + 4] & 63 : s[k + 4] >> 4 | s[k] >> 6 << 4;
        int v = q[32 * (i / 64) + col] >> (i / 32 % 2 ? 4 : 0) & 15;
        if (dtype == NZ_DT_Q5_K)
            v |= (b[16 + col] >> i / 32 & 1) << 4;
        return d0 * scale * v - d2 * min;
    }
    case NZ_DT_Q6_K: {
        const unsigned at = 64 * half + in % 64;
        int v = (b[at] >> (in < 64 ? 0 : 4) & 15) | (b[128 + 32 * half + col] >> in / 32 * 2 & 3)
                                                        << 4;
        return nz_quants_half(nz_load16(b + 208)) * (int8_t)b[192 + i / 16] * (v - 32);
    }
    default: cr_assert(false); return 0;
    }
}

Test(max, quants_are_what_their_formats_say)
{
    uint8_t raw[3 * 256], back[3 * 256];
    uint32_t seed = 12;
    for (size_t k = 0; k < BLOCKS; k++)
        for (int round = 0; round < 20; round++) {
            const nz_quants *f = nz_quants_of(blocks[k]);
            const nz_dtype_info *info = nz_dtype_about(blocks[k]);
            for (size_t i = 0; i < 3 * info->bytes; i++)
                raw[i] = back[i] = (uint8_t)random32(&seed);
            nz_quants_clear(f, back, 3);
            for (unsigned i = 0; i < 3 * info->elements; i++) {
                unsigned q = nz_quants_get(f, raw, i);
                nz_grid g = nz_quants_grid(f, raw, i);
                const uint8_t *block = raw + i / info->elements * info->bytes;
                cr_assert_lt(q, 1u << f->bits);
                cr_assert_eq(g.step * q + g.offset, element(blocks[k], block, i % info->elements),
                             "%s, %u", info->name, i);
                nz_quants_put(f, back, i, q);
            }
            cr_assert(!memcmp(raw, back, 3 * info->bytes), "%s", info->name);
        }
    cr_assert_eq(nz_quants_half(0x3c00), 1 << 24);
    cr_assert_eq(nz_quants_half(0xc000), -(2 << 24));
    cr_assert_eq(nz_quants_half(0x0001), 1);
    cr_assert_eq(nz_quants_half(0x7c00), 0);
}

static size_t blocks_round_trip(nz_dtype dtype, const uint8_t *raw, size_t n, size_t row)
{
    return both_ways(&(tensor){.quants = nz_quants_of(dtype), .n = n, .row = row}, raw,
                     n * nz_dtype_about(dtype)->bytes);
}

Test(max, blocks_of_every_kind_come_back)
{
    static const size_t shapes[][2] = {{0, 1}, {1, 1}, {7, 3}, {40, 0}, {60, 2}, {64, 100}};
    uint8_t *raw = malloc(64 * 256);
    uint32_t seed = 31;
    for (size_t k = 0; k < BLOCKS; k++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            const nz_quants *f = nz_quants_of(blocks[k]);
            size_t bytes = nz_dtype_about(blocks[k])->bytes;
            for (size_t b = 0; b < 64 * bytes; b++)
                raw[b] = (uint8_t)random32(&seed);
            /* any halves first, infinities and NaNs too, then usual ones */
            for (size_t b = 0; b < 64 && i % 2; b++) {
                raw[b * bytes + f->step + 1] = (uint8_t)(0x28 | (random32(&seed) >> 31));
                if (f->offset)
                    raw[b * bytes + f->offset + 1] = (uint8_t)(0xb0 | (random32(&seed) >> 31));
            }
            blocks_round_trip(blocks[k], raw, shapes[i][0], shapes[i][1]);
        }
    memset(raw, 0, 64 * 256);
    for (size_t k = 0; k < BLOCKS; k++)
        cr_assert_lt(blocks_round_trip(blocks[k], raw, 64, 4), 64 * 256 / 50);
    free(raw);
}

/* BF16 numbers, sums of four, quantized as ggml does it. */
static void fill_blocks(nz_dtype dtype, uint8_t *raw, size_t n, uint32_t *seed)
{
    const bool minima = dtype == NZ_DT_Q4_1;
    uint8_t numbers[2 * 32];
    for (size_t b = 0; b < n; b++) {
        float x[32], low = 0, high = 0;
        uint8_t *block = raw + b * nz_dtype_about(dtype)->bytes;
        fill_weights(&bf16, numbers, 32, seed);
        for (int i = 0; i < 32; i++) {
            uint32_t bits = (uint32_t)nz_load16(numbers + 2 * i) << 16;
            memcpy(&x[i], &bits, 4);
            low = x[i] < low ? x[i] : low;
            high = x[i] > high ? x[i] : high;
        }
        high = !minima && -low > high ? -low : high;
        const float step = minima ? (high - low) / 15 : high / 127;
        uint8_t scales[8];
        memcpy(scales, &step, 4);
        memcpy(scales + 4, &low, 4);
        nz_convert(NZ_DT_F16, block, NZ_DT_F32, scales, minima ? 2 : 1);
        for (int i = 0; i < 32; i++)
            if (!minima)
                block[2 + i] = (uint8_t)(int8_t)(x[i] / step + (x[i] < 0 ? -.5f : .5f));
        for (int i = 0; i < 16 && minima; i++) {
            int q0 = (int)((x[i] - low) / step + .5f), q1 = (int)((x[i + 16] - low) / step + .5f);
            block[4 + i] = (uint8_t)((q0 < 15 ? q0 : 15) | (q1 < 15 ? q1 : 15) << 4);
        }
    }
}

static size_t fast_size(nz_dtype dtype, const uint8_t *raw, size_t n, size_t row)
{
    nz_slab slab = {dtype, n, row};
    nz_tables tables = {0};
    nz_buf out = {0};
    cr_assert_eq(nz_slab_encode(&slab, NZ_MODE_FAST, &kern, &tables, NULL, raw, &out), NZ_OK);
    size_t size = out.n;
    nz_tables_free(&tables);
    nz_buf_free(&out);
    return size;
}

/* What each block holds at least is known, and which numbers its step was made for. */
Test(max, blocks_shrink)
{
    enum { N = 4000, ROW = 20 };
    static const nz_dtype made[] = {NZ_DT_Q8_0, NZ_DT_Q4_1};
    uint8_t *raw = malloc(N * 34);
    uint32_t seed = 17;
    for (int i = 0; i < 2; i++) {
        fill_blocks(made[i], raw, N, &seed);
        size_t packed = blocks_round_trip(made[i], raw, N, ROW);
        size_t fast = fast_size(made[i], raw, N, ROW);
        cr_assert_lt(packed + fast / 200, fast, "%zu, fast %zu", packed, fast);
    }
    free(raw);
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
    for (size_t i = 0; i < BLOCKS; i++) {
        for (size_t b = 0; b < 8 * N; b++)
            raw[b] = (uint8_t)random32(&seed);
        cr_assert_eq(nz_max_encode_blocks(m, &a, nz_quants_of(blocks[i]), raw, 60, 4), NZ_OK);
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
    const uint64_t want = UINT64_C(0x6fb2b8b5de7b67bb);
    cr_assert_eq(sample_digest(&kern), want, "%llx", (unsigned long long)sample_digest(&kern));
    cr_assert_eq(sample_digest(&c), want, "plain C");
}
