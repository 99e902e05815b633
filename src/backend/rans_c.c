/* rANS kernels in C: the definition. */
#include "base/base.h"
#include "kern.h"

void nz_kern_rans_c(nz_kern *k);

static uint8_t *rans_encode_c(uint8_t *end, uint32_t *x, const nz_rans_symbol *tables,
                              const uint8_t *set, const uint8_t *symbols, size_t n)
{
    uint8_t *p = end;
    while (n) {
        n -= NZ_RANS_LANES;
        for (size_t j = NZ_RANS_LANES; j--;) {
            size_t i = n + j;
            const nz_rans_symbol *s = tables + (set ? set[i] : 0) * 256 + symbols[i];
            /* Written always, kept when asked for: a branch here would be taken at random. */
            unsigned full = nz_rans_full(x[j], s);
            nz_store16(p - 2, (uint16_t)x[j]);
            p -= 2 * full;
            x[j] = nz_rans_push(x[j] >> 16 * full, s);
        }
    }
    return p;
}

static size_t rans_decode_c(nz_rans_state *s, const nz_rans_slot *tables, const uint8_t *set,
                            uint8_t *symbols, size_t n)
{
    size_t i = 0;
    const uint8_t *at = s->at;
    for (; i < n && s->end - at >= NZ_RANS_SLACK; i += NZ_RANS_LANES)
        for (size_t j = 0; j < NZ_RANS_LANES; j++) {
            size_t table = set ? (size_t)set[i + j] * NZ_RANS_SLOTS : 0;
            nz_rans_slot slot = tables[table + (s->x[j] & (NZ_RANS_SLOTS - 1))];
            uint32_t x = nz_rans_pop(s->x[j], slot), more = x << 16 | nz_load16(at);
            unsigned low = x < NZ_RANS_LOW;
            symbols[i + j] = (uint8_t)slot;
            s->x[j] = low ? more : x;
            at += 2 * low;
        }
    s->at = at;
    return i;
}

void nz_kern_rans_c(nz_kern *k)
{
    k->rans_encode = rans_encode_c;
    k->rans_decode = rans_decode_c;
}
