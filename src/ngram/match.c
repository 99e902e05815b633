#include "match.h"

#define MISS_MAX  8  /* wrong bytes before a match is given up */
#define RECOVERED 16 /* right bytes after which earlier misses are forgotten */
#define LEN_MAX   65535
#define LINE      16 /* entries of a cache line */

int nz_match_new(nz_match *m, int bits, uint32_t min)
{
    *m = (nz_match){.bits = bits, .min = min, .expect = -1};
    m->last = nz_big_new(sizeof *m->last << bits);
    return m->last ? 0 : -1;
}

void nz_match_forget(nz_match *m)
{
    memset(m->last, 0, sizeof *m->last << m->bits);
    *m = (nz_match){.last = m->last, .bits = m->bits, .min = m->min, .expect = -1};
}

void nz_match_free(nz_match *m)
{
    nz_big_free(m->last, sizeof *m->last << m->bits);
    m->last = NULL;
}

/* The line for the last min - 1 bytes, 3 to 15; NULL while there are fewer than 8 or 16. */
static uint32_t *line_of(const nz_match *m, const uint8_t *raw, uint32_t pos)
{
    uint32_t n = m->min - 1;
    if (pos < (n <= 8 ? 8 : 16))
        return NULL;
    uint64_t last = nz_load64(raw + pos - 8), h = 0;
    if (n <= 8)
        last >>= 64 - 8 * n;
    else
        h = ((nz_load64(raw + pos - 16) >> (128 - 8 * n)) + 1) * UINT64_C(0xD6E8FEB86659FD93);
    h ^= last * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 32;
    h = (h * UINT64_C(0xBF58476D1CE4E5B9)) >> (64 - m->bits);
    return m->last + h / LINE * LINE;
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
    if (m->line) {
        uint32_t *slot = m->line + (raw[pos - 1] * 0x9E3779B9u >> 28);
        int unsure = m->expect < 0 || m->len == 0 || (m->miss && m->len < m->min);
        if (unsure && *slot)
            look_up(m, raw, pos, *slot);
        *slot = pos;
    }
    m->line = line_of(m, raw, pos);
    __builtin_prefetch(m->line, 1);
    m->expect = m->expect >= 0 ? raw[m->at] : -1;
}
