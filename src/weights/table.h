/* Frequency tables for coder/rans.h, and the collection of them that a frame's tensors share: the
 * numbers of one model, once their scale is taken away, are distributed much alike, and a small
 * tensor cannot pay for a table of its own. */
#ifndef NZ_WEIGHTS_TABLE_H
#define NZ_WEIGHTS_TABLE_H

#include "base/buf.h"
#include "coder/rans.h"

#define NZ_TABLES_MAX 2047

typedef struct nz_table {
    uint16_t freq[256]; /* sums to NZ_RANS_SLOTS, none of it the whole */
} nz_table;

/* Starts as {0}. */
typedef struct nz_tables {
    nz_table *table;
    size_t n, cap;
} nz_tables;

void nz_tables_free(nz_tables *t); /* {0} again */

nz_err nz_tables_add(nz_tables *t, const nz_table *table); /* NZ_E_MEM */

/* The table nearest to the counts. */
void nz_table_fit(nz_table *t, const uint32_t counts[256]);
/* Bits that the counted symbols cost; UINT64_MAX when the table lacks one of them. */
uint64_t nz_table_cost(const nz_table *t, const uint32_t counts[256]);
/* Bits a table itself takes in the frame, about. */
uint64_t nz_table_size(const nz_table *t);

/* The cheapest way to code the counted symbols: one of the tables there, or a new one, added. *cost
 * is in bits, the new table's own included. */
nz_err nz_tables_choose(nz_tables *t, const uint32_t counts[256], unsigned *index, uint64_t *cost);
/* The same cost without adding anything, for n symbols of which a sample of `seen` was counted. */
uint64_t nz_tables_cost(const nz_tables *t, const uint32_t counts[256], uint64_t seen, uint64_t n);

nz_err nz_tables_store(const nz_tables *t, nz_buf *out);
/* NZ_E_CORRUPT or NZ_E_MEM. `t` must be {0}. */
nz_err nz_tables_load(nz_tables *t, nz_span *in);

#endif
