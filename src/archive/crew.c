/* Jobs in a list, a thread each, one lock for "finished". */
#include "archive/crew.h"

#include <omp.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX   1024
#define PROGRESS_NSEC 100000000 /* between calls of the progress function */

int nz_crew_threads(const nz_options *opt)
{
    int n = opt && opt->threads ? opt->threads : omp_get_num_procs();
    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : n;
}

uint64_t nz_crew_memory(const nz_options *opt)
{
    if (opt && opt->memory)
        return opt->memory;
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : UINT64_C(1) << 30;
}

nz_err nz_crew_init(nz_crew *c, const nz_options *opt)
{
    *c = (nz_crew){.threads = nz_crew_threads(opt), .memory = nz_crew_memory(opt)};
    c->last = &c->first;
    if (opt) {
        c->progress = opt->progress;
        c->progress_arg = opt->progress_arg;
    }
    if (opt && opt->threads < 0)
        return NZ_E_ARG;
    nz_kern_init(&c->kern, nz_cpu());
    if (pthread_mutex_init(&c->lock, NULL))
        return NZ_E_MEM;
    if (pthread_cond_init(&c->ready, NULL)) {
        pthread_mutex_destroy(&c->lock);
        return NZ_E_MEM;
    }
    return NZ_OK;
}

bool nz_crew_room(const nz_crew *c, uint64_t bytes)
{
    return c->used <= c->memory && bytes <= c->memory - c->used;
}

static void *job_thread(void *arg)
{
    nz_job *job = arg;
    nz_crew *c = job->crew;
    job->work(job);
    pthread_mutex_lock(&c->lock);
    job->finished = true;
    pthread_cond_signal(&c->ready);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* The program's signals are for its own threads. */
static bool job_spawn(nz_job *job)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before))
        return false;
    bool made = !pthread_create(&job->thread, NULL, job_thread, job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return made;
}

void nz_crew_start(nz_crew *c, nz_job *job, bool more)
{
    job->next = NULL;
    job->crew = c;
    *c->last = job;
    c->last = &job->next;
    c->count++;
    c->used += job->memory;

    uint64_t at_once = more ? (uint64_t)c->threads : (uint64_t)c->count;
    uint64_t fit = job->memory ? c->memory / job->memory : at_once;
    if (fit < at_once)
        at_once = fit;
    job->run = (nz_run){.kern = &c->kern,
                        .second_core = (uint64_t)c->threads > at_once,
                        .done = &job->done,
                        .stop = &c->stop};

    /* A stored frame is moved at the speed of memory: not worth a thread. */
    bool alone = job->header.method == NZ_METHOD_STORED || (c->threads == 1 && !c->progress);
    job->threaded = !alone && job_spawn(job);
    if (!job->threaded) {
        job->work(job);
        job->finished = true;
    }
}

static bool ask(nz_crew *c)
{
    uint64_t done = c->done;
    for (nz_job *j = c->first; j; j = j->next) {
        uint64_t of_job = atomic_load_explicit(&j->done, memory_order_relaxed);
        done += of_job < j->header.raw ? of_job : j->header.raw;
    }
    if (!c->progress || !c->progress(c->progress_arg, done))
        return true;
    atomic_store_explicit(&c->stop, 1, memory_order_relaxed);
    return false;
}

static bool wait_first(nz_crew *c)
{
    nz_job *job = c->first;
    bool go_on = true;
    pthread_mutex_lock(&c->lock);
    while (go_on && !job->finished) {
        if (!c->progress) {
            pthread_cond_wait(&c->ready, &c->lock);
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PROGRESS_NSEC;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&c->ready, &c->lock, &until);
        pthread_mutex_unlock(&c->lock);
        go_on = ask(c);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return go_on;
}

static nz_job *take_first(nz_crew *c)
{
    nz_job *job = c->first;
    c->first = job->next;
    if (!c->first)
        c->last = &c->first;
    c->count--;
    c->used -= job->memory;
    if (job->threaded)
        pthread_join(job->thread, NULL);
    return job;
}

nz_job *nz_crew_take(nz_crew *c)
{
    if (!wait_first(c))
        return NULL;
    nz_job *job = take_first(c);
    c->done += job->header.raw;
    if (!job->err && !ask(c)) {
        nz_job_free(job);
        return NULL;
    }
    return job;
}

void nz_crew_end(nz_crew *c)
{
    atomic_store_explicit(&c->stop, 1, memory_order_relaxed);
    while (c->first)
        nz_job_free(take_first(c)); /* the join waits */
    pthread_cond_destroy(&c->ready);
    pthread_mutex_destroy(&c->lock);
}

void nz_job_free(nz_job *job)
{
    if (!job)
        return;
    if (!job->raw_lent)
        free(job->raw);
    if (!job->packed_lent)
        free(job->packed);
    free(job->slabs);
    free(job);
}
