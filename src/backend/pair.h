/* A helper thread beside one caller. A job is a number of items, each run exactly once by whichever
 * of the two claims it first, so results never depend on the helper and a helper that gets no core
 * costs nothing: the caller then runs every item himself.
 *
 * The helper spins for a short while after its last item, then sleeps until nz_pair_wake(). */
#ifndef NZ_BACKEND_PAIR_H
#define NZ_BACKEND_PAIR_H

#include "nz.h"

typedef struct nz_pair nz_pair; /* one caller's; all calls from his thread */

/* Items of one job may run at the same time: they must not touch the same data. */
typedef void nz_pair_fn(void *arg, unsigned item);

nz_err nz_pair_new(nz_pair **out);
/* Offers a job; `arg` stays untouched by the caller until nz_pair_wait(). One job at a time. */
void nz_pair_post(nz_pair *p, nz_pair_fn *fn, void *arg, unsigned items);
/* Runs the items nobody has claimed and returns when all are done. */
void nz_pair_wait(nz_pair *p);
/* Wakes a sleeping helper, less and less often when it came too late the last times. */
void nz_pair_wake(nz_pair *p);
void nz_pair_free(nz_pair *p); /* NULL is fine; no job may be open */

#endif
