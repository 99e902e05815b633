/* The codes that zlib gives a block, from how often it uses each symbol. */
#ifndef NZ_PACKED_TREES_H
#define NZ_PACKED_TREES_H

#include "deflate.h"

/* As zlib writes them for this block's tokens; true: the block would rather be a fixed one. */
bool nz_codes_guess(nz_codes *c, const nz_deflate *b);
/* Sets the runs that zlib writes the lengths of codes in; */
void nz_runs_guess(nz_codes *c);
/* and the lengths of the codes that it writes these runs in. */
void nz_run_lens_guess(nz_codes *c);

#endif
