/* Headers of safetensors files, all bytes but those behind the last brace, their length right. */
#include "lib/scanned.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    uint8_t head[9];
    size_t end = n;
    while (end > 9 && in[end - 1] != '}')
        end--;
    if (end < 10)
        return 0;
    nz_store64(head, end - 8);
    head[8] = '{';
    use_scan_as(in, n, head, sizeof head);
    return 0;
}
