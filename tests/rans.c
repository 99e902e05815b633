/* rANS: round trips at every size around the lanes, tables of every shape, bits of every backend.
 * KERN_BENCH=1 also prints speeds. */
#include "coder/rans.h"
#include "base/base.h"
#include "lib/seconds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES = 3, MOST = 1 << 18 };

static uint16_t freq[TABLES][256];
static nz_rans_encoder enc[TABLES];
static nz_rans_decoder dec[TABLES];
static uint8_t symbols[MOST], set[MOST], back[MOST], code[2 * MOST + 4 * NZ_RANS_LANES];
static uint32_t state;

static uint32_t next(void)
{
    return nz_hash32(state++, 0x72616e73);
}

/* Two symbols only, all 256 alike, and a steep one; then symbols drawn from them. */
static void setup(void)
{
    memset(freq, 0, sizeof freq);
    freq[0][7] = 1;
    freq[0][255] = NZ_RANS_SLOTS - 1;
    for (int i = 0; i < 256; i++)
        freq[1][i] = NZ_RANS_SLOTS / 256;
    uint16_t left = NZ_RANS_SLOTS;
    for (int i = 0; i < 200; i++) {
        freq[2][i] = (uint16_t)(left > 400 ? left / 4 : 1);
        left = (uint16_t)(left - freq[2][i]);
    }
    freq[2][100] = (uint16_t)(freq[2][100] + left);
    for (int t = 0; t < TABLES; t++) {
        nz_rans_encoder_init(&enc[t], freq[t]);
        nz_rans_decoder_init(&dec[t], freq[t]);
    }
    for (size_t i = 0; i < MOST; i++) {
        set[i] = (uint8_t)(next() % TABLES);
        symbols[i] = (uint8_t)dec[set[i]].slot[next() % NZ_RANS_SLOTS];
    }
}

static void round_trip(const nz_kern *e, const nz_kern *d, size_t n, const uint8_t *sets,
                       size_t piece)
{
    uint8_t *end = code + nz_rans_bound(n);
    size_t size = nz_rans_encode(e, enc, sets, symbols, n, end);
    nz_rans r;
    memset(back, 0, n);
    nz_rans_open(&r, end - size, size, n);
    for (size_t i = 0; i < n; i += piece)
        nz_rans_decode(d, &r, dec, sets ? sets + i : NULL, back + i, n - i < piece ? n - i : piece);
    cr_assert(!nz_rans_close(&r), "n=%zu", n);
    cr_assert(!memcmp(symbols, back, n), "n=%zu", n);
}

static size_t sizes(size_t k)
{
    return k < 70 ? k : k < 140 ? NZ_RANS_WIDE - 105 + k : MOST - k + 140;
}

Test(rans, round_trips, .init = setup)
{
    nz_kern c, here;
    nz_kern_init(&c, 0);
    nz_kern_init(&here, nz_cpu());
    for (size_t k = 0; k < 150; k++) {
        round_trip(&here, &c, sizes(k), set, 4096);
        round_trip(&c, &here, sizes(k), set, 32);
    }
}

Test(rans, one_table, .init = setup)
{
    nz_kern c, here;
    nz_kern_init(&c, 0);
    nz_kern_init(&here, nz_cpu());
    for (int t = 0; t < TABLES; t++) {
        for (size_t i = 0; i < MOST; i++)
            symbols[i] = (uint8_t)dec[t].slot[next() % NZ_RANS_SLOTS];
        enc[0] = enc[t];
        dec[0] = dec[t];
        for (size_t k = 0; k < 150; k += 3) {
            round_trip(&here, &c, sizes(k), NULL, 4096);
            round_trip(&c, &here, sizes(k), NULL, MOST);
        }
    }
}

Test(rans, backends_write_the_same, .init = setup)
{
    nz_kern c, here;
    nz_kern_init(&c, 0);
    nz_kern_init(&here, nz_cpu());
    uint8_t *end = code + nz_rans_bound(MOST), *other = malloc(nz_rans_bound(MOST));
    cr_assert(other);
    size_t a = nz_rans_encode(&c, enc, set, symbols, MOST, end);
    size_t b = nz_rans_encode(&here, enc, set, symbols, MOST, other + nz_rans_bound(MOST));
    cr_assert_eq(a, b);
    cr_assert(!memcmp(end - a, other + nz_rans_bound(MOST) - b, a));
    free(other);
}

/* Cut, which the close notices, or with a byte changed, which it may: no more than the buffer is
 * read in either case. */
Test(rans, corrupt, .init = setup)
{
    nz_kern here;
    nz_kern_init(&here, nz_cpu());
    for (size_t n = 100; n <= 10000; n += 9900) {
        uint8_t *end = code + nz_rans_bound(n);
        size_t size = nz_rans_encode(&here, enc, set, symbols, n, end);
        for (int k = 0; k < 300; k++) {
            size_t cut = k % 2 ? next() % size : size;
            uint8_t *copy = malloc(cut ? cut : 1);
            cr_assert(copy);
            memcpy(copy, end - size, cut);
            if (!(k % 2))
                copy[next() % size] ^= (uint8_t)(1 + next() % 255);
            nz_rans r;
            nz_rans_open(&r, copy, cut, n);
            nz_rans_decode(&here, &r, dec, set, back, n);
            cr_assert(cut == size || nz_rans_close(&r) == NZ_E_CORRUPT);
            free(copy);
        }
    }
}

Test(rans, speed, .init = setup)
{
    if (!getenv("KERN_BENCH"))
        return;
    for (unsigned cpu = 0; cpu <= nz_cpu(); cpu += nz_cpu() ? nz_cpu() : 1)
        for (int sets = 0; sets < 2; sets++) {
            nz_kern k;
            nz_kern_init(&k, cpu);
            if (!sets)
                for (size_t i = 0; i < MOST; i++)
                    symbols[i] = (uint8_t)dec[0].slot[next() % NZ_RANS_SLOTS];
            double best[2] = {1e9, 1e9};
            for (int round = 0; round < 50; round++) {
                uint8_t *end = code + nz_rans_bound(MOST);
                double t0 = seconds();
                size_t size = nz_rans_encode(&k, enc, sets ? set : NULL, symbols, MOST, end);
                double t1 = seconds();
                nz_rans r;
                nz_rans_open(&r, end - size, size, MOST);
                nz_rans_decode(&k, &r, dec, sets ? set : NULL, back, MOST);
                double t2 = seconds();
                best[0] = t1 - t0 < best[0] ? t1 - t0 : best[0];
                best[1] = t2 - t1 < best[1] ? t2 - t1 : best[1];
            }
            fprintf(stderr, "rans %s %s: encode %.0f, decode %.0f million symbols a second\n",
                    cpu ? "vectors" : "c", sets ? "3 tables" : "1 table", MOST / best[0] / 1e6,
                    MOST / best[1] / 1e6);
            setup();
        }
}
