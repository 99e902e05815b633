/* A field is often a number close to the one above it, or as far from it as that one is from the
 * next: an index, an offset, a sample of something smooth, even a float, whose bits order like its
 * values. Where numbers begin is not known and need not be: any three bytes are taken for the end
 * of one, and the byte that would continue it is a context. Of bytes from low to high, that is the
 * one that brings the number nearest to the guess; from high to low, the guess's own, as long as
 * the bytes before it were.
 *
 * What is no number shows in which bytes are zero, and which are as they were in the record above.
 */
#include "record.h"

/* The three bytes that end `back` positions before the next one, the last byte highest. */
static int32_t little(const nz_past *p, uint32_t back)
{
    return (int32_t)(nz_past_at(p, back) << 16 | nz_past_at(p, back + 1) << 8 |
                     nz_past_at(p, back + 2));
}

/* The last byte lowest. */
static int32_t big(const nz_past *p, uint32_t back)
{
    return (int32_t)(nz_past_at(p, back + 2) << 16 | nz_past_at(p, back + 1) << 8 |
                     nz_past_at(p, back));
}

/* The highest byte that brings a number nearest to the guess; the others are known. */
static uint32_t nearest(const nz_past *p, int32_t guess)
{
    int32_t known = (int32_t)((p->c4 & 0xff) << 8 | (p->c4 >> 8 & 0xff));
    return (uint32_t)(guess - known + 0x8000) >> 16 & 0xff;
}

/* The lowest byte of the guess if the others were right, or which side they were on and how far. */
static uint32_t last_of(const nz_past *p, int32_t guess)
{
    int32_t rest = guess - (int32_t)((p->c4 & 0xffff) << 8);
    if (rest >= 0 && rest < 256)
        return (uint32_t)rest;
    uint32_t side = rest < 0, over = side ? (uint32_t)-rest : (uint32_t)rest >> 8;
    return 256 | side << 5 | (uint32_t)(31 - __builtin_clz(over));
}

void nz_record_slots(list *l, const nz_past *p, int tier)
{
    const uint32_t period = p->period, column = p->pos % period | period << 16;
    int32_t up = little(p, period), up2 = little(p, 2 * period);
    add(l, pair(nearest(p, 2 * up - up2), column));
    add(l, pair(p->zeros & 0xffff, column));
    if (tier == 0)
        return;
    add(l, pair(nearest(p, up), column));
    add(l, pair(p->same & 0xffff, column));
    if (tier == 1)
        return;
    up = big(p, period);
    up2 = big(p, 2 * period);
    add(l, pair(last_of(p, 2 * up - up2), column));
    add(l, pair(p->c4 & 0xffe00000, (p->zeros & 15) << 4 | (p->same4 & 15)));
}
