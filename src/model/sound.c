#include "sound.h"

enum { FRAMES_MIN = 64 };

bool nz_sound_valid(const nz_sound *s)
{
    return s->channels >= 1 && s->channels <= NZ_SOUND_CHANNELS_MAX && s->width >= 1 &&
           s->width <= NZ_SOUND_WIDTH_MAX && s->flags <= (NZ_SOUND_LITTLE | NZ_SOUND_SIGNED);
}

/* ---- Headers ---- */

static uint32_t big16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t big32(const uint8_t *p)
{
    return big16(p) << 16 | big16(p + 2);
}

/* Samples that are most of what there is: whatever else follows them is coded as such, too. */
static bool set(nz_sound *s, size_t n, uint64_t first, uint64_t size, uint32_t channels,
                uint32_t bits, uint32_t flags)
{
    uint32_t width = bits / 8;
    if (bits % 8 || channels > NZ_SOUND_CHANNELS_MAX || first > n)
        return false;
    uint64_t frame = (uint64_t)channels * width, rest = n - first;
    if (size > rest)
        size = rest; /* cut off, or never filled in */
    if (size < FRAMES_MIN * frame || size < rest - rest / 8)
        return false;
    if (first > UINT16_MAX)
        first %= frame ? frame : 1;
    *s = (nz_sound){(uint16_t)first, (uint8_t)channels, (uint8_t)width, (uint8_t)flags};
    return nz_sound_valid(s);
}

static bool wave(nz_sound *s, const uint8_t *raw, size_t n)
{
    enum { PCM = 1, EXTENSIBLE = 0xfffe };
    uint32_t channels = 0, bits = 0;
    if (memcmp(raw, "RIFF", 4) != 0 || memcmp(raw + 8, "WAVE", 4) != 0)
        return false;
    for (uint64_t at = 12; at + 8 <= n;) {
        const uint8_t *p = raw + at;
        uint64_t size = nz_load32(p + 4);
        if (!memcmp(p, "data", 4))
            return set(s, n, at + 8, size, channels, bits,
                       NZ_SOUND_LITTLE | (bits > 8 ? NZ_SOUND_SIGNED : 0u));
        if (!memcmp(p, "fmt ", 4) && size >= 16 && at + 8 + size <= n) {
            uint32_t tag = nz_load16(p + 8);
            if (tag == EXTENSIBLE && size >= 26)
                tag = nz_load16(p + 32);
            channels = nz_load16(p + 10);
            bits = tag == PCM ? nz_load16(p + 22) : 0;
        }
        at += 8 + size + (size & 1);
    }
    return false;
}

static bool aiff(nz_sound *s, const uint8_t *raw, size_t n)
{
    uint32_t channels = 0, bits = 0, flags = NZ_SOUND_SIGNED;
    bool packed = !memcmp(raw + 8, "AIFC", 4);
    if (memcmp(raw, "FORM", 4) != 0 || (memcmp(raw + 8, "AIFF", 4) != 0 && !packed))
        return false;
    for (uint64_t at = 12; at + 16 <= n;) {
        const uint8_t *p = raw + at;
        uint64_t size = big32(p + 4);
        if (!memcmp(p, "SSND", 4))
            return size >= 8 && set(s, n, at + 16 + big32(p + 8), size - 8, channels, bits, flags);
        if (!memcmp(p, "COMM", 4) && size >= 18 && at + 8 + size <= n) {
            channels = big16(p + 8);
            bits = big16(p + 14);
            if (packed && size >= 22) {
                flags |= !memcmp(p + 26, "sowt", 4) ? NZ_SOUND_LITTLE : 0u;
                bits = flags & NZ_SOUND_LITTLE || !memcmp(p + 26, "NONE", 4) ? bits : 0;
            }
        }
        at += 8 + size + (size & 1);
    }
    return false;
}

static bool au(nz_sound *s, const uint8_t *raw, size_t n)
{
    enum { LINEAR8 = 2, LINEAR24 = 4 };
    uint32_t coding = big32(raw + 12);
    return !memcmp(raw, ".snd", 4) && coding >= LINEAR8 && coding <= LINEAR24 &&
           set(s, n, big32(raw + 4), big32(raw + 8), big32(raw + 20), 8 * (coding - 1),
               NZ_SOUND_SIGNED);
}

bool nz_sound_find(nz_sound *s, const uint8_t *raw, size_t n)
{
    enum { HEADER_MIN = 64 };
    return n > HEADER_MIN && (wave(s, raw, n) || aiff(s, raw, n) || au(s, raw, n));
}

/* ---- Samples ---- */

static void reverse(const nz_sound *s, uint8_t *p)
{
    uint8_t lowest = p[0];
    if (!(s->flags & NZ_SOUND_LITTLE))
        return;
    p[0] = p[s->width - 1];
    p[s->width - 1] = lowest;
}

static void flip(const nz_sound *s, uint8_t *p)
{
    p[0] ^= s->flags & NZ_SOUND_SIGNED ? 0x80 : 0;
}

void nz_sound_level(const nz_sound *s, uint8_t *raw, size_t n)
{
    for (size_t i = s->first; i + s->width <= n; i += s->width) {
        reverse(s, raw + i);
        flip(s, raw + i);
    }
}

void nz_sound_restore(const nz_sound *s, uint8_t *raw, size_t n)
{
    for (size_t i = s->first; i + s->width <= n; i += s->width) {
        flip(s, raw + i);
        reverse(s, raw + i);
    }
}
