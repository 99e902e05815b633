#include "match.h"

#define MISS_MAX  8  /* wrong bytes before a match is given up */
#define RECOVERED 16 /* right bytes after which earlier misses are forgotten */
#define LEN_MAX   65535

int nz_match_new(nz_match *m, int bits, uint32_t min)
{
    *m = (nz_match){.bits = bits, .min = min, .expect = -1};
    m->last = nz_big_new(sizeof *m->last << bits);
    return m->last ? 0 : -1;
}

void nz_match_free(nz_match *m)
{
    nz_big_free(m->last, sizeof *m->last << m->bits);
    m->last = NULL;
}

static uint32_t hash(const nz_match *m, const uint8_t *end)
{
    uint32_t h = 0;
    for (uint32_t j = 1; j <= m->min; j++)
        h = (h ^ end[-(ptrdiff_t)j]) * 0x2F0B4C47u + (h >> 13);
    return (h * 0x9E3779B1u) >> (32 - m->bits);
}

static void follow(nz_match *m, uint8_t byte)
{
    if (m->expect < 0)
        return;
    m->at++;
    if (m->expect == byte) {
        if (m->len < LEN_MAX)
            m->len++;
        if (m->len >= RECOVERED)
            m->miss = 0;
    } else {
        m->len = 0;
        if (++m->miss > MISS_MAX) {
            m->expect = -1;
            m->miss = 0;
        }
    }
}

static void look_up(nz_match *m, const uint8_t *raw, uint32_t pos, uint32_t candidate)
{
    uint32_t n = 0;
    while (n < NZ_MATCH_VERIFY && n < candidate && raw[candidate - 1 - n] == raw[pos - 1 - n])
        n++;
    if (n >= m->min && n > m->len) {
        m->len = n;
        m->at = candidate;
        m->miss = 0;
        m->expect = 0;
    }
}

void nz_match_next(nz_match *m, const uint8_t *raw, uint32_t pos)
{
    follow(m, raw[pos - 1]);
    if (pos < m->min)
        return;
    uint32_t *slot = &m->last[hash(m, raw + pos)];
    int unsure = m->expect < 0 || m->len == 0 || (m->miss && m->len < m->min);
    if (unsure && *slot)
        look_up(m, raw, pos, *slot);
    *slot = pos;
    m->expect = m->expect >= 0 ? raw[m->at] : -1;
}
