/* Each way to hash gives what the library does. */
#include "backend/hash.h"
#include "backend/kern.h"

#include <criterion/criterion.h>
#include <xxhash.h>

Test(hash, is_the_librarys)
{
    static uint8_t p[20000];
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = (uint8_t)(i * i >> 3);
    for (size_t n = 0; n < sizeof p - 64; n += n < 600 ? 1 : 97) {
        const uint8_t *at = p + n % 64;
        cr_assert_eq(nz_hash(at, n), XXH3_64bits(at, n), "%zu bytes", n);
#if defined(__x86_64__)
        if (nz_cpu() & NZ_CPU_AVX2)
            cr_assert_eq(nz_hash_avx2(at, n), XXH3_64bits(at, n), "%zu bytes", n);
#endif
    }
}
