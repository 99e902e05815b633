#include "net_file.h"

#include "base/base.h"
#include "base/embed.h"

NZ_EMBED(nz_net_file, "priors/nets.bin");

const uint8_t *nz_net_file_start(int level, int of, const nz_net_shape *shape)
{
    const uint8_t *at = nz_net_file;
    for (int k = 0; k < 2 * (level - 5) + of; k++)
        at += 4 + nz_load32(at);
    return nz_load32(at) == nz_net_start_size(shape) ? at + 4 : NULL;
}
