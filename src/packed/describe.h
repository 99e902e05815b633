/* A deflate stream as the bytes it holds and a short description of how its packer chose among the
 * many streams that hold them: the parameters with which zlib comes closest, and where it would
 * have done something else. After preflate (Dirk Steinke, 2018). formats/packed.md. */
#ifndef NZ_PACKED_DESCRIBE_H
#define NZ_PACKED_DESCRIBE_H

#include "base/buf.h"
#include "nz.h"

/* Puts the description behind the bytes of `to`. packed, packed_n: just the stream; raw: what
 * nz_inflate_all() makes of it. NZ_E_FULL: it would be longer than `most` bytes. NZ_E_MEM,
 * NZ_E_CORRUPT. */
nz_err nz_describe(nz_buf *to, const uint8_t *packed, size_t packed_n, const uint8_t *raw,
                   size_t raw_n, size_t most);
/* Puts the stream behind the bytes of `to`. Any description ends in at most `most` bytes or an
 * error: NZ_E_CORRUPT, NZ_E_LIMIT, NZ_E_MEM. */
nz_err nz_rebuild(nz_buf *to, const uint8_t *raw, size_t raw_n, const uint8_t *description,
                  size_t n, size_t most);

#endif
