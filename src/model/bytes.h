/* The bytes engine: whole frames in, whole frames out.
 *
 * A frame's shape is everything decoding needs beside the coded bits: it is stored in the frame
 * header and nothing else chooses the arithmetic. Two engines share it: `fast` (levels 1-4,
 * integer context mixing) and `deep` (levels 5-9, context mixing with the network). */
#ifndef NZ_MODEL_BYTES_H
#define NZ_MODEL_BYTES_H

#include "backend/kern.h"
#include "base/pool.h"
#include "content.h"
#include "nz.h"
#include <stdatomic.h>
#include <stdbool.h>

#define NZ_SHAPE_BYTES 16
/* Goes up whenever any coded bit would change; a reader refuses any other number. */
#define NZ_NUMERICS 9
/* The largest frame: positions are 32 bits and a frame is held in memory. */
#define NZ_FRAME_MAX (UINT64_C(1) << 30)

typedef enum nz_engine { NZ_ENGINE_FAST = 0, NZ_ENGINE_DEEP = 1 } nz_engine;
typedef struct nz_shape {
    uint8_t numerics;   /* NZ_NUMERICS */
    uint8_t engine;     /* nz_engine */
    uint8_t level;      /* 1-9, which contexts, mixers and SSE stages there are */
    uint8_t table_bits; /* log2 bytes of the slot table */
    uint8_t match_bits; /* log2 entries of each match table */
    uint8_t layers;     /* network: layers, 0 for none */
    uint8_t width;      /* network: floats a row, in units of 8 */
    uint8_t row_bits;   /* network: log2 rows of each hashed table */
    uint8_t chunk;      /* network: time steps between updates */
    uint8_t prior;      /* which text was read first, see prior.h; 0: none */
    nz_content content;
} nz_shape;

/* Views, each with the models of one kind of data, take turns in a frame. They share what was seen
 * where, slots and matches, so their shapes have the same level and table sizes. The fast engine
 * has one view only. */
enum { NZ_VIEWS_MAX = 64 };

typedef struct nz_turn {
    size_t bytes;
    unsigned view;
} nz_turn;

typedef struct nz_course {
    const nz_shape *view;
    unsigned views;
    const nz_turn *turn;
    size_t turns;
} nz_course;

typedef struct nz_ledger nz_ledger;

/* How to run, never what to compute. */
typedef struct nz_run {
    const nz_kern *kern;
    bool second_core;        /* a helper thread may be used inside the frame */
    _Atomic uint64_t *done;  /* raw bytes finished are added here; may be NULL */
    const _Atomic int *stop; /* non-zero: give up with NZ_E_STOPPED; may be NULL */
    nz_pool *pool;           /* for what frames need again; may be NULL */
    nz_ledger *ledger;       /* decoding writes what bytes cost; NULL but for those who ask */
} nz_run;

/* The raw size of a frame at this level when the user names none; NZ_FRAME_MAX at 9. */
uint64_t nz_level_frame(int level);

/* Chooses by level, size and content. Deterministic. Without a prior. */
void nz_shape_for(nz_shape *s, int level, const nz_content *c, size_t n);
void nz_shape_choose(nz_shape *s, int level, const uint8_t *raw, size_t n);
/* The same shape of n raw bytes that are coded after a prior, with tables for both. */
void nz_shape_prime(nz_shape *s, int prior, size_t n);
void nz_shape_store(const nz_shape *s, uint8_t out[NZ_SHAPE_BYTES]);
/* NZ_E_VERSION for other arithmetic or a prior unknown here, NZ_E_CORRUPT for values no encoder
 * writes. */
nz_err nz_shape_load(nz_shape *s, const uint8_t in[NZ_SHAPE_BYTES]);
/* Bytes the engine allocates for one frame, beside the caller's raw and packed buffers. */
uint64_t nz_shape_memory(const nz_shape *s);

/* Whether no engine would gain: random or already packed data. Fast (about memory speed). Only
 * NZ_E_MEM can go wrong; the answer never depends on how much memory there is. */
nz_err nz_bytes_hopeless(bool *hopeless, const uint8_t *raw, size_t n);

/* NZ_E_FULL when the result would not fit cap (the caller then stores the frame). */
nz_err nz_bytes_encode(const nz_shape *s, const nz_run *run, const uint8_t *raw, size_t n,
                       uint8_t *out, size_t cap, size_t *packed);
/* Exactly n raw bytes come out; any `in` is safe. NZ_E_CORRUPT when it cannot be right. */
nz_err nz_bytes_decode(const nz_shape *s, const nz_run *run, const uint8_t *in, size_t packed,
                       uint8_t *raw, size_t n);

/* Makes shapes that were chosen for all bytes of a frame, by the deep engine, its views; own[i]:
 * the bytes that view i codes. */
void nz_shapes_share(nz_shape *view, unsigned views, const size_t *own);
/* Whether views can share, and turns are n bytes of theirs. */
bool nz_course_valid(const nz_course *c, size_t n);
uint64_t nz_course_memory(const nz_course *c);
/* As above; packed[i]: of view i, all of them one stream. */
nz_err nz_course_encode(const nz_course *c, const nz_run *run, const uint8_t *raw, size_t n,
                        uint8_t *out, size_t cap, size_t *packed);
nz_err nz_course_decode(const nz_course *c, const nz_run *run, const uint8_t *in, size_t packed,
                        uint8_t *raw, size_t n);

#endif
