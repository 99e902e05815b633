/* Outputs that are complete or absent: written under a temporary name in the target's folder,
 * renamed at the very end, and removed on any error or signal. */
#ifndef NZ_CLI_TARGET_H
#define NZ_CLI_TARGET_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* One at a time: the signal handler knows of one temporary file. */
typedef struct target {
    FILE *to;
    const char *name; /* for messages; the caller's, NULL is standard output */
    bool in_place;    /* stdout, a device, a pipe: there is no temporary file */
    bool replace;     /* an existing file may be replaced */
} target;

/* Signals that end the program remove what is unfinished; SIGBUS, where a mapped file was cut
 * short, also says so and exits. Call once, before any target. */
void target_guard(void);

/* What exists is refused unless `force`, or the user says yes on a terminal. A device or a pipe is
 * written into if the user named it; one that waits where an output belongs gets nothing. */
bool target_open(target *t, const char *name, bool named, bool force);
const char *target_name(const target *t);
/* All of it, whatever signals come, past the buffer of `to`: stdio drops what it holds when a write
 * fails. False: errno says why. */
bool target_write(const target *t, const void *p, size_t n);
/* A second way into what was written so far; NULL when it is no file. */
FILE *target_reopen(const target *t);
/* Gives it mode, times and owner of `like` (NULL: a new file's), flushes and names it. With
 * `durable` it and its folder are on disk when this returns. Errors are said; then it is gone. */
bool target_keep(target *t, const struct stat *like, bool durable);
/* Removes what was written so far; fine after target_keep(). */
void target_drop(target *t);

#endif
