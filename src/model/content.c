#include "content.h"

#include "base/stretch.h"

/* Text is bytes that text is written in, sampled across the input: at most one in 20 control
 * bytes. Bytes from 128 up are taken as text when they follow UTF-8's pattern. */
nz_kind nz_content_texture(const uint8_t *raw, size_t n)
{
    size_t from, to, seen = 0, odd = 0;
    for (unsigned k = 0; nz_stretch_of(&from, &to, n, k); k++) {
        uint32_t tail = 0; /* continuation bytes still expected */
        for (size_t i = from; i < to; i++, seen++) {
            uint8_t c = raw[i];
            if (c < 128) {
                odd += tail != 0 || (c < 32 && c != '\n' && c != '\r' && c != '\t') || c == 127;
                tail = 0;
            } else if (c < 192) {
                odd += !tail;
                tail -= tail != 0;
            } else {
                odd += tail != 0;
                tail = c < 224 ? 1 : c < 240 ? 2 : 3;
            }
        }
    }
    return odd * 8 > seen ? NZ_KIND_BINARY : NZ_KIND_TEXT;
}

static nz_kind image_kind(const nz_raster *r)
{
    return r->pixel ? NZ_KIND_IMAGE : NZ_KIND_BILEVEL;
}

nz_content nz_content_of(int level, const uint8_t *raw, size_t n)
{
    nz_content c = {.kind = nz_content_texture(raw, n)};
    bool deep = level > NZ_FAST_LEVEL_MAX, binary = c.kind == NZ_KIND_BINARY;
    if (deep && nz_raster_find(&c.raster, raw, n))
        c.kind = image_kind(&c.raster);
    else if (deep && binary && nz_sound_find(&c.sound, raw, n))
        c.kind = NZ_KIND_AUDIO;
    else if (binary && (c.machine = nz_machine_of(raw, n)))
        c.kind = NZ_KIND_CODE;
    else if (deep && binary && nz_raster_guess(&c.raster, raw, n))
        c.kind = image_kind(&c.raster);
    return c;
}

bool nz_content_same(const nz_content *a, const nz_content *b)
{
    uint8_t x[NZ_CONTENT_BYTES], y[NZ_CONTENT_BYTES];
    nz_content_store(a, x);
    nz_content_store(b, y);
    return a->kind == b->kind && !memcmp(x, y, sizeof x);
}

bool nz_content_is_image(const nz_content *c)
{
    return c->kind == NZ_KIND_IMAGE || c->kind == NZ_KIND_BILEVEL;
}

bool nz_content_is_bytes(const nz_content *c)
{
    return c->kind <= NZ_KIND_CODE;
}

bool nz_content_turned(const nz_content *c)
{
    return c->machine || c->raster.sample == NZ_SAMPLE_16_LITTLE || c->kind == NZ_KIND_AUDIO;
}

static void swap_pairs(uint8_t *raw, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        uint8_t low = raw[i];
        raw[i] = raw[i + 1];
        raw[i + 1] = low;
    }
}

void nz_content_turn(const nz_content *c, uint8_t *raw, size_t n, bool back)
{
    size_t odd = c->raster.first & 1;
    if (c->raster.sample == NZ_SAMPLE_16_LITTLE && n > odd)
        swap_pairs(raw + odd, n - odd);
    else if (c->kind == NZ_KIND_AUDIO && back)
        nz_sound_restore(&c->sound, raw, n);
    else if (c->kind == NZ_KIND_AUDIO)
        nz_sound_level(&c->sound, raw, n);
    else if (c->machine && back)
        nz_branch_relative(c->machine, raw, n);
    else if (c->machine)
        nz_branch_absolute(c->machine, raw, n);
}

const char *nz_kind_name(nz_kind kind)
{
    static const char *const names[NZ_KINDS] = {"text",  "binary",  "code",
                                                "image", "bilevel", "audio"};
    return names[kind];
}

void nz_content_store(const nz_content *c, uint8_t out[NZ_CONTENT_BYTES])
{
    memset(out, 0, NZ_CONTENT_BYTES);
    if (c->kind == NZ_KIND_CODE)
        out[0] = (uint8_t)c->machine;
    if (c->kind == NZ_KIND_AUDIO) {
        nz_store16(out, c->sound.first);
        out[2] = c->sound.channels;
        out[3] = c->sound.width;
        out[4] = c->sound.flags;
    }
    if (!nz_content_is_image(c))
        return;
    nz_store16(out, c->raster.row);
    nz_store16(out + 2, c->raster.first);
    out[4] = (uint8_t)(c->raster.pixel | c->raster.sample << 4);
}

bool nz_content_load(nz_content *c, const uint8_t in[NZ_CONTENT_BYTES])
{
    uint8_t again[NZ_CONTENT_BYTES];
    *c = (nz_content){.kind = c->kind};
    switch (c->kind) {
    case NZ_KIND_CODE: c->machine = (nz_machine)in[0]; break;
    case NZ_KIND_IMAGE:
    case NZ_KIND_BILEVEL:
        c->raster = (nz_raster){nz_load16(in), nz_load16(in + 2), in[4] & 15, in[4] >> 4};
        break;
    case NZ_KIND_AUDIO: c->sound = (nz_sound){nz_load16(in), in[2], in[3], in[4]}; break;
    default: break;
    }
    if (c->kind >= NZ_KINDS || (nz_content_is_image(c) && !nz_raster_valid(&c->raster)) ||
        (nz_content_is_image(c) && (c->kind == NZ_KIND_BILEVEL) != !c->raster.pixel) ||
        (c->kind == NZ_KIND_AUDIO && !nz_sound_valid(&c->sound)) ||
        (c->kind == NZ_KIND_CODE && (!c->machine || c->machine >= NZ_MACHINES)))
        return false;
    nz_content_store(c, again);
    return !memcmp(in, again, sizeof again);
}
