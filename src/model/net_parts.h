/* What a network is made of, for net.c, which makes, runs and trains it, and net_start.c. */
#ifndef NZ_MODEL_NET_PARTS_H
#define NZ_MODEL_NET_PARTS_H

#include "net.h"

#include <stdbool.h>

#define SYMBOLS  256
#define BUCKETS  8    /* kinds of visit counts that have a gate of their own */
#define WAYS     8    /* headers in a line, rows a context may lie in */
#define ROW_UNIT 4096 /* a row holds multiples of 2^-12 */

typedef struct row_head {
    uint16_t check; /* of the hash; means nothing while visits == 0 */
    uint8_t visits; /* up to 255 */
    uint8_t unused;
    float energy; /* sum of mean squared gradients, for the row's rate */
} row_head;

typedef struct table {
    uint32_t count;
    row_head *head; /* lines of WAYS when hashed */
    int16_t *row;
} table;

/* The row a table gave to a step. */
typedef struct touch {
    uint32_t row;
    uint16_t check; /* the head's then: another context may have taken the row since */
    uint8_t bucket;
} touch;

/* Parameters and their decaying sums of squared gradients. */
typedef struct param {
    float *w, *v;
} param;

typedef struct matrix {
    param weight, bias; /* [in][out]; [out] or none */
    size_t in, out;
} matrix;

/* y = cell(norm(x) * gates + bias); x += y * back */
typedef struct layer {
    param gain;
    matrix gates, back;
} layer;

/* What the forward passes of a chunk leave behind: one entry per step. */
typedef struct layer_trace {
    float *x, *n; /* [width]: input and its norm */
    float *z;     /* [4 * width]: f, value, update, g */
    float *s;     /* [width], one entry more: the state before the first step */
    float *y;     /* [width] */
    float r[NZ_LANES];
} layer_trace;

typedef struct trace {
    layer_trace layer[NZ_NET_LAYERS_MAX];
    touch *touch; /* [tables] */
    float *x, *h; /* [width]: last layer's output and its norm */
    float r[NZ_LANES];
    size_t active; /* steps that train the output layer, */
    size_t active_step[NZ_LANES];
    float *active_h;     /* their norms, */
    float *active_error; /* and their probabilities less the truth */
} trace;

/* A matrix and what it is to learn from. */
typedef struct lesson {
    const matrix *m;
    const float *x, *dy; /* [steps][in], [steps][out] */
    size_t steps;
} lesson;

#define LESSONS_MAX (2 * NZ_NET_LAYERS_MAX + 1)

struct nz_net {
    nz_net_shape shape;
    size_t bytes; /* of the block that holds this and everything below */
    const nz_kern *kern;
    nz_pair *pair;
    size_t width, tables, layers, chunk;
    table table[NZ_NET_DIRECT_MAX + NZ_NET_HASHED_MAX];
    layer layer[NZ_NET_LAYERS_MAX];
    param gain; /* of the last norm */
    matrix out;
    param gate; /* [table][BUCKETS] */
    float *logit;
    float *tree; /* sums of unnormalised probabilities; leaves from SYMBOLS on */

    /* Written by the caller: the byte in hand, and the one before. */
    uint32_t context[NZ_NET_DIRECT_MAX + NZ_NET_HASHED_MAX] __attribute__((aligned(64)));
    uint8_t byte;
    bool told; /* of byte */

    /* From here on written by whoever does the work. */
    unsigned top __attribute__((aligned(64)));
    unsigned now; /* the trace being written */
    size_t step;
    trace trace[2];

    /* Training on the other trace. */
    bool training;
    float *error_t, *dx_t, *dy, *dz_t, *gate_grad;
    float *dx[NZ_NET_LAYERS_MAX + 1]; /* of each layer's input, and of the last one's output */
    float *dz[NZ_NET_LAYERS_MAX];
    float *dgain[NZ_NET_LAYERS_MAX + 1];
    float row_energy[NZ_LANES]; /* mean squared gradient of each step's rows */
    lesson lesson[LESSONS_MAX];
    unsigned lessons, items; /* items of all lessons */
    nz_net_rate rate;
    float rate_start, rate_tiny;
    float trained;    /* updates that its start counts for */
    float keep_power; /* RATE_KEEP to the power of the updates so far */
    uint32_t updates;
};

#endif
