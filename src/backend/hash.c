#include "backend/hash.h"
#include "backend/kern.h"

#include <xxhash.h>

#define LONG 4096 /* bytes that are worth asking for the CPU */

uint64_t nz_hash(const void *p, size_t n)
{
#if defined(__x86_64__)
    if (n >= LONG && nz_cpu() & NZ_CPU_AVX2)
        return nz_hash_avx2(p, n);
#endif
    return XXH3_64bits(p, n);
}
