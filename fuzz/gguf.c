/* GGUF files, versions 2 and 3. */
#include "lib/scanned.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    uint8_t head[] = {'G', 'G', 'U', 'F', n > 4 && in[4] & 1 ? 3 : 2, 0, 0, 0};
    use_scan_as(in, n, head, sizeof head);
    return 0;
}
