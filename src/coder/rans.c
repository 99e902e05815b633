/* The encoder runs backwards, the decoder forwards: what one pushes last the other pops first. */
#include "coder/rans.h"
#include "base/base.h"

void nz_rans_encoder_init(nz_rans_encoder *e, const uint16_t freq[256])
{
    uint32_t start = 0;
    for (int i = 0; i < 256; i++) {
        uint32_t f = freq[i], shift = 0;
        nz_rans_symbol *s = &e->symbol[i];
        *s = (nz_rans_symbol){.start = start & 0xffff};
        if (f == 0)
            continue;
        s->rest = (NZ_RANS_SLOTS - f) & 0xfff;
        start += f;
        if (f < 2) {
            /* x / 1: the inverse gives x - 1, and what is missing goes into the start. */
            s->inverse = UINT32_MAX;
            s->start = (s->start + NZ_RANS_SLOTS - 1) & 0xffff;
            continue;
        }
        /* Rounding up at ceil(log2 f) - 1 bits beyond 32 is exact for every x below 2^31. */
        while (f > UINT32_C(1) << shift)
            shift++;
        s->inverse = (uint32_t)(((UINT64_C(1) << (shift + 31)) + f - 1) / f);
        s->shift = (shift - 1) & 15;
    }
}

void nz_rans_decoder_init(nz_rans_decoder *d, const uint16_t freq[256])
{
    nz_rans_slot *slot = d->slot;
    for (uint32_t i = 0; i < 256; i++)
        for (uint32_t j = 0; j < freq[i]; j++)
            *slot++ = (nz_rans_slot)freq[i] << 20 | j << 8 | i;
}

static size_t lanes_of(size_t n)
{
    return n < NZ_RANS_WIDE ? 1 : NZ_RANS_LANES;
}

size_t nz_rans_bound(size_t n)
{
    return 2 * n + 4 * NZ_RANS_LANES;
}

size_t nz_rans_encode(const nz_kern *k, const nz_rans_encoder *tables, const uint8_t *set,
                      const uint8_t *symbols, size_t n, uint8_t *end)
{
    uint32_t x[NZ_RANS_LANES];
    size_t lanes = lanes_of(n), i = n;
    uint8_t *p = end;
    for (size_t j = 0; j < lanes; j++)
        x[j] = NZ_RANS_LOW;
    while (i % NZ_RANS_LANES || (i && lanes == 1)) {
        i--;
        const nz_rans_symbol *s = &tables[set ? set[i] : 0].symbol[symbols[i]];
        uint32_t *v = &x[i % lanes];
        if (nz_rans_full(*v, s)) {
            p -= 2;
            nz_store16(p, (uint16_t)*v);
            *v >>= 16;
        }
        *v = nz_rans_push(*v, s);
    }
    p = k->rans_encode(p, x, tables->symbol, set, symbols, i);
    for (size_t j = lanes; j--;) {
        p -= 4;
        nz_store32(p, x[j]);
    }
    return (size_t)(end - p);
}

void nz_rans_open(nz_rans *r, const uint8_t *code, size_t size, size_t n)
{
    *r = (nz_rans){.lanes = lanes_of(n)};
    r->state.at = code;
    r->state.end = code + size;
    if (size < 4 * r->lanes) {
        r->over = 1;
        r->state.at = r->state.end;
        return;
    }
    for (size_t j = 0; j < r->lanes; j++, r->state.at += 4)
        r->state.x[j] = nz_load32(r->state.at);
}

void nz_rans_decode(const nz_kern *k, nz_rans *r, const nz_rans_decoder *tables, const uint8_t *set,
                    uint8_t *symbols, size_t n)
{
    nz_rans_state *s = &r->state;
    size_t i = 0;
    if (r->lanes == NZ_RANS_LANES)
        i = k->rans_decode(s, tables->slot, set, symbols, n / NZ_RANS_LANES * NZ_RANS_LANES);
    for (; i < n; i++) {
        uint32_t *x = &s->x[i % r->lanes];
        nz_rans_slot slot = tables[set ? set[i] : 0].slot[*x & (NZ_RANS_SLOTS - 1)];
        symbols[i] = (uint8_t)slot;
        *x = nz_rans_pop(*x, slot);
        if (*x < NZ_RANS_LOW) {
            *x <<= 16;
            if (s->end - s->at >= 2) {
                *x |= nz_load16(s->at);
                s->at += 2;
            } else {
                r->over = 1;
            }
        }
    }
}

nz_err nz_rans_close(const nz_rans *r)
{
    for (size_t j = 0; j < r->lanes; j++)
        if (r->state.x[j] != NZ_RANS_LOW)
            return NZ_E_CORRUPT;
    return r->over || r->state.at != r->state.end ? NZ_E_CORRUPT : NZ_OK;
}
