/* A list of context hashes under construction, and ways to make one value of several. For the files
 * that choose contexts alone, so the names are short. */
#ifndef NZ_NGRAM_LIST_H
#define NZ_NGRAM_LIST_H

#include "base/base.h"

/* The position of a context in it is part of its hash. */
typedef struct list {
    uint64_t *h;
    unsigned n;
} list;

NZ_INLINE void add(list *l, uint64_t v)
{
    l->h[l->n] = (v + 1) * UINT64_C(0x9E3779B97F4A7C15) + (l->n + 1) * UINT64_C(0xD6E8FEB86659FD93);
    l->n++;
}

NZ_INLINE uint32_t h2(uint32_t a, uint32_t b)
{
    return nz_hash32(a, b);
}

NZ_INLINE uint32_t h3(uint32_t a, uint32_t b, uint32_t c)
{
    return nz_hash32(nz_hash32(a, b), c);
}

/* Two values as one, for contexts that deserve more than 32 bits of identity. */
NZ_INLINE uint64_t pair(uint32_t a, uint32_t b)
{
    return (uint64_t)nz_hash32(a, b) << 32 | (a * 0x2F0B4C47u + b);
}

#endif
