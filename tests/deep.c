/* The deep engine: round trips, the same bytes from every backend and with a helper thread, shapes,
 * refusals. Inputs are short: the plain C network is slow. */
#include "model/bytes.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_SAMPLE = 40000 };

static uint32_t random32(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

static size_t make_text(uint8_t *p)
{
    static const char *const word[] = {"the ",     "network ",          "[[of]] ", "<tag>",
                                       "</tag>\n", "Learns ",           "&lt; ",   "{a|b=\"c\"}\n",
                                       "12.5 ",    "\xc3\xa9t\xc3\xa9 "};
    uint32_t s = 3, n = 6000;
    for (size_t i = 0; i < n;)
        for (const char *w = word[random32(&s) % 10]; *w && i < n;)
            p[i++] = (uint8_t)*w++;
    return n;
}

static size_t make_records(uint8_t *p)
{
    uint32_t s = 5, n = 6000;
    for (uint32_t i = 0; i < n; i++)
        p[i] = (uint8_t)(i % 24 < 4    ? i / 24 >> 8 * (i % 4)
                         : i % 24 < 12 ? 0
                                       : random32(&s) & 0x83);
    return n;
}

static size_t make_random(uint8_t *p)
{
    uint32_t s = 1, n = 3000;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(random32(&s) >> 11);
    return n;
}

/* Long enough for the long-match path, with a change that breaks it. */
static size_t make_repeats(uint8_t *p)
{
    uint32_t s = 2, n = LONGEST_SAMPLE;
    for (size_t i = 0; i < n; i++)
        p[i] = i < 900 ? (uint8_t)random32(&s) : (uint8_t)(p[i - 900] + (i % 9001 == 0));
    return n;
}

static size_t make_equal(uint8_t *p)
{
    memset(p, 'x', LONGEST_SAMPLE);
    return LONGEST_SAMPLE;
}

static size_t make_one(uint8_t *p)
{
    *p = 200;
    return 1;
}

static size_t make_nothing(uint8_t *p)
{
    (void)p;
    return 0;
}

static size_t (*const makers[])(uint8_t *) = {make_nothing, make_one,     make_text, make_records,
                                              make_random,  make_repeats, make_equal};
enum { SAMPLES = sizeof makers / sizeof makers[0], TEXT = 2, RECORDS = 3, REPEATS = 5 };

typedef struct result {
    uint8_t bytes[LONGEST_SAMPLE + 64];
    size_t n;
    nz_err err;
} result;

static result encode(const nz_shape *s, unsigned cpu, bool second_core, const uint8_t *raw,
                     size_t n, size_t cap)
{
    static nz_kern kern;
    static result r;
    nz_kern_init(&kern, cpu);
    nz_run run = {.kern = &kern, .second_core = second_core};
    r.err = nz_bytes_encode(s, &run, raw, n, r.bytes, cap, &r.n);
    return r;
}

static nz_err decode(const nz_shape *s, unsigned cpu, const uint8_t *in, size_t packed,
                     uint8_t *raw, size_t n)
{
    nz_kern kern;
    nz_kern_init(&kern, cpu);
    nz_run run = {.kern = &kern};
    return nz_bytes_decode(s, &run, in, packed, raw, n);
}

static uint8_t raw[LONGEST_SAMPLE], back[LONGEST_SAMPLE];

/* The sample's length; a quarter of it when time is short. */
static size_t make_sample(int k)
{
    size_t n = makers[k](raw);
    return getenv("NZ_SHORT") ? (n + 3) / 4 : n;
}

Test(deep, every_level_gives_back_what_went_in)
{
    for (int level = 5; level <= NZ_LEVEL_MAX; level++) {
        for (int k = 0; k < SAMPLES; k++) {
            nz_shape s;
            size_t n = make_sample(k);
            nz_shape_choose(&s, level, raw, n);
            result r = encode(&s, nz_cpu(), false, raw, n, sizeof r.bytes);
            cr_assert_eq(r.err, NZ_OK, "level %d sample %d", level, k);
            memset(back, 0xa5, n);
            cr_assert_eq(decode(&s, nz_cpu(), r.bytes, r.n, back, n), NZ_OK);
            cr_assert(!memcmp(raw, back, n), "level %d sample %d", level, k);
        }
    }
}

Test(deep, backends_and_helpers_write_the_same_bytes)
{
    for (int level = 5; level <= NZ_LEVEL_MAX; level += 2) {
        for (int k = TEXT; k <= RECORDS; k++) {
            nz_shape s;
            size_t n = make_sample(k) / 2;
            nz_shape_choose(&s, level, raw, n);
            result want = encode(&s, 0, false, raw, n, sizeof want.bytes);
            result fast = encode(&s, nz_cpu(), false, raw, n, sizeof fast.bytes);
            result pair = encode(&s, nz_cpu(), true, raw, n, sizeof pair.bytes);
            cr_assert(want.n == fast.n && !memcmp(want.bytes, fast.bytes, want.n), "level %d",
                      level);
            cr_assert(want.n == pair.n && !memcmp(want.bytes, pair.bytes, want.n), "level %d",
                      level);
        }
    }
}

Test(deep, repeats_cost_almost_nothing)
{
    nz_shape s;
    size_t n = make_repeats(raw);
    nz_shape_choose(&s, 5, raw, n);
    result r = encode(&s, nz_cpu(), false, raw, n, sizeof r.bytes);
    cr_assert_lt(r.n, 900 + 300);
    n = make_equal(raw);
    nz_shape_choose(&s, 5, raw, n);
    r = encode(&s, nz_cpu(), false, raw, n, sizeof r.bytes);
    cr_assert_lt(r.n, 64);
}

Test(deep, output_that_does_not_fit_is_refused)
{
    nz_shape s;
    size_t n = makers[TEXT](raw);
    nz_shape_choose(&s, 5, raw, n);
    result whole = encode(&s, nz_cpu(), false, raw, n, sizeof whole.bytes);
    cr_assert_eq(encode(&s, nz_cpu(), false, raw, n, whole.n).err, NZ_OK);
    for (size_t cap = 0; cap < whole.n; cap += 1 + whole.n / 3)
        cr_assert_eq(encode(&s, nz_cpu(), false, raw, n, cap).err, NZ_E_FULL, "cap %zu", cap);
    cr_assert_eq(encode(&s, nz_cpu(), false, raw, n, whole.n - 1).err, NZ_E_FULL);
}

Test(deep, any_payload_is_safe)
{
    uint32_t seed = 77;
    for (int k = 0; k < 6; k++) {
        nz_shape s;
        uint8_t in[256];
        for (size_t i = 0; i < sizeof in; i++)
            in[i] = k ? (uint8_t)random32(&seed) : 0xff;
        nz_shape_choose(&s, 5 + k % 5, in, sizeof in);
        s.content.kind = (uint8_t)(k % 3);
        s.content.machine = s.content.kind == NZ_KIND_CODE;
        nz_err err = decode(&s, nz_cpu(), in, (size_t)k * 51, back, 2500);
        cr_assert(err == NZ_OK || err == NZ_E_CORRUPT);
    }
}

Test(deep, stopping_stops)
{
    nz_shape s;
    nz_kern kern;
    _Atomic uint64_t done = 0;
    _Atomic int stop = 1;
    size_t packed, n = make_repeats(raw);
    nz_kern_init(&kern, nz_cpu());
    nz_run run = {.kern = &kern, .done = &done, .stop = &stop};
    nz_shape_choose(&s, 5, raw, n);
    cr_assert_eq(nz_bytes_encode(&s, &run, raw, n, back, n, &packed), NZ_E_STOPPED);
    stop = 0;
    done = 0;
    cr_assert_eq(nz_bytes_encode(&s, &run, raw, n, back, n, &packed), NZ_OK);
    cr_assert_eq(done, n);
}

Test(deep, shapes_no_encoder_writes_are_refused)
{
    uint8_t good[NZ_SHAPE_BYTES];
    for (int level = 5; level <= NZ_LEVEL_MAX; level++) {
        nz_shape s, t;
        nz_shape_choose(&s, level, raw, make_text(raw));
        nz_shape_store(&s, good);
        cr_assert_eq(nz_shape_load(&t, good), NZ_OK);
        cr_assert(!memcmp(&s, &t, sizeof s));
        for (int i = 0; i < NZ_SHAPE_BYTES; i++) {
            uint8_t bad[NZ_SHAPE_BYTES];
            memcpy(bad, good, sizeof bad);
            bad[i] = 0xee;
            cr_assert_neq(nz_shape_load(&t, bad), NZ_OK, "level %d byte %d", level, i);
        }
    }
}

Test(deep, memory_is_within_the_promised_limits)
{
    static const uint64_t most[] = {600, 600, 1500, 1500, 3000};
    for (int level = 5; level <= NZ_LEVEL_MAX; level++) {
        nz_shape s = {.numerics = NZ_NUMERICS};
        uint64_t n = nz_level_frame(level) < NZ_FRAME_MAX ? nz_level_frame(level) : 64 << 20;
        uint8_t *zero = calloc(1, n);
        nz_shape_choose(&s, level, zero, n);
        free(zero);
        cr_assert_leq(nz_shape_memory(&s), most[level - 5] * 1000000, "level %d", level);
        nz_shape_choose(&s, level, raw, 10000);
        cr_assert_leq(nz_shape_memory(&s), 120 * 1000000ull, "level %d", level);
    }
}
