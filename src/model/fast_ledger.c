#include "fast_ledger.h"

#include "models.h"

/* Contexts, order 1, then order 0 and matches, as the loop has them. */
static nz_model model_of(const nz_fast *f, const uint8_t *contexts, int lane, bool matched)
{
    int other = lane - f->plan.contexts;
    if (other < 0)
        return (nz_model)contexts[lane];
    if (f->plan.matches == 1)
        return other == 1 && matched ? NZ_MODEL_MATCH : NZ_MODEL_ORDERS;
    return other > 1 ? NZ_MODEL_MATCH : NZ_MODEL_ORDERS;
}

void nz_fast_enter_bit(nz_ledger *l, const nz_fast *f, size_t at, fast_cell *const *cell,
                       int32_t *const *w, bool matched, uint32_t p, int bit)
{
    uint8_t contexts[FAST_GROUPS_MAX * FAST_LANES];
    float push[NZ_MODELS] = {0}, sum = 0;
    nz_fast_models(f->binary, (unsigned)f->plan.contexts, contexts);
    for (int i = 0; i < f->plan.groups * FAST_LANES; i++) {
        uint32_t weight = 0;
        for (int s = 0; s < FAST_SETS; s++)
            weight += (uint32_t)w[s][i];
        float part = (float)(cell[i]->stretch >> 16) * (float)((int32_t)weight >> 16) / (1 << 13);
        push[model_of(f, contexts, i, matched)] += part;
        sum += part;
    }
    float size = sum < 0 ? -sum : sum, cut = size > NZ_STRETCH_MAX ? NZ_STRETCH_MAX / size : 1;
    for (int k = 0; k < NZ_MODELS; k++)
        push[k] *= cut / NZ_STRETCH_UNIT;
    nz_ledger_bit(l, l->earned[0], push, at, p, bit);
}

void nz_fast_enter_words(nz_ledger *l, const nz_words *words, const uint8_t *codes, size_t size,
                         size_t n)
{
    uint8_t length[256];
    size_t to = n;
    memset(length, 1, sizeof length);
    for (unsigned k = 0; k < words->n; k++)
        length[words->word[k].code] = words->word[k].length;
    for (size_t i = size; i-- > 0;) {
        size_t bytes = length[codes[i]];
        float each = l->bits[i] / (float)bytes;
        if (bytes > to)
            return; /* corrupt, as expanding them will find */
        for (; bytes > 0; bytes--)
            l->bits[--to] = each;
    }
    l->earned[0][NZ_MODEL_WORDS] += 8 * (double)(n - size);
}
