/* The names of an archive's tensors and where their bytes are in the raw data: for listings and for
 * reading one without the rest. Decoding needs none of it. */
#ifndef NZ_ARCHIVE_DIRECTORY_H
#define NZ_ARCHIVE_DIRECTORY_H

#include "base/buf.h"
#include "containers/tensor.h"
#include "nz.h"

#define NZ_TAG_DIRECTORY 0xd0
/* The largest directory a reader takes, in bytes of its contents. */
#define NZ_DIRECTORY_MAX (UINT32_C(64) << 20)

typedef struct nz_directory {
    nz_tensor *tensor; /* ascending `at` */
    size_t n;
} nz_directory;

void nz_directory_free(nz_directory *d); /* {0} again */

/* The section: tag, size, contents, check. Tensors ascend; none of them: nothing is written. */
nz_err nz_directory_store(const nz_tensor *t, size_t n, nz_buf *out);
/* The contents, `n` bytes between size and check. NZ_E_CORRUPT, NZ_E_MEM. */
nz_err nz_directory_load(nz_directory *d, const uint8_t *in, size_t n);

#endif
