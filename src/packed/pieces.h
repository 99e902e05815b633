/* A file in pieces: its own bytes, and in the place of every deflate stream the bytes that it
 * holds. All pieces one behind the other are the contents; the recipe is what else it takes to put
 * the file together again, to the bit. What costs more than it saves stays as it is.
 *
 *     nz_pieces s;
 *     if (!nz_split(&s, file, n, most) && s.pieces > 1)
 *         ... pack s.recipe and s.contents, each piece by its kind ...
 *     nz_pieces_reset(&s);
 *
 * Contents may be split again: a zip archive may hold packed files. formats/packed.md. */
#ifndef NZ_PACKED_PIECES_H
#define NZ_PACKED_PIECES_H

#include "base/buf.h"
#include "nz.h"

typedef enum nz_piece_kind {
    NZ_PIECE_PLAIN,  /* the file's own bytes */
    NZ_PIECE_STREAM, /* what a stream holds */
    NZ_PIECE_PIXELS  /* the same of a PNG image: rows, each behind a byte that tells its filter */
} nz_piece_kind;

typedef struct nz_piece {
    nz_piece_kind kind;
    size_t bytes;
    unsigned row;   /* of pixels: bytes of a row with its filter's; 0: interlaced, of many widths */
    unsigned pixel; /* bytes, at least 1 */
    unsigned depth; /* bits of a sample */
} nz_piece;

typedef struct nz_pieces {
    nz_buf contents, recipe;
    nz_piece *piece; /* without empty ones */
    size_t pieces;
} nz_pieces;

/* On any error `s` is empty. `most`: bytes of contents, not below n; what would make it more stays
 * packed. NZ_E_MEM. */
nz_err nz_split(nz_pieces *s, const uint8_t *file, size_t n, size_t most);
void nz_pieces_reset(nz_pieces *s);

/* Puts the file behind the bytes of `to`, at most `most`. Whatever it is given, it ends there or in
 * NZ_E_CORRUPT, NZ_E_LIMIT, NZ_E_MEM. */
nz_err nz_join(nz_buf *to, const uint8_t *contents, size_t contents_n, const uint8_t *recipe,
               size_t recipe_n, size_t most);

#endif
