#include "sse.h"

#include <stdlib.h>

/* squash((j - 16) / 2) in 22 bits, with a count of 6: the first observations move it gently. */
const uint32_t nz_sse_start[NZ_SSE_POINTS] = {
    0x0015f806, 0x00243806, 0x003bb406, 0x00626006, 0x00a20806, 0x010abc06, 0x01b69c06,
    0x02d00806, 0x049abc06, 0x07810006, 0x0c241806, 0x136b7006, 0x1e841406, 0x2eb36c06,
    0x44d95406, 0x60a67c06, 0x7ffffc06, 0x9f597c06, 0xbb26a406, 0xd14c8c06, 0xe17be406,
    0xec948806, 0xf3dbe006, 0xf87ef806, 0xfb653c06, 0xfd2ff006, 0xfe495c06, 0xfef53c06,
    0xff5df006, 0xff9d9806, 0xffc44406, 0xffdbc006, 0xffea0006,
};

uint64_t nz_sse_memory(uint32_t contexts)
{
    return (uint64_t)contexts * NZ_SSE_POINTS * sizeof(uint32_t);
}

int nz_sse_new(nz_sse *s, uint32_t contexts)
{
    s->contexts = contexts;
    s->cells = nz_big_new(nz_sse_memory(contexts));
    s->row = s->low = s->cells;
    s->point = s->weight = 0;
    return s->cells ? 0 : -1;
}

void nz_sse_free(nz_sse *s)
{
    nz_big_free(s->cells, nz_sse_memory(s->contexts));
    s->cells = NULL;
}
