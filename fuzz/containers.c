/* Any bytes as any container. */
#include "lib/scanned.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    use_scan(in, n);
    return 0;
}
