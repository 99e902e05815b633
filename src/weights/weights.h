/* The weights engine: whole frames in, whole frames out, like model/bytes.h. A frame is a piece of
 * a checkpoint: slabs of tensors, and whatever lies between them, which the bytes engine codes.
 * formats/weights.md is its page. */
#ifndef NZ_WEIGHTS_WEIGHTS_H
#define NZ_WEIGHTS_WEIGHTS_H

#include "model/bytes.h"
#include "weights/max.h"
#include "weights/slab.h"

#define NZ_WEIGHTS_PARAMS 16
/* Goes up whenever any coded bit would change; a reader refuses any other number. */
#define NZ_WEIGHTS_NUMERICS 1

typedef struct nz_weights {
    uint8_t numerics; /* NZ_WEIGHTS_NUMERICS */
    uint8_t mode;     /* nz_weights_mode */
    uint32_t memory;  /* what unpacking allocates at most beside raw and packed, in KiB */
} nz_weights;

/* Raw bytes a frame, about: frames end where rows do. */
uint64_t nz_weights_frame(nz_weights_mode mode);

/* A slab in its frame. */
typedef struct nz_placed {
    nz_slab slab;
    uint64_t at; /* its first byte, from the start of the frame */
    /* The same blocks in the base file; base_at: UINT64_MAX when there are none. */
    nz_dtype base_dtype;
    uint64_t base_at;
} nz_placed;

/* The base file, in memory; {0}: there is none. */
typedef struct nz_weights_base {
    const uint8_t *p;
    size_t n;
} nz_weights_base;

void nz_weights_store(const nz_weights *w, uint8_t out[NZ_WEIGHTS_PARAMS]);
/* NZ_E_VERSION for other arithmetic, NZ_E_CORRUPT for values no encoder writes. */
nz_err nz_weights_load(nz_weights *w, const uint8_t in[NZ_WEIGHTS_PARAMS]);
/* Bytes that unpacking allocates beside the caller's raw and packed buffers. */
uint64_t nz_weights_memory(const nz_weights *w);
/* The same, about, of packing n raw bytes, the result included. */
uint64_t nz_weights_pack_memory(nz_weights_mode mode, uint64_t n);

/* Slabs ascend and do not overlap. Sets *w and appends the frame's payload: to *head what comes
 * before the codes of the slabs, which go to *codes. */
nz_err nz_weights_encode(nz_weights *w, nz_weights_mode mode, const nz_run *run,
                         const nz_weights_base *base, const uint8_t *raw, size_t n,
                         const nz_placed *slabs, size_t count, nz_buf *head, nz_buf *codes);
/* Bytes from..from + n of a frame of `size` bytes; any `in` is safe. NZ_E_CORRUPT, also for what a
 * base that is not there is needed for. */
nz_err nz_weights_decode(const nz_weights *w, const nz_run *run, const nz_weights_base *base,
                         const uint8_t *in, size_t packed, uint8_t *raw, size_t size, size_t from,
                         size_t n);

/* The map that a payload begins with: which slabs there are and what each takes, without decoding
 * anything. */
typedef struct nz_weights_map {
    nz_span map, codes;
    uint64_t left, at, size; /* slabs; raw bytes passed, and of the frame */
} nz_weights_map;

typedef struct nz_coded {
    nz_placed placed;
    uint64_t packed; /* bytes of its code */
    unsigned form;   /* its first byte, see nz_slab_form() */
} nz_coded;

/* Of a frame of `size` raw bytes; any `in` is safe. NZ_E_CORRUPT. */
nz_err nz_weights_map_open(nz_weights_map *m, const uint8_t *in, size_t packed, size_t size);
/* False after the last slab. */
bool nz_weights_map_next(nz_weights_map *m, nz_coded *c);

/* One slab by its code, blocks from..from + n of it. `other` as in nz_slab_decode(). */
nz_err nz_weights_slab(const nz_slab *s, const nz_run *run, const nz_weights_base *base,
                       const nz_tables *tables, const nz_other *other, nz_span code, uint8_t *raw,
                       uint64_t from, uint64_t n);
/* All of one that the model codes, in the order of the frame. */
nz_err nz_weights_slab_max(nz_max *m, const nz_slab *s, const nz_kern *kern,
                           const nz_tables *tables, nz_span code, uint8_t *raw);

#endif
