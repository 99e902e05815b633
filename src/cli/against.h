/* A file in memory that others are packed against; an archive stands for what it holds. */
#ifndef NZ_CLI_AGAINST_H
#define NZ_CLI_AGAINST_H

#include "cli/mapped.h"
#include "cli/options.h"
#include <sys/stat.h>

/* Starts as {0}. */
typedef struct against {
    nz_base *base;
    const char *path; /* the caller's */
    FILE *from;
    struct stat st; /* as it was when opened */
    mapped file;
    void *unpacked;
} against;

/* NZ_E_READ: errno says why. NZ_E_ARG: it is no regular file, or empty. What was opened must stay
 * where it is. */
bool against_open(against *a, const options *o, const char *path, nz_fault *fault);
/* Nobody wrote to it since then, nor put another file in its place; it may be gone. */
bool against_holds(const against *a);
/* Why it could not be opened. */
void against_say(const options *o, const char *path, nz_fault fault, int system_error);
void against_close(against *a); /* {0} again */

#endif
