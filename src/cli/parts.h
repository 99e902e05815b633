/* What the tensors of an archive spend their bits on: sign, exponent, mantissa ... */
#ifndef NZ_CLI_PARTS_H
#define NZ_CLI_PARTS_H

#include "cli/progress.h"
#include "cli/source.h"

/* A table of bits per element, sums by type, and the bytes of all tensors. `packed` is what
 * nz_tensor_measure() says, `bar` what `a` was opened with. Errors are said. */
void parts_list(const options *o, const source *s, const nz_archive *a,
                const nz_tensor_packed *packed, progress *bar);

#endif
