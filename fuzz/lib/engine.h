/* The bytes engine in any shape that a header may have: what it codes comes back, and any bytes for
 * codes end in bounds. */
#ifndef NZ_FUZZ_ENGINE_H
#define NZ_FUZZ_ENGINE_H

#include "fuzz.h"
#include "model/bytes.h"

enum {
    FUZZ_TAIL = 32, /* bytes of choices */
    FUZZ_VIEWS = 3,
    FUZZ_TURNS = 4
};

static nz_raster raster_from(nz_span *from, bool bilevel)
{
    unsigned sample = bilevel ? NZ_SAMPLE_8 : choose(from, NZ_SAMPLES);
    unsigned bytes = nz_sample_bytes(sample);
    unsigned pixel = bilevel ? 0 : (1 + choose(from, NZ_PLANES_MAX)) * bytes;
    unsigned row = bilevel ? 16 + choose(from, 64) : (8 + choose(from, 40)) * pixel;
    unsigned first = choose(from, row);
    return (nz_raster){(uint16_t)row, (uint16_t)first, (uint8_t)pixel, (uint8_t)sample};
}

static nz_sound sound_from(nz_span *from)
{
    nz_sound s = {.first = (uint16_t)choose(from, 64)};
    s.channels = (uint8_t)(1 + choose(from, NZ_SOUND_CHANNELS_MAX));
    s.width = (uint8_t)(1 + choose(from, NZ_SOUND_WIDTH_MAX));
    s.flags = (uint8_t)choose(from, 4);
    return s;
}

/* Any that the header of such a level may tell of. */
static nz_content content_from(nz_span *from, int level)
{
    bool deep = level > NZ_FAST_LEVEL_MAX;
    nz_content c = {.kind = (nz_kind)choose(from, deep ? NZ_KINDS : NZ_KIND_CODE + 1)};
    if (c.kind == NZ_KIND_CODE)
        c.machine = (nz_machine)(1 + choose(from, NZ_MACHINES - 1));
    if (nz_content_is_image(&c))
        c.raster = raster_from(from, c.kind == NZ_KIND_BILEVEL);
    if (c.kind == NZ_KIND_AUDIO)
        c.sound = sound_from(from);
    return c;
}

/* Views of a level, and turns that they take through n bytes, 1 to 65536. */
typedef struct chosen_course {
    nz_shape view[FUZZ_VIEWS];
    nz_turn turn[FUZZ_TURNS];
    nz_course course;
} chosen_course;

static void course_from(chosen_course *c, nz_span *from, int level, size_t n)
{
    bool deep = level > NZ_FAST_LEVEL_MAX;
    unsigned views = deep ? 1 + choose(from, FUZZ_VIEWS) : 1, turns = 0;
    size_t own[FUZZ_VIEWS] = {0}, left = n;
    while (left) {
        bool last = views == 1 || turns + 1 == FUZZ_TURNS;
        size_t bytes = last ? left : 1 + choose(from, (unsigned)left);
        c->turn[turns] = (nz_turn){bytes, choose(from, views)};
        own[c->turn[turns++].view] += bytes;
        left -= bytes;
    }
    for (unsigned i = 0; i < views; i++) {
        nz_content content = content_from(from, level);
        nz_shape_for(&c->view[i], level, &content, n);
    }
    if (deep)
        nz_shapes_share(c->view, views, own);
    c->course = (nz_course){c->view, views, c->turn, turns};
    check(nz_course_valid(&c->course, n));
}

static void check_shapes(const nz_course *c)
{
    for (unsigned i = 0; i < c->views; i++) {
        uint8_t stored[NZ_SHAPE_BYTES], again[NZ_SHAPE_BYTES];
        nz_shape s;
        nz_shape_store(&c->view[i], stored);
        check(!nz_shape_load(&s, stored));
        nz_shape_store(&s, again);
        check_same(stored, sizeof stored, again, sizeof again);
    }
}

static void use_course(const nz_course *c, const nz_run *run, const uint8_t *raw, size_t n)
{
    size_t cap = n + n / 4 + 1024, packed[FUZZ_VIEWS], all = 0;
    uint8_t *out = room_for(cap), *again = room_for(n);
    check_shapes(c);
    check(!nz_course_encode(c, run, raw, n, out, cap, packed));
    for (unsigned i = 0; i < c->views; i++)
        all += packed[i];
    check(all <= cap && !nz_course_decode(c, run, out, all, again, n));
    check_same(again, n, raw, n);
    free(again);
    free(out);
}

/* The bytes as codes of others. */
static void use_codes(const nz_course *c, const nz_run *run, const uint8_t *in, size_t n)
{
    uint8_t *raw = room_for(n);
    nz_course_decode(c, run, in, n, raw, n);
    free(raw);
}

static inline void use_engine(const uint8_t *in, size_t n, int level_low, unsigned levels)
{
    nz_kern kern;
    chosen_course c;
    nz_span from = choices_of(in, &n, FUZZ_TAIL);
    int level = level_low + (int)choose(&from, levels);
    bool codes = choose(&from, 2), plain = choose(&from, 2);
    if (!n)
        return;
    nz_kern_init(&kern, plain ? 0 : nz_cpu());
    nz_run run = {.kern = &kern};
    course_from(&c, &from, level, n);
    if (codes)
        use_codes(&c.course, &run, in, n);
    else
        use_course(&c.course, &run, in, n);
}

#endif
