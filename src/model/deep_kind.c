#include "deep_kind.h"

#include "audio.h"
#include "bilevel.h"
#include "image.h"
#include "ngram/row.h"

static void known_binary(nz_past *p, uint8_t byte)
{
    (void)byte;
    if (p->pos % NZ_ROW_STEP == 0)
        p->row = nz_row_find(p->raw, p->pos, p->row);
}

static void enter_code(nz_past *p, const nz_content *c)
{
    p->x86.wide = c->machine == NZ_MACHINE_X86_64;
}

static void known_code(nz_past *p, uint8_t byte)
{
    nz_x86_next(&p->x86, byte);
}

static void enter_arm64(nz_past *p, const nz_content *c)
{
    (void)c;
    nz_arm64_start(&p->arm64);
}

static void known_arm64(nz_past *p, uint8_t byte)
{
    nz_arm64_next(&p->arm64, byte);
}

/* Sets and rates are of levels 5 to 9; 5 keeps the sets that pay for their time. */

static const nz_deep_kind text = {
    .contexts = &nz_contexts_text,
    .scene = nz_scene_text,
    .sets = {0x22a00, 0x22a91, 0x22a91, 0x3fef1, 0x3fed1},
    .rates = {{120, 25, 30}, {120, 25, 30}, {100, 15, 40}, {100, 15, 40}, {30, 8, 10}},
    .start = 0,
};

static const nz_deep_kind binary = {
    .contexts = &nz_contexts_binary,
    .series = true,
    .scene = nz_scene_binary,
    .known = known_binary,
    .sets = {0x10212, 0x103f7, 0x102f3, 0x103f7, 0x107f7},
    .rates = {{100, 20, 40}, {100, 20, 40}, {100, 15, 40}, {100, 15, 40}, {100, 15, 40}},
    .start = 1,
};

static const nz_deep_kind code = {
    .contexts = &nz_contexts_code,
    .scene = nz_scene_code,
    .enter = enter_code,
    .known = known_code,
    .sets = {0xfa1a, 0x3fbff, 0x3fafb, 0x3fbff, 0x3ffff},
    .rates = {{100, 20, 40}, {100, 20, 40}, {60, 15, 40}, {60, 15, 40}, {60, 15, 40}},
    .start = 1,
};

static const nz_deep_kind arm64 = {
    .contexts = &nz_contexts_arm64,
    .scene = nz_scene_arm64,
    .enter = enter_arm64,
    .known = known_arm64,
    .sets = {0xfa1a, 0x3fbff, 0x3fafb, 0x3fbff, 0x3ffff},
    .rates = {{100, 20, 40}, {100, 20, 40}, {60, 15, 40}, {60, 15, 40}, {60, 15, 40}},
    .start = 1,
};

/* A network is of little use to it. */
static const nz_deep_kind image = {
    .expert = &nz_image,
    .scene = nz_scene_binary,
    .sets = {0x3c0083, 0x3c0083, 0x3c0083, 0x3c0083, 0x3c0083},
    .rates = {{20, 4, 40}, {20, 4, 40}, {20, 4, 40}, {20, 4, 40}, {20, 4, 40}},
    .layers = 1,
    .width = 2,
};

static const nz_deep_kind bilevel = {
    .expert = &nz_bilevel,
    .scene = nz_scene_binary,
    .sets = {0x3c0083, 0x3c0083, 0x3c0083, 0x3c0083, 0x3c0083},
    .rates = {{60, 15, 30}, {60, 15, 30}, {60, 15, 30}, {60, 15, 30}, {60, 15, 30}},
    .layers = 1,
    .width = 2,
};

static const nz_deep_kind audio = {
    .expert = &nz_audio,
    .scene = nz_scene_binary,
    .sets = {0x3c0083, 0x3c0083, 0x3c0083, 0x3c0083, 0x3c0083},
    .rates = {{20, 4, 40}, {20, 4, 40}, {20, 4, 40}, {20, 4, 40}, {20, 4, 40}},
    .layers = 1,
    .width = 2,
};

static const nz_deep_kind *const kinds[NZ_KINDS] = {
    [NZ_KIND_TEXT] = &text,   [NZ_KIND_BINARY] = &binary,   [NZ_KIND_CODE] = &code,
    [NZ_KIND_IMAGE] = &image, [NZ_KIND_BILEVEL] = &bilevel, [NZ_KIND_AUDIO] = &audio,
};

const nz_deep_kind *nz_deep_kind_of(const nz_shape *s)
{
    return s->content.machine == NZ_MACHINE_ARM64 ? &arm64 : kinds[s->content.kind];
}
