/* The turbo form: bits of every backend, round trips of odd numbers at every size around groups,
 * blocks and chunks, parts, damage. KERN_BENCH=1 also prints speeds. */
#include "base/base.h"
#include "lib/seconds.h"
#include "weights/form.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = NZ_CHUNK + 2000, KINDS = 7 };

static const nz_dtype DTYPES[] = {NZ_DT_F16, NZ_DT_BF16, NZ_DT_F32};
static uint8_t raw[4 * MOST], back[4 * MOST];
static uint32_t state;

static uint32_t next(void)
{
    return nz_hash32(state++, 0x74757262);
}

static nz_slab slab_of(int type, size_t n)
{
    return (nz_slab){DTYPES[type], n, 384};
}

/* Numbers of one type, in memory order, of a kind: 0 like weights, 1 all zero, 2 any bits, 3 one
 * exponent, 4 few exponents near others, 5 infinities, NaNs, subnormals and -0, 6 weights among
 * zeros. */
static void fill(int type, int kind, size_t n)
{
    static const unsigned fraction[] = {10, 7, 23};
    unsigned bytes = type == 2 ? 4 : 2, low = fraction[type], middle = type ? 120 : 12;
    uint32_t top = (1u << (8 * bytes - 1 - low)) - 1;
    for (size_t i = 0; i < n; i++) {
        uint32_t r = next(), mantissa = next() & ((1u << low) - 1), exponent;
        unsigned below = (unsigned)__builtin_ctz(r | 1u << 30);
        switch (kind) {
        case 0: exponent = middle - below + (r >> 31); break;
        case 1: exponent = mantissa = r = 0; break;
        case 3: exponent = middle; break;
        case 4: exponent = i % 8 * (top / 8); break;
        case 5:
            exponent = r & 2 ? top : 0;
            mantissa *= r >> 2 & 1;
            break;
        case 6:
            exponent = r & 6 ? 0 : middle - below;
            mantissa *= exponent > 0;
            break;
        default: exponent = r >> 8;
        }
        uint32_t x = (exponent & top) << low | mantissa | (r & 1) << (8 * bytes - 1);
        for (unsigned k = 0; k < bytes; k++)
            raw[i * bytes + k] = (uint8_t)(x >> 8 * k);
    }
}

static void round_trip(const nz_kern *e, const nz_kern *d, int type, size_t n, nz_buf *out)
{
    nz_slab s = slab_of(type, n);
    size_t bytes = (size_t)nz_slab_bytes(&s);
    out->n = 0;
    cr_assert(!nz_turbo_encode(&s, e, raw, out));
    memset(back, 0xee, bytes);
    cr_assert(!nz_turbo_decode(&s, d, nz_span_of(out->p, out->n), back, 0, n), "n=%zu", n);
    cr_assert(!memcmp(raw, back, bytes), "n=%zu", n);
}

Test(turbo, backends_write_the_same)
{
    nz_kern c, here;
    nz_kern_init(&c, 0);
    nz_kern_init(&here, nz_cpu());
    for (int type = 0; type < 3; type++)
        for (int kind = 0; kind < KINDS; kind++) {
            nz_slab s = slab_of(type, MOST);
            nz_buf a = {0}, b = {0};
            fill(type, kind, MOST);
            cr_assert(!nz_turbo_encode(&s, &c, raw, &a));
            cr_assert(!nz_turbo_encode(&s, &here, raw, &b));
            cr_assert(a.n == b.n && !memcmp(a.p, b.p, a.n), "type %d, kind %d", type, kind);
            nz_buf_free(&a);
            nz_buf_free(&b);
        }
}

/* Any bits are groups. Backends take as much of what there is, and then write the same. */
Test(turbo, backends_read_the_same)
{
    enum { N = 64 * NZ_TURBO_GROUP, ROOM = 64 * NZ_TURBO_F32_BYTES };
    static uint8_t noise[ROOM], other[4 * N];
    nz_kern c, here;
    nz_kern_init(&c, 0);
    nz_kern_init(&here, nz_cpu());
    for (int round = 0; round < 1000; round++) {
        for (size_t i = 0; i < ROOM; i++)
            noise[i] = (uint8_t)next();
        for (unsigned shape = 0; shape < NZ_TURBO_SHAPES; shape++) {
            nz_turbo_in in = {.base = noise, .groups = noise, .odd = noise};
            in.odd_end = noise + next() % (ROOM - NZ_TURBO_SLACK);
            for (int d = 0; d < NZ_TURBO_LATER; d++) {
                in.bits[d] = noise;
                in.bit_end[d] = next() % (8 * (ROOM - NZ_TURBO_SLACK));
            }
            nz_turbo_in too = in;
            memset(back, 0, 4 * N);
            memset(other, 0, 4 * N);
            c.turbo_join[shape](back, &in, N);
            here.turbo_join[shape](other, &too, N);
            cr_assert(in.at == too.at && in.odd == too.odd);
            cr_assert(!memcmp(in.bit, too.bit, sizeof in.bit));
            cr_assert(!memcmp(back, other, sizeof other), "shape %u", shape);
        }
    }
}

Test(turbo, round_trips)
{
    nz_kern c, here;
    nz_kern_init(&c, 0);
    nz_kern_init(&here, nz_cpu());
    nz_buf out = {0};
    for (int type = 0; type < 3; type++)
        for (int kind = 0; kind < KINDS; kind++) {
            fill(type, kind, MOST);
            for (size_t n = 0; n <= 200; n++) {
                round_trip(&here, &here, type, n, &out);
                round_trip(&here, &c, type, n, &out);
            }
            for (size_t n = NZ_TURBO_BLOCK - 33; n < NZ_TURBO_BLOCK + 34; n += 11)
                round_trip(&c, &here, type, n, &out);
            for (size_t n = NZ_CHUNK - 1; n < NZ_CHUNK + 2; n++)
                round_trip(&here, &here, type, n, &out);
            round_trip(&here, &c, type, MOST, &out);
        }
    nz_buf_free(&out);
}

Test(turbo, parts)
{
    nz_kern here;
    nz_kern_init(&here, nz_cpu());
    for (int type = 0; type < 3; type++) {
        nz_slab s = slab_of(type, MOST);
        nz_buf out = {0};
        size_t bytes = type == 2 ? 4 : 2;
        fill(type, 0, MOST);
        cr_assert(!nz_turbo_encode(&s, &here, raw, &out));
        for (int k = 0; k < 300; k++) {
            size_t from = k % 2 ? next() % MOST : NZ_CHUNK - next() % 700;
            size_t n = next() % (k % 3 ? 1500 : MOST);
            n = n < MOST - from ? n : MOST - from;
            memset(back, 0xee, (n + 1) * bytes);
            cr_assert(!nz_turbo_decode(&s, &here, nz_span_of(out.p, out.n), back, from, n));
            cr_assert(!memcmp(raw + from * bytes, back, n * bytes), "%zu at %zu", n, from);
            cr_assert(back[n * bytes] == 0xee);
        }
        nz_buf_free(&out);
    }
}

/* Cut or lengthened, which is noticed, or with a byte changed, which may be: nothing outside is
 * read or written in any case. */
Test(turbo, corrupt)
{
    nz_kern c, here;
    nz_kern_init(&c, 0);
    nz_kern_init(&here, nz_cpu());
    for (int type = 0; type < 3; type++)
        for (int k = 0; k < 3000; k++) {
            size_t n = 1 + next() % 3000, bytes = n * (type == 2 ? 4 : 2);
            nz_slab s = slab_of(type, n);
            nz_buf out = {0};
            fill(type, (int)(next() % KINDS), n);
            cr_assert(!nz_turbo_encode(&s, &here, raw, &out));
            size_t size = k % 3 == 1 ? next() % out.n : out.n + (k % 3 == 2);
            uint8_t *copy = malloc(size ? size : 1), *to = malloc(bytes);
            cr_assert(copy && to);
            memcpy(copy, out.p, size < out.n ? size : out.n);
            if (size > out.n)
                copy[size - 1] = 0;
            else if (size == out.n)
                copy[next() % (k % 2       ? size
                               : size < 20 ? size
                                           : 20)] ^= (uint8_t)(1 + next() % 255);
            const nz_kern *kern = k % 2 ? &c : &here;
            nz_err err = nz_turbo_decode(&s, kern, nz_span_of(copy, size), to, 0, n);
            cr_assert(size == out.n || err == NZ_E_CORRUPT, "cut to %zu", size);
            free(copy);
            free(to);
            nz_buf_free(&out);
        }
}

/* By way of slabs: what suits the form takes it, and what does not takes another. */
Test(turbo, slabs)
{
    static const double largest[KINDS] = {.70, .05, 1.01, .70, 1.01, 1.01, 1.01};
    nz_kern here;
    nz_kern_init(&here, nz_cpu());
    for (int kind = 0; kind < KINDS; kind++) {
        nz_slab s = slab_of(1, 100000);
        nz_tables tables = {0};
        nz_buf out = {0};
        fill(1, kind, 100000);
        cr_assert(!nz_slab_encode(&s, NZ_MODE_TURBO, &here, &tables, NULL, raw, &out));
        if (kind != 2 && kind != 5)
            cr_assert_eq(out.p[0] == NZ_FORM_TURBO, kind == 0 || kind == 3, "kind %d", kind);
        cr_assert((double)out.n < largest[kind] * 200000, "kind %d: %zu", kind, out.n);
        cr_assert(
            !nz_slab_decode(&s, &here, &tables, NULL, nz_span_of(out.p, out.n), back, 0, s.n));
        cr_assert(!memcmp(raw, back, 200000));
        nz_tables_free(&tables);
        nz_buf_free(&out);
    }
}

Test(turbo, speed)
{
    if (!getenv("KERN_BENCH"))
        return;
    for (unsigned cpu = 0; cpu <= nz_cpu(); cpu += nz_cpu() ? nz_cpu() : 1)
        for (int type = 0; type < 3; type++) {
            nz_kern k;
            nz_kern_init(&k, cpu);
            nz_slab s = slab_of(type, NZ_CHUNK / 2);
            nz_buf out = {0};
            double best[2] = {1e9, 1e9}, size = (double)nz_slab_bytes(&s) / 1e9;
            fill(type, 0, s.n);
            for (int round = 0; round < 100; round++) {
                out.n = 0;
                double t0 = seconds();
                cr_assert(!nz_turbo_encode(&s, &k, raw, &out));
                double t1 = seconds();
                cr_assert(!nz_turbo_decode(&s, &k, nz_span_of(out.p, out.n), back, 0, s.n));
                double t2 = seconds();
                best[0] = t1 - t0 < best[0] ? t1 - t0 : best[0];
                best[1] = t2 - t1 < best[1] ? t2 - t1 : best[1];
            }
            fprintf(stderr, "turbo %s %d: encode %.2f, decode %.2f GB/s\n", cpu ? "vectors" : "c",
                    DTYPES[type], size / best[0], size / best[1]);
            nz_buf_free(&out);
        }
}
