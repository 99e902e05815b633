/* Threads, and pieces of work side by side. Where the system refuses a thread there are fewer of
 * them, and the work goes on: OpenMP would end the process. */
#ifndef NZ_BASE_PARALLEL_H
#define NZ_BASE_PARALLEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define NZ_THREADS_MAX 1024

int nz_cores(void); /* that this process may use, at least one */

/* A thread of our own. The program's signals are for its own threads, but those that a thread
 * brings about itself must reach their handlers. False: the system gives none. */
bool nz_thread_new(pthread_t *out, void *(*run)(void *), void *arg);

/* Piece i of them; `caller`: on the thread that called nz_parallel(). */
typedef void nz_piece_fn(void *arg, size_t i, bool caller);

/* All pieces from 0 to n - 1, begun in order, on up to `threads` threads, the caller's among them.
 */
void nz_parallel(size_t n, int threads, nz_piece_fn *piece, void *arg);

#endif
