/* The network: its gradients against finite differences of a reference in double, the same
 * predictions on every backend and with a helper, sane numbers whatever it is fed, and its starts.
 * Reads the network's inside, so it is compiled into this file. */
#include "model/net.c"

#include "backend/hash.h"
#include "model/deep.h"
#include "model/deep_plan.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint8_t *text_of(size_t n)
{
    static const char *const words[] = {"the ", "network ", "learns ", "what ",
                                        "it ",  "reads",    ", ",      "again.\n"};
    uint8_t *p = malloc(n);
    size_t at = 0;
    for (uint32_t i = 0; at < n; i++)
        for (const char *w = words[nz_hash32(i / 3, i % 5) & 7]; *w && at < n; w++)
            p[at++] = (uint8_t)*w;
    return p;
}

static uint8_t *noise_of(size_t n)
{
    uint8_t *p = malloc(n);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(nz_hash32((uint32_t)i, 99) >> 24);
    return p;
}

static nz_net *net_of(const nz_net_shape *shape, const nz_kern *kern, nz_pair *pair)
{
    nz_net *net = NULL;
    cr_assert_eq(nz_net_new(&net, shape, kern, pair), NZ_OK);
    return net;
}

/* ---- Gradients ---- */

#define WIDTH  16
#define LAYERS 2
#define CHUNK  8
#define TABLES 4

/* All doubles, so that it can be walked as an array. */
typedef struct reference {
    double gate[TABLES][BUCKETS];
    double row[TABLES][CHUNK][WIDTH];
    struct {
        double gain[WIDTH], gates[WIDTH][3 * WIDTH], bias[3 * WIDTH], back[WIDTH][WIDTH];
        double before[WIDTH];
    } layer[LAYERS];
    double gain[WIDTH], out[WIDTH][SYMBOLS], bias[SYMBOLS];
} reference;

static void reference_norm(double *y, const double *x, const double *gain)
{
    double s = 0;
    for (int i = 0; i < WIDTH; i++)
        s += x[i] * x[i];
    for (int i = 0; i < WIDTH; i++)
        y[i] = x[i] * gain[i] / sqrt(s / WIDTH + NZ_NORM_TINY);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* The cost of a chunk in nats; chance[t] becomes the probability of its byte. */
static double reference_cost(const reference *m, const touch *seen, const uint8_t *byte,
                             double *chance)
{
    double state[LAYERS][WIDTH], cost = 0;
    for (int l = 0; l < LAYERS; l++)
        memcpy(state[l], m->layer[l].before, sizeof state[l]);
    for (int t = 0; t < CHUNK; t++) {
        double x[WIDTH] = {0}, n[WIDTH], z[3 * WIDTH], logit[SYMBOLS], sum = 0;
        for (int k = 0; k < TABLES; k++)
            for (int i = 0; i < WIDTH; i++)
                x[i] += m->gate[k][seen[t * TABLES + k].bucket] * m->row[k][t][i];
        for (int l = 0; l < LAYERS; l++) {
            reference_norm(n, x, m->layer[l].gain);
            for (int o = 0; o < 3 * WIDTH; o++) {
                z[o] = m->layer[l].bias[o];
                for (int i = 0; i < WIDTH; i++)
                    z[o] += n[i] * m->layer[l].gates[i][o];
            }
            for (int i = 0; i < WIDTH; i++) {
                double f = sigmoid(z[i]), u = z[2 * WIDTH + i];
                state[l][i] = f * state[l][i] + (1 - f) * z[WIDTH + i];
                for (int o = 0; o < WIDTH; o++)
                    x[o] += state[l][i] * u * sigmoid(u) * m->layer[l].back[i][o];
            }
        }
        reference_norm(n, x, m->gain);
        for (int o = 0; o < SYMBOLS; o++) {
            logit[o] = m->bias[o];
            for (int i = 0; i < WIDTH; i++)
                logit[o] += n[i] * m->out[i][o];
            sum += exp(logit[o]);
        }
        chance[t] = exp(logit[byte[t]]) / sum;
        cost -= log(chance[t]);
    }
    return cost;
}

/* A run of parameters: where the reference keeps them and what the network learned about them. */
typedef struct group {
    const char *name;
    size_t at; /* doubles from the reference's start */
    const param *p;
    size_t n;
    float *before; /* the weights as the chunk saw them */
} group;

#define AT(member) (offsetof(reference, member) / sizeof(double))

static void check_group(const group *g, reference *m, const touch *seen, const uint8_t *byte)
{
    double *w = (double *)m + g->at, largest = 0, chance[CHUNK];
    double *want = calloc(g->n, sizeof *want);
    for (size_t i = 0; i < g->n; i++) {
        double keep = w[i], step = 1e-4;
        w[i] = keep + step;
        double up = reference_cost(m, seen, byte, chance);
        w[i] = keep - step;
        want[i] = (up - reference_cost(m, seen, byte, chance)) / (2 * step);
        w[i] = keep;
        largest = fmax(largest, fabs(want[i]));
    }
    cr_assert_gt(largest, 1e-4, "%s: nothing to learn", g->name);
    for (size_t i = 0; i < g->n; i++) {
        /* Started from zero, the sum of squares is the square; the step tells the sign. */
        double got = sqrt(g->p->v[i]) * (g->p->w[i] > g->before[i] ? -1 : 1);
        cr_assert_lt(fabs(got - want[i]), 0.01 * fabs(want[i]) + 2e-4 * largest,
                     "%s[%zu]: gradient %g, by differences %g", g->name, i, got, want[i]);
    }
    free(want);
}

static void copy(double *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

Test(net, gradients_are_the_slopes)
{
    const nz_net_shape shape = {.width = WIDTH,
                                .layers = LAYERS,
                                .chunk = CHUNK,
                                .direct = 2,
                                .hashed = 2,
                                .row_bits = 8,
                                .direct_rows = {64, CHUNK}};
    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    nz_net *net = net_of(&shape, &kern, NULL);
    uint8_t *text = text_of(100 * CHUNK);

    /* Every step of a chunk has rows of its own, so that no row moves before its gate has learned
     * from it. After some chunks they are no longer zero; then one chunk is looked at. */
    enum { BEFORE = 12 };
    reference *m = calloc(1, sizeof *m);
    double chance[CHUNK];
    group groups[16];
    size_t count = 0;
    groups[count++] = (group){"gate", AT(gate), &net->gate, TABLES * BUCKETS, NULL};
    groups[count++] = (group){"last gain", AT(gain), &net->gain, WIDTH, NULL};
    groups[count++] = (group){"out", AT(out), &net->out.weight, WIDTH * SYMBOLS, NULL};
    groups[count++] = (group){"out bias", AT(bias), &net->out.bias, SYMBOLS, NULL};
    for (size_t l = 0; l < LAYERS; l++) {
        const layer *y = &net->layer[l];
        size_t at = l * (AT(layer[1]) - AT(layer[0]));
        groups[count++] = (group){"gain", at + AT(layer[0].gain), &y->gain, WIDTH, NULL};
        groups[count++] =
            (group){"gates", at + AT(layer[0].gates), &y->gates.weight, WIDTH * 3 * WIDTH, NULL};
        groups[count++] = (group){"bias", at + AT(layer[0].bias), &y->gates.bias, 3 * WIDTH, NULL};
        groups[count++] =
            (group){"back", at + AT(layer[0].back), &y->back.weight, WIDTH * WIDTH, NULL};
    }
    for (size_t i = 0; i < (BEFORE + 1) * CHUNK; i++) {
        size_t t = i % CHUNK;
        if (i == BEFORE * CHUNK) {
            take_in(net, net->byte);
            net->told = net->training = false; /* the weights stay as they are for a chunk */
            for (size_t k = 0; k < count; k++) {
                group *g = &groups[k];
                copy((double *)m + g->at, g->p->w, g->n);
                g->before = malloc(g->n * sizeof(float));
                memcpy(g->before, g->p->w, g->n * sizeof(float));
                fill(g->p->v, g->n, 0);
            }
            for (size_t l = 0; l < LAYERS; l++)
                copy(m->layer[l].before, net->trace[net->now].layer[l].s, WIDTH);
        }
        uint32_t direct[] = {(uint32_t)(8 * t + i / CHUNK % 2), (uint32_t)t};
        uint32_t hash[] = {nz_hash32((uint32_t)t, 1), nz_hash32((uint32_t)t, 2)};
        nz_net_begin(net, direct, hash);
        nz_net_finish(net);
        if (i >= BEFORE * CHUNK) {
            const touch *row = net->trace[net->now].touch + t * TABLES;
            for (size_t k = 0; k < TABLES; k++)
                for (size_t j = 0; j < WIDTH; j++)
                    m->row[k][t][j] = net->table[k].row[row[k].row * WIDTH + j] / (double)ROW_UNIT;
            chance[t] = net->tree[SYMBOLS + text[i]] / net->tree[1];
        }
        nz_net_learn(net, text[i]);
    }
    take_in(net, net->byte);
    for (net->step = 0; net->step < CHUNK; net->step++)
        train_slice(net);
    const uint8_t *byte = text + BEFORE * CHUNK;
    const touch *seen = net->trace[!net->now].touch;
    double wanted[CHUNK];
    reference_cost(m, seen, byte, wanted);
    for (int t = 0; t < CHUNK; t++)
        cr_assert_lt(fabs(chance[t] / wanted[t] - 1), 1e-3, "step %d: %g, not %g", t, chance[t],
                     wanted[t]);
    for (size_t k = 0; k < count; k++)
        check_group(&groups[k], m, seen, byte);

    /* The input's gradient, which is what the rows learn from. */
    for (int t = 0; t < CHUNK; t++)
        for (int i = 0; i < WIDTH; i++) {
            double *w = &m->row[1][t][i], keep = *w, gate = m->gate[1][seen[t * TABLES + 1].bucket];
            *w = keep + 1e-4;
            double up = reference_cost(m, seen, byte, chance);
            *w = keep - 1e-4;
            double slope = (up - reference_cost(m, seen, byte, chance)) / 2e-4 / gate;
            *w = keep;
            double got = net->dx[0][t * WIDTH + i];
            cr_assert_lt(fabs(got - slope), 0.01 * fabs(slope) + 1e-4,
                         "input %d of step %d: %g, not %g", i, t, got, slope);
        }
    for (size_t k = 0; k < count; k++)
        free(groups[k].before);
    free(m);
    free(text);
    nz_net_free(net);
}

/* ---- The same everywhere ---- */

/* Orders 1 and 2 directly, 2 to 5 hashed. */
static const nz_net_shape SMALL = {.width = 32,
                                   .layers = 1,
                                   .chunk = 16,
                                   .direct = 2,
                                   .hashed = 4,
                                   .row_bits = 10,
                                   .direct_rows = {256, 65536}};

typedef struct outcome {
    uint64_t digest;   /* of every answer */
    double bits, last; /* a byte: over all, over the last quarter */
} outcome;

static outcome run_on(nz_net *net, const uint8_t *data, size_t n)
{
    outcome r = {0};
    uint64_t past = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t direct[] = {past & 0xff, past & 0xffff}, hash[4];
        for (int k = 0; k < 4; k++)
            hash[k] = nz_hash32((uint32_t)(past << (8 * (2 - k) & 31)), (uint32_t)(past >> 32) + k);
        nz_net_begin(net, direct, hash);
        nz_net_finish(net);
        for (unsigned c0 = 1; c0 < 256;) {
            unsigned bit = data[i] >> (7 - (31 - __builtin_clz(c0))) & 1;
            int st = nz_net_stretch(net, c0);
            cr_assert(st >= -NZ_NET_STRETCH_MAX && st <= NZ_NET_STRETCH_MAX);
            double p = net->tree[2 * c0 + 1] / net->tree[c0];
            cr_assert_lt(fabs(1 / (1 + exp(-st / (double)NZ_NET_STRETCH)) - p), 0.002);
            r.digest = r.digest * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)(st + 4096);
            double cost = log2(1 + exp((bit ? -st : st) / (double)NZ_NET_STRETCH)) / (double)n;
            r.bits += cost;
            if (i >= n - n / 4)
                r.last += 4 * cost;
            c0 = 2 * c0 + bit;
        }
        unsigned p, top = nz_net_top(net, &p);
        cr_assert(p >= 1 && p <= 65535 && top < 256);
        r.digest = r.digest * UINT64_C(0x9E3779B97F4A7C15) + top * 65536 + p;
        nz_net_learn(net, data[i]);
        past = past << 8 | data[i];
    }
    for (size_t i = 0; i < net->width * 256; i++)
        cr_assert(isfinite(net->out.weight.w[i]) && isfinite(net->out.weight.v[i]));
    return r;
}

static outcome run(const nz_net_shape *shape, const nz_kern *kern, nz_pair *pair,
                   const uint8_t *data, size_t n)
{
    nz_net *net = net_of(shape, kern, pair);
    outcome r = run_on(net, data, n);
    nz_net_free(net);
    return r;
}

Test(net, same_on_every_backend_and_with_a_helper)
{
    enum { N = 6000 };
    /* Changes only together with NZ_NUMERICS. */
    static const uint64_t pinned[] = {UINT64_C(0xaa1af44c46f0fa6b), UINT64_C(0x04d1b3d596db92aa),
                                      UINT64_C(0x9dbeb339cbf48c9a)};
    static const struct {
        int width, layers, chunk;
    } sizes[] = {{32, 1, 16}, {48, 1, 8}, {64, 2, 16}};
    uint8_t *data = text_of(N);
    memset(data + N / 2, 'z', N / 8); /* a stretch that trains nothing */
    nz_kern c, here;
    nz_kern_init(&c, 0);
    nz_kern_init(&here, nz_cpu());
    nz_pair *pair;
    cr_assert_eq(nz_pair_new(&pair), NZ_OK);
    for (int i = 0; i < 3; i++) {
        nz_net_shape shape = SMALL;
        shape.width = sizes[i].width;
        shape.layers = sizes[i].layers;
        shape.chunk = sizes[i].chunk;
        uint64_t plain = run(&shape, &c, NULL, data, N).digest;
        cr_expect_eq(plain, pinned[i], "width %d: %#lx", shape.width, (unsigned long)plain);
        cr_assert_eq(run(&shape, &here, NULL, data, N).digest, plain, "kernels differ");
        cr_assert_eq(run(&shape, &here, pair, data, N).digest, plain, "with a helper");
    }
    nz_pair_free(pair);
    free(data);
}

/* ---- Sane ---- */

Test(net, learns)
{
    enum { N = 40000 };
    nz_kern here;
    nz_kern_init(&here, nz_cpu());
    uint8_t *data = text_of(N);
    outcome text = run(&SMALL, &here, NULL, data, N);
    cr_assert_lt(text.last, 0.65, "%f bits a byte", text.last); /* 3 bits for a word of 5.4 */
    for (size_t i = 100; i < N; i++)
        data[i] = data[i - 100];
    outcome again = run(&SMALL, &here, NULL, data, N);
    cr_assert_lt(again.last, 0.05, "%f bits a byte", again.last);
    free(data);
}

Test(net, survives_anything)
{
    enum { N = 100000 };
    nz_kern here;
    nz_kern_init(&here, nz_cpu());
    uint8_t *data = noise_of(N);
    outcome noise = run(&SMALL, &here, NULL, data, N);
    cr_assert_lt(noise.bits, 8.5);
    /* Surprises after long certainty. */
    for (size_t i = 0; i < N; i++)
        data[i] = i % 1000 < 990 ? 'a' : data[i];
    run(&SMALL, &here, NULL, data, N);
    memset(data, 0, N);
    outcome zero = run(&SMALL, &here, NULL, data, N);
    cr_assert_lt(zero.last, 0.02, "%f bits a byte", zero.last); /* it stops learning when SURE */
    free(data);
}

/* A network must stay finite even where no data would take it. */
Test(net, survives_huge_weights)
{
    nz_kern here;
    nz_kern_init(&here, nz_cpu());
    nz_net_shape shape = SMALL;
    shape.layers = 2;
    nz_net *net = net_of(&shape, &here, NULL);
    for (size_t l = 0; l < 2; l++) {
        for (size_t i = 0; i < 32 * 96; i++)
            net->layer[l].gates.weight.w[i] = i % 3 ? 2e4f : -2e4f;
        for (size_t i = 0; i < 32 * 32; i++)
            net->layer[l].back.weight.w[i] = i % 5 ? 2e4f : -2e4f;
        fill(net->layer[l].gain.w, 32, 2e4f);
    }
    for (size_t i = 0; i < 32 * 256; i++)
        net->out.weight.w[i] = i % 7 ? 2e4f : -2e4f;
    fill(net->gain.w, 32, 2e4f);
    fill(net->gate.w, net->tables * BUCKETS, 2e4f);
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t direct[] = {i & 255, i * 7 & 65535}, hash[] = {i, i << 9, i << 17, ~i};
        nz_net_begin(net, direct, hash);
        nz_net_finish(net);
        cr_assert(isfinite(net->tree[1]) && net->tree[1] > 0);
        nz_net_learn(net, (uint8_t)nz_hash32(i, 5));
    }
    for (size_t i = 0; i < 32 * 96; i++)
        cr_assert(isfinite(net->layer[0].gates.weight.w[i]) &&
                  isfinite(net->layer[0].gates.weight.v[i]));
    nz_net_free(net);
}

Test(net, memory_is_what_it_allocates)
{
    nz_kern here;
    nz_kern_init(&here, nz_cpu());
    nz_net_shape shape = SMALL;
    for (shape.row_bits = 3; shape.row_bits <= 16; shape.row_bits++) {
        nz_net *net = net_of(&shape, &here, NULL);
        cr_assert_eq(net->bytes, nz_net_memory(&shape));
        const table *last = &net->table[net->tables - 1];
        cr_assert_leq((size_t)((uint8_t *)(last->row + last->count * net->width) - (uint8_t *)net),
                      net->bytes);
        nz_net_free(net);
    }
}

Test(net, refuses_other_shapes)
{
    nz_kern here;
    nz_kern_init(&here, nz_cpu());
    nz_net_shape bad[8];
    for (int i = 0; i < 8; i++)
        bad[i] = SMALL;
    bad[0].width = 24;
    bad[1].width = NZ_NET_WIDTH_MAX + 16;
    bad[2].layers = 3;
    bad[3].chunk = 12;
    bad[4].row_bits = 23;
    bad[5].hashed = NZ_NET_HASHED_MAX + 1;
    bad[6].direct_rows[1] = 0;
    bad[7].direct = bad[7].hashed = 0;
    for (int i = 0; i < 8; i++) {
        nz_net *net = NULL;
        cr_assert_eq(nz_net_memory(bad + i), 0);
        cr_assert_eq(nz_net_new(&net, bad + i, &here, NULL), NZ_E_ARG);
        cr_assert_null(net);
    }
}

/* ---- Starts ---- */

Test(net, goes_on_from_what_was_recorded)
{
    enum { N = 20000, FEW = 1000 };
    nz_kern here;
    nz_kern_init(&here, nz_cpu());
    uint8_t *data = text_of(N);
    size_t size = nz_net_start_size(&SMALL);
    uint8_t *start = malloc(size), *again = malloc(size);
    nz_net *net = net_of(&SMALL, &here, NULL);
    run_on(net, data, N);
    nz_net_record(net, 1234, start);
    nz_net_forget(net);
    outcome after = run_on(net, data, FEW);
    nz_net_free(net);

    nz_net_shape shape = SMALL;
    shape.start = start;
    net = net_of(&shape, &here, NULL);
    nz_net_record(net, 1234, again);
    cr_assert(!memcmp(start, again, size), "a start does not come back");
    outcome recalled = run_on(net, data, FEW), fresh = run(&SMALL, &here, NULL, data, FEW);
    cr_assert_lt(after.bits, 0.7 * fresh.bits, "%f of %f bits a byte", after.bits, fresh.bits);
    cr_assert_lt(recalled.bits, 0.7 * fresh.bits, "%f of %f", recalled.bits, fresh.bits);
    nz_net_free(net);
    free(start);
    free(again);
    free(data);
}

/* A change here is a change of the format: raise NZ_NUMERICS. */
Test(net, the_starts_are_part_of_the_format)
{
    static uint8_t bytes[1 << 20];
    FILE *f = fopen("priors/nets.bin", "rb");
    cr_assert(f, "priors/nets.bin: run from the top of the tree");
    size_t n = fread(bytes, 1, sizeof bytes, f), seen = 0;
    fclose(f);
    cr_assert_eq(nz_hash(bytes, n), UINT64_C(0x0751db7d557f19d3), "%zu bytes, %016llx", n,
                 (unsigned long long)nz_hash(bytes, n));
    for (uint8_t level = 5; level <= NZ_LEVEL_MAX; level++) {
        for (uint8_t kind = NZ_KIND_TEXT; kind <= NZ_KIND_BINARY; kind++) {
            nz_shape s = {.level = level, .content.kind = kind};
            nz_deep_choose(&s, 1, 0);
            nz_net_shape shape = nz_deep_net(&s);
            size_t size = nz_net_start_size(&shape);
            cr_assert(shape.start, "level %d, kind %d: make nets", level, kind);
            cr_assert(!memcmp(shape.start, bytes + seen + 4, size));
            seen += 4 + size;
        }
    }
    cr_assert_eq(seen, n);
}

/* ---- The helper ---- */

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

Test(pair, every_job_runs_once)
{
    nz_pair *pair;
    unsigned ran = 0;
    cr_assert_eq(nz_pair_new(&pair), NZ_OK);
    nz_pair_wait(pair); /* for nothing */
    for (unsigned i = 1; i <= 100000; i++) {
        if (i % 1000 == 0)
            usleep(300); /* long enough for the helper to fall asleep */
        nz_pair_wake(pair);
        nz_pair_post(pair, count, &ran);
        for (volatile unsigned k = 0; k < i % 512; k++)
            ; /* now the one of them is first, now the other */
        nz_pair_wait(pair);
        cr_assert_eq(ran, i);
    }
    nz_pair_free(pair);
    nz_pair_free(NULL);
}
