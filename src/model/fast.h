/* The fast engine, levels 1-4: contexts name bit histories, each history has an input of its own
 * that learns beside the weights it is mixed with, and SSE refines the result. Integers only.
 *
 * A context's 15 histories of one nibble's bits fill a slot. Four slots and the bytes that check
 * whose they are share a line of 64 bytes, and lines are fetched in pairs, three or four bits
 * early. Order 1 has its own slots and needs no checks. Histories' inputs learn as the weights do,
 * by the gradient of the mix, which saves each a probability of its own. Everything the engine
 * holds comes from one nz_fast. */
#ifndef NZ_MODEL_FAST_H
#define NZ_MODEL_FAST_H

#include "coder/arith.h"
#include "fast_past.h"
#include "model/bytes.h"
#include "model/numeric.h"
#include "ngram/history.h"

enum {
    FAST_LANES = 8, /* mixer inputs are handled in groups of eight */
    FAST_GROUPS_MAX = 3,
    FAST_SETS = 8,
    FAST_SSE_STEPS = 32, /* entries of a row: one cache line */
    FAST_SSE_ROWS = 65536,
    FAST_SSE_SCALE = 22, /* stretch * 22 is a position in a row, in 1/4096 */
    FAST_LINE = 64,
    FAST_PAIR = 2 * FAST_LINE,
    FAST_PAGE = 4096,
    FAST_WAYS = 4, /* slots of a line */
    FAST_NODES = 15,
    FAST_INPUT_MAX = NZ_STRETCH_MAX * 65536,
    FAST_SLOPE = 4,              /* inputs learn 2^4 times slower than their gradient */
    FAST_ORDER1 = 256 * 17 * 16, /* bytes: a slot for a byte's first nibble, 16 for its second */
    FAST_LONG = 400,             /* bytes a match must have held before bytes become flags */
    FAST_STEP = 8192,            /* bytes between looks at run->stop */
};

/* What a history says. */
typedef struct fast_cell {
    int32_t stretch; /* of the probability of a one; 16 more fractional bits than others have */
    uint8_t next[2]; /* the history that follows it, by the bit */
    uint8_t unused[2];
} fast_cell;

/* What a level has. Constant in each instance of the loop. */
typedef struct fast_plan {
    int contexts; /* hashed contexts, the first lanes; order 1 follows */
    int groups;   /* of lanes */
    int matches;  /* 1: it shares a lane with order 0; 2: all three have their own */
    int refine;   /* SSE stages */
    int late;     /* bits of a nibble that are unknown when the next one's lines are fetched */
    int close;    /* mask of the contexts that few bytes follow, see fast_loop.h */
} fast_plan;

#define FAST_PLAN(...) ((fast_plan){__VA_ARGS__})
#define FAST_PLAN1 \
    FAST_PLAN(.contexts = 6, .groups = 1, .matches = 1, .refine = 0, .late = 4, .close = 0x2c)
#define FAST_PLAN2 \
    FAST_PLAN(.contexts = 12, .groups = 2, .matches = 2, .refine = 1, .late = 3, .close = 0x28)
#define FAST_PLAN3 \
    FAST_PLAN(.contexts = 12, .groups = 2, .matches = 2, .refine = 3, .late = 3, .close = 0x28)
#define FAST_PLAN4 \
    FAST_PLAN(.contexts = 20, .groups = 3, .matches = 2, .refine = 3, .late = 3, .close = 0x28)

typedef struct nz_fast {
    const nz_numeric *num;
    const nz_history *hist;
    uint8_t *table; /* lines of slots */
    uint8_t *order1;
    uint32_t *matches[2]; /* position after the last occurrence of a hash */
    uint32_t *after2;     /* for fast_past */
    uint16_t *sse[3];     /* FAST_SSE_ROWS each; entries are kept relative to the start */
    fast_cell
        *cells; /* 256 a context and order 1; then order 0: 256, two matches: 64 each, idle: 128 */
    int32_t *weights[FAST_SETS];
    uint16_t sse_start[FAST_SSE_STEPS];
    int table_shift, match_shift; /* 32 less log2 of pairs of lines and of entries */
    int binary;
    fast_plan plan;
    fast_past past; /* between two texts */
} nz_fast;

/* Of f->past's raw bytes. NZ_E_FULL, NZ_E_STOPPED or NZ_OK. */
typedef nz_err fast_frame(nz_fast *f, const nz_run *run, nz_arith *coder, uint8_t *raw, size_t n);
/* [level - 1][decode] */
typedef fast_frame *const fast_frames[4][2];
extern const fast_frames nz_fast_frames_c, nz_fast_frames_avx2, nz_fast_frames_neon;
/* Unpacking with run->ledger; [level - 1]. */
extern fast_frame *const nz_fast_explained[4];

uint64_t nz_fast_memory(const nz_shape *s);
nz_err nz_fast_encode(const nz_shape *s, const nz_run *run, const uint8_t *raw, size_t n,
                      uint8_t *out, size_t cap, size_t *packed);
nz_err nz_fast_decode(const nz_shape *s, const nz_run *run, const uint8_t *in, size_t packed,
                      uint8_t *raw, size_t n);

#endif
