#define _GNU_SOURCE
#include "base/parallel.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

typedef struct pieces {
    size_t n;
    _Atomic size_t next;
    nz_piece_fn *piece;
    void *arg;
} pieces;

int nz_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef CPU_COUNT
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set))
        n = CPU_COUNT(&set);
#endif
    return n < 1 ? 1 : n > NZ_THREADS_MAX ? NZ_THREADS_MAX : (int)n;
}

bool nz_thread_new(pthread_t *out, void *(*run)(void *), void *arg)
{
    sigset_t theirs, before;
    sigfillset(&theirs);
    sigdelset(&theirs, SIGBUS);
    sigdelset(&theirs, SIGFPE);
    sigdelset(&theirs, SIGILL);
    sigdelset(&theirs, SIGSEGV);
    if (pthread_sigmask(SIG_SETMASK, &theirs, &before))
        return false;
    bool good = !pthread_create(out, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

static void run(pieces *p, bool caller)
{
    for (size_t i; (i = p->next++) < p->n;)
        p->piece(p->arg, i, caller);
}

static void *helper(void *arg)
{
    run(arg, false);
    return NULL;
}

void nz_parallel(size_t n, int threads, nz_piece_fn *piece, void *arg)
{
    pthread_t other[NZ_THREADS_MAX];
    pieces p = {.n = n, .piece = piece, .arg = arg};
    int others = 0, most = threads < NZ_THREADS_MAX ? threads : NZ_THREADS_MAX;
    while (others + 1 < most && (size_t)others + 1 < n && nz_thread_new(&other[others], helper, &p))
        others++;
    run(&p, true);
    while (others)
        pthread_join(other[--others], NULL);
}
