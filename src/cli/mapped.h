/* Files in memory as they are. When one is cut short meanwhile, or its disk fails, the next look at
 * it is a SIGBUS: its handler asks here which file that was. */
#ifndef NZ_CLI_MAPPED_H
#define NZ_CLI_MAPPED_H

#include <stdbool.h>
#include <stddef.h>

typedef struct mapped {
    void *p; /* NULL: the file is empty, or not mapped */
    size_t n;
    const char *name;
    struct mapped *next;
} mapped;

/* All of the file open at fd, which may then be closed. `name` is the caller's, and `m` must stay
 * where it is until mapped_close(). False: errno says why, ESPIPE that it is no regular file. */
bool mapped_open(mapped *m, int fd, const char *name);
void mapped_close(mapped *m); /* {0} again; fine if it never was open */

/* The name of the file that the address is in; NULL: it is in none. For a signal's handler. */
const char *mapped_at(const void *address);

#endif
