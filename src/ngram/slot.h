/* Slots of the deep engine: what a context has seen in one nibble.
 *
 * A nibble's 15 tree nodes each keep a bit history (history.h); the slot of a byte's first nibble
 * also remembers the last byte seen there and how often in a row. The slots of a cache line make a
 * bucket. The bucket of the second nibble is hashed without the first nibble's last bit, so that it
 * can be prefetched one bit early; that bit is part of the slot's name. */
#ifndef NZ_NGRAM_SLOT_H
#define NZ_NGRAM_SLOT_H

#include "history.h"

enum { NZ_BUCKET_SLOTS = 3 };

typedef struct nz_slot {
    uint16_t check; /* 0: empty */
    uint8_t run_byte, run_count;
    uint8_t state[15];
} nz_slot;

typedef struct nz_bucket {
    nz_slot slot[NZ_BUCKET_SLOTS];
    uint32_t unused;
} nz_bucket;

_Static_assert(sizeof(nz_bucket) == 64, "a bucket is one cache line");

NZ_INLINE uint64_t nz_slot_key(uint64_t context, uint32_t nibble)
{
    uint64_t k = context + nibble * UINT64_C(0xA24BAED4963EE407);
    k ^= k >> 31;
    k *= UINT64_C(0xBF58476D1CE4E5B9);
    return k ^ k >> 29;
}

NZ_INLINE void nz_slot_prefetch(const nz_bucket *table, uint64_t mask, uint64_t key)
{
    __builtin_prefetch(table + (key & mask));
}

/* The slot of (key, last bit), emptied when it was not there; the least used one is replaced. */
NZ_INLINE nz_slot *nz_slot_find(nz_bucket *table, uint64_t mask, uint64_t key, uint32_t last,
                                const nz_history *history)
{
    nz_slot *slot = table[key & mask].slot, *least = slot;
    uint16_t check = (uint16_t)(0x8000u | (key >> 48 & 0x7ffeu) | last);
    for (unsigned i = 0; i < NZ_BUCKET_SLOTS; i++)
        if (slot[i].check == check)
            return &slot[i];
    for (unsigned i = 1; i < NZ_BUCKET_SLOTS; i++)
        if (history->total[slot[i].state[0]] < history->total[least->state[0]])
            least = &slot[i];
    *least = (nz_slot){.check = check};
    return least;
}

/* `byte` came where the slot is a byte's first. */
NZ_INLINE void nz_slot_run(nz_slot *s, uint8_t byte)
{
    bool again = s->run_count && s->run_byte == byte;
    s->run_count = (uint8_t)(again ? s->run_count + (s->run_count < 255) : 1);
    s->run_byte = byte;
}

#endif
