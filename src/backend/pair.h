/* A helper thread beside one caller. A job is run exactly once, by whichever of the two claims it
 * first, so results never depend on the helper and one that gets no core costs nothing: the caller
 * then does the work himself.
 *
 * The helper spins for a short while after its last job, then sleeps until nz_pair_wake(). */
#ifndef NZ_BACKEND_PAIR_H
#define NZ_BACKEND_PAIR_H

#include "nz.h"

typedef struct nz_pair nz_pair; /* one caller's; all calls from his thread */

typedef void nz_pair_fn(void *arg);

nz_err nz_pair_new(nz_pair **out);
/* Offers a job; what it works on stays untouched by the caller until nz_pair_wait(). */
void nz_pair_post(nz_pair *p, nz_pair_fn *fn, void *arg);
/* Returns when the last job is done; does it if nobody has claimed it. */
void nz_pair_wait(nz_pair *p);
/* Wakes a sleeping helper, less and less often when it came too late the last times. */
void nz_pair_wake(nz_pair *p);
void nz_pair_free(nz_pair *p); /* NULL is fine; the last job must have been waited for */

#endif
