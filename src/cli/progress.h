/* The bar on a terminal: how far, how fast, how small so far, how long still. */
#ifndef NZ_CLI_PROGRESS_H
#define NZ_CLI_PROGRESS_H

#include "cli/options.h"

typedef struct progress {
    bool shown;          /* stderr is a terminal and -q was not given */
    bool drawn;          /* there is a line to wipe */
    const char *name;    /* the input */
    uint64_t total;      /* raw bytes; UINT64_MAX: unknown */
    const nz_writer *to; /* says what was packed so far; NULL when unpacking */
    uint64_t first[2];   /* raw and packed bytes when the first frame was finished */
    uint64_t now[2];     /* and the latest; when unpacking, 0 and all of it */
    double start, last;  /* seconds on the monotonic clock */
} progress;

bool progress_wanted(const options *o);
void progress_start(progress *p, const options *o, const char *name, uint64_t total);
/* An nz_progress_fn: arg is the progress. Never stops the work. */
int progress_step(void *arg, uint64_t raw_done);
/* Wipes the bar, so that a message may follow; it comes back. */
void progress_hide(progress *p);
/* Wipes it for good. */
void progress_end(progress *p);
double progress_seconds(const progress *p);

/* Before a long job on a terminal: how long it takes, and which level takes about a tenth. */
void progress_estimate(const options *o, const char *name, uint64_t total);
/* Seconds on one core; and a time in words, in the caller's buffer. */
#define CLOCK_TEXT 32
double progress_guess(int level, uint64_t total);
const char *progress_about(char text[CLOCK_TEXT], double seconds);

#endif
