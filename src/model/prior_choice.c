/* Which prior, if any, resembles the data: the share of its strings of four bytes that are among
 * the commonest of a prior's text. Machine code, numbers, other languages share next to none with
 * any of them. */
#include "prior_file.h"

#include "base/base.h"

enum {
    SPOTS = 16,
    SPOT = 2048,
    TABLE_BITS = 13,
    PER_MILLE_LEAST = 75, /* of the strings */
};

typedef struct entry {
    uint32_t gram;  /* 0: none */
    uint32_t found; /* bit k: in prior k + 1 */
} entry;

static entry *find(entry *table, uint32_t gram)
{
    uint32_t i = gram * 0x9E3779B1u >> (32 - TABLE_BITS), mask = (1u << TABLE_BITS) - 1;
    while (table[i].gram && table[i].gram != gram)
        i = (i + 1) & mask;
    return &table[i];
}

static void fill(entry *table)
{
    memset(table, 0, sizeof *table << TABLE_BITS);
    for (int prior = 1; prior <= NZ_PRIORS; prior++) {
        for (int i = 0; i < NZ_PRIOR_GRAMS; i++) {
            uint32_t gram = nz_prior_gram(prior, i);
            entry *e = find(table, gram);
            e->gram = gram;
            e->found |= 1u << (prior - 1);
        }
    }
}

int nz_prior_choose(const uint8_t *raw, size_t n)
{
    entry table[1 << TABLE_BITS];
    uint32_t seen = 0, count[NZ_PRIORS + 1] = {0};
    size_t spots = n > SPOTS * SPOT ? SPOTS : 1, spot = spots > 1 ? SPOT : n;
    fill(table);
    for (size_t k = 0; k < spots; k++) {
        const uint8_t *at = raw + (spots > 1 ? (n - spot) / (spots - 1) * k : 0);
        for (size_t i = 0; i + 4 <= spot; i++, seen++) {
            uint32_t found = find(table, nz_load32(at + i))->found;
            for (int prior = 1; prior <= NZ_PRIORS; prior++)
                count[prior] += found >> (prior - 1) & 1;
        }
    }
    int best = 0;
    for (int prior = 1; prior <= NZ_PRIORS; prior++)
        if (count[prior] * 1000ull > seen * PER_MILLE_LEAST && count[prior] > count[best])
            best = prior;
    return best;
}

int nz_prior_for(nz_prior_option option, const uint8_t *raw, size_t n)
{
    return option == NZ_PRIOR_AUTO ? nz_prior_choose(raw, n) : (int)option - NZ_PRIOR_OFF;
}
