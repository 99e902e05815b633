/* Images: found by their headers, coded with their own model, refused where no encoder wrote them.
 */
#include "lib/expert.h"
#include "model/raster.h"

#include <stdio.h>

enum { WIDTH = 61, HEIGHT = 40, SIZE = 24000 };

static uint8_t raw[SIZE], packed[2 * SIZE], back[SIZE];

/* Slopes with some noise behind a PNM header. */
static size_t make(uint32_t pixel, uint32_t width)
{
    size_t n = (size_t)sprintf((char *)raw, "P%c\n# a test\n%d %d\n255\n", pixel > 1 ? '6' : '5',
                               (int)width, HEIGHT);
    uint32_t seed = 1;
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < width * pixel; x++) {
            seed = seed * 1103515245 + 12345;
            raw[n++] = (uint8_t)(40 + 2 * x / pixel + y + (seed >> 16 & 3) + 20 * (x % pixel));
        }
    return n;
}

/* The same of 16-bit samples. */
static size_t make_wide(void)
{
    size_t n = (size_t)sprintf((char *)raw, "P5 %d %d 4095\n", WIDTH, HEIGHT);
    uint32_t seed = 1;
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            seed = seed * 1103515245 + 12345;
            uint32_t v = 900 + 30 * x + 17 * y + (seed >> 16 & 15);
            raw[n++] = (uint8_t)(v >> 8);
            raw[n++] = (uint8_t)v;
        }
    return n;
}

/* Stripes that lean, some of their pixels flipped, and a blank margin. */
static size_t make_bits(void)
{
    enum { ROW = 25, ROWS = 120 };
    size_t n = (size_t)sprintf((char *)raw, "P4 %d %d\n", 8 * ROW, ROWS);
    uint32_t seed = 1;
    for (uint32_t y = 0; y < ROWS; y++)
        for (uint32_t x = 0; x < ROW; x++) {
            seed = seed * 1103515245 + 12345;
            uint32_t stripe = 0x0ff00ff0u >> ((y + 8 * x) % 12) & 0xff;
            raw[n++] = x < 8 ? 0 : (uint8_t)(stripe ^ ((seed >> 16 & 31) < 3) << (seed >> 24 & 7));
        }
    return n;
}

static void check(int level, int kind, size_t n)
{
    nz_shape s;
    nz_shape_choose(&s, level, raw, n);
    cr_assert_eq(s.content.kind, kind);
    check_expert(&s, raw, n);
}

Test(image, comes_back_and_is_small)
{
    for (int level = 5; level <= (getenv("NZ_SHORT") ? 5 : NZ_LEVEL_MAX); level += 2) {
        check(level, NZ_KIND_IMAGE, make(1, WIDTH));
        check(level, NZ_KIND_IMAGE, make(3, WIDTH));
        check(level, NZ_KIND_IMAGE, make(3, 5));
        check(level, NZ_KIND_BILEVEL, make_bits());
        check(level, NZ_KIND_IMAGE, make_wide());
    }
}

/* A TIFF of one strip: its header, a directory of six fields, and samples from an odd place on. */
Test(image, little_endian_samples_come_back)
{
    enum { FIRST = 101, ROW = 2 * WIDTH };
    static const uint16_t fields[6][2] = {{256, WIDTH}, {257, HEIGHT}, {258, 16},
                                          {259, 1},     {273, FIRST},  {277, 1}};
    memset(raw, 0, FIRST);
    memcpy(raw, "II*\0\10\0\0\0\6", 9);
    for (int i = 0; i < 6; i++) {
        uint8_t *at = raw + 10 + 12 * i;
        nz_store16(at, fields[i][0]);
        at[2] = 3;
        at[4] = 1;
        nz_store16(at + 8, fields[i][1]);
    }
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
        nz_store16(raw + FIRST + 2 * i, (uint16_t)(1000 + 30 * (i % WIDTH) + 11 * (i / WIDTH)));
    size_t n = FIRST + ROW * HEIGHT, size;
    nz_shape s;
    nz_shape_choose(&s, 5, raw, n);
    cr_assert_eq(s.content.kind, NZ_KIND_IMAGE);
    cr_assert_eq(s.content.raster.sample, NZ_SAMPLE_16_LITTLE);
    cr_assert_eq(s.content.raster.first, FIRST);
    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    nz_run run = {.kern = &kern};
    cr_assert_eq(nz_bytes_encode(&s, &run, raw, n, packed, sizeof packed, &size), NZ_OK);
    cr_assert_lt(size, n / 10);
    cr_assert_eq(nz_bytes_decode(&s, &run, packed, size, back, n), NZ_OK);
    cr_assert_arr_eq(back, raw, n);
}

Test(image, only_true_headers_are_taken)
{
    nz_raster r;
    size_t n = make(1, WIDTH);
    cr_assert(nz_raster_find(&r, raw, n));
    cr_assert_not(nz_raster_find(&r, raw, 200), "rows are missing");
    raw[1] = '4';
    cr_assert_not(nz_raster_find(&r, raw, n), "its rows are too short");
    n = make_bits();
    cr_assert(nz_raster_find(&r, raw, n));
    cr_assert_eq(r.pixel, 0);
    raw[1] = '3';
    cr_assert_not(nz_raster_find(&r, raw, n));
}

Test(image, rows_are_found_without_a_header)
{
    enum { ROW = 210, N = 24000 };
    nz_raster r;
    uint32_t seed = 1;
    for (uint32_t i = 0; i < N; i++) {
        seed = seed * 1103515245 + 12345;
        uint32_t x = i % ROW, y = i / ROW;
        raw[i] = (uint8_t)(x * x / 300 + 60 * (x / 9 % 2) + y / 4 + (seed >> 16 & 7));
    }
    cr_assert(nz_raster_guess(&r, raw, N));
    cr_assert_eq(r.row, ROW);
    cr_assert_eq(r.pixel, 1);
    cr_assert_eq(r.sample, NZ_SAMPLE_8);
    cr_assert_not(nz_raster_guess(&r, raw, 8 * ROW));

    for (uint32_t i = 0; i < N; i++) { /* records of counters and noise */
        seed = seed * 1103515245 + 12345;
        raw[i] = (uint8_t)(i % 24 < 4 ? i / 24 >> 8 * (i % 4) : i % 24 < 12 ? 7 : seed >> 16);
    }
    cr_assert_not(nz_raster_guess(&r, raw, N));
}

Test(image, shapes_no_encoder_writes_are_refused)
{
    nz_shape s, t;
    uint8_t stored[NZ_SHAPE_BYTES];
    nz_shape_choose(&s, 9, raw, make(3, WIDTH));
    nz_shape_store(&s, stored);
    cr_assert_eq(nz_shape_load(&t, stored), NZ_OK);
    cr_assert_eq(t.content.raster.row, s.content.raster.row);
    cr_assert_eq(t.content.raster.first, s.content.raster.first);
    stored[15] = 5;
    cr_assert_eq(nz_shape_load(&t, stored), NZ_E_CORRUPT);
    stored[15] = 3 | NZ_SAMPLE_16 << 4;
    cr_assert_eq(nz_shape_load(&t, stored), NZ_E_CORRUPT, "half a sample");
    stored[15] = 2 | NZ_SAMPLES << 4;
    cr_assert_eq(nz_shape_load(&t, stored), NZ_E_CORRUPT);
    stored[15] = 0;
    cr_assert_eq(nz_shape_load(&t, stored), NZ_E_CORRUPT, "1-bit pixels are another kind");
    stored[3] = NZ_KIND_BILEVEL;
    cr_assert_eq(nz_shape_load(&t, stored), NZ_OK);
    nz_store16(stored + 11, 15);
    cr_assert_eq(nz_shape_load(&t, stored), NZ_E_CORRUPT, "the row is too short");
    nz_shape_store(&s, stored);
    stored[3] = NZ_KIND_BINARY;
    cr_assert_eq(nz_shape_load(&t, stored), NZ_E_CORRUPT);
}
