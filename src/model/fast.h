/* The fast engine, levels 1-4: contexts hashed to bit histories, adaptive maps from histories to
 * probabilities, a mixer with selected weights, one refinement stage. Integers only.
 *
 * A slot is 16 bytes: a check byte and the 15 histories of one nibble's bits. Four slots share a
 * line of 64 bytes. Everything the engine holds comes from one nz_fast. */
#ifndef NZ_MODEL_FAST_H
#define NZ_MODEL_FAST_H

#include "coder/arith.h"
#include "model/bytes.h"
#include "model/numeric.h"
#include "ngram/history.h"

enum {
    FAST_LANES = 8, /* mixer inputs are handled in groups of eight */
    FAST_GROUPS_MAX = 3,
    FAST_SETS_MAX = 8,
    FAST_FINAL_ROWS = 512,
    FAST_SSE_STEPS = 32, /* entries of a row: one cache line */
    FAST_SSE_ROWS = 65536,
    FAST_SSE_SCALE = 22, /* stretch * 22 is a position in a row, in 1/4096 */
    FAST_LINE = 64,
    FAST_SLOT = 16,
    FAST_RATE_MIN = 256, /* of a cell: 1/256 */
    FAST_LONG = 400,     /* bytes a match must have held before bytes become flags */
    FAST_STEP = 8192,    /* bytes between looks at run->stop */
};

/* A probability that learns: p in 1/2^22, its stretch, and the share of an error it takes in. */
typedef struct fast_cell {
    int32_t p;
    int16_t stretch;
    uint16_t rate; /* 1/65536, falls from 1/8 to 1/256 */
} fast_cell;

/* What a level has. Constant in each instance of the loop. */
typedef struct fast_plan {
    int contexts;         /* hashed contexts, the first lanes */
    int groups;           /* of lanes */
    int matches;          /* 1: it shares a lane with order 0; 2: all three have their own */
    int sets;             /* of weights */
    int layers;           /* 1: the sets are added up; 2: each is a mixer, two more mix them */
    int refine;           /* SSE stages */
    int first_rate, rate; /* the mixers' learning rate: falls by one every 2048 bytes */
} fast_plan;

#define FAST_PLAN(...) ((fast_plan){__VA_ARGS__})
#define FAST_PLAN1                                                                           \
    FAST_PLAN(.contexts = 7, .groups = 1, .matches = 1, .sets = 5, .layers = 1, .refine = 1, \
              .first_rate = 14, .rate = 3)
#define FAST_PLAN2                                                                            \
    FAST_PLAN(.contexts = 13, .groups = 2, .matches = 2, .sets = 5, .layers = 1, .refine = 1, \
              .first_rate = 14, .rate = 3)
#define FAST_PLAN3                                                                            \
    FAST_PLAN(.contexts = 13, .groups = 2, .matches = 2, .sets = 6, .layers = 2, .refine = 3, \
              .first_rate = 23, .rate = 12)
#define FAST_PLAN4                                                                            \
    FAST_PLAN(.contexts = 21, .groups = 3, .matches = 2, .sets = 8, .layers = 2, .refine = 3, \
              .first_rate = 23, .rate = 12)

typedef struct nz_fast {
    const nz_numeric *num;
    const nz_history *hist;
    uint8_t *table;       /* lines of slots */
    uint32_t *matches[2]; /* position after the last occurrence of a hash */
    uint32_t *after2;     /* for fast_past */
    uint16_t *sse[3];     /* FAST_SSE_ROWS each; entries are kept relative to the start */
    fast_cell *cells;     /* 256 a context; then order 0: 256, two matches: 64 each, idle: 128 */
    int32_t *weights[FAST_SETS_MAX];
    int32_t *final[2]; /* FAST_FINAL_ROWS each */
    uint16_t sse_start[FAST_SSE_STEPS];
    int table_shift, match_shift; /* 32 less log2 of lines and entries */
    int binary;
    fast_plan plan;
} nz_fast;

/* NZ_E_FULL, NZ_E_STOPPED or NZ_OK. */
typedef nz_err fast_frame(nz_fast *f, const nz_run *run, nz_arith *coder, uint8_t *raw, size_t n);
/* [level - 1][decode] */
typedef fast_frame *const fast_frames[4][2];
extern const fast_frames nz_fast_frames_c, nz_fast_frames_avx2, nz_fast_frames_neon;

uint64_t nz_fast_memory(const nz_shape *s);
nz_err nz_fast_encode(const nz_shape *s, const nz_run *run, const uint8_t *raw, size_t n,
                      uint8_t *out, size_t cap, size_t *packed);
nz_err nz_fast_decode(const nz_shape *s, const nz_run *run, const uint8_t *in, size_t packed,
                      uint8_t *raw, size_t n);

#endif
