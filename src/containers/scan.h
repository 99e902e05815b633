/* Finds the tensors in a stream of bytes: safetensors, GGUF, PyTorch, NumPy and ONNX files.
 *
 * The stream comes in pieces of any size and the result does not depend on how it was cut. Only
 * headers are gathered, tensor data is skipped unread. What is broken, hostile or none of these is
 * no error: there are just no further tensors. Memory grows with the headers that really came and
 * stays below 600 MB whatever they say; a usual model takes a few. Use one scan from one thread. */
#ifndef NZ_CONTAINERS_SCAN_H
#define NZ_CONTAINERS_SCAN_H

#include "nz.h"
#include "tensor.h"

typedef struct nz_scan nz_scan;

/* On success the caller owns *out and returns it with nz_scan_free(). */
nz_err nz_scan_new(nz_scan **out);

/* The stream's next bytes. Every tensor that begins in what was put is known afterwards. Fails with
 * NZ_E_MEM alone; what was found stays, and nothing more will be. */
nz_err nz_scan_put(nz_scan *s, const void *data, size_t n);

/* Found so far: ascending `at`, not overlapping, possibly past the stream's end. The scan's own,
 * good until the next put. */
const nz_tensor *nz_scan_tensors(const nz_scan *s, size_t *n);

/* "safetensors", "gguf", "pytorch", "npy", "npz", "zip" or "onnx"; NULL: none is known (yet). */
const char *nz_scan_container(const nz_scan *s);

/* Nothing that may still come will be a tensor, so there is no need to put more. */
bool nz_scan_over(const nz_scan *s);

/* The first bytes are none that a container begins with. */
bool nz_scan_unknown(const nz_scan *s);

void nz_scan_free(nz_scan *s); /* NULL is fine */

#endif
