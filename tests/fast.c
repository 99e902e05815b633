/* The fast engine: round trips, the same bytes from every backend, shapes, refusals. */
#include "model/prior.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAST_LEVELS = 4 };

static uint32_t random32(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

typedef struct sample {
    const char *name;
    uint8_t *raw;
    size_t n;
} sample;

static void fill_random(uint8_t *p, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(random32(&seed) >> 11);
}

static void fill_text(uint8_t *p, size_t n)
{
    static const char *const word[] = {"the ",   "context ", "of ",      "a ",
                                       "bit ",   "<tag>",    "</tag>\n", "mixes ",
                                       "Model ", "early, ",  "12",       "\xc3\xa9t\xc3\xa9 "};
    uint32_t s = 3;
    for (size_t i = 0; i < n;)
        for (const char *w = word[random32(&s) % 12]; *w && i < n;)
            p[i++] = (uint8_t)*w++;
}

/* A ramp with noise in rows of 100: what images and records look like. */
static void fill_rows(uint8_t *p, size_t n)
{
    uint32_t s = 5;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(i % 100 * 2 + i / 100 + random32(&s) % 4);
}

enum { MIXED = 5, REPEATS = 6 };

static sample make(int kind)
{
    static const sample all[] = {
        {"empty", 0, 0},    {"one byte", 0, 1},  {"all equal", 0, 1000000}, {"random", 0, 100000},
        {"text", 0, 60000}, {"mixed", 0, 90000}, {"repeats", 0, 300000},    {"rows", 0, 40000}};
    sample t = all[kind];
    t.raw = malloc(t.n + !t.n);
    memset(t.raw, 'x', t.n);
    if (kind == 3)
        fill_random(t.raw, t.n, 1);
    if (kind == 4)
        fill_text(t.raw, t.n);
    if (kind == MIXED) {
        fill_text(t.raw, 30000);
        fill_random(t.raw + 30000, 10000, 9);
        fill_rows(t.raw + 50000, 40000);
    }
    if (kind == REPEATS) { /* 5,000 random bytes again and again, with a change now and then */
        fill_random(t.raw, 5000, 2);
        for (size_t i = 5000; i < t.n; i++)
            t.raw[i] = (uint8_t)(t.raw[i - 5000] + (i % 17011 == 0));
    }
    if (kind == 7)
        fill_rows(t.raw, t.n);
    return t;
}

enum { SAMPLES = 8 };

static nz_err encode(const nz_shape *s, unsigned cpu, sample t, uint8_t *out, size_t cap, size_t *n)
{
    nz_kern k;
    nz_kern_init(&k, cpu);
    return nz_bytes_encode(s, &(nz_run){.kern = &k}, t.raw, t.n, out, cap, n);
}

static nz_err decode(const nz_shape *s, unsigned cpu, const uint8_t *in, size_t packed,
                     uint8_t *raw, size_t n)
{
    nz_kern k;
    nz_kern_init(&k, cpu);
    return nz_bytes_decode(s, &(nz_run){.kern = &k}, in, packed, raw, n);
}

Test(fast, every_level_and_backend_agrees_and_comes_back)
{
    for (int level = 1; level <= FAST_LEVELS; level++) {
        for (int i = 0; i < SAMPLES; i++) {
            sample t = make(i);
            t.n = getenv("NZ_SHORT") ? (t.n + 3) / 4 : t.n;
            size_t cap = t.n + t.n / 20 + 16, n = 0, here_n = 0;
            uint8_t *c = malloc(cap), *here = malloc(cap), *back = malloc(t.n + 1);
            nz_shape s;
            nz_shape_choose(&s, level, t.raw, t.n);
            cr_assert(!encode(&s, 0, t, c, cap, &n), "level %d, %s", level, t.name);
            cr_assert(!encode(&s, nz_cpu(), t, here, cap, &here_n));
            cr_assert(n == here_n && !memcmp(c, here, n), "level %d, %s: backends differ", level,
                      t.name);
            for (int k = 0; k < 2; k++) {
                memset(back, 0, t.n);
                back[t.n] = 0x5a;
                cr_assert(!decode(&s, k ? nz_cpu() : 0, c, n, back, t.n));
                cr_assert(!memcmp(back, t.raw, t.n) && back[t.n] == 0x5a, "level %d, %s", level,
                          t.name);
            }
            free(c);
            free(here);
            free(back);
            free(t.raw);
        }
    }
}

Test(fast, redundant_data_shrinks_to_almost_nothing)
{
    static const size_t most[SAMPLES] = {[2] = 200, [REPEATS] = 6500};
    for (int level = 1; level <= FAST_LEVELS; level++) {
        for (int i = 2; i <= REPEATS; i += REPEATS - 2) {
            sample t = make(i);
            uint8_t *out = malloc(t.n);
            size_t n;
            nz_shape s;
            nz_shape_choose(&s, level, t.raw, t.n);
            cr_assert(!encode(&s, nz_cpu(), t, out, t.n, &n));
            cr_assert(n <= most[i], "level %d, %s: %zu bytes", level, t.name, n);
            free(out);
            free(t.raw);
        }
    }
}

Test(fast, a_small_buffer_is_full)
{
    for (int level = 1; level <= FAST_LEVELS; level++) {
        sample t = make(MIXED);
        uint8_t *out = malloc(t.n + 1000);
        size_t n, again;
        nz_shape s;
        nz_shape_choose(&s, level, t.raw, t.n);
        cr_assert(!encode(&s, nz_cpu(), t, out, t.n + 1000, &n));
        const size_t caps[] = {0, 1, 100, n / 2, n - 1};
        for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
            uint8_t *tight = malloc(caps[i] + !caps[i]);
            cr_assert(encode(&s, nz_cpu(), t, tight, caps[i], &again) == NZ_E_FULL);
            free(tight);
        }
        cr_assert(!encode(&s, nz_cpu(), t, out, n, &again) && again == n);
        free(out);
        free(t.raw);
    }
}

Test(fast, any_input_is_safe)
{
    enum { RAW = 30000 };
    uint8_t *in = malloc(8000), *raw = malloc(RAW);
    for (int level = 1; level <= FAST_LEVELS; level++) {
        for (uint32_t seed = 1; seed <= 6; seed++) {
            nz_shape s;
            fill_random(raw, RAW, seed); /* a binary shape for odd seeds, a text one for even */
            if (seed % 2 == 0)
                memset(raw, 'a', RAW);
            nz_shape_choose(&s, level, raw, RAW);
            cr_assert(s.content.kind == (seed % 2 ? NZ_KIND_BINARY : NZ_KIND_TEXT));
            fill_random(in, 8000, seed + 99);
            if (seed > 4)
                memset(in, seed == 5 ? 0 : 255, 8000);
            nz_err err = decode(&s, nz_cpu(), in, seed * 1000, raw, RAW);
            cr_assert(err == NZ_OK || err == NZ_E_CORRUPT);
            cr_assert_eq(decode(&s, 0, in, 0, raw, RAW), NZ_E_CORRUPT);
        }
    }
    free(in);
    free(raw);
}

Test(fast, progress_adds_up_and_stops)
{
    sample t = make(MIXED);
    uint8_t *out = malloc(t.n + 1000);
    size_t n;
    nz_kern k;
    nz_kern_init(&k, nz_cpu());
    _Atomic uint64_t done = 0;
    _Atomic int stop = 0;
    nz_run run = {.kern = &k, .done = &done, .stop = &stop};
    nz_shape s;
    nz_shape_choose(&s, 1, t.raw, t.n);
    cr_assert(!nz_bytes_encode(&s, &run, t.raw, t.n, out, t.n + 1000, &n));
    cr_assert(done == t.n);
    cr_assert(!nz_bytes_decode(&s, &run, out, n, t.raw, t.n));
    cr_assert(done == 2 * t.n);
    stop = 1;
    cr_assert(nz_bytes_encode(&s, &run, t.raw, t.n, out, t.n + 1000, &n) == NZ_E_STOPPED);
    cr_assert(nz_bytes_decode(&s, &run, out, 1000, t.raw, t.n) == NZ_E_STOPPED);
    free(out);
    free(t.raw);
}

Test(shape, what_is_stored_is_loaded)
{
    static const size_t sizes[] = {0, 1, 1000, 100000, 1000000};
    uint8_t *raw = calloc(1, 1000000), at[NZ_SHAPE_BYTES], again[NZ_SHAPE_BYTES];
    for (int level = 1; level <= FAST_LEVELS; level++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            nz_shape s, back;
            nz_shape_choose(&s, level, raw, sizes[i]);
            nz_shape_store(&s, at);
            cr_assert(nz_shape_load(&back, at) == NZ_OK && back.level == level);
            nz_shape_store(&back, again);
            cr_assert(!memcmp(at, again, sizeof at));
            cr_assert(nz_shape_memory(&back) == nz_shape_memory(&s));
        }
    }
    free(raw);
}

Test(shape, small_inputs_take_little_memory)
{
    nz_shape s;
    uint8_t raw[10000] = {0};
    nz_shape_choose(&s, 1, raw, sizeof raw);
    cr_assert(nz_shape_memory(&s) < 8 << 20);
}

Test(shape, other_values_are_refused)
{
    uint8_t good[NZ_SHAPE_BYTES], bad[NZ_SHAPE_BYTES];
    nz_shape s;
    for (int level = 1; level <= FAST_LEVELS; level++) {
        uint8_t raw[5000] = {0};
        nz_shape_choose(&s, level, raw, sizeof raw);
        nz_shape_store(&s, good);
        for (int i = 0; i < NZ_SHAPE_BYTES; i++) {
            for (int v = 0; v < 256; v++) {
                memcpy(bad, good, sizeof bad);
                bad[i] = (uint8_t)v;
                nz_err err = nz_shape_load(&s, bad);
                if (v == good[i])
                    cr_assert(err == NZ_OK);
                else if (i == 0)
                    cr_assert(err == NZ_E_VERSION);
                else if (i == 2) /* another fast level, if its bounds allow */
                    cr_assert(err == ((v >= 1 && v <= FAST_LEVELS) ? NZ_OK : NZ_E_CORRUPT));
                else if (i == 3)
                    cr_assert(err == (v <= NZ_KIND_BINARY ? NZ_OK : NZ_E_CORRUPT));
                else if (i == 4 || i == 5) /* bounded by the level */
                    cr_assert(err == NZ_E_CORRUPT || (v < 28 && err == NZ_OK));
                else if (i == 10)
                    cr_assert(err == (v <= NZ_PRIORS ? NZ_OK : NZ_E_VERSION));
                else
                    cr_assert(err == NZ_E_CORRUPT, "byte %d, value %d", i, v);
            }
        }
    }
}

Test(shape, kinds_are_told_apart)
{
    for (int i = 3; i < SAMPLES; i++) {
        sample t = make(i);
        nz_shape s;
        nz_shape_choose(&s, 1, t.raw, t.n);
        int text = i == 4;
        cr_assert(s.content.kind == (text ? NZ_KIND_TEXT : NZ_KIND_BINARY), "%s", t.name);
        free(t.raw);
    }
}

static bool hopeless(const uint8_t *raw, size_t n)
{
    bool yes;
    cr_assert_eq(nz_bytes_hopeless(&yes, raw, n), NZ_OK);
    return yes;
}

Test(hopeless, only_random_data_is)
{
    for (int i = 0; i < SAMPLES; i++) {
        sample t = make(i);
        cr_assert(hopeless(t.raw, t.n) == !strcmp(t.name, "random"), "%s", t.name);
        free(t.raw);
    }
}

Test(hopeless, a_repeat_or_an_even_plane_is_enough_to_try)
{
    enum { N = 400000 };
    uint8_t *raw = malloc(N);
    fill_random(raw, N, 1);
    cr_assert(hopeless(raw, N));
    memcpy(raw + N - 3000, raw, 3000); /* one repeat */
    cr_assert(!hopeless(raw, N));
    fill_random(raw, N, 1);
    for (int i = 3; i < N; i += 4) /* floats: the exponent's plane has few values */
        raw[i] = (uint8_t)(60 + raw[i] % 4);
    cr_assert(!hopeless(raw, N));
    fill_random(raw, N, 1);
    for (int i = 200000; i < 280000; i++) /* text inside */
        raw[i] = (uint8_t)('a' + raw[i] % 20);
    cr_assert(!hopeless(raw, N));
    free(raw);
}
