/* Jobs in a list, those that wait for a worker in another; one lock for what workers touch. */
#include "archive/crew.h"
#include "base/parallel.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_NSEC 100000000 /* between calls of the progress function */
#define AHEAD         2         /* quick frames in flight, a worker */

int nz_crew_threads(const nz_options *opt)
{
    int n = opt && opt->threads ? opt->threads : nz_cores();
    return n < 1 ? 1 : n > NZ_THREADS_MAX ? NZ_THREADS_MAX : n;
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
    c->waiting_last = &c->waiting;
    if (opt) {
        c->progress = opt->progress;
        c->progress_arg = opt->progress_arg;
    }
    if (opt && opt->threads < 0)
        return NZ_E_ARG;
    nz_kern_init(&c->kern, nz_cpu());
    c->worker = calloc((size_t)c->threads, sizeof *c->worker);
    c->pool = nz_pool_new();
    if (!c->worker || !c->pool || pthread_mutex_init(&c->lock, NULL))
        goto no_lock;
    if (pthread_cond_init(&c->ready, NULL))
        goto no_ready;
    if (pthread_cond_init(&c->wanted, NULL))
        goto no_wanted;
    return NZ_OK;
no_wanted:
    pthread_cond_destroy(&c->ready);
no_ready:
    pthread_mutex_destroy(&c->lock);
no_lock:
    nz_pool_free(c->pool);
    free(c->worker);
    return NZ_E_MEM;
}

int nz_crew_most(int threads, bool quick)
{
    return quick && threads > 1 ? AHEAD * threads : threads;
}

bool nz_crew_room(nz_crew *c, uint64_t bytes)
{
    if (c->used > c->memory || bytes > c->memory - c->used)
        return false;
    if (bytes + nz_pool_kept(c->pool) > c->memory - c->used)
        nz_pool_drop(c->pool);
    return true;
}

/* The oldest job that waits; NULL: the crew ends. Called and returns with the lock held. */
static nz_job *next_job(nz_crew *c)
{
    c->idle++;
    while (!c->waiting && !c->ends)
        pthread_cond_wait(&c->wanted, &c->lock);
    c->idle--;
    nz_job *job = c->waiting;
    if (!job)
        return NULL;
    c->waiting = job->next_waiting;
    if (!c->waiting)
        c->waiting_last = &c->waiting;
    c->waits--;
    return job;
}

static void *worker(void *arg)
{
    nz_crew *c = arg;
    pthread_mutex_lock(&c->lock);
    for (nz_job *job; (job = next_job(c)) != NULL;) {
        pthread_mutex_unlock(&c->lock);
        job->work(job);
        pthread_mutex_lock(&c->lock);
        job->finished = true;
        pthread_cond_signal(&c->ready);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* False: there is no worker, and there can be none. */
static bool hand_over(nz_crew *c, nz_job *job)
{
    pthread_mutex_lock(&c->lock);
    if (c->waits >= c->idle && c->workers < c->threads)
        c->workers += nz_thread_new(&c->worker[c->workers], worker, c);
    if (c->workers) {
        *c->waiting_last = job;
        c->waiting_last = &job->next_waiting;
        c->waits++;
        pthread_cond_signal(&c->wanted);
    }
    pthread_mutex_unlock(&c->lock);
    return c->workers;
}

void nz_crew_start(nz_crew *c, nz_job *job, bool more)
{
    job->next = job->next_waiting = NULL;
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
                        .stop = &c->stop,
                        .pool = c->pool};

    /* A stored frame is moved at the speed of memory: not worth a thread. */
    bool alone = job->header.method == NZ_METHOD_STORED || (c->threads == 1 && !c->progress);
    if (alone || !hand_over(c, job)) {
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
    return job;
}

nz_job *nz_crew_take(nz_crew *c)
{
    if (!wait_first(c))
        return NULL;
    nz_job *job = take_first(c);
    c->done += job->header.raw;
    if (!job->err && !ask(c)) {
        nz_job_free(c, job);
        return NULL;
    }
    return job;
}

void nz_crew_end(nz_crew *c)
{
    atomic_store_explicit(&c->stop, 1, memory_order_relaxed);
    pthread_mutex_lock(&c->lock);
    c->waiting = NULL; /* nobody will take what they make */
    c->ends = true;
    pthread_cond_broadcast(&c->wanted);
    pthread_mutex_unlock(&c->lock);
    for (int i = 0; i < c->workers; i++)
        pthread_join(c->worker[i], NULL);
    while (c->first)
        nz_job_free(c, take_first(c));
    pthread_cond_destroy(&c->wanted);
    pthread_cond_destroy(&c->ready);
    pthread_mutex_destroy(&c->lock);
    nz_pool_free(c->pool);
    free(c->worker);
}

void nz_job_free(nz_crew *c, nz_job *job)
{
    if (!job)
        return;
    nz_block_free(c->pool, &job->raw_block);
    nz_block_free(c->pool, &job->packed_block);
    nz_buf_free(&job->head);
    free(job->slabs);
    nz_plan_free(job->plan);
    free(job);
}
