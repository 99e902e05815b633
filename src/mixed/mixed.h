/* Mixed frames hold several kinds of data, or packed data. Streams of packed data are unpacked
 * first (packed/pieces.h); then a frame is segments of its contents, in turns coded by the views
 * (model/bytes.h) of their kinds. A map says how the segments make the frame. formats/mixed.md. */
#ifndef NZ_MIXED_MIXED_H
#define NZ_MIXED_MIXED_H

#include "base/buf.h"
#include "base/varint.h"
#include "model/bytes.h"

/* Goes up whenever the meaning of a map would change; a reader refuses any other number. */
#define NZ_MIXED_VERSION 1
#define NZ_MIXED_PARAMS  16

typedef struct nz_mixed {
    uint8_t version;  /* NZ_MIXED_VERSION */
    uint8_t level;    /* 1-9 */
    uint8_t numerics; /* NZ_NUMERICS, of all views */
    uint32_t memory;  /* what unpacking allocates at most beside raw and packed, in KiB */
} nz_mixed;

void nz_mixed_store(const nz_mixed *m, uint8_t out[NZ_MIXED_PARAMS]);
/* NZ_E_VERSION, or NZ_E_CORRUPT for values no encoder writes. */
nz_err nz_mixed_load(nz_mixed *m, const uint8_t in[NZ_MIXED_PARAMS]);
uint64_t nz_mixed_memory(const nz_mixed *m);

typedef struct nz_plan nz_plan;

/* How n bytes, which must stay, are best coded as a mixed frame; *out is NULL when they are one
 * kind of data, for the bytes engine alone: *all. NZ_E_MEM. */
nz_err nz_plan_new(nz_plan **out, nz_content *all, int level, nz_prior_option prior,
                   const uint8_t *raw, size_t n);
void nz_plan_free(nz_plan *p);             /* NULL is fine */
uint64_t nz_plan_memory(const nz_plan *p); /* bytes it holds, and encoding allocates */

/* Sets *m; the payload is *head, empty before, then *packed bytes at out. NZ_E_FULL when those
 * would not fit cap, or the plan, which is tried, does not give the frame back. NZ_E_MEM,
 * NZ_E_STOPPED. */
nz_err nz_mixed_encode(nz_mixed *m, const nz_plan *plan, const nz_run *run, nz_buf *head,
                       uint8_t *out, size_t cap, size_t *packed);
/* Exactly n raw bytes come out; any `in` is safe. NZ_E_CORRUPT when it cannot be right. */
nz_err nz_mixed_decode(const nz_mixed *m, const nz_run *run, const uint8_t *in, size_t packed,
                       uint8_t *raw, size_t n);

/* One turn of a view: n bytes of the contents, from byte `at` on. */
typedef struct nz_shown {
    const nz_shape *shape;
    unsigned view;
    const uint8_t *raw;
    size_t at, n;
} nz_shown;

/* As nz_mixed_decode(); then every turn is shown. Stops with what `show` returns. */
nz_err nz_mixed_show(const nz_mixed *m, const nz_run *run, const uint8_t *in, size_t packed,
                     uint8_t *raw, size_t n, nz_err (*show)(void *arg, const nz_shown *turn),
                     void *arg);

/* What a payload says of its views without being decoded. */
typedef struct nz_mixed_list {
    nz_shape map; /* of the map's own codes; the same sizes: its bytes are stored */
    size_t map_raw, map_packed;
    unsigned views;
    nz_shape view[NZ_VIEWS_MAX];
    size_t raw[NZ_VIEWS_MAX], packed[NZ_VIEWS_MAX];
} nz_mixed_list;

/* The longest. */
#define NZ_MIXED_LIST_BYTES \
    ((NZ_VIEWS_MAX + 1) * (2 * NZ_VARINT_BYTES + NZ_SHAPE_BYTES) + NZ_VARINT_BYTES)

/* From the n bytes at hand of a payload of `packed`. *codes: where the map's codes begin in it, the
 * contents' behind them. NZ_E_CORRUPT, NZ_E_VERSION. */
nz_err nz_mixed_list_load(nz_mixed_list *l, size_t *codes, const uint8_t *in, size_t n,
                          size_t packed);

#endif
