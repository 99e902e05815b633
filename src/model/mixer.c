#include "mixer.h"

#include "backend/adapt.h"

#define DOT_SHIFT 13 /* 8 + 13 fractional bits in a dot product, 8 wanted */

static size_t padded(size_t inputs)
{
    return (inputs + 15) & ~(size_t)15;
}

static size_t set_bytes(size_t inputs, uint32_t rows)
{
    return (size_t)rows * inputs * sizeof(int32_t);
}

uint64_t nz_mixer_memory(size_t inputs, unsigned sets, const uint32_t *rows)
{
    uint64_t sum = 0;
    for (unsigned s = 0; s < sets; s++)
        sum += set_bytes(padded(inputs), rows[s]) + rows[s];
    return sum;
}

int nz_mixer_new(nz_mixer *m, const nz_kern *kern, size_t inputs, unsigned sets,
                 const uint32_t *rows)
{
    *m = (nz_mixer){
        .kern = kern, .numeric = nz_numeric_get(), .inputs = padded(inputs), .sets = sets};
    m->start = nz_big_new(m->inputs * sizeof *m->start);
    m->x = nz_big_new(m->inputs * sizeof *m->x);
    if (!m->start || !m->x)
        return -1;
    for (unsigned s = 0; s < sets; s++) {
        m->rows[s] = rows[s];
        m->weights[s] = nz_big_new(set_bytes(m->inputs, rows[s]));
        m->ages[s] = nz_big_new(rows[s]);
        if (!m->weights[s] || !m->ages[s])
            return -1;
    }
    return 0;
}

void nz_mixer_free(nz_mixer *m)
{
    for (unsigned s = 0; s < m->sets; s++) {
        nz_big_free(m->weights[s], set_bytes(m->inputs, m->rows[s]));
        nz_big_free(m->ages[s], m->rows[s]);
    }
    nz_big_free(m->start, m->inputs * sizeof *m->start);
    nz_big_free(m->x, m->inputs * sizeof *m->x);
    m->sets = 0;
    m->start = NULL;
    m->x = NULL;
}

void nz_mixer_start_row(const nz_mixer *m, int16_t *weights)
{
    for (size_t i = 0; i < m->inputs; i++) {
        weights[i] = (int16_t)(m->start[i] >> 16);
        weights[m->inputs + i] = (int16_t)m->start[i];
    }
}

void nz_mixer_mix(nz_mixer *m)
{
    int32_t dot[NZ_SETS_MAX];
    m->kern->mix_dot(dot, m->x, m->selected, m->sets, m->inputs);
    for (unsigned s = 0; s < m->sets; s++)
        m->st[s] = nz_stretch_clamp(dot[s] >> DOT_SHIFT);
}

/* rate * (1 + eager / (1 + age / 8)), nearly, and the row is older. */
static int64_t rate_at(uint8_t *age, int32_t rate, int32_t eager)
{
    int64_t more = (int64_t)rate * eager * nz_adapt_rate[*age + 6] >> 11;
    *age += *age < 255;
    return rate + more;
}

void nz_mixer_train(nz_mixer *m, int bit, int32_t rate)
{
    int32_t err[NZ_SETS_MAX];
    for (unsigned s = 0; s < m->sets; s++) {
        int64_t e = (bit << 16) - nz_squash(m->numeric, m->st[s]);
        e *= rate_at(m->age[s], rate, m->eager);
        int32_t step = (int32_t)((e + (1 << 15)) >> 16);
        err[s] = step > 32767 ? 32767 : step < -32767 ? -32767 : step;
    }
    m->kern->mix_train(m->selected, m->x, err, m->sets, m->inputs);
}
