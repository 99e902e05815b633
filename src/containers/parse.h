/* What a container's parser is made of: steps.
 *
 * A step is called once the bytes it wants are at hand, exactly those, wherever the pieces of the
 * stream were cut. It looks at them and says with nz_scan_next() how far to move on and what to
 * call then; a step that does not say so is the last. Since a step never sees more than it asked
 * for, no result can depend on the pieces. */
#ifndef NZ_CONTAINERS_PARSE_H
#define NZ_CONTAINERS_PARSE_H

#include "base/base.h"
#include "scan.h"

#define NZ_TENSORS_MAX     ((size_t)1 << 20)
#define NZ_NAME_MAX        ((size_t)1 << 16) /* bytes; a tensor with a longer name is left out */
#define NZ_NAMES_MAX       ((size_t)1 << 26) /* bytes of all names: the only thing that piles up */
#define NZ_JSON_HEADER_MAX ((size_t)100000000) /* safetensors refuses longer ones, too */

typedef nz_err nz_step(nz_scan *s, const uint8_t *p, size_t n);

/* From the first byte of this step's window, skip bytes on, `step` wants n > 0 bytes. Either it
 * moves on or it wants more than before: then every chain of steps ends. */
void nz_scan_next(nz_scan *s, uint64_t skip, size_t n, nz_step *step);
/* Where the stream this step's window begins. */
uint64_t nz_scan_at(const nz_scan *s);
/* Takes a copy of t with that name instead of its own. Left out: names with a NUL, ranges that do
 * not fit in 64 bits, begin before the end of this step's window or overlap an earlier one. The
 * tensors added by one step may come in any order. */
nz_err nz_scan_add(nz_scan *s, const nz_tensor *t, const char *name, size_t n);
/* The name is static. */
void nz_scan_known(nz_scan *s, const char *container);
/* A parser's own memory, at most one block at a time: zeroed, and given to `end` before it is
 * freed. NULL: none to be had. */
void *nz_scan_keep(nz_scan *s, size_t bytes, void (*end)(void *state));
void *nz_scan_state(const nz_scan *s);

/* Grows *array of *room elements so that at least `need` fit, at most doubling. False: no memory,
 * or more than `most`. */
bool nz_array_grow(void *array, size_t *room, size_t need, size_t element, size_t most);

/* The first steps: each wants NZ_SCAN_HEAD bytes from the beginning and is called when
 * they looked like its format's. */
#define NZ_SCAN_HEAD 10
nz_step nz_safetensors_head, nz_gguf_head, nz_zip_head, nz_legacy_head, nz_npy_head, nz_onnx_head;

#endif
