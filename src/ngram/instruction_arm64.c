#include "instruction.h"

/* What most instructions write and the first that they read, Rd and Rn. */
static uint32_t registers(uint32_t word)
{
    return word & 0x3ff;
}

/* Levels 5 and 6. */
static void essentials(list *l, const nz_past *p)
{
    const nz_arm64 *a = &p->arm64;
    const uint32_t *op = a->op, *word = a->word;
    uint32_t now = a->now, like = a->place ? a->same[now >> (8 * a->place - 8) & 0xff] : 0;
    add(l, now);
    add(l, pair(now, op[0]));
    add(l, pair(now, h2(op[0], op[1])));
    add(l, pair(now, h3(op[0], op[1], op[2])));
    add(l, pair(now, h2(h3(op[0], op[1], op[2]), op[3])));
    add(l, pair(now, word[0]));
    add(l, pair(now, h2(word[0], word[1])));
    add(l, pair(now, h2(op[0], word[0] & 31)));
    add(l, pair(now, h3(word[0] & 31, word[1] & 31, word[2] & 31)));
    add(l, pair(now, like));
    add(l, pair(now, a->call[0]));
    add(l, pair(now, a->stack));
}

/* Levels 7 and 8. */
static void supplements(list *l, const nz_past *p)
{
    const nz_arm64 *a = &p->arm64;
    const uint32_t *op = a->op, *word = a->word;
    uint32_t now = a->now;
    add(l, pair(now, h2(h3(op[0], op[1], op[2]), h3(op[3], op[4], op[5]))));
    add(l, pair(now, h3(word[0], word[1], word[2])));
    add(l, pair(now, word[1]));
    add(l, pair(now, h2(op[1], op[2])));
    add(l, pair(now, h2(op[0], word[1])));
    add(l, pair(now, word[0] & 31));
    add(l, pair(now, h2(registers(word[0]), registers(word[1]))));
    add(l, pair(now, h2(word[0] & 0x3fffff, 1)));
    add(l, pair(now, h2(op[0], a->call[0])));
    add(l, pair(now, h2(a->call[0], a->call[1])));
    add(l, pair(now, h2(a->stack, op[0])));
    add(l, pair(a->place, h2(op[0], p->c4 & 0xff)));
}

void nz_arm64_slots(list *l, const nz_past *p, int tier)
{
    essentials(l, p);
    if (tier > 0)
        supplements(l, p);
}

void nz_arm64_rows(uint32_t *hash, const nz_past *p, int tier)
{
    const nz_arm64 *a = &p->arm64;
    const uint32_t *op = a->op, *word = a->word;
    uint32_t now = a->now, n = 0;
    hash[n++] = h2(now, op[0]);
    hash[n++] = h3(now, op[0], op[1]);
    hash[n++] = h2(now, word[0]);
    hash[n++] = h2(now, registers(word[0]));
    if (tier == 0)
        return;
    hash[n++] = h2(now, h3(op[0], op[1], op[2]));
    hash[n++] = h3(now, word[0], word[1]);
    hash[n++] = h2(now, h2(registers(word[0]), registers(word[1])));
    hash[n++] = h2(now, a->stack);
    hash[n++] = h2(now, word[1]);
    if (tier == 1)
        return;
    hash[n++] = h2(now, a->call[0]);
    hash[n++] = h2(now, h2(op[1], op[2]));
    hash[n++] = h2(now, word[0] & 31);
    hash[n++] = h2(now, a->place ? a->same[now >> (8 * a->place - 8) & 0xff] : 0);
    hash[n++] = h3(now, h3(op[0], op[1], op[2]), op[3]);
}
