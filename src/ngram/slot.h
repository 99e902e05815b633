/* Slots of the deep engine: one cache line holds what a context has seen in one nibble.
 *
 * A nibble's 15 tree nodes each keep a bit history (history.h), an adaptive probability and its
 * count; the slot of a byte's first nibble also remembers the last byte seen there and how often
 * in a row. Two slots make a bucket. The bucket of the second nibble is hashed without the first
 * nibble's last bit, so that it can be prefetched one bit early; that bit picks the slot. */
#ifndef NZ_NGRAM_SLOT_H
#define NZ_NGRAM_SLOT_H

#include "history.h"

typedef struct nz_slot {
    uint16_t check; /* 0: empty */
    uint8_t run_byte, run_count;
    uint8_t state[15];
    uint8_t count[15];
    uint16_t p[15]; /* xor 0x8000, so that zeroed memory means one half */
} nz_slot;

_Static_assert(sizeof(nz_slot) == 64, "a slot is one cache line");

NZ_INLINE uint64_t nz_slot_key(uint64_t context, uint32_t nibble)
{
    uint64_t k = context + nibble * UINT64_C(0xA24BAED4963EE407);
    k ^= k >> 31;
    k *= UINT64_C(0xBF58476D1CE4E5B9);
    return k ^ k >> 29;
}

NZ_INLINE nz_slot *nz_slot_bucket(nz_slot *table, uint64_t mask, uint64_t key)
{
    return table + 2 * (key & mask);
}

NZ_INLINE void nz_slot_prefetch(nz_slot *table, uint64_t mask, uint64_t key)
{
    nz_slot *b = nz_slot_bucket(table, mask, key);
    __builtin_prefetch(b);
    __builtin_prefetch(b + 1);
}

/* The slot of (key, last bit), emptied when it was not there; the less used one is replaced. */
NZ_INLINE nz_slot *nz_slot_find(nz_slot *table, uint64_t mask, uint64_t key, uint32_t last,
                                const nz_history *history)
{
    nz_slot *b = nz_slot_bucket(table, mask, key);
    uint16_t check = (uint16_t)(0x8000u | (key >> 48 & 0x7ffeu) | last);
    uint32_t first = (uint32_t)(key >> 40 & 1) ^ last;
    if (b[first].check == check)
        return &b[first];
    if (b[first ^ 1].check == check)
        return &b[first ^ 1];
    if (history->total[b[first].state[0]] > history->total[b[first ^ 1].state[0]])
        first ^= 1;
    memset(&b[first], 0, sizeof b[first]);
    b[first].check = check;
    return &b[first];
}

#endif
