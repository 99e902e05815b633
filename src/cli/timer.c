#include "cli/timer.h"

#include <sys/resource.h>
#include <time.h>

timer timer_now(void)
{
    struct rusage used;
    struct timespec t;
    getrusage(RUSAGE_SELF, &used);
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (timer){(double)used.ru_utime.tv_sec + 1e-6 * (double)used.ru_utime.tv_usec,
                   (double)t.tv_sec + 1e-9 * (double)t.tv_nsec};
}

timer timer_since(const timer *start)
{
    timer now = timer_now();
    return (timer){now.user - start->user, now.elapsed - start->elapsed};
}
