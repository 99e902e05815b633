/* The weights engine: every type of number with every kind of content, whole and in parts, slabs,
 * frames and deltas; and codes that no encoder wrote. */
#include "weights/weights.h"
#include "base/base.h"
#include "weights/convert.h"
#include "weights/delta.h"
#include "weights/explain.h"
#include "weights/number.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t state = 1;

/* How often damage is tried: a part of it when time is short, still of every kind. */
static int tries(int n)
{
    return getenv("NZ_SHORT") ? (n + 3) / 4 : n;
}

static uint32_t next(void)
{
    return nz_hash32(state++, 0x77676874);
}

static const nz_dtype TYPES[] = {
    NZ_DT_BYTES,  NZ_DT_U8,    NZ_DT_I8,      NZ_DT_BOOL,    NZ_DT_U16,     NZ_DT_I16,
    NZ_DT_U32,    NZ_DT_I32,   NZ_DT_U64,     NZ_DT_I64,     NZ_DT_F16,     NZ_DT_BF16,
    NZ_DT_F32,    NZ_DT_F64,   NZ_DT_C64,     NZ_DT_C128,    NZ_DT_F8_E4M3, NZ_DT_F8_E5M2,
    NZ_DT_F4,     NZ_DT_U4,    NZ_DT_F8_E8M0, NZ_DT_F6_E2M3, NZ_DT_Q4_0,    NZ_DT_Q4_1,
    NZ_DT_Q5_0,   NZ_DT_Q5_1,  NZ_DT_Q8_0,    NZ_DT_Q8_1,    NZ_DT_Q2_K,    NZ_DT_Q3_K,
    NZ_DT_Q4_K,   NZ_DT_Q5_K,  NZ_DT_Q6_K,    NZ_DT_Q8_K,    NZ_DT_IQ2_XXS, NZ_DT_IQ2_XS,
    NZ_DT_IQ2_S,  NZ_DT_IQ1_S, NZ_DT_IQ1_M,   NZ_DT_IQ3_XXS, NZ_DT_IQ3_S,   NZ_DT_IQ4_NL,
    NZ_DT_IQ4_XS, NZ_DT_TQ1_0, NZ_DT_TQ2_0,   NZ_DT_MXFP4,   NZ_DT_NVFP4,
};
enum { TYPE_COUNT = sizeof TYPES / sizeof *TYPES };

typedef enum content {
    GAUSS,    /* rows and columns with scales of their own */
    NOISE,    /* any bits: NaN payloads, infinities, subnormals */
    SAME,     /* one value */
    ZEROS,    /* both zeros */
    SHORT,    /* a format with fewer bits inside a longer, in some rows */
    EXTREMES, /* infinities, NaNs, smallest and largest */
    CONTENTS
} content;

static double gauss(void)
{
    double sum = 0;
    for (int i = 0; i < 6; i++)
        sum += next() / 4294967296.0 - .5;
    return sum;
}

static void put_number(nz_dtype dtype, uint8_t *to, double x)
{
    uint8_t wide[8];
    uint64_t bits;
    memcpy(&bits, &x, 8);
    nz_store64(wide, bits);
    nz_convert(dtype, to, NZ_DT_F64, wide, 1);
}

static void make(nz_dtype dtype, uint8_t *raw, size_t n, size_t row, content c)
{
    size_t bytes = nz_dtype_about(dtype)->bytes;
    bool number = nz_number_of(dtype) != NULL;
    uint8_t one[512];
    for (size_t i = 0; i < bytes; i++)
        one[i] = (uint8_t)next();
    for (size_t i = 0; i < n; i++) {
        uint8_t *to = raw + i * bytes;
        double scale = ldexp(1 + (double)(i / row % 7) / 4, (int)(i % row % 5));
        for (size_t k = 0; k < bytes; k++)
            to[k] = (uint8_t)next();
        if (c == SAME)
            memcpy(to, one, bytes);
        else if (c == ZEROS && number)
            put_number(dtype, to, next() & 1 ? 0.0 : -0.0);
        else if (c == ZEROS)
            memset(to, 0, bytes);
        else if (c == GAUSS && number)
            put_number(dtype, to, gauss() * scale);
        else if (c == GAUSS)
            for (size_t k = 0; k < bytes; k++)
                to[k] = (uint8_t)(int)(gauss() * 20 * scale);
        else if (c == SHORT && number && i / row % 3)
            put_number(dtype, to, (float)(int)(gauss() * 1000) / 1024);
        else if (c == EXTREMES && number)
            put_number(dtype, to,
                       (const double[]){INFINITY, -INFINITY, NAN, 1e-320, 1e308, -1e-40, 6e-8,
                                        1.0}[next() & 7]);
    }
}

enum { KERNEL_N = 64 * NZ_NUMBER_GROUP };

static nz_kern kern;

static void setup(void)
{
    nz_kern_init(&kern, nz_cpu());
}

static void same_parts(const nz_slab *s, const nz_tables *tables, const nz_other *other,
                       const nz_buf *code, const uint8_t *raw)
{
    size_t bytes = nz_dtype_about(s->dtype)->bytes;
    for (int k = 0; k < 6; k++) {
        size_t from = k ? next() % s->n : 0, n = k ? next() % (s->n - from + 1) : s->n;
        uint8_t *back = malloc(n * bytes + 1);
        cr_assert(back);
        back[n * bytes] = 0x5a;
        cr_assert_eq(
            nz_slab_decode(s, &kern, tables, other, nz_span_of(code->p, code->n), back, from, n),
            NZ_OK);
        cr_assert(!memcmp(back, raw + from * bytes, n * bytes), "%s n %zu row %zu: %zu + %zu",
                  nz_dtype_about(s->dtype)->name, (size_t)s->n, (size_t)s->row, from, n);
        cr_assert_eq(back[n * bytes], 0x5a);
        free(back);
    }
}

/* Codes cut short or with a byte changed are refused or decode to something; nothing else. */
static void survive(const nz_slab *s, const nz_tables *tables, const nz_other *other,
                    const nz_buf *code)
{
    uint8_t *back = malloc(nz_slab_bytes(s) + 1);
    cr_assert(back);
    for (int k = 0; k < tries(24); k++) {
        size_t n = k % 3 ? code->n : next() % code->n;
        uint8_t *copy = malloc(n + 1);
        cr_assert(copy);
        memcpy(copy, code->p, n);
        if (n && k % 3)
            copy[k % 2 ? next() % (n < 64 ? n : 64) : next() % n] ^= (uint8_t)(1 + next() % 255);
        nz_slab_decode(s, &kern, tables, other, nz_span_of(copy, n), back, 0, s->n);
        free(copy);
    }
    free(back);
}

static void slab_trip(nz_dtype dtype, size_t n, size_t row, content c)
{
    nz_slab s = {dtype, n, row};
    nz_tables tables = {0};
    nz_buf code = {0};
    uint8_t *raw = malloc(nz_slab_bytes(&s));
    cr_assert(raw);
    make(dtype, raw, n, row, c);
    cr_assert_eq(nz_slab_encode(&s, NZ_MODE_FAST, &kern, &tables, NULL, raw, &code), NZ_OK);
    cr_assert_leq(code.n, nz_slab_bytes(&s) + 1);
    if (c == SAME && n > 1000 && nz_dtype_about(dtype)->elements == 1)
        cr_assert_lt(code.n, nz_slab_bytes(&s) / 8 + 400, "%s: %zu of %zu",
                     nz_dtype_about(dtype)->name, code.n, (size_t)nz_slab_bytes(&s));
    same_parts(&s, &tables, NULL, &code, raw);
    survive(&s, &tables, NULL, &code);
    nz_buf_free(&code);
    nz_tables_free(&tables);
    free(raw);
}

/* Parts of n numbers, taken apart by one set of kernels. */
typedef struct taken {
    uint8_t symbol[KERNEL_N], rest[NZ_NUMBER_PLANES][KERNEL_N];
    uint16_t odd[KERNEL_N];
    size_t odds;
    uint32_t sum, count, sums[KERNEL_N], counts[KERNEL_N];
    int16_t base[KERNEL_N];
    uint8_t set[KERNEL_N];
} taken;

static nz_number_parts parts_of(taken *t)
{
    nz_number_parts p = {.symbol = t->symbol};
    for (size_t k = 0; k < NZ_NUMBER_PLANES; k++)
        p.rest[k] = t->rest[k];
    return p;
}

static void take(taken *t, const nz_kern *k, const nz_number *f, const uint8_t *raw,
                 const int16_t *base)
{
    memset(t, 0, sizeof *t);
    nz_number_parts p = parts_of(t);
    k->number_split[f->shape](&p, raw, base, f->reach, KERNEL_N);
    t->odds = k->number_odd(t->odd, t->symbol, f->reach.dense, KERNEL_N - 5);
    memset(t->odd + t->odds, 0, (KERNEL_N - t->odds) * sizeof *t->odd);
    k->number_scale[f->shape](&t->sum, &t->count, t->sums, t->counts, raw, f->scale_down,
                              KERNEL_N - 5);
    k->number_place(t->base, t->set, base, base[0], f->reach.kept, KERNEL_N - 5);
}

Test(weights, kernels_do_the_same_with_numbers, .init = setup)
{
    static taken mine, theirs;
    static uint8_t raw[KERNEL_N * 8], back[2][KERNEL_N * 8];
    static int16_t base[KERNEL_N];
    nz_kern c;
    nz_kern_init(&c, 0);
    for (size_t k = 0; k < TYPE_COUNT; k++) {
        const nz_number *f = nz_number_of(TYPES[k]);
        for (content content = 0; f && content < CONTENTS; content++) {
            make(TYPES[k], raw, KERNEL_N, 64, content);
            for (size_t i = 0; i < KERNEL_N; i++) {
                unsigned near = nz_number_top(f, raw + i * f->bytes) - next() % 256;
                base[i] = (int16_t)(i % 9 ? near : next());
            }
            take(&mine, &c, f, raw, base);
            take(&theirs, &kern, f, raw, base);
            cr_assert(!memcmp(&mine, &theirs, sizeof mine), "dtype %u", TYPES[k]);
            for (size_t i = 0; i < KERNEL_N; i += 1 + next() % 50)
                mine.symbol[i] = (uint8_t)next();
            nz_number_parts p = parts_of(&mine);
            c.number_merge[f->shape](back[0], &p, base, KERNEL_N);
            kern.number_merge[f->shape](back[1], &p, base, KERNEL_N);
            cr_assert(!memcmp(back[0], back[1], KERNEL_N * f->bytes), "dtype %u", TYPES[k]);
        }
    }
}

Test(weights, slabs_of_every_type, .init = setup)
{
    static const size_t sizes[] = {1, 2, 15, 16, 17, 31, 32, 33, 255, 4095, 4096, 4097, 9000};
    for (size_t t = 0; t < TYPE_COUNT; t++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            for (int c = 0; c < CONTENTS; c++)
                slab_trip(TYPES[t], sizes[k], 1 + next() % (k % 2 ? 100 : sizes[k]), (content)c);
}

Test(weights, slabs_of_several_chunks, .init = setup)
{
    static const nz_dtype types[] = {NZ_DT_F8_E4M3, NZ_DT_F16, NZ_DT_BF16,
                                     NZ_DT_F32,     NZ_DT_F64, NZ_DT_I8};
    for (size_t t = 0; t < 6; t++)
        for (int c = 0; c < CONTENTS; c += 2)
            slab_trip(types[t], 2 * NZ_CHUNK + 777, t % 2 ? 768 : 100, (content)c);
    slab_trip(NZ_DT_Q4_1, 40000, 18, NOISE);
    slab_trip(NZ_DT_Q5_1, 20000, 18, GAUSS);
}

/* Wrong scales must show in the size: what a static coder of exponents reaches is not enough. */
Test(weights, scales_of_rows_and_columns_pay, .init = setup)
{
    enum { N = 1 << 18, ROW = 512 };
    nz_slab s = {NZ_DT_BF16, N, ROW};
    nz_tables tables = {0};
    nz_buf code = {0};
    uint8_t *raw = malloc(2 * N);
    cr_assert(raw);
    make(NZ_DT_BF16, raw, N, ROW, GAUSS);
    cr_assert_eq(nz_slab_encode(&s, NZ_MODE_FAST, &kern, &tables, NULL, raw, &code), NZ_OK);
    cr_assert_lt(code.n, 2 * N * 67 / 100, "%zu", code.n);
    nz_buf_free(&code);
    nz_tables_free(&tables);
    free(raw);
}

Test(weights, squares_follow, .init = setup)
{
    enum { N = 20000, ROW = 100 };
    nz_slab s = {NZ_DT_F32, N, ROW};
    nz_tables tables = {0};
    nz_buf code = {0}, alone = {0};
    uint8_t *first = malloc(4 * N), *second = malloc(4 * N);
    cr_assert(first && second);
    for (size_t i = 0; i < N; i++) {
        double x = ldexp(gauss(), (int)(next() % 20));
        put_number(NZ_DT_F32, first + 4 * i, x);
        put_number(NZ_DT_F32, second + 4 * i, x * x * (1 + gauss() / 8));
    }
    nz_other other = {NZ_DT_F32, 0, N, first};
    cr_assert_eq(nz_slab_encode(&s, NZ_MODE_FAST, &kern, &tables, &other, second, &code), NZ_OK);
    cr_assert_eq(nz_slab_encode(&s, NZ_MODE_FAST, &kern, &tables, NULL, second, &alone), NZ_OK);
    cr_assert_lt(code.n, alone.n - N / 8);
    cr_assert(nz_slab_follows(nz_span_of(code.p, code.n)));
    same_parts(&s, &tables, &other, &code, second);
    survive(&s, &tables, &other, &code);
    cr_assert_eq(nz_slab_decode(&s, &kern, &tables, NULL, nz_span_of(code.p, code.n), first, 0, N),
                 NZ_E_CORRUPT, "without the other");
    nz_buf_free(&code);
    nz_buf_free(&alone);
    nz_tables_free(&tables);
    free(first);
    free(second);
}

/* ---- Frames ---- */

typedef struct frame {
    uint8_t *raw;
    size_t n, count;
    nz_placed slabs[64];
} frame;

static frame frame_new(uint32_t most)
{
    frame f = {0};
    nz_buf all = {0};
    for (f.count = 0; f.count < 40; f.count++) {
        nz_dtype dtype = TYPES[next() % TYPE_COUNT];
        nz_slab s = {dtype, 1 + next() % most, 1 + next() % 99};
        if (f.count % 3 == 2)
            s.n = f.slabs[f.count - 1].slab.n;
        for (uint32_t gap = next() % 3 ? 0 : next() % 300; gap; gap--)
            nz_buf_byte(&all, "gap of text "[gap % 12]);
        f.slabs[f.count] = (nz_placed){.slab = s, .at = all.n, .base_at = UINT64_MAX};
        uint8_t *to = nz_buf_room(&all, nz_slab_bytes(&s));
        cr_assert(to);
        make(dtype, to, s.n, s.row, (content)(next() % CONTENTS));
        all.n += nz_slab_bytes(&s);
    }
    nz_buf_put(&all, "the end", 7);
    f.raw = all.p;
    f.n = all.n;
    return f;
}

/* The payload in one piece. */
static void encode(nz_weights *w, nz_weights_mode mode, const nz_run *run,
                   const nz_weights_base *base, const uint8_t *raw, size_t n,
                   const nz_placed *slabs, size_t count, nz_buf *out)
{
    nz_buf codes = {0};
    cr_assert_eq(nz_weights_encode(w, mode, run, base, raw, n, slabs, count, out, &codes), NZ_OK);
    nz_buf_put(out, codes.p, codes.n);
    nz_buf_free(&codes);
}

Test(weights, frames, .init = setup)
{
    nz_run run = {.kern = &kern};
    nz_weights_base none = {0};
    static const nz_weights_mode modes[] = {NZ_MODE_FAST, NZ_MODE_FAST, NZ_MODE_TURBO,
                                            NZ_MODE_FAST, NZ_MODE_MAX,  NZ_MODE_MAX};
    for (int k = 0; k < 6; k++) {
        const bool slow = modes[k] == NZ_MODE_MAX;
        frame f = frame_new(slow ? 200 : 3000);
        nz_buf out = {0};
        nz_weights w, back;
        uint8_t params[NZ_WEIGHTS_PARAMS];
        encode(&w, modes[k], &run, &none, f.raw, f.n, f.slabs, f.count, &out);
        nz_weights_store(&w, params);
        cr_assert_eq(nz_weights_load(&back, params), NZ_OK);
        uint8_t *raw = malloc(f.n);
        cr_assert(raw);
        for (int part = 0; part < (slow ? 4 : 30); part++) {
            size_t from = part ? next() % f.n : 0, n = part ? next() % (f.n - from) + 1 : f.n;
            cr_assert_eq(nz_weights_decode(&back, &run, &none, out.p, out.n, raw, f.n, from, n),
                         NZ_OK);
            cr_assert(!memcmp(raw, f.raw + from, n), "%zu + %zu", from, n);
        }
        for (int bad = 0; bad < tries(slow ? 20 : 200); bad++) {
            size_t n = bad % 4 ? out.n : next() % out.n;
            uint8_t *copy = malloc(n + 1);
            cr_assert(copy);
            memcpy(copy, out.p, n);
            if (n && bad % 4)
                copy[bad % 2 ? next() % (n < 500 ? n : 500) : next() % n] ^=
                    (uint8_t)(1u << next() % 8);
            nz_weights_decode(&back, &run, &none, copy, n, raw, f.n, 0, f.n);
            free(copy);
        }
        free(raw);
        free(f.raw);
        nz_buf_free(&out);
    }
}

/* ---- What bits are spent on ---- */

/* Goes through all slabs; sums in *sum. */
static nz_err explain_all(const nz_weights *w, const nz_weights_base *base, const nz_buf *payload,
                          size_t size, nz_tensor_parts *sum)
{
    nz_run run = {.kern = &kern};
    nz_explain x;
    nz_coded c;
    nz_tensor_parts parts;
    bool more = true;
    *sum = (nz_tensor_parts){0};
    nz_err err = nz_explain_open(&x, w, &run, base, payload->p, payload->n, size);
    while (!err && !(err = nz_explain_next(&x, &c, &parts, &more)) && more) {
        uint64_t packed = 0, raw = 0;
        for (int k = 0; k < NZ_PARTS; k++) {
            packed += parts.packed[k];
            raw += parts.raw[k];
            sum->packed[k] += parts.packed[k];
            sum->raw[k] += parts.raw[k];
            cr_assert_leq(parts.packed[k], 8 * c.packed);
        }
        cr_assert_eq(packed, 8 * c.packed);
        cr_assert_eq(raw, 8 * nz_slab_bytes(&c.placed.slab), "%s",
                     nz_dtype_about(c.placed.slab.dtype)->name);
    }
    nz_explain_close(&x);
    return err;
}

Test(weights, parts_add_up_to_the_code, .init = setup, .timeout = 120)
{
    nz_run run = {.kern = &kern};
    for (int k = 0; k < 9; k++) {
        frame f = frame_new(k % 3 == 2 ? 600 : 3000);
        nz_buf out = {0};
        nz_weights w;
        nz_tensor_parts sum;
        nz_weights_base base = {f.raw, k < 6 ? 0 : f.n};
        for (size_t i = 0; i < f.count; i++) /* the base is the frame itself, some slabs of it */
            f.slabs[i].base_at = i % 4 == 1 ? f.slabs[i].at : UINT64_MAX;
        for (size_t i = 0; i < f.count; i++)
            f.slabs[i].base_dtype = f.slabs[i].slab.dtype;
        if (k < 6)
            base.p = NULL;
        encode(&w, (nz_weights_mode)(k % 3), &run, &base, f.raw, f.n, f.slabs, f.count, &out);
        cr_assert_eq(explain_all(&w, &base, &out, f.n, &sum), NZ_OK);
        cr_assert(k < 6 || sum.raw[NZ_PART_DIFFERENCE]);
        for (int bad = 0; bad < tries(k % 3 == 2 ? 10 : 200); bad++) {
            size_t n = bad % 4 ? out.n : next() % out.n;
            nz_buf copy = {.p = malloc(n + 1), .n = n};
            cr_assert(copy.p);
            memcpy(copy.p, out.p, n);
            if (n && bad % 4)
                copy.p[bad % 2 ? next() % (n < 500 ? n : 500) : next() % n] ^=
                    (uint8_t)(1u << next() % 8);
            explain_all(&w, &base, &copy, f.n, &sum);
            nz_buf_free(&copy);
        }
        free(f.raw);
        nz_buf_free(&out);
    }
}

static void near(const nz_tensor_parts *p, nz_part part, double bits, size_t n)
{
    double told = (double)p->packed[part] / (double)n;
    cr_assert(told > bits - .03 && told < bits + .03, "%s: %.3f, not %.3f", nz_part_name(part),
              told, bits);
}

/* Numbers whose parts are worth known amounts, whichever way they are coded: of exponents one of
 * two, the rest random but for the sign, which is negative `negative` times in 256. */
static void known_parts(nz_dtype dtype, nz_weights_mode mode, unsigned negative, double sign,
                        double exponent)
{
    enum { N = 60000 };
    nz_run run = {.kern = &kern};
    const nz_value *v = nz_value_of(dtype);
    nz_weights_base none = {0};
    nz_weights w;
    nz_tensor_parts sum;
    nz_buf out = {0};
    size_t bytes = v->bits / 8;
    uint8_t *raw = malloc(N * bytes);
    cr_assert(raw);
    for (size_t i = 0; i < N; i++) {
        nz_value_parts p = {.sign = (next() & 255) < negative};
        p.exponent = (1 << (v->exponent - 1)) - 3 + (int)(next() & 1);
        p.mantissa = ((uint64_t)next() << 32 | next()) & nz_value_mask(v->mantissa);
        nz_value_store(v, raw + i * bytes, nz_value_join(v, p));
    }
    nz_placed slab = {.slab = {dtype, N, N}, .base_at = UINT64_MAX};
    encode(&w, mode, &run, &none, raw, N * bytes, &slab, 1, &out);
    cr_assert_eq(explain_all(&w, &none, &out, N * bytes, &sum), NZ_OK);
    near(&sum, NZ_PART_SIGN, sign, N);
    near(&sum, NZ_PART_EXPONENT, exponent, N);
    near(&sum, NZ_PART_MANTISSA, v->mantissa, N);
    cr_assert_eq(sum.raw[NZ_PART_SIGN], N);
    cr_assert_eq(sum.raw[NZ_PART_EXPONENT], N * (uint64_t)v->exponent);
    cr_assert_eq(sum.raw[NZ_PART_MANTISSA], N * (uint64_t)v->mantissa);
    nz_buf_free(&out);
    free(raw);
}

Test(weights, parts_cost_what_they_are_worth, .init = setup, .timeout = 120)
{
    static const nz_dtype types[] = {NZ_DT_F8_E4M3, NZ_DT_F8_E5M2, NZ_DT_F16,
                                     NZ_DT_BF16,    NZ_DT_F32,     NZ_DT_F64};
    for (size_t t = 0; t < 6; t++)
        for (int mode = NZ_MODE_FAST; mode <= NZ_MODE_MAX; mode++) {
            known_parts(types[t], (nz_weights_mode)mode, 128, 1, 1);
            known_parts(types[t], (nz_weights_mode)mode, 32, .544, 1); /* -p log p, p = 1/8 */
        }
    known_parts(NZ_DT_BF16, NZ_MODE_TURBO, 128, 1, 2); /* digits have two bits */
}

/* A wave's numbers come again with the other sign: repeats see that, the model that learns does
 * not. */
Test(weights, max_is_never_far_behind_fast, .init = setup)
{
    enum { N = 20000, PERIOD = 500 };
    nz_run run = {.kern = &kern};
    nz_weights_base none = {0};
    nz_weights w;
    nz_buf fast = {0}, max = {0};
    uint8_t *raw = malloc(4 * N);
    cr_assert(raw);
    for (size_t i = 0; i < N; i++) {
        uint32_t u = i < PERIOD ? 0x3f000000 | next() >> 9 : nz_load32(raw + 4 * (i - PERIOD));
        nz_store32(raw + 4 * i, (u & 0x7fffffff) | next() >> 31 << 31);
    }
    nz_placed slab = {.slab = {NZ_DT_F32, N, N}, .base_at = UINT64_MAX};
    encode(&w, NZ_MODE_FAST, &run, &none, raw, 4 * N, &slab, 1, &fast);
    encode(&w, NZ_MODE_MAX, &run, &none, raw, 4 * N, &slab, 1, &max);
    cr_assert_leq(max.n, fast.n + 16, "%zu, fast %zu", max.n, fast.n);
    nz_buf_free(&fast);
    nz_buf_free(&max);
    free(raw);
}

/* Of two frequencies, 14 and 4082: the first as so many bits, the first of them telling how many
 * the others are. The models of all are as at first. */
static nz_err load_two_frequencies(uint32_t first, unsigned bits)
{
    enum { SECOND = 12 << 11 | (4082 & 2047), SECOND_BITS = 15 };
    uint8_t code[32];
    nz_arith a;
    nz_arith_write(&a, code + 2, sizeof code - 2);
    for (unsigned i = bits; i--;)
        nz_arith_encode(&a, 1 << 15, first >> i & 1);
    for (unsigned i = SECOND_BITS; i--;)
        nz_arith_encode(&a, 1 << 15, SECOND >> i & 1);
    cr_assert(!nz_arith_flush(&a));
    code[0] = 1;
    code[1] = (uint8_t)(a.at - code - 2);
    nz_tables t = {0};
    nz_span in = nz_span_of(code, (size_t)(a.at - code));
    nz_err err = nz_tables_load(&t, &in);
    nz_tables_free(&t);
    return err;
}

Test(weights, frequencies_of_too_many_bits)
{
    cr_assert_eq(load_two_frequencies(4 << 3 | 6, 7), NZ_OK);
    cr_assert_eq(load_two_frequencies(14, 4), NZ_E_CORRUPT);
}

Test(weights, parameters_no_encoder_writes)
{
    nz_weights w = {.numerics = NZ_WEIGHTS_NUMERICS, .mode = NZ_MODE_MAX, .memory = 77};
    uint8_t p[NZ_WEIGHTS_PARAMS];
    for (size_t i = 0; i < NZ_WEIGHTS_PARAMS; i++) {
        nz_weights_store(&w, p);
        p[i] = 0x55;
        nz_err err = nz_weights_load(&w, p);
        cr_assert_eq(err, i == 0 ? NZ_E_VERSION : i >= 4 && i < 8 ? NZ_OK : NZ_E_CORRUPT, "%zu", i);
        w = (nz_weights){.numerics = NZ_WEIGHTS_NUMERICS, .mode = NZ_MODE_MAX, .memory = 77};
    }
}

/* ---- Deltas ---- */

Test(weights, deltas, .init = setup)
{
    for (size_t t = 0; t < TYPE_COUNT; t++)
        for (size_t b = 0; b < TYPE_COUNT; b++) {
            nz_dtype dtype = TYPES[t], base_dtype = TYPES[b];
            if (!nz_convert_can(base_dtype, dtype))
                continue;
            nz_slab s = {dtype, 1 + next() % 9000, 100}, base_slab = {base_dtype, s.n, 100};
            size_t bytes = nz_dtype_about(dtype)->bytes;
            nz_tables tables = {0};
            nz_buf code = {0};
            uint8_t *raw = malloc(nz_slab_bytes(&s)), *base = malloc(nz_slab_bytes(&base_slab));
            uint8_t *back = malloc(nz_slab_bytes(&s));
            cr_assert(raw && base && back);
            make(base_dtype, base, s.n, 100, (content)(t % CONTENTS));
            nz_convert(dtype, raw, base_dtype, base, s.n);
            bool equal = b % 2;
            for (size_t i = 0; i < s.n && !equal; i++)
                raw[i * bytes] = (uint8_t)(raw[i * bytes] + next() % 3);
            cr_assert_eq(nz_delta_encode(&s, &kern, &tables, raw, base_dtype, base, &code), NZ_OK);
            if (equal)
                cr_assert_lt(code.n, 48, "%s of %s: %zu", nz_dtype_about(dtype)->name,
                             nz_dtype_about(base_dtype)->name, code.n);
            for (int k = 0; k < 5; k++) {
                size_t from = k ? next() % s.n : 0, n = k ? next() % (s.n - from + 1) : s.n;
                cr_assert_eq(nz_delta_decode(&s, &kern, &tables, nz_span_of(code.p, code.n),
                                             base_dtype, base, back, from, n),
                             NZ_OK);
                cr_assert(!memcmp(back, raw + from * bytes, n * bytes));
            }
            for (int k = 0; k < tries(30); k++) {
                size_t n = k % 3 ? code.n : next() % code.n;
                uint8_t *copy = malloc(n + 1);
                memcpy(copy, code.p, n);
                if (n && k % 3)
                    copy[next() % n] ^= (uint8_t)(1 + next() % 255);
                nz_delta_decode(&s, &kern, &tables, nz_span_of(copy, n), base_dtype, base, back, 0,
                                s.n);
                free(copy);
            }
            nz_buf_free(&code);
            nz_tables_free(&tables);
            free(raw);
            free(base);
            free(back);
        }
}

/* The compiler's own conversions say what is right. */
Test(weights, conversions)
{
    for (int i = 0; i < 300000; i++) {
        uint64_t bits = (uint64_t)next() << 32 | next();
        if (i % 3)
            bits = (bits & ~(UINT64_C(0x7ff) << 52)) | (uint64_t)(1023 - 160 + next() % 320) << 52;
        double x;
        float want, have;
        uint8_t wide[8], to[4];
        memcpy(&x, &bits, 8);
        nz_store64(wide, bits);
        nz_convert(NZ_DT_F32, to, NZ_DT_F64, wide, 1);
        uint32_t got = nz_load32(to);
        memcpy(&have, &got, 4);
        want = (float)x;
        cr_assert(isnan(x) ? isnan(have) : !memcmp(&want, &have, 4), "%a: %a, not %a", x, have,
                  want);
        if (isnan(x))
            continue;
        /* To BF16 by adding half and cutting; overflow to infinity comes by itself. */
        uint32_t w;
        memcpy(&w, &want, 4);
        uint8_t single[4], half[2];
        nz_store32(single, w);
        nz_convert(NZ_DT_BF16, half, NZ_DT_F32, single, 1);
        cr_assert_eq(nz_load16(half), (uint16_t)((w + 0x7fff + (w >> 16 & 1)) >> 16), "%a", want);
    }
    /* Every short number through a longer one and back. */
    for (unsigned v = 0; v < 65536; v++) {
        uint8_t in[2], wide[4], out[2];
        nz_store16(in, (uint16_t)v);
        for (int k = 0; k < 2; k++) {
            nz_dtype t = k ? NZ_DT_F16 : NZ_DT_BF16;
            bool nan = k ? (v & 0x7c00) == 0x7c00 && v & 0x3ff : (v & 0x7f80) == 0x7f80 && v & 0x7f;
            nz_convert(NZ_DT_F32, wide, t, in, 1);
            nz_convert(t, out, NZ_DT_F32, wide, 1);
            cr_assert(nan || !memcmp(in, out, 2), "%s %04x", nz_dtype_about(t)->name, v);
        }
    }
}
