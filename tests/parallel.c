/* Every piece once, whatever the number of threads. */
#include "base/parallel.h"

#include <criterion/criterion.h>
#include <stdatomic.h>

enum { MOST = 1000 };

typedef struct seen {
    _Atomic unsigned times[MOST + 1];
    pthread_t caller;
    _Atomic bool wrong; /* about whose thread it is on */
} seen;

static void look(void *arg, size_t i, bool caller)
{
    seen *s = arg;
    s->times[i]++;
    if (caller != (pthread_equal(pthread_self(), s->caller) != 0))
        s->wrong = true;
}

Test(parallel, every_piece_once)
{
    static const size_t sizes[] = {0, 1, 2, 7, MOST};
    static const int threads[] = {0, 1, 2, 7};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            seen s = {.caller = pthread_self()};
            nz_parallel(sizes[k], threads[t], look, &s);
            cr_assert(!s.wrong);
            for (size_t i = 0; i <= MOST; i++)
                cr_assert_eq(s.times[i], i < sizes[k], "piece %zu of %zu", i, sizes[k]);
        }
}

Test(parallel, cores)
{
    cr_assert(nz_cores() >= 1 && nz_cores() <= NZ_THREADS_MAX);
}
