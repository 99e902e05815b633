/* Priors: the texts are the ones that archives depend on, each is chosen for its own kind, and
 * frames that begin with one come back, the same from every backend. */
#include "backend/hash.h"
#include "model/prior_file.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const names[NZ_PRIORS + 1] = {NULL, "prose", "markup", "code", "data"};

enum { TEXT_MAX = NZ_PRIOR_MOST, SAMPLE = 3000 };

static uint8_t text[TEXT_MAX];

static size_t read_text(int prior)
{
    char name[64];
    snprintf(name, sizeof name, "priors/%s.txt", names[prior]);
    FILE *f = fopen(name, "rb");
    cr_assert(f, "%s: run from the top of the tree", name);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    return n;
}

/* A change here is a change of the format: raise NZ_NUMERICS. */
Test(prior, the_texts_are_part_of_the_format)
{
    static const struct {
        size_t n;
        uint64_t hash;
    } want[NZ_PRIORS + 1] = {
        {0},
        {548738, UINT64_C(0xad69a47187d0ee43)},
        {169370, UINT64_C(0xc859052ca0ed09cf)},
        {145799, UINT64_C(0xb37fa2f4eb6823e1)},
        {65651, UINT64_C(0xc1e29efdafaf46c9)},
    };
    for (int prior = 1; prior <= NZ_PRIORS; prior++) {
        nz_shape s = {.numerics = NZ_NUMERICS, .level = NZ_LEVEL_MAX, .prior = (uint8_t)prior};
        nz_prime p;
        size_t n = read_text(prior);
        cr_assert_str_eq(nz_prior_name(prior), names[prior]);
        cr_assert_eq(n, want[prior].n, "%s: %zu bytes", names[prior], n);
        cr_assert_eq(nz_hash(text, n), want[prior].hash, "%s: %016llx", names[prior],
                     (unsigned long long)nz_hash(text, n));
        cr_assert_eq(nz_prime_get(&p, &s, TEXT_MAX), NZ_OK);
        size_t all = p.size.skim + p.size.read;
        cr_assert_geq(all, n);
        cr_assert(!memcmp(p.text + all - n, text, n), "%s: make priors", names[prior]);
    }
    cr_assert_null(nz_prior_name(0));
    cr_assert_null(nz_prior_name(NZ_PRIORS + 1));
}

Test(prior, each_is_chosen_for_its_own_kind)
{
    for (int prior = 1; prior <= NZ_PRIORS; prior++) {
        size_t n = read_text(prior);
        cr_assert_eq(nz_prior_choose(text, n), prior, "%s", names[prior]);
        cr_assert_eq(nz_prior_choose(text + n / 2, 10000), prior, "%s", names[prior]);
    }
}

Test(prior, what_resembles_none_gets_none)
{
    uint32_t seed = 9;
    cr_assert_eq(nz_prior_choose(NULL, 0), 0);
    memset(text, 0, sizeof text);
    cr_assert_eq(nz_prior_choose(text, sizeof text), 0);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
    cr_assert_eq(nz_prior_choose(text, sizeof text), 0);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 7 == 6 ? ',' : (uint8_t)('0' + text[i] % 10);
    cr_assert_eq(nz_prior_choose(text, sizeof text), 0, "a table of numbers");
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "ACGT"[text[i] & 3];
    cr_assert_eq(nz_prior_choose(text, sizeof text), 0);
}

Test(prior, small_frames_start_quickly)
{
    for (int level = NZ_LEVEL_MIN; level <= NZ_LEVEL_MAX; level++) {
        nz_shape s = {.level = (uint8_t)level, .prior = 1};
        nz_prime_size small = nz_prime_size_of(&s, 2000), large = nz_prime_size_of(&s, 1 << 20);
        cr_assert_leq(small.read, 32 << 10);
        cr_assert_leq(small.skim, 128 << 10);
        cr_assert_lt(small.read, large.read);
        s.prior = 0;
        cr_assert_eq(nz_prime_size_of(&s, 1 << 20).read, 0);
    }
}

static nz_err encode(const nz_shape *s, unsigned cpu, bool second_core, const uint8_t *raw,
                     uint8_t *out, size_t *packed)
{
    nz_kern kern;
    nz_kern_init(&kern, cpu);
    nz_run run = {.kern = &kern, .second_core = second_core};
    return nz_bytes_encode(s, &run, raw, SAMPLE, out, SAMPLE, packed);
}

static const uint8_t *sample_of(int prior)
{
    read_text(prior);
    return text + 1000;
}

static nz_shape shape_of(int level, int prior, const uint8_t *raw)
{
    nz_shape s;
    nz_shape_choose(&s, level, raw, SAMPLE);
    nz_shape_prime(&s, prior, SAMPLE);
    return s;
}

Test(prior, frames_come_back_at_every_level)
{
    static uint8_t out[SAMPLE], back[SAMPLE], stored[NZ_SHAPE_BYTES];
    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    nz_run run = {.kern = &kern};
    /* Above level 5 only the network is larger; a golden archive begins so at level 9. */
    int step = 1, last = NZ_LEVEL_MAX;
    if (getenv("NZ_SHORT"))
        step = 4, last = 5;
    for (int level = NZ_LEVEL_MIN; level <= last; level += step) {
        int prior = 1 + level % NZ_PRIORS;
        const uint8_t *raw = sample_of(prior);
        nz_shape s = shape_of(level, prior, raw), cold = s, loaded;
        size_t packed, without;
        nz_shape_choose(&cold, level, raw, SAMPLE);
        nz_shape_store(&s, stored);
        cr_assert_eq(nz_shape_load(&loaded, stored), NZ_OK);
        cr_assert_eq(encode(&loaded, nz_cpu(), false, raw, out, &packed), NZ_OK);
        cr_assert_eq(nz_bytes_decode(&loaded, &run, out, packed, back, SAMPLE), NZ_OK);
        cr_assert(!memcmp(raw, back, SAMPLE), "level %d, %s", level, names[prior]);
        cr_assert_eq(encode(&cold, nz_cpu(), false, raw, out, &without), NZ_OK);
        cr_assert_lt(packed, without, "level %d, %s", level, names[prior]);
    }
}

Test(prior, backends_and_helpers_write_the_same_bytes)
{
    static uint8_t want[SAMPLE], got[SAMPLE];
    static const int levels[] = {1, 4, 5};
    /* The network's kernels have tests of their own, and golden archives begin with a helper. */
    size_t count = getenv("NZ_SHORT") ? 2 : sizeof levels / sizeof *levels;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *raw = sample_of(2);
        nz_shape s = shape_of(levels[i], 2, raw);
        size_t n, m;
        cr_assert_eq(encode(&s, 0, false, raw, want, &n), NZ_OK);
        for (int pair = 0; pair < 2; pair++) {
            cr_assert_eq(encode(&s, nz_cpu(), pair, raw, got, &m), NZ_OK);
            cr_assert(n == m && !memcmp(want, got, n), "level %d", levels[i]);
        }
    }
}

Test(prior, stopping_stops_while_it_is_read)
{
    static uint8_t out[SAMPLE];
    _Atomic int stop = 1;
    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    nz_run run = {.kern = &kern, .stop = &stop};
    for (int level = 1; level <= 5; level += 4) {
        const uint8_t *raw = sample_of(1);
        nz_shape s = shape_of(level, 1, raw);
        size_t packed;
        cr_assert_eq(nz_bytes_encode(&s, &run, raw, SAMPLE, out, SAMPLE, &packed), NZ_E_STOPPED);
    }
}

Test(prior, an_unknown_one_is_refused)
{
    uint8_t stored[NZ_SHAPE_BYTES], raw[SAMPLE] = {0};
    nz_shape s;
    for (int level = NZ_LEVEL_MIN; level <= NZ_LEVEL_MAX; level++) {
        nz_shape_choose(&s, level, raw, SAMPLE);
        s.prior = NZ_PRIORS + 1;
        nz_shape_store(&s, stored);
        cr_assert_eq(nz_shape_load(&s, stored), NZ_E_VERSION);
    }
}

static void *get(void *arg)
{
    nz_shape s = {.level = 5, .prior = 2};
    nz_prime *p = arg;
    cr_assert_eq(nz_prime_get(p, &s, 1 << 20), NZ_OK);
    return NULL;
}

Test(prior, threads_share_one_text)
{
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    nz_prime p[THREADS];
    for (int i = 0; i < THREADS; i++)
        cr_assert(!pthread_create(&thread[i], NULL, get, &p[i]));
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    for (int i = 1; i < THREADS; i++)
        cr_assert_eq(p[i].text, p[0].text);
}
