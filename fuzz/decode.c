/* Any bytes may come in; memory stays bounded. */
#include "nz.h"

#include <stdlib.h>

#define ROOM ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    static uint8_t out[ROOM];
    size_t raw;
    nz_unpack(out, ROOM, &raw, in, n, &(nz_options){.threads = 1, .memory = (uint64_t)256 << 20});
    return 0;
}
