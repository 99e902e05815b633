/* The time a test program has used, for what it prints when it is asked to measure. */
#ifndef NZ_TESTS_SECONDS_H
#define NZ_TESTS_SECONDS_H

#include <time.h>

static inline double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#endif
