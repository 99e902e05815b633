/* Mixing and refining: both must learn what is there to learn, and stay in range whatever comes. */
#include "model/mixer.h"
#include "model/sse.h"

#include <criterion/criterion.h>

static nz_kern kern;

static void kernels(void)
{
    nz_kern_init(&kern, nz_cpu());
}

TestSuite(mixer, .init = kernels);

Test(mixer, believes_the_input_that_is_right)
{
    const uint32_t rows[] = {1, 4};
    nz_mixer m;
    uint32_t seed = 9;
    cr_assert_eq(nz_mixer_new(&m, &kern, 3, 2, rows), 0);
    for (int i = 0; i < 4000; i++) {
        seed = seed * 1664525 + 1013904223;
        int bit = seed >> 31;
        m.x[0] = bit ? 500 : -500;            /* knows */
        m.x[1] = seed >> 20 & 1 ? 700 : -700; /* guesses */
        m.x[2] = 100;
        nz_mixer_select(&m, 0, 0);
        nz_mixer_select(&m, 1, (uint32_t)i & 3);
        nz_mixer_mix(&m);
        if (i > 3000)
            for (unsigned s = 0; s < 2; s++)
                cr_assert(bit ? m.st[s] > 600 : m.st[s] < -600, "%d: %d", i, m.st[s]);
        nz_mixer_train(&m, bit, 20000);
    }
    nz_mixer_free(&m);
}

Test(mixer, rows_start_from_the_same_weights_and_stay_apart)
{
    const uint32_t rows[] = {3};
    nz_mixer m;
    cr_assert_eq(nz_mixer_new(&m, &kern, 1, 1, rows), 0);
    m.start[0] = NZ_WEIGHT_ONE / 2;
    m.x[0] = 1000;
    for (int i = 0; i < 50; i++) {
        nz_mixer_select(&m, 0, 1);
        nz_mixer_mix(&m);
        nz_mixer_train(&m, 0, 20000);
    }
    cr_assert_lt(m.st[0], 0);
    nz_mixer_select(&m, 0, 2);
    nz_mixer_mix(&m);
    cr_assert_eq(m.st[0], 500);
    nz_mixer_free(&m);
}

Test(mixer, eager_rows_learn_faster_while_young)
{
    const uint32_t rows[] = {2};
    nz_mixer m;
    cr_assert_eq(nz_mixer_new(&m, &kern, 1, 1, rows), 0);
    m.eager = 4;
    m.x[0] = 2500;
    for (int i = 0; i < 300; i++) { /* both bits alike: nothing is learned but age */
        nz_mixer_select(&m, 0, 0);
        nz_mixer_mix(&m);
        nz_mixer_train(&m, i & 1, 10);
    }
    int32_t moved[2];
    for (uint32_t row = 0; row < 2; row++) {
        nz_mixer_select(&m, 0, row);
        nz_mixer_mix(&m);
        int32_t before = m.st[0];
        nz_mixer_train(&m, 1, 10000);
        nz_mixer_mix(&m);
        moved[row] = m.st[0] - before;
    }
    cr_assert_gt(moved[1], 3 * moved[0], "%d, %d", moved[1], moved[0]);
    nz_mixer_free(&m);
}

Test(mixer, output_is_clamped)
{
    const uint32_t rows[] = {1};
    nz_mixer m;
    cr_assert_eq(nz_mixer_new(&m, &kern, 64, 1, rows), 0);
    for (int i = 0; i < 64; i++) {
        m.start[i] = NZ_WEIGHT_ONE;
        m.x[i] = -NZ_STRETCH_MAX;
    }
    nz_mixer_select(&m, 0, 0);
    nz_mixer_mix(&m);
    cr_assert_eq(m.st[0], -NZ_STRETCH_MAX);
    nz_mixer_train(&m, 1, 41943);
    nz_mixer_free(&m);
}

Test(sse, starts_as_the_identity_and_learns)
{
    const nz_numeric *t = nz_numeric_get();
    nz_sse s = {0};
    cr_assert_eq(nz_sse_new(&s, 8), 0);
    for (int st = -2000; st <= 2000; st += 37) {
        nz_sse_aim(&s, 5, st);
        int p = (int)nz_sse_refine(&s, st), want = nz_squash(t, st);
        cr_assert(abs(p - want) < 1200, "%d: %d, not %d", st, p, want);
    }
    for (int i = 0; i < 2000; i++) {
        nz_sse_aim(&s, 3, 0);
        nz_sse_refine(&s, 300);
        nz_sse_update(&s, 0, 127);
    }
    nz_sse_aim(&s, 3, 0);
    cr_assert_lt(nz_sse_refine(&s, 300), 1000u);
    nz_sse_aim(&s, 4, 0);
    cr_assert_gt(nz_sse_refine(&s, 300), 30000u, "other contexts are untouched");
    nz_sse_free(&s);
}

Test(sse, extremes_stay_in_range)
{
    nz_sse s = {0};
    cr_assert_eq(nz_sse_new(&s, 1), 0);
    static const int st[] = {-NZ_STRETCH_MAX, -2048, 2047, 2048, NZ_STRETCH_MAX};
    for (int i = 0; i < 5; i++) {
        nz_sse_aim(&s, 0, st[i]);
        for (int k = 0; k < 500; k++) {
            cr_assert_leq(nz_sse_refine(&s, st[i]), 65535u);
            nz_sse_update(&s, k & 64, 127);
        }
    }
    nz_sse_free(&s);
}
