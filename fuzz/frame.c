/* A frame with right checks around any parameters and payload, so that the engine meets them. */
#include "archive/format.h"
#include "base/base.h"
#include "mixed/mixed.h"

#define ROOM  65536
#define FIXED (2 + NZ_SHAPE_BYTES)

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    static uint8_t archive[NZ_HEAD_BYTES + NZ_HEADER_BYTES + ROOM], out[ROOM];
    if (n < FIXED || n - FIXED > ROOM)
        return 0;
    bool mixed = in[1] & 128;
    nz_header h = {.method = mixed ? NZ_METHOD_MIXED : NZ_METHOD_BYTES,
                   .raw = nz_load16(in) & 0x7fff,
                   .packed = n - FIXED};
    memcpy(h.params, in + 2, NZ_SHAPE_BYTES);
    h.params[0] = mixed ? NZ_MIXED_VERSION : NZ_NUMERICS;
    h.params[2] = mixed ? NZ_NUMERICS : h.params[2];
    nz_head_store(archive);
    size_t at = NZ_HEAD_BYTES;
    at += nz_header_store(&h, archive + at);
    memcpy(archive + at, in + FIXED, n - FIXED);
    size_t raw;
    nz_unpack(out, ROOM, &raw, archive, at + n - FIXED,
              &(nz_options){.threads = 1, .memory = (uint64_t)4 << 20});
    return 0;
}
