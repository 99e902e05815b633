/* Where one kind of data ends and another begins, told from the bytes: in a tar of sources and
 * programs, or in a program's own data. Only long stretches are cut out, since a change of models
 * costs what they share. */
#ifndef NZ_MIXED_CUT_H
#define NZ_MIXED_CUT_H

#include "model/content.h"

typedef struct nz_segment {
    nz_content content;
    size_t bytes;
    bool filtered; /* rows of a PNG image: a filter's type in front of each, differences behind */
} nz_segment;

typedef struct nz_segments {
    nz_segment *at;
    size_t n, cap;
    bool failed; /* there was no memory */
} nz_segments;

/* Behind the last one, or as its continuation where they are alike. */
void nz_segments_add(nz_segments *s, const nz_segment *segment);
void nz_segments_free(nz_segments *s);

/* Adds the segments of n bytes; all: their content taken as one. */
void nz_cut(nz_segments *to, int level, const nz_content *all, const uint8_t *raw, size_t n);

#endif
