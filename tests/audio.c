/* Sound: found by its headers, coded with its own model, refused where no encoder wrote it. */
#include "lib/expert.h"

enum { FRAMES = 1500, SIZE = 100 + FRAMES * 2 * 3 };

static uint8_t raw[SIZE], back[SIZE];

static void big(uint8_t *at, uint32_t v, unsigned width)
{
    for (unsigned i = width; i-- > 0; v >>= 8)
        at[i] = (uint8_t)v;
}

/* A slow and a fast swing with some noise, louder and louder; two channels are much alike. */
static void samples(uint8_t *at, uint32_t channels, uint32_t width, bool little, bool sign)
{
    int32_t x = 0, v = 900, y = 300, u = 0;
    uint32_t seed = 1;
    for (int32_t t = 0; t < FRAMES; t++) {
        x += v / 16;
        v -= x / 16;
        y += u / 3;
        u -= y / 3;
        for (uint32_t c = 0; c < channels; c++, at += width) {
            seed = seed * 1103515245 + 12345;
            int32_t noise = (int32_t)(seed >> 16 & 15), s = (x + y) * (t / 8) / 40 + noise;
            uint32_t level = ((uint32_t)(s * 256) >> (24 - 8 * width)) ^ 1u << (8 * width - 1);
            big(at, sign ? level ^ 1u << (8 * width - 1) : level, width);
            for (uint32_t i = 0; little && i < width / 2; i++) {
                uint8_t other = at[i];
                at[i] = at[width - 1 - i];
                at[width - 1 - i] = other;
            }
        }
    }
}

static size_t make_wave(uint32_t channels, uint32_t width)
{
    uint32_t size = FRAMES * channels * width;
    memcpy(raw, "RIFF....WAVEfmt \20\0\0\0\1\0", 22);
    nz_store32(raw + 4, size + 36);
    nz_store16(raw + 22, (uint16_t)channels);
    nz_store32(raw + 24, 22050);
    nz_store32(raw + 28, 22050 * channels * width);
    nz_store16(raw + 32, (uint16_t)(channels * width));
    nz_store16(raw + 34, (uint16_t)(8 * width));
    memcpy(raw + 36, "data", 4);
    nz_store32(raw + 40, size);
    samples(raw + 44, channels, width, true, width > 1);
    return 44 + size;
}

static size_t make_aiff(uint32_t channels, uint32_t width)
{
    uint32_t size = FRAMES * channels * width;
    memcpy(raw, "FORM....AIFFCOMM\0\0\0\22", 20);
    big(raw + 20, channels, 2);
    big(raw + 22, FRAMES, 4);
    big(raw + 26, 8 * width, 2);
    memcpy(raw + 28, "\x40\x0d\xac\x44\0\0\0\0\0\0SSND", 14);
    big(raw + 42, size + 8, 4);
    big(raw + 46, 0, 4);
    big(raw + 50, 0, 4);
    samples(raw + 54, channels, width, false, true);
    return 54 + size;
}

static size_t make_au(uint32_t channels, uint32_t width)
{
    memcpy(raw, ".snd", 4);
    big(raw + 4, 24, 4);
    big(raw + 8, 0xffffffff, 4);
    big(raw + 12, width + 1, 4);
    big(raw + 16, 8000, 4);
    big(raw + 20, channels, 4);
    samples(raw + 24, channels, width, false, true);
    return 24 + FRAMES * channels * width;
}

static void check(int level, size_t n, uint32_t channels, uint32_t width)
{
    nz_shape s;
    nz_shape_choose(&s, level, raw, n);
    cr_assert_eq(s.content.kind, NZ_KIND_AUDIO);
    cr_assert_eq(s.content.sound.channels, channels);
    cr_assert_eq(s.content.sound.width, width);
    check_expert(&s, raw, n);
}

Test(audio, comes_back_and_is_small)
{
    for (uint32_t channels = 1; channels <= 2; channels++) {
        for (uint32_t width = 1; width <= 3; width++) {
            check(5, make_au(channels, width), channels, width);
            if (getenv("NZ_SHORT"))
                continue;
            check(9, make_wave(channels, width), channels, width);
            check(7, make_aiff(channels, width), channels, width);
        }
    }
}

Test(audio, samples_are_levelled_and_restored)
{
    for (uint8_t flags = 0; flags <= (NZ_SOUND_LITTLE | NZ_SOUND_SIGNED); flags++) {
        for (uint8_t width = 1; width <= NZ_SOUND_WIDTH_MAX; width++) {
            nz_sound s = {.first = 5, .channels = 1, .width = width, .flags = flags};
            make_wave(2, 2);
            memcpy(back, raw, 1000);
            nz_sound_level(&s, back, 1000);
            cr_assert_eq(!memcmp(back, raw, 1000), !flags || (width == 1 && flags == 1));
            nz_sound_restore(&s, back, 1000);
            cr_assert_arr_eq(back, raw, 1000);
        }
    }
}

Test(audio, only_true_headers_are_taken)
{
    nz_sound s;
    size_t n = make_wave(2, 2);
    cr_assert(nz_sound_find(&s, raw, n));
    cr_assert(nz_sound_find(&s, raw, n / 2), "cut off");
    cr_assert_not(nz_sound_find(&s, raw, 100), "hardly a sample");
    nz_store32(raw + 40, (uint32_t)n / 2);
    cr_assert_not(nz_sound_find(&s, raw, n), "half of it is something else");
    n = make_wave(2, 2);
    raw[20] = 3;
    cr_assert_not(nz_sound_find(&s, raw, n), "floats");
    n = make_wave(2, 2);
    raw[34] = 12;
    cr_assert_not(nz_sound_find(&s, raw, n));
    n = make_au(2, 2);
    raw[15] = 1;
    cr_assert_not(nz_sound_find(&s, raw, n), "logarithmic");
}

Test(audio, shapes_no_encoder_writes_are_refused)
{
    nz_shape s, t;
    uint8_t stored[NZ_SHAPE_BYTES];
    nz_shape_choose(&s, 9, raw, make_wave(2, 2));
    nz_shape_store(&s, stored);
    cr_assert_eq(nz_shape_load(&t, stored), NZ_OK);
    cr_assert_eq(t.content.sound.first, 44);
    cr_assert_eq(t.content.sound.flags, s.content.sound.flags);
    for (int at = 13; at < 16; at++) {
        uint8_t was = stored[at];
        stored[at] = 9;
        cr_assert_eq(nz_shape_load(&t, stored), NZ_E_CORRUPT);
        stored[at] = was;
    }
    stored[13] = 0;
    cr_assert_eq(nz_shape_load(&t, stored), NZ_E_CORRUPT);
    nz_shape_store(&s, stored);
    stored[3] = NZ_KIND_BINARY;
    cr_assert_eq(nz_shape_load(&t, stored), NZ_E_CORRUPT);
}
