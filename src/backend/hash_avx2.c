/* XXH3 once more, by AVX2: a distribution's library has what every machine has. */
#include "backend/hash.h"

#if defined(__x86_64__)
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#define XXH_VECTOR XXH_AVX2
#include <xxhash.h>

uint64_t nz_hash_avx2(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
