/* The surroundings of a byte, for choosing weights: what each kind of data wants to know. */
#ifndef NZ_MODEL_SCENE_H
#define NZ_MODEL_SCENE_H

#include "ngram/past.h"

enum { NZ_SCENE_TEXTURES = 7 };

typedef struct nz_scene {
    uint32_t local; /* [64] where in a word, or in an aligned field */
    uint32_t frame; /* [64] what brackets and line, or where in a record */
    uint32_t left;  /* [512] the last bracket, or which bytes are as those above */
    uint32_t type;  /* [256] the kinds of the last two bytes */
    uint32_t third; /* [256] the byte or class before them */
    /* Hashes. Of text: kinds of bytes, lengths and first letters of words, where capitals, blanks
     * and punctuation are, the columns of tables. Of code: parts of this instruction and of those
     * before it. Of binary data only [5]: where zeros are. */
    uint32_t texture[NZ_SCENE_TEXTURES];
} nz_scene;

/* Before a byte. */
nz_scene nz_scene_text(const nz_past *p);
nz_scene nz_scene_binary(const nz_past *p);
nz_scene nz_scene_code(const nz_past *p);
nz_scene nz_scene_arm64(const nz_past *p);

#endif
