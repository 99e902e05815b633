/* The deep engine, levels 5-9: context mixing over bit histories and adaptive probabilities, with
 * the online-trained network as one more model, two layers of gated mixers and several SSE stages.
 * Calls and errors as in bytes.h, which is what the rest of the program sees. */
#ifndef NZ_MODEL_DEEP_H
#define NZ_MODEL_DEEP_H

#include "bytes.h"

/* For n bytes, the end of a prior among them, after `skim` bytes that only slots learn from. */
void nz_deep_choose(nz_shape *s, size_t n, size_t skim);
/* With a network for n bytes only. */
void nz_deep_own(nz_shape *s, size_t n);
/* False for values no encoder writes. */
bool nz_deep_valid(const nz_shape *s);
/* Of views that share a table. */
uint64_t nz_deep_memory(const nz_shape *view, unsigned views);
nz_err nz_deep_encode(const nz_course *c, const nz_run *run, const uint8_t *raw, size_t n,
                      uint8_t *out, size_t cap, size_t *packed);
nz_err nz_deep_decode(const nz_course *c, const nz_run *run, const uint8_t *in, size_t packed,
                      uint8_t *raw, size_t n);

#endif
