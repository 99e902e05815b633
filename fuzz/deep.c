/* Levels 5 to 9, which take milliseconds to begin. */
#include "lib/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    if (n <= 1 << 9)
        use_engine(in, n, NZ_FAST_LEVEL_MAX + 1, NZ_LEVEL_MAX - NZ_FAST_LEVEL_MAX);
    return 0;
}
