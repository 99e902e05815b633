/* Guesses at numbers: right about those that go on, whatever the order of their bytes. */
#include "model/series.h"
#include <criterion/criterion.h>

enum { NUMBERS = 200, LEARNED = 50, LITTLE = 3, BIG = 4 }; /* guesses of a record's next byte */

/* The share of bits, in percent, that one guess is right and sure about. */
static unsigned sure(int guess, uint32_t step, uint32_t random)
{
    uint8_t raw[4 * NUMBERS];
    int16_t x[NZ_SERIES_INPUTS];
    unsigned right = 0;
    uint32_t seed = 1, number = 100000;
    for (unsigned i = 0; i < sizeof raw; i++) {
        seed = seed * 1103515245 + 12345;
        if (i % 4 == 0)
            number += step + (seed >> 16) % random;
        raw[i] = (uint8_t)(number >> 8 * (guess == LITTLE ? i % 4 : 3 - i % 4));
    }
    nz_past p;
    nz_series *s = nz_series_new();
    cr_assert(s && nz_past_new(&p, raw) == 0);
    for (unsigned i = 0; i < sizeof raw; i++) {
        nz_series_begin(s, &p);
        uint32_t c0 = 1;
        for (uint32_t k = 0; k < 8; k++) {
            int bit = raw[i] >> (7 - k) & 1;
            nz_series_predict(s, x, c0, k);
            nz_series_learn(s, bit);
            right += i >= 4 * LEARNED && (bit ? x[2 * guess] : -x[2 * guess]) > 2 * NZ_STRETCH_UNIT;
            c0 = c0 << 1 | (uint32_t)bit;
        }
        nz_past_next(&p, raw[i]);
    }
    cr_assert_eq(p.period, 4u);
    nz_past_free(&p);
    nz_series_free(s);
    return 100 * right / (32 * (NUMBERS - LEARNED));
}

Test(series, numbers_go_on_in_both_orders)
{
    cr_assert_gt(sure(LITTLE, 300, 1), 95u);
    cr_assert_gt(sure(BIG, 300, 1), 90u);
}

Test(series, what_is_random_makes_it_unsure)
{
    unsigned little = sure(LITTLE, 0, 1 << 15), big = sure(BIG, 0, 1 << 15);
    cr_assert(little > 25 && little < 65, "%u", little);
    cr_assert(big > 25 && big < 65, "%u", big);
}
