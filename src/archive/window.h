/* A file that may be read anywhere, through a window that moves over it, or memory. */
#ifndef NZ_ARCHIVE_WINDOW_H
#define NZ_ARCHIVE_WINDOW_H

#include "nz.h"
#include <stdbool.h>

typedef struct nz_window {
    const uint8_t *bytes; /* memory; NULL: a file */
    int fd;
    uint64_t size; /* of all of it */
    uint8_t *part; /* of the file: n bytes from `at` on */
    uint64_t at;
    size_t n, cap;
} nz_window;

/* Both stay the caller's. NZ_E_READ when it is no regular file; errno says why. */
nz_err nz_window_file(nz_window *w, FILE *file);
void nz_window_memory(nz_window *w, const void *p, size_t n);
void nz_window_close(nz_window *w);

/* What is there from `at` on: `least` bytes or more, fewer only where the file ends; *n says how
 * many. Good until the next call. What cannot be read is zeros here. NULL: no memory. */
const uint8_t *nz_window_see(nz_window *w, uint64_t at, size_t least, size_t *n);
/* n bytes from `at` on. False: they are not there, or cannot be read. */
bool nz_window_read(const nz_window *w, uint64_t at, void *to, size_t n);

#endif
