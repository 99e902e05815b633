/* The table of bit histories keeps what it promises. */
#include "ngram/history.h"
#include "model/numeric.h"

#include <criterion/criterion.h>

/* Marks every state that some string of bits leads to; returns how many there are. */
static int reachable(const nz_history *h, uint8_t found[256])
{
    uint8_t todo[256] = {0};
    int n = 1;
    memset(found, 0, 256);
    found[0] = 1;
    for (int i = 0; i < n; i++) {
        for (int y = 0; y < 2; y++) {
            uint8_t s = h->next[y][todo[i]];
            if (!found[s]) {
                found[s] = 1;
                todo[n++] = s;
            }
        }
    }
    return n;
}

Test(history, short_histories_are_kept_whole)
{
    const nz_history *h = nz_history_get();
    uint8_t seen[256] = {0};
    for (int len = 0; len <= 4; len++) {
        for (int bits = 0; bits < 1 << len; bits++) {
            uint8_t s = 0;
            int ones = 0;
            for (int i = len - 1; i >= 0; i--) {
                ones += bits >> i & 1;
                s = h->next[bits >> i & 1][s];
            }
            cr_assert(!seen[s]++, "two histories share state %d", s);
            cr_assert(h->n1[s] == ones && h->n0[s] == len - ones);
        }
    }
}

Test(history, a_bit_raises_its_count_or_lowers_the_other)
{
    const nz_history *h = nz_history_get();
    uint8_t found[256];
    cr_assert(reachable(h, found) > 150);
    for (int s = 0; s < 256; s++) {
        if (!found[s])
            continue;
        cr_assert(h->total[s] == h->n0[s] + h->n1[s]);
        for (int y = 0; y < 2; y++) {
            int t = h->next[y][s];
            int same = y ? h->n1[t] - h->n1[s] : h->n0[t] - h->n0[s];
            int other = y ? h->n0[t] - h->n0[s] : h->n1[t] - h->n1[s];
            cr_assert(t && other <= 0, "state %d, bit %d", s, y);
            cr_assert(same >= 0, "state %d, bit %d", s, y);
            cr_assert(y ? h->n1[t] : h->n0[t], "state %d forgot the bit just seen", s);
        }
    }
}

Test(history, zeros_and_ones_are_treated_alike)
{
    const nz_history *h = nz_history_get();
    uint32_t r = 1;
    for (int k = 0; k < 2000; k++) {
        uint8_t s = 0, mirror = 0;
        for (int i = 0; i < 60; i++) {
            r = r * 1664525 + 1013904223;
            int y = r >> 29 < (uint32_t)(k & 7);
            s = h->next[y][s];
            mirror = h->next[!y][mirror];
            cr_assert(h->n0[s] == h->n1[mirror] && h->n1[s] == h->n0[mirror]);
        }
    }
}

Test(history, a_long_run_ends_in_one_sure_state)
{
    const nz_history *h = nz_history_get();
    for (int y = 0; y < 2; y++) {
        uint8_t s = 0;
        for (int i = 0; i < 100; i++)
            s = h->next[y][s];
        cr_assert(h->next[y][s] == s && (y ? h->n0 : h->n1)[s] == 0);
        cr_assert((y ? h->n1 : h->n0)[s] == 40);
        /* One surprise takes most of the trust away. */
        cr_assert(h->total[h->next[!y][s]] < 10);
    }
}

Test(numeric, squash_is_monotone_and_symmetric)
{
    const nz_numeric *t = nz_numeric_get();
    cr_assert(nz_squash(t, 0) == 32768);
    cr_assert(nz_squash(t, NZ_STRETCH_MAX) == 65535 && nz_squash(t, -NZ_STRETCH_MAX) == 1);
    for (int d = -NZ_STRETCH_MAX; d < NZ_STRETCH_MAX; d++)
        cr_assert(nz_squash(t, d) <= nz_squash(t, d + 1));
    for (int d = 0; d <= NZ_STRETCH_MAX; d++)
        cr_assert(nz_squash(t, d) + nz_squash(t, -d) == 65536);
}

Test(numeric, stretch_undoes_squash)
{
    const nz_numeric *t = nz_numeric_get();
    for (uint32_t i = 0; i < 4096; i++) {
        int d = nz_stretch(t, i), p = nz_squash(t, d);
        cr_assert(d == -nz_stretch(t, 4095 - i));
        cr_assert(d == nz_stretch_clamp(d) && (!i || d >= nz_stretch(t, i - 1)));
        /* Half a step of stretch is at most 1/2048 of p here. */
        int want = (int)(i * 16 + 8);
        cr_assert(p >= want - 33 && p <= want + 33, "%u: %d, not %d", i, p, want);
    }
}
