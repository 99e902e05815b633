/* Payloads of mixed frames: any recipe and any types of filters around segments that fit each
 * other, the map as it is and the codes right, or any bytes. */
#include "mixed/mixed.h"
#include "lib/engine.h"

enum { MOST = 1 << 12, SEGMENTS = 6, BYTES_MOST = 256 };

typedef struct payload {
    nz_buf map, all;
    nz_shape view[FUZZ_VIEWS];
    nz_turn turn[SEGMENTS];
    size_t turns;
    size_t own[FUZZ_VIEWS], contents, rows;
} payload;

static void put_entry(nz_buf *to, size_t raw, size_t packed, const nz_shape *s)
{
    uint8_t shape[NZ_SHAPE_BYTES];
    nz_shape_store(s, shape);
    nz_buf_varint(to, raw);
    nz_buf_varint(to, packed);
    nz_buf_put(to, shape, sizeof shape);
}

/* Some whole rows of an image are as PNG has them. */
static void put_segment(payload *p, nz_span *from, unsigned views)
{
    unsigned view = choose(from, views), row = p->view[view].content.raster.row;
    size_t bytes = 1 + choose(from, BYTES_MOST);
    bool filtered = row && row <= BYTES_MOST && choose(from, 2);
    if (filtered) {
        bytes = bytes < row ? row : bytes - bytes % row;
        p->rows += bytes / row;
    }
    nz_buf_varint(&p->map, (uint64_t)bytes << 1 | filtered);
    nz_buf_byte(&p->map, view);
    p->turn[p->turns++] = (nz_turn){bytes, view};
    p->own[view] += bytes;
    p->contents += bytes;
}

static void put_map(payload *p, nz_span *from, unsigned views)
{
    nz_span recipe = choose_bytes(from, choose(from, 2) ? choose(from, 256) : 0);
    nz_buf_varint(&p->map, nz_span_left(&recipe));
    nz_buf_put(&p->map, recipe.at, nz_span_left(&recipe));
    for (unsigned i = 1 + choose(from, SEGMENTS); i; i--)
        put_segment(p, from, views);
    nz_span types = choose_bytes(from, choose(from, 8) ? p->rows : choose(from, 256));
    nz_buf_put(&p->map, types.at, nz_span_left(&types));
}

/* As many bytes of codes as there are left are the last view's. */
static void put_list(payload *p, unsigned views, int level, size_t codes)
{
    nz_shape map;
    nz_shape_for(&map, level, &(nz_content){.kind = NZ_KIND_BINARY}, p->map.n);
    put_entry(&p->all, p->map.n, p->map.n, &map);
    nz_buf_varint(&p->all, views);
    for (unsigned i = 0; i < views; i++)
        put_entry(&p->all, p->own[i], i + 1 < views ? 0 : codes, &p->view[i]);
    nz_buf_put(&p->all, p->map.p, p->map.n);
}

/* Of contents that repeat what is left. */
static void put_right_codes(nz_buf *to, const payload *p, unsigned views, nz_span from)
{
    size_t n = p->contents, left = nz_span_left(&from), cap = 2 * n + 1024, packed[FUZZ_VIEWS];
    uint8_t *raw = room_for(n), *out = nz_buf_room(to, cap);
    const nz_course c = {p->view, views, p->turn, p->turns};
    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    for (size_t i = 0; i < n && left; i++)
        raw[i] = from.at[i % left];
    check(out && !nz_course_encode(&c, &(nz_run){.kern = &kern}, raw, n, out, cap, packed));
    for (unsigned i = 0; i < views; i++)
        to->n += packed[i];
    free(raw);
}

static void decode(const payload *p, int level, size_t n)
{
    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    nz_mixed m = {NZ_MIXED_VERSION, (uint8_t)level, NZ_NUMERICS, 128 << 10};
    uint8_t *raw = room_for(n);
    nz_mixed_decode(&m, &(nz_run){.kern = &kern}, p->all.p, p->all.n, raw, n);
    free(raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    payload p = {0};
    nz_span from = nz_span_of(in, n);
    int level = choose(&from, 4) ? 1 : 5;
    unsigned views = level > NZ_FAST_LEVEL_MAX ? 1 + choose(&from, FUZZ_VIEWS) : 1;
    if (n > MOST)
        return 0;
    for (unsigned i = 0; i < views; i++) {
        nz_content c = content_from(&from, level);
        nz_shape_for(&p.view[i], level, &c, MOST);
    }
    put_map(&p, &from, views);
    nz_buf codes = {0};
    if (choose(&from, 4))
        put_right_codes(&codes, &p, views, from);
    else
        nz_buf_put(&codes, from.at, nz_span_left(&from));
    put_list(&p, views, level, codes.n);
    nz_buf_put(&p.all, codes.p, codes.n);
    nz_buf_free(&codes);
    check(!p.map.failed && !p.all.failed);
    decode(&p, level, choose(&from, 2) ? 1 + choose(&from, 4096) : p.contents + p.rows);
    nz_buf_free(&p.map);
    nz_buf_free(&p.all);
    return 0;
}
