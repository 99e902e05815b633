/* Frames in flight: jobs are begun in order, run on the crew's workers and are taken back in order.
 *
 * Workers are made when there is work for them and stay to the end. Quick frames, of tensors,
 * take milliseconds: more of them than there are workers are in flight, so that none has to wait
 * until the oldest, which takes longer, is taken. The caller's thread waits, and calls the progress
 * function while it does. With one core and no progress function a job runs on the caller's
 * thread. */
#ifndef NZ_ARCHIVE_CREW_H
#define NZ_ARCHIVE_CREW_H

#include "archive/params.h"
#include <pthread.h>

typedef struct nz_crew nz_crew;

typedef struct nz_job {
    struct nz_job *next, *next_waiting;
    bool finished; /* under the crew's lock */

    nz_header header;
    nz_params params;
    nz_weights_mode mode; /* packing them: how, */
    nz_placed *slabs;     /* and which; freed with the job */
    size_t slab_count;
    nz_weights_base base;
    nz_plan *plan;         /* packing mixed frames; freed with the job */
    const uint8_t *packed; /* NULL when stored */
    uint8_t *raw;
    nz_block raw_block, packed_block; /* freed with the job; empty: the memory is lent */
    nz_buf head;     /* packing weights and mixed frames: the payload's first part */
    uint64_t memory; /* what the job holds, counted by the crew from start to take */
    uint64_t offset; /* for a fault: in the raw data or in the archive */
    nz_run run;
    _Atomic uint64_t done;
    nz_err err;
    const char *reason;
    void (*work)(struct nz_job *job); /* sets err and reason */
} nz_job;

struct nz_crew {
    nz_kern kern;
    int threads;
    uint64_t memory; /* the limit */
    nz_progress_fn progress;
    void *progress_arg;
    _Atomic int stop;
    nz_pool *pool;
    nz_job *first, **last; /* in flight, oldest first */
    int count;
    uint64_t used; /* by the jobs in flight */
    uint64_t done; /* raw bytes of the jobs taken */

    pthread_t *worker; /* [threads], of which there are */
    int workers;
    pthread_mutex_t lock;            /* of what follows */
    pthread_cond_t ready, wanted;    /* a job is finished; one waits, or the crew ends */
    nz_job *waiting, **waiting_last; /* for a worker, oldest first */
    int waits, idle;                 /* jobs that do, workers without one */
    bool ends;
};

/* What an option of 0 stands for. */
int nz_crew_threads(const nz_options *opt);
uint64_t nz_crew_memory(const nz_options *opt);

/* NZ_E_ARG or NZ_E_MEM. `opt` may be NULL. Afterwards the crew must stay where it is. */
nz_err nz_crew_init(nz_crew *c, const nz_options *opt);
void nz_crew_end(nz_crew *c); /* stops, waits for and frees what is in flight */

/* Frames that may be in flight with so many threads: more when they are `quick`. */
int nz_crew_most(int threads, bool quick);
/* True when `bytes` more may be held. */
bool nz_crew_room(nz_crew *c, uint64_t bytes);
/* Starts the job, now the crew's. `more`: others will follow at once, so its second core is only
 * there if they leave one. */
void nz_crew_start(nz_crew *c, nz_job *job, bool more);
/* Waits for the oldest job, of which there must be one, and makes it the caller's. NULL: the
 * progress function asked to stop. */
nz_job *nz_crew_take(nz_crew *c);

void nz_job_free(nz_crew *c, nz_job *job); /* NULL is fine */

#endif
