/* The weights engine: whole frames in, whole frames out, like model/bytes.h. A frame is a piece of
 * a checkpoint: slabs of tensors, and whatever lies between them, which the bytes engine codes.
 * formats/weights.md is its page. */
#ifndef NZ_WEIGHTS_WEIGHTS_H
#define NZ_WEIGHTS_WEIGHTS_H

#include "model/bytes.h"
#include "weights/slab.h"

#define NZ_WEIGHTS_PARAMS 16
/* Goes up whenever any coded bit would change; a reader refuses any other number. */
#define NZ_WEIGHTS_NUMERICS 1
/* Raw bytes a frame, about: frames end where rows do. */
#define NZ_WEIGHTS_FRAME (UINT64_C(8) << 20)
/* The largest frame a reader takes. */
#define NZ_WEIGHTS_FRAME_MAX (UINT64_C(1) << 30)

typedef struct nz_weights {
    uint8_t numerics; /* NZ_WEIGHTS_NUMERICS */
    uint8_t mode;     /* nz_weights_mode */
    uint32_t memory;  /* what unpacking allocates at most beside raw and packed, in KiB */
} nz_weights;

/* A slab in its frame. */
typedef struct nz_placed {
    nz_slab slab;
    uint64_t at; /* its first byte, from the start of the frame */
} nz_placed;

void nz_weights_store(const nz_weights *w, uint8_t out[NZ_WEIGHTS_PARAMS]);
/* NZ_E_VERSION for other arithmetic, NZ_E_CORRUPT for values no encoder writes. */
nz_err nz_weights_load(nz_weights *w, const uint8_t in[NZ_WEIGHTS_PARAMS]);
/* Bytes that unpacking allocates beside the caller's raw and packed buffers. */
uint64_t nz_weights_memory(const nz_weights *w);
/* The same, about, of packing n raw bytes, the result included. */
uint64_t nz_weights_pack_memory(nz_weights_mode mode, uint64_t n);

/* Slabs ascend and do not overlap. Sets *w and appends the frame's payload to *out. */
nz_err nz_weights_encode(nz_weights *w, nz_weights_mode mode, const nz_run *run, const uint8_t *raw,
                         size_t n, const nz_placed *slabs, size_t count, nz_buf *out);
/* Bytes from..from + n of a frame of `size` bytes; any `in` is safe. NZ_E_CORRUPT. */
nz_err nz_weights_decode(const nz_weights *w, const nz_run *run, const uint8_t *in, size_t packed,
                         uint8_t *raw, size_t size, size_t from, size_t n);

#endif
