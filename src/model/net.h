/* The network: predicts the next byte and learns from every byte it is told.
 *
 * Its input is the sum of one learned row per context (n-grams and whatever else the caller thinks
 * of), each scaled by a learned gate for how often the row was seen; then one or two layers of a
 * gated diagonal recurrence, then a softmax over the 256 bytes. Trained by truncated
 * backpropagation over chunks of bytes. The arithmetic is part of the archive format: see the rules
 * in backend/kern.h. Use one from one thread. */
#ifndef NZ_MODEL_NET_H
#define NZ_MODEL_NET_H

#include "backend/kern.h"
#include "backend/pair.h"
#include "nz.h"

#define NZ_NET_DIRECT_MAX  16
#define NZ_NET_HASHED_MAX  48
#define NZ_NET_WIDTH_MAX   128
#define NZ_NET_LAYERS_MAX  2
#define NZ_NET_STRETCH     256  /* one unit of ln(p / (1 - p)) */
#define NZ_NET_STRETCH_MAX 2815 /* about 11 units */

typedef struct nz_net_shape {
    int width;          /* floats a row: a multiple of 16 up to NZ_NET_WIDTH_MAX */
    int layers;         /* 1 or 2 */
    int chunk;          /* bytes between updates: 8 or 16 */
    int direct, hashed; /* tables of each kind, at least one in all */
    int row_bits;       /* log2 rows of a hashed table, 3 to 22 */
    uint32_t direct_rows[NZ_NET_DIRECT_MAX];
    const uint8_t *start; /* trained weights, see net_start.h; NULL: random ones */
} nz_net_shape;

typedef struct nz_net nz_net;

/* Bytes a network of this shape allocates; 0 for a shape that is not allowed. */
uint64_t nz_net_memory(const nz_net_shape *shape);
/* On success the caller owns *out and returns it with nz_net_free(). `pair` may be NULL; both it
 * and `kern` must outlive the network. NZ_E_ARG for a shape that is not allowed. */
nz_err nz_net_new(nz_net **out, const nz_net_shape *shape, const nz_kern *kern, nz_pair *pair);

/* For every byte, in this order: begin, finish, any number of questions, learn. */

/* The next byte's contexts: a row number for each direct table, a hash for each hashed one, both
 * copied. Fetches ahead, and with a pair starts the forward pass beside the caller. */
void nz_net_begin(nz_net *net, const uint32_t *direct, const uint32_t *hash);
void nz_net_finish(nz_net *net);
/* c0 is a one followed by the bits of this byte so far. The chance p that the next bit is a one, as
 * ln(p / (1 - p)) in units of 1 / NZ_NET_STRETCH. */
int nz_net_stretch(const nz_net *net, unsigned c0);
/* The most probable byte (the first of equals) and its probability, 1 to 65535. */
unsigned nz_net_top(const nz_net *net, unsigned *p16);
void nz_net_learn(nz_net *net, uint8_t byte);

void nz_net_free(nz_net *net); /* NULL is fine */

#endif
