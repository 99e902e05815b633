/* Memory of megabytes that every frame needs again: what is given back is kept, its pages with it,
 * where malloc() would return them and have the system clear new ones. */
#ifndef NZ_BASE_POOL_H
#define NZ_BASE_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Smaller and larger blocks are malloc's. */
#define NZ_POOL_LEAST ((size_t)1 << 20)
#define NZ_POOL_MOST  ((size_t)32 << 20)

typedef struct nz_block {
    uint8_t *p; /* NULL while empty */
    size_t n;   /* of which so much may be used */
} nz_block;

typedef struct nz_pool nz_pool; /* used from any thread */

nz_pool *nz_pool_new(void); /* NULL: no memory */
void nz_pool_free(nz_pool *pool);
uint64_t nz_pool_kept(nz_pool *pool); /* bytes */
void nz_pool_drop(nz_pool *pool);     /* what is kept goes back to the system */

/* Makes room for n bytes, at least one; the first `used` stay. Pages cost nothing until they are
 * touched. False, and all is as it was: there is no memory. Without a pool all blocks are malloc's;
 * a block belongs to the pool it was made with. */
bool nz_block_resize(nz_pool *pool, nz_block *b, size_t used, size_t n);
void nz_block_free(nz_pool *pool, nz_block *b); /* {0} again */

#endif
