/* What the bytes of a frame cost, and which models spare how much: a book that decoding keeps when
 * its run asks for it (nz_run.ledger). Nothing in it is part of the format, so libm may be used.
 *
 * Guessing costs 8 bits a byte; what a byte takes less was earned by the models. In the domain of
 * the mixers a prediction is the sum of what each input pushes towards a one or a zero. Growing all
 * of them evenly from nothing to what they are, each earns what its push brings on the way (the
 * Aumann-Shapley value): the whole gain, shared out in proportion to the pushes. An input that
 * pushes the wrong way earns less than nothing. What the SSE stages make of the mix is theirs, so
 * all parts add up to 8 bits a byte less what was spent. */
#ifndef NZ_MODEL_LEDGER_H
#define NZ_MODEL_LEDGER_H

#include "bytes.h"
#include "mixer.h"

struct nz_ledger {
    float *bits; /* [n] what each byte cost; owned */
    size_t n;
    double earned[NZ_VIEWS_MAX][NZ_MODELS]; /* bits, by view */
    nz_progress_fn progress;                /* may be NULL */
    void *progress_arg;
    uint64_t before;  /* raw bytes of frames that are finished */
    size_t next;      /* the byte before which progress is told again */
    _Atomic int stop; /* what it said; for nz_run.stop */
};

/* An empty book for n bytes. NZ_E_MEM. */
nz_err nz_ledger_open(nz_ledger *l, size_t n);
void nz_ledger_free(nz_ledger *l); /* of {0} too */

/* A bit of byte `at`, coded with the probability p of a one, in 1/65536, when the models pushed so:
 * towards a one, in natural logarithms of odds. `earned` is the view's. */
void nz_ledger_bit(nz_ledger *l, double earned[NZ_MODELS], const float push[NZ_MODELS], size_t at,
                   uint32_t p, int bit);
/* The flag of a byte that one model was sure of; a hit is all of the byte. */
void nz_ledger_sure(nz_ledger *l, double earned[NZ_MODELS], nz_model model, size_t at, uint32_t p,
                    int hit);

/* Sets the pushes of two layers of mixers, the mean of the last one's outputs being the prediction:
 * model[i] is that of the first layer's input i, `last` that of the input which the second layer
 * has beside the first one's outputs. */
void nz_ledger_push(float push[NZ_MODELS], const nz_mixer *first, const uint8_t *model,
                    const nz_mixer *second, nz_model last);

#endif
