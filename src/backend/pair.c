/* The helper thread. `word` holds the number of the job and its next unclaimed item; claiming is a
 * compare-and-swap on both, so an item of an older job can never be claimed by mistake. */
#define _DEFAULT_SOURCE
#include "pair.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPIN_NS     60000 /* about what waking up costs */
#define SPIN_ROUNDS 64    /* pauses between looks at the clock */
#define PATIENCE    4096  /* pauses before the caller offers his core to a late helper */
#define BACKOFF_MAX 10    /* a helper that never helps is woken at every 2^10th wish */
#define QUIT        UINT32_MAX

struct nz_pair {
    /* Written by the caller; its own line. */
    _Alignas(64) _Atomic uint64_t word; /* job number << 32 | items left */
    _Atomic(nz_pair_fn *) fn;
    _Atomic(void *) arg;
    /* Written by the helper. */
    _Alignas(64) _Atomic uint32_t done; /* items of this job it has finished */
    _Atomic uint32_t helped;            /* items it has ever finished, wrapping */
    _Atomic bool asleep;
    /* The caller's own. */
    _Alignas(64) uint32_t job;
    uint32_t items;
    uint32_t helped_before; /* `helped` when the helper was last woken */
    unsigned backoff, skip; /* wishes to skip: log2 at first, and how many are left */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Claims and runs one item of the current job; 0 when none was to be had. fn and arg may belong to
 * a later job than `word` did, but then the exchange fails. */
static unsigned run_one(nz_pair *p)
{
    uint64_t word = atomic_load_explicit(&p->word, memory_order_acquire);
    uint32_t left = (uint32_t)word;
    if (!left || left == QUIT)
        return 0;
    nz_pair_fn *fn = atomic_load_explicit(&p->fn, memory_order_relaxed);
    void *arg = atomic_load_explicit(&p->arg, memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&p->word, &word, word - 1, memory_order_acq_rel,
                                                 memory_order_relaxed))
        return 0;
    fn(arg, left - 1);
    return 1;
}

static uint32_t left(nz_pair *p)
{
    return (uint32_t)atomic_load_explicit(&p->word, memory_order_acquire);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* False when nothing came for SPIN_NS. */
static bool spin(nz_pair *p)
{
    uint64_t start = now_ns();
    do {
        for (int i = 0; i < SPIN_ROUNDS; i++) {
            if (left(p))
                return true;
            relax();
        }
    } while (now_ns() - start < SPIN_NS);
    return false;
}

static void *helper(void *arg)
{
    nz_pair *p = arg;
    while (left(p) != QUIT) {
        if (run_one(p)) {
            atomic_fetch_add_explicit(&p->helped, 1, memory_order_relaxed);
            atomic_fetch_add_explicit(&p->done, 1, memory_order_release);
        } else if (!left(p) && !spin(p)) {
            pthread_mutex_lock(&p->lock);
            atomic_store(&p->asleep, true);
            while (atomic_load(&p->asleep) && left(p) != QUIT)
                pthread_cond_wait(&p->wake, &p->lock);
            pthread_mutex_unlock(&p->lock);
        }
    }
    return NULL;
}

nz_err nz_pair_new(nz_pair **out)
{
    nz_pair *p = aligned_alloc(_Alignof(nz_pair), sizeof *p);
    if (!p)
        return NZ_E_MEM;
    memset(p, 0, sizeof *p);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    if (pthread_create(&p->thread, NULL, helper, p)) {
        pthread_cond_destroy(&p->wake);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return NZ_E_MEM;
    }
    *out = p;
    return NZ_OK;
}

void nz_pair_post(nz_pair *p, nz_pair_fn *fn, void *arg, unsigned items)
{
    p->job++;
    p->items = items;
    atomic_store_explicit(&p->done, 0, memory_order_relaxed);
    atomic_store_explicit(&p->fn, fn, memory_order_relaxed);
    atomic_store_explicit(&p->arg, arg, memory_order_relaxed);
    atomic_store_explicit(&p->word, (uint64_t)p->job << 32 | items, memory_order_release);
}

void nz_pair_wait(nz_pair *p)
{
    uint32_t mine = 0;
    while (left(p))
        mine += run_one(p);
    unsigned tries = 0;
    while (atomic_load_explicit(&p->done, memory_order_acquire) + mine != p->items) {
        if (tries < PATIENCE)
            tries++, relax();
        else
            sched_yield();
    }
}

void nz_pair_wake(nz_pair *p)
{
    if (!atomic_load_explicit(&p->asleep, memory_order_relaxed))
        return;
    if (p->skip) {
        p->skip--;
        return;
    }
    uint32_t helped = atomic_load_explicit(&p->helped, memory_order_relaxed);
    if (helped != p->helped_before)
        p->backoff = 0;
    else if (p->backoff < BACKOFF_MAX)
        p->backoff++;
    p->helped_before = helped;
    p->skip = (1u << p->backoff) - 1;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->asleep, false);
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

void nz_pair_free(nz_pair *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->word, QUIT);
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
