/* Repeats: round trips of what repeats and of what does not, streams that nobody made, the bytes
 * themselves. LZ_BENCH=1 also prints speeds. */
#include "weights/lz.h"
#include "base/base.h"
#include "lib/seconds.h"
#include "nz.h"
#include "weights/plane.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

enum { MOST = 1 << 16, STREAMS = NZ_LZ_STREAMS };

static uint8_t bytes[MOST];
static uint32_t state;

static uint32_t next(void)
{
    return nz_hash32(state++, 0x6c7a);
}

static void noise(uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)next();
}

static void parse(nz_buf stream[STREAMS], const uint8_t *p, size_t n)
{
    memset(stream, 0, STREAMS * sizeof *stream);
    cr_assert(!nz_lz_parse(stream, p, n, 128));
}

static void free_all(nz_buf stream[STREAMS])
{
    for (unsigned k = 0; k < STREAMS; k++)
        nz_buf_free(&stream[k]);
}

/* Into memory of exactly n bytes, from copies of exactly the streams' sizes, for the sanitizers. */
static nz_err expand(uint8_t *to, size_t n, const nz_buf stream[STREAMS])
{
    nz_span from[STREAMS];
    uint8_t *copy[STREAMS], *room = malloc(n ? n : 1);
    for (unsigned k = 0; k < STREAMS; k++) {
        copy[k] = malloc(stream[k].n ? stream[k].n : 1);
        cr_assert(copy[k]);
        if (stream[k].n)
            memcpy(copy[k], stream[k].p, stream[k].n);
        from[k] = nz_span_of(copy[k], stream[k].n);
    }
    nz_err err = nz_lz_expand(room, n, from);
    if (!err && to)
        memcpy(to, room, n);
    for (unsigned k = 0; k < STREAMS; k++)
        free(copy[k]);
    free(room);
    return err;
}

/* Returns the bytes of all streams. */
static size_t round_trip(const uint8_t *p, size_t n, const char *what)
{
    static uint8_t back[MOST];
    nz_buf stream[STREAMS];
    size_t sum = 0;
    parse(stream, p, n);
    cr_assert(!expand(back, n, stream), "%s, n=%zu", what, n);
    cr_assert(!memcmp(back, p, n), "%s, n=%zu", what, n);
    size_t steps = stream[NZ_LZ_RUNS].n, literals = stream[NZ_LZ_LITERALS].n;
    cr_assert(literals + NZ_LZ_MATCH * steps <= n);
    cr_assert(stream[NZ_LZ_EXTRA].n <= steps * NZ_LZ_EXTRA_MOST);
    for (unsigned k = 0; k < STREAMS; k++)
        sum += stream[k].n;
    free_all(stream);
    return sum;
}

Test(lz, short_ones)
{
    static const uint8_t one = 7;
    round_trip(&one, 1, "one");
    for (size_t n = 1; n < 40; n++) {
        memset(bytes, 9, n);
        round_trip(bytes, n, "all equal");
        noise(bytes, n);
        round_trip(bytes, n, "noise");
    }
}

Test(lz, periods)
{
    for (size_t period = 1; period <= 70; period++)
        for (size_t n = period; n < MOST; n = 3 * n + period) {
            noise(bytes, period);
            for (size_t i = period; i < n; i++)
                bytes[i] = bytes[i - period];
            size_t sum = round_trip(bytes, n, "period");
            cr_assert(sum <= period + 32, "period %zu: %zu of %zu", period, sum, n);
        }
}

Test(lz, noise)
{
    noise(bytes, MOST);
    cr_assert(round_trip(bytes, MOST, "noise") <= MOST + 64);
}

Test(lz, far_and_long)
{
    for (size_t length = 8; length <= 5000; length = 2 * length + 3)
        for (size_t distance = length; distance < MOST - length; distance = 3 * distance / 2) {
            noise(bytes, distance + length);
            memcpy(bytes + distance, bytes, length);
            size_t sum = round_trip(bytes, distance + length, "far");
            cr_assert(sum <= distance + distance / 256 + 64, "%zu at %zu: %zu", length, distance,
                      sum);
        }
}

/* Rows of noise, one in four as one before, in more bytes than all places are remembered of. */
Test(lz, rows)
{
    enum { LARGE = 1 << 21, ROW = 384 };
    uint8_t *p = malloc(LARGE), *back = malloc(LARGE);
    nz_buf stream[STREAMS];
    nz_span from[STREAMS];
    size_t sum = 0;
    cr_assert(p && back);
    noise(p, LARGE);
    for (size_t at = 4 * ROW; at + ROW <= LARGE; at += 4 * ROW)
        memcpy(p + at, p + next() % (at / ROW) * ROW, ROW);
    parse(stream, p, LARGE);
    for (unsigned k = 0; k < STREAMS; k++) {
        from[k] = nz_span_of(stream[k].p, stream[k].n);
        sum += stream[k].n;
    }
    cr_assert(sum < LARGE / 100 * 77, "%zu", sum);
    cr_assert(!nz_lz_expand(back, LARGE, from));
    cr_assert(!memcmp(back, p, LARGE));
    free_all(stream);
    free(p);
    free(back);
}

/* Repeats of all lengths and distances, between literals, few and many symbols. */
Test(lz, mixed)
{
    for (int round = 0; round < 60; round++) {
        unsigned symbols = 1 + next() % (round % 2 ? 4 : 256);
        size_t n = 0;
        while (n < MOST) {
            size_t length = 1 + next() % (1u << next() % 11);
            length = length < MOST - n ? length : MOST - n;
            if (n && next() % 2) {
                size_t distance = 1 + next() % (next() % 2 ? n : n < 20 ? n : 20);
                for (size_t i = 0; i < length; i++)
                    bytes[n + i] = bytes[n + i - distance];
            } else {
                for (size_t i = 0; i < length; i++)
                    bytes[n + i] = (uint8_t)(next() % symbols);
            }
            n += length;
        }
        round_trip(bytes, MOST - next() % 99, "mixed");
    }
}

/* Rows of slowly growing numbers, half of them as the row before: something like a table. */
static void table(uint8_t *to, size_t n)
{
    enum { ROW = 96 };
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(i % ROW < ROW / 2 && i >= ROW && next() % 16 ? to[i - ROW]
                                                                       : i / ROW * (i % ROW));
}

Test(lz, corrupt)
{
    nz_buf stream[STREAMS], bad[STREAMS];
    table(bytes, 20000);
    parse(stream, bytes, 20000);
    for (unsigned k = 0; k < STREAMS; k++)
        cr_assert(stream[k].n > 8);
    for (int round = 0; round < 20000; round++) {
        for (unsigned k = 0; k < STREAMS; k++) {
            bad[k] = (nz_buf){0};
            nz_buf_put(&bad[k], stream[k].p, stream[k].n);
        }
        unsigned k = next() % STREAMS;
        size_t n = 20000;
        switch (round % 4) {
        case 0: bad[k].p[next() % bad[k].n] ^= (uint8_t)(1 + next() % 255); break;
        case 1: bad[k].n -= 1 + next() % (round % 8 < 4 ? 3 : bad[k].n); break;
        case 2: nz_buf_byte(&bad[k], next()); break;
        case 3: n = next() % 2 ? next() % 20000 : 20001 + next() % 20000; break;
        }
        nz_err err = expand(NULL, n, bad);
        cr_assert(err == NZ_OK || err == NZ_E_CORRUPT);
        cr_assert(round % 4 == 0 || err == NZ_E_CORRUPT, "round %d", round);
        free_all(bad);
    }
    free_all(stream);
}

/* Symbols without sense, even of all kinds. */
Test(lz, never_made)
{
    for (int round = 0; round < 20000; round++) {
        nz_buf stream[STREAMS] = {{0}};
        size_t steps = next() % 20;
        for (unsigned k = 0; k < STREAMS; k++)
            for (size_t i = k == NZ_LZ_LITERALS || k == NZ_LZ_EXTRA ? next() % 64 : steps; i; i--)
                nz_buf_byte(&stream[k], next() % (k == NZ_LZ_LITERALS ? 256 : 1 + next() % 60));
        nz_err err = expand(NULL, next() % 300, stream);
        cr_assert(err == NZ_OK || err == NZ_E_CORRUPT);
        free_all(stream);
    }
}

/* What is written is part of what an archive is: the same everywhere and always. */
Test(lz, pinned)
{
    nz_buf stream[STREAMS];
    XXH64_hash_t digest = 0;
    state = 1;
    table(bytes, MOST);
    parse(stream, bytes, MOST);
    for (unsigned k = 0; k < STREAMS; k++)
        digest = XXH64(stream[k].p, stream[k].n, digest);
    cr_assert_eq(digest, UINT64_C(0x6068ad118d2e12f1), "%016llx", (unsigned long long)digest);
    free_all(stream);
}

static bool likely(const uint8_t *p, size_t n, uint8_t price)
{
    uint8_t prices[256];
    memset(prices, price, sizeof prices);
    return nz_lz_likely(p, n, NZ_LZ_MOST, price, prices);
}

Test(lz, likely)
{
    enum { LARGE = 1 << 20, ROW = 384 };
    uint8_t *p = malloc(LARGE);
    cr_assert(p);
    for (size_t n = 0; n <= LARGE; n = n < 5000 ? n + 100 : 3 * n / 2) {
        noise(p, n);
        cr_assert(!likely(p, n, 128), "n=%zu", n);
    }
    /* One row in four is one of before. */
    for (size_t at = 4 * ROW; at + ROW <= LARGE; at += 4 * ROW)
        memcpy(p + at, p + next() % (at / ROW) * ROW, ROW);
    cr_assert(likely(p, LARGE, 128));
    for (size_t n = 4000; n <= LARGE; n *= 2) {
        table(p, n);
        cr_assert(likely(p, n, 100), "n=%zu", n);
    }
    /* Few symbols, drawn at random, repeat by chance only. */
    for (size_t i = 0; i < LARGE; i++)
        p[i] = (uint8_t)(next() % 4);
    cr_assert(!likely(p, LARGE, 32));
    memset(p, 0, LARGE);
    cr_assert(likely(p, LARGE, 32));
    cr_assert(!likely(p, LARGE, 0), "what costs nothing");
    free(p);
}

/* A plane of repeats, in chunks, through its stored form. */
static size_t plane(const uint8_t *p, size_t n, size_t chunk, size_t strip, nz_plane_kind kind)
{
    static uint32_t counts[1][256];
    nz_tables tables = {0}, loaded = {0};
    nz_plane plane, back;
    nz_kern kern;
    nz_buf out = {0}, to = {0};
    nz_kern_init(&kern, nz_cpu());
    memset(counts, 0, sizeof counts);
    nz_plane_count(counts, p, NULL, n);
    cr_assert(!nz_plane_choose_repeats(&plane, &tables, counts, 1, p, n, chunk));
    cr_assert_eq(plane.kind, kind);
    cr_assert(!nz_tables_store(&tables, &out));
    nz_plane_store(&plane, &out);
    for (size_t at = 0; at < n; at += chunk)
        nz_plane_encode(&plane, &kern, p + at, NULL, n - at < chunk ? n - at : chunk, &out);
    cr_assert(!out.failed);

    nz_span in = nz_span_of(out.p, out.n);
    uint8_t *room = malloc(strip);
    cr_assert(room && !nz_tables_load(&loaded, &in) && !nz_plane_load(&back, &loaded, &in));
    for (size_t at = 0; at < n; at += chunk) {
        nz_plane_reader r;
        size_t size = n - at < chunk ? n - at : chunk;
        cr_assert(!nz_plane_open(&r, &back, size, &in));
        for (size_t i = 0; i < size; i += strip) {
            size_t m = size - i < strip ? size - i : strip;
            nz_buf_put(&to, nz_plane_read(&r, &kern, NULL, room, m), m);
        }
        cr_assert(!nz_plane_close(&r));
    }
    cr_assert(!in.bad && !nz_span_left(&in));
    cr_assert(to.n == n && !memcmp(to.p, p, n));
    size_t size = out.n;
    free(room);
    nz_plane_free(&plane);
    nz_plane_free(&back);
    nz_tables_free(&tables);
    nz_tables_free(&loaded);
    nz_buf_free(&out);
    nz_buf_free(&to);
    return size;
}

Test(lz, planes)
{
    table(bytes, MOST);
    plane(bytes, MOST, MOST, 4096, NZ_PLANE_LZ);
    plane(bytes, MOST, 20000, 32, NZ_PLANE_LZ);
    plane(bytes, 3000, 3000, 3000, NZ_PLANE_LZ);
    for (size_t i = 0; i < MOST; i++)
        bytes[i] = (uint8_t)i;
    cr_assert(plane(bytes, MOST, MOST, 4096, NZ_PLANE_LZ) < 700);
    noise(bytes, MOST);
    plane(bytes, MOST, MOST, 4096, NZ_PLANE_RAW);
    memset(bytes, 1, MOST);
    plane(bytes, MOST, MOST, 4096, NZ_PLANE_FILL);
}

/* A byte changed or the end cut off, in all that is stored. */
Test(lz, corrupt_planes)
{
    static uint32_t counts[1][256];
    enum { N = 10000 };
    nz_tables tables = {0};
    nz_plane plane;
    nz_kern kern;
    nz_buf out = {0};
    nz_kern_init(&kern, nz_cpu());
    table(bytes, N);
    nz_plane_count(counts, bytes, NULL, N);
    cr_assert(!nz_plane_choose_repeats(&plane, &tables, counts, 1, bytes, N, N));
    cr_assert_eq(plane.kind, NZ_PLANE_LZ);
    nz_plane_store(&plane, &out);
    nz_plane_encode(&plane, &kern, bytes, NULL, N, &out);
    for (int round = 0; round < 5000; round++) {
        size_t n = round % 2 ? next() % out.n : out.n;
        uint8_t *copy = malloc(n ? n : 1), *room = malloc(N);
        cr_assert(copy && room);
        memcpy(copy, out.p, n);
        if (!(round % 2)) /* the head often, where it hurts most */
            copy[next() % (next() % 2 ? 24 : n)] ^= (uint8_t)(1 + next() % 255);
        nz_span in = nz_span_of(copy, n);
        nz_plane back;
        nz_err err = nz_plane_load(&back, &tables, &in);
        if (!err) {
            nz_plane_reader r;
            err = nz_plane_open(&r, &back, N, &in);
            for (size_t at = 0; at < N && !err; at += 4096)
                nz_plane_read(&r, &kern, NULL, room, N - at < 4096 ? N - at : 4096);
            err = err ? err : nz_plane_close(&r);
            nz_plane_free(&back);
        }
        cr_assert(err == NZ_OK || err == NZ_E_CORRUPT);
        cr_assert(round % 2 == 0 || err == NZ_E_CORRUPT);
        free(copy);
        free(room);
    }
    nz_plane_free(&plane);
    nz_tables_free(&tables);
    nz_buf_free(&out);
}

Test(lz, speed)
{
    enum { N = 1 << 20 };
    if (!getenv("LZ_BENCH"))
        return;
    uint8_t *p = malloc(N), *back = malloc(N);
    cr_assert(p && back);
    table(p, N);
    double best[3] = {1e9, 1e9, 1e9};
    nz_buf stream[STREAMS];
    for (int round = 0; round < 20; round++) {
        double t0 = seconds();
        parse(stream, p, N);
        double t1 = seconds();
        nz_span from[STREAMS];
        for (unsigned k = 0; k < STREAMS; k++)
            from[k] = nz_span_of(stream[k].p, stream[k].n);
        double t2 = seconds();
        cr_assert(!nz_lz_expand(back, N, from));
        double t3 = seconds();
        best[0] = t1 - t0 < best[0] ? t1 - t0 : best[0];
        best[1] = t3 - t2 < best[1] ? t3 - t2 : best[1];
        free_all(stream);
    }
    noise(p, N);
    for (int round = 0; round < 20; round++) {
        double t0 = seconds();
        cr_assert(!likely(p, N, 128));
        double t1 = seconds();
        best[2] = t1 - t0 < best[2] ? t1 - t0 : best[2];
    }
    fprintf(stderr, "lz: parse %.0f, expand %.0f, reject %.0f MB/s\n", N / best[0] / 1e6,
            N / best[1] / 1e6, N / best[2] / 1e6);
    free(p);
    free(back);
}
