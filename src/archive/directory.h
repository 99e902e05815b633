/* The names of an archive's tensors and where their bytes are in the raw data: for listings and for
 * reading one without the rest. Decoding needs none of it. */
#ifndef NZ_ARCHIVE_DIRECTORY_H
#define NZ_ARCHIVE_DIRECTORY_H

#include "base/buf.h"
#include "containers/tensor.h"
#include "nz.h"

#define NZ_TAG_DIRECTORY 0xd0
/* The largest contents, packed or plain, and the longest names together, in bytes. */
#define NZ_DIRECTORY_MAX (UINT32_C(64) << 20)
/* Several times what the largest checkpoints have. */
#define NZ_DIRECTORY_TENSORS (UINT32_C(1) << 20)

/* Starts as {0}. */
typedef struct nz_directory {
    nz_tensor *tensor; /* ascending `at`, not overlapping */
    size_t n, cap;
    uint64_t memory;        /* bytes taken, about */
    struct nz_names *names; /* what the tensors' names point into */
} nz_directory;

void nz_directory_free(nz_directory *d); /* {0} again */

/* Most bytes of a section beside `raw` bytes of data, so that nz_bound() holds. */
uint64_t nz_directory_most(uint64_t raw);
/* The section for the tensors within raw bytes from..from + raw: tag, size, contents, check. They
 * ascend. Nothing is written when there are none of them or it would be too large. NZ_E_MEM. */
nz_err nz_directory_store(const nz_tensor *t, size_t n, uint64_t from, uint64_t raw, nz_buf *out);

/* Adds the tensors of a section of n bytes whose archive holds `raw` bytes from `from` on in all
 * raw data. NZ_E_CORRUPT; NZ_E_LIMIT: *d would take more than `memory`; NZ_E_MEM. *d is then as it
 * was. */
nz_err nz_directory_load(nz_directory *d, const uint8_t *in, size_t n, uint64_t from, uint64_t raw,
                         uint64_t memory, const char **reason);

#endif
