#include "archive/unpack.h"

#include <string.h>

/* A stored frame is where it belongs. */
static void unpack(nz_job *job)
{
    const nz_header *h = &job->header;
    size_t n = (size_t)h->raw;
    job->reason = "the frame's contents are corrupt";
    if (h->method != NZ_METHOD_STORED)
        job->err =
            nz_params_decode(&job->params, h, &job->run, &job->base, job->packed, job->raw, 0, n);
    nz_block_free(job->run.pool, &job->packed_block);
    if (job->err == NZ_E_MEM)
        job->reason = "no memory for a frame's tables";
    if (!job->err && nz_hash(job->raw, n) != h->hash) {
        job->err = NZ_E_CORRUPT;
        job->reason = "the frame's checksum does not match";
    }
    atomic_store_explicit(&job->done, h->raw, memory_order_relaxed);
}

nz_err nz_unpack_job(nz_job *job, const nz_header *h, uint64_t offset, const char **reason)
{
    *job = (nz_job){.header = *h, .offset = offset, .memory = h->raw, .work = unpack};
    nz_err err = nz_params_load(&job->params, h, reason);
    if (!err && h->method != NZ_METHOD_STORED)
        job->memory += h->packed + nz_params_memory(&job->params, h);
    return err;
}

bool nz_unpack_waits(nz_crew *c, const nz_job *job)
{
    bool quick = job->header.method == NZ_METHOD_WEIGHTS && job->params.weights.mode != NZ_MODE_MAX;
    return c->count >= nz_crew_most(c->threads, quick) ||
           (c->count && !nz_crew_room(c, job->memory));
}

bool nz_unpack_give(const nz_job *job, size_t *given, void *data, size_t cap, size_t *n)
{
    const uint8_t *from = job->raw + *given;
    size_t left = (size_t)job->header.raw - *given;
    *n = left < cap ? left : cap;
    if (data != from)
        memcpy(data, from, *n);
    *given += *n;
    return *n == left;
}
