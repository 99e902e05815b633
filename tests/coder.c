/* The arithmetic coder at its limits. */
#include "coder/arith.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { BITS = 200000, CAP = BITS };

static uint32_t random32(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

/* Which bits and probabilities a run codes. */
typedef struct plan {
    const char *name;
    uint32_t p; /* 0: random */
    int bit;    /* -1: random, -2: as p says */
    size_t bits;
} plan;

static uint32_t plan_p(const plan *t, uint32_t *s)
{
    uint32_t p = random32(s) & 65535;
    return t->p ? t->p : p ? p : 1;
}

static int plan_bit(const plan *t, uint32_t p, uint32_t *s)
{
    uint32_t r = random32(s) >> 16;
    return t->bit >= 0 ? t->bit : t->bit == -1 ? (int)(r & 1) : r < p;
}

static const plan plans[] = {
    {"likely ones", 65535, 1, BITS},   {"likely zeros", 1, 0, BITS},
    {"unlikely ones", 1, 1, 2000},     {"unlikely zeros", 65535, 0, 2000},
    {"even", 32768, -1, BITS / 10},    {"random", 0, -1, BITS / 100},
    {"as predicted", 0, -2, BITS / 2}, {"sure, then wrong", 65535, -1, 2000},
};

static size_t encode(const plan *t, uint8_t *out, size_t cap, int *over)
{
    nz_arith a;
    uint32_t s = 1;
    nz_arith_write(&a, out, cap);
    for (size_t i = 0; i < t->bits; i++) {
        uint32_t p = plan_p(t, &s);
        nz_arith_encode(&a, p, plan_bit(t, p, &s));
    }
    *over = nz_arith_flush(&a);
    return (size_t)(a.at - out);
}

Test(coder, what_goes_in_comes_out)
{
    uint8_t *out = malloc(CAP);
    for (size_t k = 0; k < sizeof plans / sizeof *plans; k++) {
        const plan *t = &plans[k];
        int over;
        size_t n = encode(t, out, CAP, &over);
        cr_assert(!over, "%s", t->name);
        nz_arith a;
        uint32_t s = 1;
        nz_arith_read(&a, out, n);
        for (size_t i = 0; i < t->bits; i++) {
            uint32_t p = plan_p(t, &s);
            cr_assert(nz_arith_decode(&a, p) == plan_bit(t, p, &s), "%s: bit %zu", t->name, i);
        }
        cr_assert(!nz_arith_check(&a), "%s", t->name);
    }
    free(out);
}

static int ends_well(const plan *t, const uint8_t *in, size_t n)
{
    nz_arith a;
    uint32_t s = 1;
    nz_arith_read(&a, in, n);
    for (size_t i = 0; i < t->bits; i++) {
        uint32_t p = plan_p(t, &s);
        int want = plan_bit(t, p, &s);
        if (nz_arith_decode(&a, p) != want)
            return 0;
    }
    return !nz_arith_check(&a);
}

Test(coder, the_last_bytes_cannot_be_changed)
{
    uint8_t *out = malloc(CAP + 1);
    for (size_t k = 0; k < sizeof plans / sizeof *plans; k++) {
        int over;
        size_t n = encode(&plans[k], out, CAP, &over);
        cr_assert(ends_well(&plans[k], out, n));
        cr_assert(!ends_well(&plans[k], out, n - 1), "%s", plans[k].name);
        out[n] = 0;
        cr_assert(!ends_well(&plans[k], out, n + 1), "%s", plans[k].name);
        for (int bit = 0; bit < 8; bit++) {
            out[n - 1] ^= (uint8_t)(1 << bit);
            cr_assert(!ends_well(&plans[k], out, n), "%s bit %d", plans[k].name, bit);
            out[n - 1] ^= (uint8_t)(1 << bit);
        }
    }
    free(out);
}

Test(coder, sure_bits_cost_next_to_nothing)
{
    uint8_t *out = malloc(CAP);
    int over;
    cr_assert(encode(&plans[0], out, CAP, &over) <= 5); /* 200,000 bits of log2(65536 / 65535) */
    cr_assert(encode(&plans[1], out, CAP, &over) <= 5);
    cr_assert(encode(&plans[4], out, CAP, &over) <= BITS / 80 + 4);
    free(out);
}

Test(coder, a_full_buffer_is_noticed_and_never_passed)
{
    uint8_t *out = malloc(CAP);
    for (size_t k = 0; k < sizeof plans / sizeof *plans; k++) {
        int over;
        size_t n = encode(&plans[k], out, CAP, &over);
        uint8_t *tight = malloc(n + 1);
        tight[n] = 0x5a;
        cr_assert(encode(&plans[k], tight, n, &over) == n && !over, "%s", plans[k].name);
        cr_assert(!memcmp(tight, out, n) && tight[n] == 0x5a, "%s", plans[k].name);
        tight[n - 1] = 0x5a;
        encode(&plans[k], tight, n - 1, &over);
        cr_assert(over && tight[n - 1] == 0x5a, "%s", plans[k].name);
        free(tight);
    }
    free(out);
}

Test(coder, nothing_coded_is_at_most_one_byte)
{
    uint8_t out[4];
    nz_arith a;
    nz_arith_write(&a, out, sizeof out);
    cr_assert(!nz_arith_flush(&a) && a.at - out <= 1);
}

Test(coder, the_split_never_empties_a_half)
{
    /* The narrowest intervals that can remain: neighbours across a leading byte. */
    static const uint32_t edge[][2] = {{0x00ffffff, 0x01000000},
                                       {0x7fffffff, 0x80000000},
                                       {0, UINT32_MAX},
                                       {0xfeffff00, 0xff0000ff}};
    for (size_t k = 0; k < sizeof edge / sizeof *edge; k++) {
        for (uint32_t p = 1; p < 65536; p += 127) {
            nz_arith a = {.lo = edge[k][0], .hi = edge[k][1]};
            uint32_t mid = nz_arith_mid(&a, p);
            cr_assert(a.lo <= mid && mid < a.hi);
        }
    }
}

Test(coder, any_input_decodes_without_reading_past_the_end)
{
    uint32_t s = 7;
    for (size_t n = 0; n < 64; n++) {
        uint8_t *in = n ? malloc(n) : NULL; /* exact, so that sanitizers see a step too far */
        for (size_t i = 0; i < n; i++)
            in[i] = (uint8_t)random32(&s);
        nz_arith a;
        nz_arith_read(&a, in, n);
        for (int i = 0; i < 2000; i++)
            nz_arith_decode(&a, 1 + random32(&s) % 65535);
        cr_assert(a.at <= a.end);
        free(in);
    }
}
