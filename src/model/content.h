/* What data is, told from its bytes alone, as far as the models care. */
#ifndef NZ_MODEL_CONTENT_H
#define NZ_MODEL_CONTENT_H

#include "branch.h"
#include "raster.h"
#include "sound.h"

typedef enum nz_kind {
    NZ_KIND_TEXT = 0,
    NZ_KIND_BINARY = 1,
    NZ_KIND_CODE = 2,
    NZ_KIND_IMAGE = 3,
    NZ_KIND_BILEVEL = 4, /* an image of 1-bit pixels */
    NZ_KIND_AUDIO = 5,
    NZ_KINDS
} nz_kind;

enum {
    NZ_CONTENT_BYTES = 5,
    NZ_FAST_LEVEL_MAX = 4, /* up to here the fast engine, which knows no images and no sound */
};

typedef struct nz_content {
    nz_kind kind;
    nz_machine machine; /* whose code; of other kinds none */
    nz_raster raster;   /* of images; otherwise zero */
    nz_sound sound;     /* of audio; otherwise zero */
} nz_content;

nz_content nz_content_of(int level, const uint8_t *raw, size_t n);
/* Text or binary data, nothing else. */
nz_kind nz_content_texture(const uint8_t *raw, size_t n);
bool nz_content_same(const nz_content *a, const nz_content *b);
bool nz_content_is_image(const nz_content *c);
/* Coded by contexts of bytes; otherwise by a model of its own. */
bool nz_content_is_bytes(const nz_content *c);
/* Some bytes are coded as others, which say the same more plainly: addresses in the place of
 * distances in code, samples with the highest byte first. In place, and back. */
bool nz_content_turned(const nz_content *c);
void nz_content_turn(const nz_content *c, uint8_t *raw, size_t n, bool back);
/* "text", "image" ... */
const char *nz_kind_name(nz_kind kind);

/* All but the kind, which is set before. False: no encoder writes that. */
void nz_content_store(const nz_content *c, uint8_t out[NZ_CONTENT_BYTES]);
bool nz_content_load(nz_content *c, const uint8_t in[NZ_CONTENT_BYTES]);

#endif
