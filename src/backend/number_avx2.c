/* The number kernels with AVX2: most of them loops that the compiler does well. */
#include "kern.h"

void nz_kern_number_avx2(nz_kern *k);

#if defined(__x86_64__)
#include <immintrin.h>
#define LOOPS __attribute__((target("avx2,bmi")))
#include "number_loops.h"

LOOPS static size_t number_odd_avx2(uint16_t *where, const uint8_t *symbol, unsigned dense,
                                    size_t n)
{
    const __m256i first = _mm256_set1_epi8((char)dense);
    const __m256i zero = _mm256_set1_epi8((char)NZ_NUMBER_ZERO);
    size_t count = 0, whole = n / GROUP * GROUP;
    for (size_t i = 0; i < whole; i += GROUP) {
        __m256i s = _mm256_loadu_si256((const __m256i *)(symbol + i));
        __m256i high = _mm256_cmpeq_epi8(_mm256_max_epu8(s, first), s);
        __m256i odd = _mm256_andnot_si256(_mm256_cmpeq_epi8(s, zero), high);
        for (uint32_t m = (uint32_t)_mm256_movemask_epi8(odd); m; m &= m - 1)
            where[count++] = (uint16_t)(i + (size_t)__builtin_ctz(m));
    }
    for (size_t i = whole; i < n; i++)
        if (symbol[i] >= dense && symbol[i] != NZ_NUMBER_ZERO)
            where[count++] = (uint16_t)i;
    return count;
}

void nz_kern_number_avx2(nz_kern *k)
{
    fill(k);
    k->number_odd = number_odd_avx2;
}
#else
void nz_kern_number_avx2(nz_kern *k)
{
    (void)k;
}
#endif
