/* Which models the inputs of the mixers belong to, as nz_archive_explain() tells them apart. */
#ifndef NZ_MODEL_MODELS_H
#define NZ_MODEL_MODELS_H

#include "bytes.h"

/* Of the deep engine's first layer, nz_deep_inputs() of them, in their order. */
void nz_deep_models(const nz_shape *s, uint8_t *model);
/* Of the fast engine's hashed contexts, of which there are n. */
void nz_fast_models(bool binary, unsigned n, uint8_t *model);

#endif
