/* The map of a mixed frame, read: which view codes what of the contents, and how the contents make
 * the frame. formats/mixed.md. */
#ifndef NZ_MIXED_MAP_H
#define NZ_MIXED_MAP_H

#include "mixed.h"

typedef struct nz_map {
    nz_turn *turn; /* of a view each, for all of the contents */
    size_t turns;
    nz_span recipe, segments, types; /* in the bytes it was read from, which must stay */
} nz_map;

/* Of contents of n bytes, cut for the views of `l`. Release it whatever comes of it. NZ_E_CORRUPT,
 * NZ_E_MEM. */
nz_err nz_map_read(nz_map *m, const uint8_t *map, size_t map_n, const nz_mixed_list *l, size_t n);
void nz_map_reset(nz_map *m);

/* The contents as their recipe wants them, then the frame of n bytes that they make, each in an
 * empty buffer; *rows is empty afterwards. NZ_E_CORRUPT, NZ_E_MEM. */
nz_err nz_map_rows(nz_buf *rows, const nz_map *m, const nz_mixed_list *l, const uint8_t *contents);
nz_err nz_map_frame(nz_buf *frame, const nz_map *m, nz_buf *rows, size_t n);

/* Bytes of an image's pixel for PNG's filters: one at least. */
NZ_INLINE size_t nz_png_pixel(const nz_content *c)
{
    return c->raster.pixel ? c->raster.pixel : 1;
}

#endif
