/* Unpacking one frame, on whatever thread the crew gives it. */
#ifndef NZ_ARCHIVE_UNPACK_H
#define NZ_ARCHIVE_UNPACK_H

#include "archive/crew.h"

/* A job for the frame with that header, at `offset` of the archive; its base, packed and raw are
 * the caller's to set. job->memory is what unpacking allocates. NZ_E_VERSION, NZ_E_CORRUPT. */
nz_err nz_unpack_job(nz_job *job, const nz_header *h, uint64_t offset, const char **reason);

/* Whether jobs in flight must be taken before this one is started. If not, and there is no room for
 * it in the crew, there never will be. */
bool nz_unpack_waits(nz_crew *c, const nz_job *job);

/* Hands out up to cap bytes of what was unpacked, *given of them before; they may be at `data`
 * already. True: these were the last. */
bool nz_unpack_give(const nz_job *job, size_t *given, void *data, size_t cap, size_t *n);

#endif
