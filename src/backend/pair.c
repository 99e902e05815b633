/* The helper thread. `word` is twice the number of the last job, plus one while it is open;
 * claiming closes it by a compare-and-swap, so an older job can never be claimed by mistake. */
#define _DEFAULT_SOURCE
#include "pair.h"
#include "base/parallel.h"

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

struct nz_pair {
    /* Written by the caller; its own line. */
    _Alignas(64) _Atomic uint64_t word;
    _Atomic(nz_pair_fn *) fn;
    _Atomic(void *) arg;
    _Atomic bool quit;
    /* Written by the helper. */
    _Alignas(64) _Atomic uint64_t done; /* jobs it has finished */
    _Atomic bool asleep;
    /* The caller's own. */
    _Alignas(64) uint64_t jobs; /* posted, */
    uint64_t mine;              /* and those of them he did */
    uint64_t done_before;       /* `done` when the helper was last woken */
    unsigned backoff, skip;     /* wishes to skip: log2 at first, and how many are left */
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

static bool open_job(const nz_pair *p)
{
    return atomic_load_explicit(&p->word, memory_order_relaxed) & 1;
}

/* Claims and runs the open job. fn and arg may belong to a later job than `word` did, but then the
 * exchange fails. */
static bool run_job(nz_pair *p)
{
    uint64_t word = atomic_load_explicit(&p->word, memory_order_acquire);
    if (!(word & 1))
        return false;
    nz_pair_fn *fn = atomic_load_explicit(&p->fn, memory_order_relaxed);
    void *arg = atomic_load_explicit(&p->arg, memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&p->word, &word, word - 1, memory_order_acq_rel,
                                                 memory_order_relaxed))
        return false;
    fn(arg);
    return true;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* False when nothing came for SPIN_NS. */
static bool spin(const nz_pair *p)
{
    uint64_t start = now_ns();
    do {
        for (int i = 0; i < SPIN_ROUNDS; i++) {
            if (open_job(p))
                return true;
            relax();
        }
    } while (now_ns() - start < SPIN_NS);
    return false;
}

static void *helper(void *arg)
{
    nz_pair *p = arg;
    uint64_t done = 0;
    while (!atomic_load_explicit(&p->quit, memory_order_relaxed)) {
        if (run_job(p)) {
            atomic_store_explicit(&p->done, ++done, memory_order_release);
        } else if (!spin(p)) {
            pthread_mutex_lock(&p->lock);
            atomic_store(&p->asleep, true);
            while (atomic_load(&p->asleep) && !atomic_load(&p->quit))
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
    if (!nz_thread_new(&p->thread, helper, p)) {
        pthread_cond_destroy(&p->wake);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return NZ_E_MEM;
    }
    *out = p;
    return NZ_OK;
}

void nz_pair_post(nz_pair *p, nz_pair_fn *fn, void *arg)
{
    uint64_t job = ++p->jobs;
    atomic_store_explicit(&p->fn, fn, memory_order_relaxed);
    atomic_store_explicit(&p->arg, arg, memory_order_relaxed);
    atomic_store_explicit(&p->word, job << 1 | 1, memory_order_release);
}

void nz_pair_wait(nz_pair *p)
{
    p->mine += run_job(p);
    unsigned tries = 0;
    while (atomic_load_explicit(&p->done, memory_order_acquire) != p->jobs - p->mine) {
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
    uint64_t done = atomic_load_explicit(&p->done, memory_order_relaxed);
    if (done != p->done_before)
        p->backoff = 0;
    else if (p->backoff < BACKOFF_MAX)
        p->backoff++;
    p->done_before = done;
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
    atomic_store(&p->quit, true);
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
