/* Gated logistic mixing in integers. Inputs are stretched probabilities with 8 fractional bits;
 * each set owns many rows of weights and a small context selects one; the dot product is a new
 * stretched probability, and the selected row learns from its own error, faster while it is young.
 * Two of them in a chain make the two-layer mixer of the PAQ line.
 *
 * A weight of 1.0 is 2^29: dot products use the upper halves, learning reaches the lower ones. */
#ifndef NZ_MODEL_MIXER_H
#define NZ_MODEL_MIXER_H

#include "backend/kern.h"
#include "numeric.h"

enum { NZ_SETS_MAX = 32, NZ_WEIGHT_ONE = 1 << 29 };

typedef struct nz_mixer {
    const nz_kern *kern;
    const nz_numeric *numeric;
    size_t inputs; /* padded to a multiple of 16 */
    unsigned sets;
    int32_t eager; /* a new row learns at 1 + eager times the rate; 0 unless the owner sets it */
    uint32_t rows[NZ_SETS_MAX];
    int16_t *weights[NZ_SETS_MAX]; /* [rows][2][inputs], from `start` when first used */
    uint8_t *ages[NZ_SETS_MAX];    /* [rows]: bits learned from, 0 before the first use */
    int32_t *start;                /* [inputs] */
    int16_t *x;                    /* [inputs], to be filled before nz_mixer_mix */
    int16_t *selected[NZ_SETS_MAX];
    uint8_t *age[NZ_SETS_MAX];                            /* of the rows selected */
    int32_t st[NZ_SETS_MAX] __attribute__((aligned(64))); /* stretched outputs */
} nz_mixer;

/* 0, or -1 without memory (nz_mixer_free is then still due). */
int nz_mixer_new(nz_mixer *m, const nz_kern *kern, size_t inputs, unsigned sets,
                 const uint32_t *rows);
void nz_mixer_free(nz_mixer *m);
uint64_t nz_mixer_memory(size_t inputs, unsigned sets, const uint32_t *rows);

/* Gives a row of weights its start. */
void nz_mixer_start_row(const nz_mixer *m, int16_t *weights);

NZ_INLINE void nz_mixer_select(nz_mixer *m, unsigned set, uint32_t row)
{
    int16_t *w = m->weights[set] + (size_t)row * 2 * m->inputs;
    m->age[set] = &m->ages[set][row];
    if (NZ_UNLIKELY(!*m->age[set])) {
        *m->age[set] = 1;
        nz_mixer_start_row(m, w);
    }
    m->selected[set] = w;
    for (size_t i = 0; i < 2 * m->inputs; i += 32)
        __builtin_prefetch(w + i);
}

void nz_mixer_mix(nz_mixer *m);
/* rate: 2^21 times the learning rate of old rows. */
void nz_mixer_train(nz_mixer *m, int bit, int32_t rate);

#endif
