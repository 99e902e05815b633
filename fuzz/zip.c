/* Zip archives: NumPy's and torch's. */
#include "lib/scanned.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    use_scan_as(in, n, "PK\3\4", 4);
    return 0;
}
