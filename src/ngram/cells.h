/* Cells: the fields of a table, the values of keys, what stands between tags. Each has an id, its
 * column or key, and begins where the last one with that id is known: the cell above. Lines that
 * are made alike, with delimiters in the same places, are taken for a table. */
#ifndef NZ_NGRAM_CELLS_H
#define NZ_NGRAM_CELLS_H

#include "outline.h"

enum { NZ_CELL_BITS = 12 };

typedef struct nz_cell {
    uint32_t id;
    uint32_t at;    /* where it began; 0: there is none */
    uint32_t bytes; /* hash of all of them */
} nz_cell;

typedef struct nz_cells {
    uint32_t id, from;               /* of the cell under way */
    uint32_t bytes;                  /* hash of those so far */
    uint32_t same;                   /* how many of them the cell above begins with */
    uint32_t regular;                /* how many cells have lately been where they should be */
    nz_cell above;                   /* the last one with this id */
    nz_cell last[1 << NZ_CELL_BITS]; /* by id */
} nz_cells;

/* raw[pos - 1] is known, `above` where the line above begins, the outline has seen the byte. */
void nz_cells_next(nz_cells *c, const uint8_t *raw, uint32_t pos, uint32_t above,
                   const nz_outline *o);

NZ_INLINE bool nz_cells_table(const nz_cells *c)
{
    return c->regular >= 8;
}

#endif
