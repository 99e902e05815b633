/* ONNX models: protobufs whose first field is a small version. */
#include "lib/scanned.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    use_scan_as(in, n, "\x08\x0a", 2);
    return 0;
}
