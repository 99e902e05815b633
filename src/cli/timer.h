/* Time that a piece of work takes. */
#ifndef NZ_CLI_TIMER_H
#define NZ_CLI_TIMER_H

/* Seconds. */
typedef struct timer {
    double user;    /* of the processor, in all threads of this process, outside the system */
    double elapsed; /* by the clock */
} timer;

timer timer_now(void);
timer timer_since(const timer *start);

#endif
