/* Unpacking one frame, on whatever thread the crew gives it. */
#ifndef NZ_ARCHIVE_UNPACK_H
#define NZ_ARCHIVE_UNPACK_H

#include "archive/crew.h"

/* A job for the frame with that header, at `offset` of the archive; its base, packed and raw are
 * the caller's to set. job->memory is what unpacking allocates. NZ_E_VERSION, NZ_E_CORRUPT. */
nz_err nz_unpack_job(nz_job *job, const nz_header *h, uint64_t offset, const char **reason);

#endif
