/* Every kernel of this machine against its definition in C, bit for bit, on numbers from the tame
 * to the extreme. KERN_BENCH=1 also prints the nanoseconds of both. */
#include "backend/kern.h"

#include "base/base.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MOST   (256 * 16) /* floats in any operand */
#define ROUNDS 200        /* kinds of numbers tried */

/* Twice everything: what C works on and what the kernel under test works on. */
typedef struct bench {
    _Alignas(64) float a[MOST], b[MOST], c[MOST], d[MOST], e[MOST], f[MOST];
    _Alignas(64) float positive[MOST];
    _Alignas(64) int32_t i[MOST];
    _Alignas(64) int16_t g[MOST], h[MOST];
    nz_kern k;
    float got;
    unsigned top;
} bench;

static bench want, have;
static uint32_t state;

static uint32_t next(void)
{
    state++;
    return nz_hash32(state, 0x6b65726e);
}

/* `wild` is the largest binary exponent; zeros, subnormals and the limits themselves come often,
 * but with 0, for timing, all is tame. */
static float number(int wild)
{
    uint32_t r = next() | (wild ? 0 : 30);
    float sign = r & 1 ? -1.0f : 1.0f, mantissa = 1.0f + (float)(next() >> 8) * 0x1p-24f;
    switch (r >> 1 & 15) {
    case 0: return sign * 0.0f;
    case 1: return sign * 0x1p-130f * mantissa;
    case 2: return sign * (float)(1u << (wild < 20 ? wild : 20));
    case 3: return sign * 64.0f;
    case 4:
    case 5: {
        float x = mantissa;
        for (int n = (int)(next() % (unsigned)(wild + 20)) - 20; n != 0; n += n < 0 ? 1 : -1)
            x *= n < 0 ? 0.5f : 2.0f;
        return sign * x;
    }
    default: return sign * (mantissa - 1.0f) * (r >> 5 & 1 ? 4.0f : 0.125f);
    }
}

static void fill(float *p, int wild)
{
    for (int i = 0; i < MOST; i++)
        p[i] = number(wild);
}

static void start(uint32_t seed, int wild)
{
    state = seed * 1000003u;
    float *const parts[] = {want.a, want.b, want.c, want.d, want.e, want.f};
    for (int i = 0; i < 6; i++)
        fill(parts[i], wild);
    for (int i = 0; i < MOST; i++) {
        uint32_t r = next();
        want.positive[i] = fabsf(number(wild));
        want.i[i] = (int32_t)(next() % 65535) - 32767;
        want.g[i] = (int16_t)next();
        want.h[i] = (int16_t)(r & 15 ? next() : r & 16 ? 32767u : 32769u);
    }
    want.got = 0;
    want.top = 0;
    nz_kern_init(&want.k, 0);
    have = want;
    nz_kern_init(&have.k, nz_cpu());
}

static const char *name_of(const nz_kern *k)
{
    return k->cpu & NZ_CPU_AVX2 ? "avx2" : k->cpu & NZ_CPU_NEON ? "neon" : "c";
}

static void same(const char *kernel, uint32_t seed, size_t n)
{
    have.k = want.k;
    if (!memcmp(&want, &have, sizeof want))
        return;
    const uint32_t *w = (const uint32_t *)&want, *h = (const uint32_t *)&have;
    size_t at = 0;
    while (w[at] == h[at])
        at++;
    cr_assert_fail("%s: seed %u, n %zu: word %zu is %08x, C says %08x", kernel, seed, n, at, h[at],
                   w[at]);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The best of several runs. */
static double nanoseconds(void (*run)(bench *, size_t), bench *b, size_t n)
{
    double best = 1e30;
    for (int i = 0; i < 20; i++) {
        uint64_t from = now_ns();
        for (int j = 0; j < 100; j++)
            run(b, n);
        double took = (double)(now_ns() - from) / 100;
        best = took < best ? took : best;
    }
    return best;
}

/* Runs one kernel on many inputs with both tables. */
static void compare(const char *kernel, void (*run)(bench *, size_t), const size_t *sizes, int wild)
{
    for (; *sizes; sizes++) {
        for (uint32_t seed = 0; seed < ROUNDS; seed++) {
            start(seed, seed % 4 == 3 ? wild : 4);
            run(&want, *sizes);
            run(&have, *sizes);
            same(kernel, seed, *sizes);
        }
        if (getenv("KERN_BENCH")) {
            start(0, 0);
            double c = nanoseconds(run, &want, *sizes), here = nanoseconds(run, &have, *sizes);
            printf("%-14s %4zu  c %8.1f ns  %s %8.1f ns  x%.1f\n", kernel, *sizes, c,
                   name_of(&have.k), here, c / here);
        }
    }
}

static const size_t WIDTHS[] = {16, 32, 48, 64, 128, 0};

static void mix_dot(bench *b, size_t n)
{
    int16_t *rows[] = {b->g, b->g + 512, b->g + 1024, b->g + 1536, b->g + 2048};
    int32_t out[5];
    b->k.mix_dot(out, b->h, rows, 5, n);
    memcpy(b->a, out, sizeof out);
}

static void mix_train(bench *b, size_t n)
{
    int16_t *rows[] = {b->g, b->g + 512, b->g + 1024};
    int32_t err[] = {b->i[MOST - 1], 0, b->i[MOST - 2]};
    b->k.mix_train(rows, b->h, err, 3, n);
}

Test(kern, mix)
{
    const size_t sizes[] = {16, 48, 256, 0};
    compare("mix_dot", mix_dot, sizes, 4);
    compare("mix_train", mix_train, sizes, 4);
}

static void sketch_add(bench *b, size_t n)
{
    const uint64_t *sketch = (const uint64_t *)(void *)b->a;
    b->k.sketch_add((uint16_t *)b->h, sketch, sketch[1], n);
}

Test(kern, sketch)
{
    const size_t sizes[] = {16, 64, 512, 0};
    compare("sketch_add", sketch_add, sizes, 4);
}

static void net_mv(bench *b, size_t n)
{
    b->k.net_mv(b->a, b->b, b->c, MOST / n < 16 ? MOST / n : 16, n);
}

Test(kern, net_mv)
{
    const size_t sizes[] = {16, 32, 48, 64, 96, 144, 192, 256, 384, 0};
    compare("net_mv", net_mv, sizes, 30);
}

static void net_norm(bench *b, size_t n)
{
    b->got = b->k.net_norm(b->a, b->b, b->c, n);
}

static void net_norm_back(bench *b, size_t n)
{
    b->k.net_norm_back(b->a, b->b, b->c, b->d, b->e, 0.7f, n);
}

static void net_square(bench *b, size_t n)
{
    b->got = b->k.net_square(b->a, n);
}

Test(kern, net_norm)
{
    compare("net_norm", net_norm, WIDTHS, 30);
    compare("net_norm_back", net_norm_back, WIDTHS, 20);
    compare("net_square", net_square, WIDTHS, 30);
}

static void net_cell(bench *b, size_t n)
{
    b->k.net_cell(b->a, b->b, b->c, b->d, n);
}

/* a: 16 steps of 3n at most need 3 * 16 * 64 floats, the four of z fill b. */
static void net_cell_back(bench *b, size_t n)
{
    b->k.net_cell_back(b->a, b->c, b->b, b->d, 16, n);
}

Test(kern, net_cell)
{
    const size_t sizes[] = {16, 32, 48, 64, 0};
    compare("net_cell", net_cell, sizes, 30);
    compare("net_cell_back", net_cell_back, sizes, 10);
}

static void net_softmax(bench *b, size_t n)
{
    (void)n;
    b->top = b->k.net_softmax(b->b, b->a);
}

/* The largest logit often comes more than once: the first of equals counts. */
static void net_softmax_ties(bench *b, size_t n)
{
    for (int i = 0; i < 256; i++)
        b->a[i] = b->a[i] < 0 ? -1.0f : b->a[i] < 3 ? 0.5f : 3.0f;
    net_softmax(b, n);
}

Test(kern, net_softmax)
{
    const size_t sizes[] = {256, 0};
    compare("net_softmax", net_softmax, sizes, 30);
    compare("net_softmax=", net_softmax_ties, sizes, 30);
}

static void net_flip(bench *b, size_t n)
{
    b->k.net_flip(b->a, b->b, 8, n);
    b->k.net_flip(b->c, b->d, n, 16);
}

Test(kern, net_flip)
{
    const size_t sizes[] = {8, 32, 48, 192, 256, 0};
    compare("net_flip", net_flip, sizes, 30);
}

static const nz_net_rate RATE = {0.999f, 0.06f, 2.56e-5f};

static void net_back_8(bench *b, size_t out)
{
    b->k.net_back(b->c, b->a, b->f, 8, out, 8);
}

static void net_back(bench *b, size_t out)
{
    b->k.net_back(b->c, b->a, b->f, 8, out, 16);
}

static void step_of(bench *b, size_t out, size_t steps)
{
    nz_net_step job = {.w = b->a,
                       .v = b->positive,
                       .x = b->d,
                       .dy = b->e,
                       .in = 64,
                       .out = out,
                       .steps = steps,
                       .rate = &RATE};
    b->k.net_step(&job, 8);
}

static void net_step(bench *b, size_t out)
{
    step_of(b, out, 16);
}

static void net_step_5(bench *b, size_t out)
{
    step_of(b, out, 5);
}

Test(kern, net_matrices_backwards)
{
    const size_t sizes[] = {16, 48, 64, 144, 192, 256, 0};
    compare("net_back", net_back, sizes, 16);
    compare("net_back t=8", net_back_8, sizes, 16);
    compare("net_step", net_step, sizes, 16);
    compare("net_step t=5", net_step_5, sizes, 16);
}

static void net_move(bench *b, size_t n)
{
    b->k.net_move(b->a, b->positive, b->c, n, &RATE);
}

Test(kern, net_move)
{
    compare("net_move", net_move, WIDTHS, 20);
}

static void net_gather(bench *b, size_t n)
{
    const int16_t *row[19];
    for (int k = 0; k < 19; k++)
        row[k] = b->h + (size_t)(k % 7) * n;
    b->k.net_gather(b->a, row, b->b, 19, n);
}

static void net_row_move(bench *b, size_t n)
{
    b->got = b->k.net_row_move(b->h, b->a, b->b[0] * 64.0f, n);
}

Test(kern, net_rows_of_tables)
{
    compare("net_gather", net_gather, WIDTHS, 30);
    compare("net_row_move", net_row_move, WIDTHS, 20);
}
