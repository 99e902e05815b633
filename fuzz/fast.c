/* Levels 1 to 4. */
#include "lib/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    if (n <= 1 << 14)
        use_engine(in, n, NZ_LEVEL_MIN, NZ_FAST_LEVEL_MAX);
    return 0;
}
