/* Blocks: what was in them stays when they grow; those given back are used again, and dropped. */
#include "base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

Test(pool, blocks_are_used_again)
{
    nz_pool *pool = nz_pool_new();
    nz_block a = {0}, b = {0};
    cr_assert(nz_block_resize(pool, &a, 0, 5 * MIB));
    cr_assert(nz_block_resize(pool, &b, 0, 3 * MIB));
    uint8_t *p = a.p;
    memset(a.p, 1, a.n);
    nz_block_free(pool, &a);
    cr_assert(!a.p && nz_pool_kept(pool) >= 5 * MIB);
    cr_assert(nz_block_resize(pool, &a, 0, 2 * MIB));
    cr_assert_eq(a.p, p, "the same once more");
    cr_assert_eq(nz_pool_kept(pool), 0);
    nz_block_free(pool, &a);
    nz_block_free(pool, &b);
    uint64_t kept = nz_pool_kept(pool);
    cr_assert(nz_block_resize(pool, &a, 0, 20 * MIB));
    cr_assert_lt(nz_pool_kept(pool), kept, "too small: makes way");
    nz_pool_drop(pool);
    cr_assert_eq(nz_pool_kept(pool), 0);
    nz_block_free(pool, &a);
    nz_pool_free(pool);
}

/* Through all sizes, with a pool and without. */
Test(pool, contents_stay)
{
    nz_pool *pools[2] = {NULL, nz_pool_new()};
    for (int k = 0; k < 2; k++) {
        nz_block b = {0};
        size_t n = 0;
        static const size_t sizes[] = {1,        MIB - 1,  MIB,      7 * MIB, 8 * MIB,
                                       32 * MIB, 40 * MIB, 50 * MIB, 2 * MIB, 1000};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            size_t used = n < sizes[i] ? n : sizes[i];
            cr_assert(nz_block_resize(pools[k], &b, used, sizes[i]));
            cr_assert(b.n >= sizes[i]);
            for (size_t j = 0; j < used; j += 997)
                cr_assert_eq(b.p[j], (uint8_t)(j % 251));
            for (size_t j = 0; j < sizes[i]; j++)
                b.p[j] = (uint8_t)(j % 251);
            n = sizes[i];
        }
        nz_block_free(pools[k], &b);
        nz_pool_free(pools[k]);
    }
}

Test(pool, buffers_grow)
{
    nz_pool *pool = nz_pool_new();
    nz_buf b = {.pool = pool};
    for (uint32_t i = 0; i < 3 * MIB; i++)
        nz_buf_put(&b, &i, sizeof i);
    cr_assert(!b.failed && b.n == 12 * MIB);
    for (uint32_t i = 0, v; i < 3 * MIB; i += 101) {
        memcpy(&v, b.p + 4 * (size_t)i, sizeof v);
        cr_assert_eq(v, i);
    }
    nz_buf_free(&b);
    cr_assert(nz_pool_kept(pool) >= 12 * MIB);
    nz_pool_free(pool);
}
