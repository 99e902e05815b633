/* Kernels: one table, filled with plain C (the definition), then overwritten by what the CPU does
 * faster. Every version returns the same bits; tests/kern.c compares them one by one.
 *
 * A kernel only computes: no allocation, no failure, no tails. Integer sums wrap and may be taken
 * in any order. Floats use + - * / and sqrt only (no contraction), in the order C states. */
#ifndef NZ_BACKEND_KERN_H
#define NZ_BACKEND_KERN_H

#include "backend/number.h"
#include "backend/rans.h"
#include "backend/turbo.h"
#include <stddef.h>
#include <stdint.h>

enum { NZ_CPU_AVX2 = 1, NZ_CPU_NEON = 2 };

#define NZ_LANES 16
/* Columns of time-major rows: the steps rounded up to a whole vector. */
#define NZ_STEPS(n) ((n) > 8 ? (size_t)16 : (size_t)8)

/* RMSprop with the constants folded: v = keep * v + g^2; w -= rate * g / sqrt(v + tiny) */
typedef struct nz_net_rate {
    float keep, rate, tiny;
} nz_net_rate;

/* Some rows of a matrix [in][out], and what they are to learn from. */
typedef struct nz_net_step {
    float *w, *v;    /* weights and their decaying sums of squared gradients, [rows][out] */
    const float *x;  /* [steps][in], from the first of the rows on */
    const float *dy; /* [steps][out] */
    size_t in, out, steps;
    const nz_net_rate *rate;
} nz_net_step;

typedef struct nz_kern {
    unsigned cpu; /* NZ_CPU_ flags this table was filled for */

    /* Mixer. x: n inputs in [-32767, 32767]; rows: `sets` rows of n 32-bit weights, the upper
     * halves of all before the lower ones. n is a multiple of 16, all 64-byte aligned. */
    /* out[s] = sum over i of x[i] * (upper half of rows[s][i]), wrapping */
    void (*mix_dot)(int32_t *out, const int16_t *x, int16_t *const *rows, size_t sets, size_t n);
    /* rows[s][i] += x[i] * err[s], wrapping; err in [-32767, 32767] */
    void (*mix_train)(int16_t *const *rows, const int16_t *x, const int32_t *err, size_t sets,
                      size_t n);

    /* v[i] = nz_adapt_next(v[i], bit, limit) for n values, a multiple of 8, 32-byte aligned. */
    void (*adapt)(uint32_t *v, size_t n, int bit, uint32_t limit);

    /* Sketches: differ[i] += how many bits of sketch[i] are not those of own, wrapping; n is a
     * multiple of 16, both 64-byte aligned. */
    void (*sketch_add)(uint16_t *differ, const uint64_t *sketch, uint64_t own, size_t n);

    /* Network. Every n, `in` and `out` is a multiple of NZ_LANES, matrices are row-major with one
     * row per input, pointers aligned to 64 bytes. A sum the definition splits runs in NZ_LANES
     * lanes (element i in lane i mod NZ_LANES), which are then folded in halves. */
    /* y[o] += sum over i, in order, of x[i] * w[i][o] */
    void (*net_mv)(float *y, const float *x, const float *w, size_t in, size_t out);
    /* y = x * gain * r with r = 1 / sqrt(mean(x^2) + tiny), which is returned. Split sum. */
    float (*net_norm)(float *y, const float *x, const float *gain, size_t n);
    /* dx += the gradient through net_norm, limited; dgain[i] += dy[i] * x[i] * r. Split sum. */
    void (*net_norm_back)(float *dx, float *dgain, const float *dy, const float *x,
                          const float *gain, float r, size_t n);
    /* One step of the gated recurrence. z: four vectors of n; in: forget, value, update, unused;
     * out: f = sigmoid(forget), value, update, g = sigmoid(update), inputs limited first.
     * s = f * before + (1 - f) * value; y = s * (update * g). */
    void (*net_cell)(float *z, float *s, float *y, const float *before, size_t n);
    /* Back through `steps` cells: dz[t][3n] from dy[t][n]; z[t][4n] and s[t + 1][n] as the forward
     * steps left them, s[0] being the state before the first. */
    void (*net_cell_back)(float *dz, const float *dy, const float *z, const float *s, size_t steps,
                          size_t n);
    /* tree[256 + i] = exp(logit[i] - max) + floor, tree[i] = tree[2i] + tree[2i + 1] down to 1;
     * returns the first i with the largest logit. */
    unsigned (*net_softmax)(float *tree, const float *logit);
    /* dst[c][r] = src[r][c]; rows is 8 or 16. */
    void (*net_flip)(float *dst, const float *src, size_t rows, size_t cols);
    /* dx[i][t] = sum over o, in order, of w[i][o] * dyt[o][t]: gradients of a matrix's inputs, of
     * `rows` of them (a multiple of 4), from those of its outputs. Time runs fastest, `wide` (8 or
     * 16) steps. */
    void (*net_back)(float *dx, const float *w, const float *dyt, size_t rows, size_t out,
                     size_t wide);
    /* `rows` rows (a multiple of 4) of a matrix move against the sum over t, in order, of
     * x[t][i] * dy[t], 1 to 16 steps. */
    void (*net_step)(const nz_net_step *job, size_t rows);
    /* The same move for n parameters whose gradient is known. */
    void (*net_move)(float *w, float *v, const float *g, size_t n, const nz_net_rate *rate);
    /* x[i] = sum over k, in order, of gain[k] * row[k][i] */
    void (*net_gather)(float *x, const int16_t *const *row, const float *gain, size_t count,
                       size_t n);
    /* Returns the dot product (split sum) of row and d, then row[i] -= rate * d[i], rounded to
     * nearest even and kept within int16. */
    float (*net_row_move)(int16_t *row, const float *d, float rate, size_t n);
    /* Sum of x[i]^2. Split sum. */
    float (*net_square)(const float *x, size_t n);

    /* rANS. n symbols, a multiple of NZ_RANS_LANES; `set` (may be NULL: zeros) names the table of
     * each, 256 symbols or NZ_RANS_SLOTS slots further on. */
    /* From the last symbol to the first; words go in front of `end`; returns the first word. */
    uint8_t *(*rans_encode)(uint8_t *end, uint32_t x[NZ_RANS_LANES], const nz_rans_symbol *tables,
                            const uint8_t *set, const uint8_t *symbols, size_t n);
    /* Returns how many symbols it decoded: all, or what could be done while NZ_RANS_SLACK bytes of
     * input were left before each group of lanes. */
    size_t (*rans_decode)(nz_rans_state *s, const nz_rans_slot *tables, const uint8_t *set,
                          uint8_t *symbols, size_t n);

    /* Numbers, see number.h; n is a multiple of NZ_NUMBER_GROUP, base[i] the base of number i. */
    void (*number_split[NZ_NUMBER_SHAPES])(const nz_number_parts *to, const uint8_t *raw,
                                           const int16_t *base, nz_number_reach r, size_t n);
    /* Of odd numbers the rest is merged, the top is for the caller to set. */
    void (*number_merge[NZ_NUMBER_SHAPES])(uint8_t *raw, const nz_number_parts *from,
                                           const int16_t *base, size_t n);
    /* Where the odd numbers are among n symbols, at most 2^16; returns how many. */
    size_t (*number_odd)(uint16_t *where, const uint8_t *symbol, unsigned dense, size_t n);
    /* Any n up to NZ_NUMBER_ROW. Exponents of numbers that are neither zero nor subnormal, with
     * three bits of mantissa, their sum and count: of the row, and added to those of each column.
     * They are what is left of a number shifted left by one, then right by `shift`. */
    void (*number_scale[NZ_NUMBER_SHAPES])(uint32_t *sum, uint32_t *count, uint32_t *sums,
                                           uint32_t *counts, const uint8_t *raw, unsigned shift,
                                           size_t n);

    /* Any n. The scales of numbers in a row, row + column[i], in quarters of a binade: which
     * quarter, and the base, (floor(scale / 4) - NZ_NUMBER_BELOW) << kept. */
    void (*number_place)(int16_t *base, uint8_t *set, const int16_t *column, int row, unsigned kept,
                         size_t n);

    /* Numbers in groups, see turbo.h: the next n of them, a multiple of NZ_TURBO_GROUP. */
    void (*turbo_split[NZ_TURBO_SHAPES])(nz_turbo_out *to, const uint8_t *raw, size_t n);
    /* No more of them once in->odd or one of in->bit is behind its end, which shows that the code
     * is corrupt. NZ_TURBO_SLACK bytes behind each end may be read. */
    void (*turbo_join[NZ_TURBO_SHAPES])(uint8_t *raw, nz_turbo_in *in, size_t n);
} nz_kern;

/* What this CPU can do, less what NZ_BACKEND=c|avx2|neon forbids. */
unsigned nz_cpu(void);
void nz_kern_init(nz_kern *k, unsigned cpu); /* cpu == 0: plain C */
void nz_kern_avx2(nz_kern *k);               /* an empty stub on other machines */
void nz_kern_neon(nz_kern *k);

#endif
