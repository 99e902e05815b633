/* Uncompressed sound: where its samples are and what they look like, from the header in front. */
#ifndef NZ_MODEL_SOUND_H
#define NZ_MODEL_SOUND_H

#include "base/base.h"

#include <stdbool.h>

enum { NZ_SOUND_CHANNELS_MAX = 8, NZ_SOUND_WIDTH_MAX = 3 };

/* How the bytes of a sample stand in the file, flags. */
enum { NZ_SOUND_LITTLE = 1, NZ_SOUND_SIGNED = 2 };

typedef struct nz_sound {
    uint16_t first;   /* offset of a frame of samples, all of them follow */
    uint8_t channels; /* samples of a frame, 0: this is no sound */
    uint8_t width;    /* bytes of a sample */
    uint8_t flags;
} nz_sound;

bool nz_sound_valid(const nz_sound *s);
/* Linear samples behind a header of WAVE, AIFF or AU. */
bool nz_sound_find(nz_sound *s, const uint8_t *raw, size_t n);

/* Makes samples unsigned, the highest byte first; and back. */
void nz_sound_level(const nz_sound *s, uint8_t *raw, size_t n);
void nz_sound_restore(const nz_sound *s, uint8_t *raw, size_t n);

#endif
