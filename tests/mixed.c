/* Frames of several kinds of data: cut, coded by views in turns, put together again; damage is
 * found or harmless. */
#include "mixed/cut.h"
#include "mixed/map.h"
#include "mixed/plan.h"
#include "packed/describe.h"
#include "packed/filter.h"
#include "packed/find.h"
#include "packed/sums.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { WIDTH = 48, HEIGHT = 40, PIXEL = 3, ROW = WIDTH * PIXEL, WIDTH_MOST = 128 };

static uint32_t random32(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

static void put_words(nz_buf *to, size_t n)
{
    uint32_t s = 1;
    for (size_t end = to->n + n; to->n < end;) {
        static const char *const word[] = {"light ", "of ", "the ",  "sea, ",
                                           "and ",   "a ",  "ship\n"};
        const char *w = word[random32(&s) >> 8 & 7 ? random32(&s) % 7 : 2];
        size_t most = end - to->n, length = strlen(w);
        nz_buf_put(to, w, length < most ? length : most);
    }
}

static void put_records(nz_buf *to, size_t n)
{
    uint32_t s = 2;
    for (size_t i = 0; i < n; i++) {
        size_t field[4] = {i >> 8, i / 16 * 3, random32(&s) >> 28, 200};
        nz_buf_byte(to, (uint8_t)field[i & 3]);
    }
}

static void put_stream(nz_buf *to, const uint8_t *raw, size_t n)
{
    static const uint8_t manner[] = {6, 0x8f};
    cr_assert_eq(nz_rebuild(to, raw, n, manner, sizeof manner, 2 * n + 100), NZ_OK);
}

static void put_gzip(nz_buf *to, const uint8_t *raw, size_t n)
{
    uint8_t sums[8];
    nz_buf_put(to, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
    put_stream(to, raw, n);
    nz_store32(sums, nz_crc32(0, raw, n));
    nz_store32(sums + 4, (uint32_t)n);
    nz_buf_put(to, sums, sizeof sums);
}

static void big32(uint8_t *p, uint32_t v)
{
    nz_store32(p, __builtin_bswap32(v));
}

/* Slopes with some noise. */
static void put_png(nz_buf *to, uint32_t width, uint32_t height)
{
    uint8_t head[33] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", sum[4];
    static uint8_t pixels[HEIGHT * WIDTH_MOST * PIXEL], rows[HEIGHT * (WIDTH_MOST * PIXEL + 1)];
    uint8_t types[HEIGHT];
    uint32_t seed = 3, row = width * PIXEL;
    nz_buf data = {0};
    for (uint32_t y = 0; y < height; y++) {
        types[y] = (uint8_t)(y % NZ_PNG_FILTERS);
        for (uint32_t x = 0; x < row; x++)
            pixels[y * row + x] = (uint8_t)(40 + x + 2 * y + (random32(&seed) >> 30));
    }
    cr_assert(nz_png_filter(rows, pixels, types, height, row, PIXEL));
    big32(head + 16, width);
    big32(head + 20, height);
    head[24] = 8;
    head[25] = 2;
    big32(head + 29, nz_crc32(0, head + 12, 17));
    nz_buf_put(to, head, sizeof head);
    nz_buf_put(&data, "\x78\x9c", 2);
    put_stream(&data, rows, height * (row + 1));
    big32(sum, nz_adler32(1, rows, height * (row + 1)));
    nz_buf_put(&data, sum, sizeof sum);
    nz_png_put(to, data.p, data.n);
    nz_buf_free(&data);
}

static nz_buf make_file(size_t n)
{
    nz_buf file = {0}, text = {0};
    put_words(&file, n);
    put_words(&text, n);
    put_gzip(&file, text.p, text.n);
    put_records(&file, n);
    put_png(&file, WIDTH, HEIGHT);
    nz_buf_free(&text);
    return file;
}

typedef struct packed {
    nz_mixed mixed;
    nz_buf payload;
} packed;

static packed pack(const nz_buf *file, int level)
{
    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    nz_run run = {.kern = &kern};
    nz_plan *plan;
    nz_content all;
    packed p = {0};
    size_t n;
    uint8_t *out = malloc(file->n);
    cr_assert_eq(nz_plan_new(&plan, &all, level, NZ_PRIOR_OFF, file->p, file->n), NZ_OK);
    cr_assert(plan);
    cr_assert_eq(nz_mixed_encode(&p.mixed, plan, &run, &p.payload, out, file->n, &n), NZ_OK);
    nz_buf_put(&p.payload, out, n);
    nz_plan_free(plan);
    free(out);
    return p;
}

static nz_err unpack(const packed *p, uint8_t *raw, size_t n)
{
    nz_kern kern;
    nz_kern_init(&kern, 0);
    nz_run run = {.kern = &kern};
    return nz_mixed_decode(&p->mixed, &run, p->payload.p, p->payload.n, raw, n);
}

Test(mixed, comes_back_at_every_level)
{
    bool brief = getenv("NZ_SHORT");
    nz_buf file = make_file(brief ? 3000 : 13000);
    uint8_t *back = malloc(file.n);
    for (int level = NZ_LEVEL_MIN; level <= (brief ? 5 : NZ_LEVEL_MAX); level += 2) {
        packed p = pack(&file, level);
        cr_assert_lt(p.payload.n, file.n);
        cr_assert_eq(unpack(&p, back, file.n), NZ_OK, "level %d", level);
        cr_assert_eq(memcmp(back, file.p, file.n), 0);
        cr_assert_neq(unpack(&p, back, file.n - 1), NZ_OK);
        nz_buf_free(&p.payload);
    }
    free(back);
    nz_buf_free(&file);
}

/* Each width is a kind of its own; before them is nothing, or records. */
Test(mixed, more_kinds_than_views_come_back)
{
    for (int records = 0; records <= 20000; records += 20000) {
        nz_buf file = {0};
        put_records(&file, (size_t)records);
        for (uint32_t i = 0; i < NZ_VIEWS_MAX + 5; i++)
            put_png(&file, 8 + i, 6);
        uint8_t *back = malloc(file.n);
        packed p = pack(&file, 5);
        cr_assert_eq(unpack(&p, back, file.n), NZ_OK);
        cr_assert_eq(memcmp(back, file.p, file.n), 0);
        free(back);
        nz_buf_free(&p.payload);
        nz_buf_free(&file);
    }
}

Test(mixed, a_plan_that_gives_another_frame_is_refused)
{
    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    nz_run run = {.kern = &kern};
    nz_buf file = make_file(13000), head = {0};
    nz_plan *plan;
    nz_content all;
    nz_mixed m;
    size_t n;
    uint8_t *out = malloc(file.n);
    cr_assert_eq(nz_plan_new(&plan, &all, 1, NZ_PRIOR_OFF, file.p, file.n), NZ_OK);
    plan->contents.p[20000] ^= 1;
    cr_assert_eq(nz_mixed_encode(&m, plan, &run, &head, out, file.n, &n), NZ_E_FULL);
    nz_plan_free(plan);
    nz_buf_free(&head);
    nz_buf_free(&file);
    free(out);
}

Test(mixed, views_are_listed)
{
    nz_buf file = make_file(20000);
    packed p = pack(&file, 5);
    static nz_mixed_list l;
    size_t codes, raw[NZ_KINDS] = {0}, sum;
    cr_assert_eq(nz_mixed_list_load(&l, &codes, p.payload.p, p.payload.n, p.payload.n), NZ_OK);
    sum = codes + l.map_packed;
    for (unsigned i = 0; i < l.views; i++) {
        raw[l.view[i].content.kind] += l.raw[i];
        sum += l.packed[i];
    }
    cr_assert_eq(sum, p.payload.n);
    cr_assert_eq(raw[NZ_KIND_IMAGE], HEIGHT * ROW);
    cr_assert_gt(raw[NZ_KIND_TEXT], 36000);
    cr_assert_gt(raw[NZ_KIND_BINARY], 15000);
    nz_buf_free(&p.payload);
    nz_buf_free(&file);
}

Test(mixed, one_kind_is_left_to_the_bytes_engine)
{
    nz_buf file = {0};
    nz_plan *plan;
    nz_content all;
    put_words(&file, 50000);
    for (int level = NZ_LEVEL_MIN; level <= NZ_LEVEL_MAX; level++) {
        cr_assert_eq(nz_plan_new(&plan, &all, level, NZ_PRIOR_OFF, file.p, file.n), NZ_OK);
        cr_assert_null(plan);
    }
    nz_buf_free(&file);
}

Test(mixed, a_change_of_texture_is_cut)
{
    nz_buf file = {0};
    nz_segments s = {0};
    put_words(&file, 30000);
    put_records(&file, 30000);
    put_words(&file, 3000);
    put_records(&file, 30000);
    nz_content all = nz_content_of(5, file.p, file.n);
    nz_cut(&s, 5, &all, file.p, file.n);
    cr_assert_eq(s.n, 2, "short runs stay");
    cr_assert_eq(s.at[0].content.kind, NZ_KIND_TEXT);
    cr_assert_eq(s.at[1].content.kind, NZ_KIND_BINARY);
    cr_assert_lt(llabs((long long)s.at[0].bytes - 30000), 4096);
    nz_segments_free(&s);
    nz_buf_free(&file);
}

Test(mixed, pictures_are_cut_out)
{
    nz_buf file = {0};
    nz_segments s = {0};
    uint32_t seed = 5;
    put_words(&file, 30000);
    nz_buf_put(&file, "P6\n100 50\n255\n", 14);
    for (int i = 0; i < 100 * 50 * 3; i++)
        nz_buf_byte(&file, (uint8_t)(128 + i / 300 + i % 300 / 4 + (random32(&seed) >> 29)));
    put_words(&file, 30000);
    nz_content all = nz_content_of(5, file.p, file.n);
    nz_cut(&s, 5, &all, file.p, file.n);
    cr_assert_eq(s.n, 3);
    cr_assert_eq(s.at[0].content.kind, NZ_KIND_TEXT);
    cr_assert_eq(s.at[0].bytes, 30014);
    cr_assert_eq(s.at[1].content.kind, NZ_KIND_IMAGE);
    cr_assert_eq(s.at[1].bytes, 15000);
    cr_assert_eq(s.at[1].content.raster.row, 300);
    cr_assert_eq(s.at[1].content.raster.first, 0);
    cr_assert_eq(s.at[2].content.kind, NZ_KIND_TEXT);
    nz_segments_free(&s);
    nz_buf_free(&file);
}

/* Whatever is broken, decoding ends, in the right bytes or others or an error. */
Test(mixed, damage_is_survived)
{
    nz_buf file = make_file(600);
    uint8_t *back = malloc(file.n);
    uint32_t seed = 4;
    for (int level = 1; level <= 5; level += 4) {
        packed p = pack(&file, level);
        int flips = getenv("NZ_SHORT") ? 10 : 150;
        for (int i = 0; i < flips; i++) {
            size_t at = i < flips / 2 ? (size_t)i : random32(&seed) % p.payload.n;
            uint8_t was = p.payload.p[at];
            p.payload.p[at] ^= (uint8_t)(1u << (random32(&seed) >> 29));
            unpack(&p, back, file.n);
            p.payload.p[at] = was;
        }
        for (size_t n = p.payload.n; n-- > 0; n -= n / 4) {
            packed cut = p;
            cut.payload.n = n;
            cr_assert_neq(unpack(&cut, back, file.n), NZ_OK);
        }
        p.mixed.memory = 100;
        cr_assert_eq(unpack(&p, back, file.n), NZ_E_CORRUPT);
        nz_buf_free(&p.payload);
    }
    free(back);
    nz_buf_free(&file);
}

Test(mixed, parameters_are_refused)
{
    nz_mixed m = {NZ_MIXED_VERSION, 5, NZ_NUMERICS, 1000}, again;
    uint8_t params[NZ_MIXED_PARAMS];
    nz_mixed_store(&m, params);
    cr_assert_eq(nz_mixed_load(&again, params), NZ_OK);
    cr_assert_eq(again.memory, m.memory);
    for (int i = 0; i < NZ_MIXED_PARAMS; i++) {
        uint8_t was = params[i];
        params[i] = 99;
        nz_err err = nz_mixed_load(&again, params);
        cr_assert_eq(err, i == 0 || i == 2 ? NZ_E_VERSION : i >= 4 && i < 8 ? NZ_OK : NZ_E_CORRUPT);
        params[i] = was;
    }
}

/* Two bytes of a map must not take sixteen of memory, which no header tells of. */
Test(mixed, maps_of_tiny_segments)
{
    enum { TURNS = 1000 };
    uint8_t map[1 + 2 * TURNS] = {0};
    for (size_t bytes = 1; bytes < 64; bytes++) {
        nz_mixed_list l = {.views = 1, .raw = {bytes * TURNS}};
        nz_map m;
        for (size_t i = 0; i < TURNS; i++)
            map[1 + 2 * i] = (uint8_t)(2 * bytes);
        nz_err err = nz_map_read(&m, map, sizeof map, &l, bytes * TURNS);
        if (bytes < 14)
            cr_assert(err == NZ_E_CORRUPT && !m.turn, "%zu", bytes);
        else
            cr_assert_eq(m.turns, TURNS, "%zu", bytes);
        nz_map_reset(&m);
    }
}

/* A header at every few bytes that goes on to the end: reading all of them would take hours. */
Test(mixed, headers_are_not_read_for_ever)
{
    static const struct {
        const char *header;
        size_t bytes, n;
    } ENDLESS[] = {{"P5#", 3, 1 << 20}, {"II*\0", 4, 1 << 22}};
    for (size_t k = 0; k < sizeof ENDLESS / sizeof *ENDLESS; k++) {
        size_t n = ENDLESS[k].n, bytes = 0;
        uint8_t *raw = malloc(n);
        cr_assert(raw);
        for (size_t i = 0; i < n; i++)
            raw[i] = (uint8_t)ENDLESS[k].header[i % ENDLESS[k].bytes];
        nz_segments s = {0};
        nz_content all = nz_content_of(5, raw, n);
        nz_cut(&s, 5, &all, raw, n);
        for (size_t i = 0; i < s.n; i++)
            bytes += s.at[i].bytes;
        cr_assert_eq(bytes, n);
        nz_segments_free(&s);
        free(raw);
    }
}
