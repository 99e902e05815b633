#include "skim.h"

#include <stdlib.h>

enum { STOP_STEP = 4096 }; /* bytes between looks at whether to stop */

/* One core's share. */
typedef struct half {
    const nz_skim *skim;
    const nz_history *history;
    nz_past *past;
    uint64_t split,
        mine; /* the bits of a key that tell the halves apart, and what ours have there */
    nz_context_list lists;
    uint64_t hash[NZ_CONTEXTS_MAX];
    uint64_t key[NZ_CONTEXTS_MAX]; /* of the nibble's slots in this half, `keys` of them */
    unsigned keys;
    nz_slot *slot[NZ_CONTEXTS_MAX];
    nz_err err;
} half;

static void aim(half *h, uint32_t nibble)
{
    h->keys = 0;
    for (unsigned i = 0; i < h->lists.slots; i++) {
        uint64_t key = nz_slot_key(h->hash[i], nibble);
        if ((key & h->split) != h->mine)
            continue;
        nz_slot_prefetch(h->skim->table, h->skim->mask, key);
        h->key[h->keys++] = key;
    }
}

/* The contexts of the next byte. */
static void aim_byte(half *h)
{
    h->skim->contexts->slots(h->hash, h->past, h->skim->tier);
    aim(h, 0);
}

static void find(half *h, uint32_t last)
{
    for (unsigned i = 0; i < h->keys; i++)
        h->slot[i] = nz_slot_find(h->skim->table, h->skim->mask, h->key[i], last, h->history);
}

static void learn(const half *h, nz_slot *const *slot, unsigned n, unsigned nibble)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0, node = 0; k < 4; k++) {
            unsigned bit = nibble >> (3 - k) & 1;
            uint8_t *state = &slot[i]->state[node];
            *state = h->history->next[bit][*state];
            node = 2 * node + 1 + bit;
        }
}

/* The lines of each nibble are on their way while the one before it is learned. */
static void skim_byte(half *h, uint8_t byte)
{
    nz_slot *first[NZ_CONTEXTS_MAX];
    unsigned n = h->keys;
    find(h, 0);
    memcpy(first, h->slot, n * sizeof first[0]);
    aim(h, 8 | byte >> 5);
    learn(h, first, n, byte >> 4);
    find(h, byte >> 4 & 1);
    unsigned keys = h->keys;
    nz_past_next(h->past, byte);
    aim_byte(h);
    learn(h, h->slot, keys, byte & 15);
    for (unsigned i = 0; i < n; i++)
        nz_slot_run(first[i], byte);
}

static void skim_half(void *arg)
{
    half *h = arg;
    const nz_skim *s = h->skim;
    aim_byte(h);
    for (size_t i = 0; i < s->n && !h->err; i++) {
        skim_byte(h, s->text[i]);
        if (i % STOP_STEP == 0 && s->run->stop && atomic_load(s->run->stop))
            h->err = NZ_E_STOPPED;
    }
}

nz_err nz_skim_text(const nz_skim *s, nz_past *past, nz_pair *pair)
{
    nz_past other;
    half whole = {.skim = s, .history = nz_history_get(), .past = past};
    whole.lists = s->contexts->lists[s->tier];
    if (!pair || nz_past_new(&other, s->text)) {
        skim_half(&whole);
        return whole.err;
    }
    half lower = whole, upper = whole;
    lower.split = upper.split = upper.mine = s->mask ^ s->mask >> 1;
    upper.past = &other;
    nz_pair_post(pair, skim_half, &upper);
    nz_pair_wake(pair);
    skim_half(&lower);
    nz_pair_wait(pair);
    nz_past_free(&other);
    return lower.err ? lower.err : upper.err;
}

uint64_t nz_skim_memory(void)
{
    return nz_past_memory();
}
