/* Blocks that are kept hold their place in the list themselves. */
#include "base/pool.h"
#include "base/base.h"

#include <stdlib.h>

/* Whole huge pages, and few different sizes. */
#define STEP ((size_t)4 << 20)

typedef struct kept {
    struct kept *next;
    size_t n;
} kept;

struct nz_pool {
    pthread_mutex_t lock;
    kept *first;
    uint64_t bytes;
};

nz_pool *nz_pool_new(void)
{
    nz_pool *pool = calloc(1, sizeof *pool);
    if (pool && pthread_mutex_init(&pool->lock, NULL)) {
        free(pool);
        pool = NULL;
    }
    return pool;
}

void nz_pool_free(nz_pool *pool)
{
    if (!pool)
        return;
    nz_pool_drop(pool);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static kept *take_out(nz_pool *pool, kept **at)
{
    kept *k = *at;
    *at = k->next;
    pool->bytes -= k->n;
    return k;
}

uint64_t nz_pool_kept(nz_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    uint64_t bytes = pool->bytes;
    pthread_mutex_unlock(&pool->lock);
    return bytes;
}

void nz_pool_drop(nz_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->first) {
        kept *k = take_out(pool, &pool->first);
        nz_big_free(k, k->n);
    }
    pthread_mutex_unlock(&pool->lock);
}

static bool pooled(const nz_pool *pool, size_t n)
{
    return pool && n >= NZ_POOL_LEAST && n <= NZ_POOL_MOST;
}

/* The smallest that is large enough. Where there is none, one that is too small makes way for the
 * new block, so that no more are kept than were once in use. */
static nz_block pool_take(nz_pool *pool, size_t n)
{
    kept **best = NULL, *old = NULL;
    n = (n + STEP - 1) / STEP * STEP;
    pthread_mutex_lock(&pool->lock);
    for (kept **at = &pool->first; *at; at = &(*at)->next)
        if ((*at)->n >= n && (!best || (*at)->n < (*best)->n))
            best = at;
    if (best || pool->first)
        old = take_out(pool, best ? best : &pool->first);
    pthread_mutex_unlock(&pool->lock);
    if (best)
        return (nz_block){(uint8_t *)old, old->n};
    if (old)
        nz_big_free(old, old->n);
    return (nz_block){nz_big_new(n), n};
}

static void pool_give(nz_pool *pool, nz_block b)
{
    kept *k = (kept *)(void *)b.p;
    k->n = b.n;
    pthread_mutex_lock(&pool->lock);
    k->next = pool->first;
    pool->first = k;
    pool->bytes += b.n;
    pthread_mutex_unlock(&pool->lock);
}

bool nz_block_resize(nz_pool *pool, nz_block *b, size_t used, size_t n)
{
    bool was = pooled(pool, b->n), will = pooled(pool, n);
    nz_block to = {NULL, n};
    if (was && will && n <= b->n)
        return true;
    if (!was && !will)
        to.p = realloc(b->p, n);
    else if (will)
        to = pool_take(pool, n);
    else
        to.p = malloc(n);
    if (!to.p)
        return false;
    if (was || will) {
        if (used)
            memcpy(to.p, b->p, used);
        nz_block_free(pool, b);
    }
    *b = to;
    return true;
}

void nz_block_free(nz_pool *pool, nz_block *b)
{
    if (pooled(pool, b->n))
        pool_give(pool, *b);
    else
        free(b->p);
    *b = (nz_block){0};
}
