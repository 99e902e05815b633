/* Where archive bytes come from and go to: a stdio stream or the caller's memory. */
#ifndef NZ_ARCHIVE_STREAM_H
#define NZ_ARCHIVE_STREAM_H

#include "nz.h"
#include <stdbool.h>

typedef struct nz_source {
    FILE *file;           /* NULL: memory */
    const uint8_t *bytes; /* memory: the rest of it */
    size_t left;
    uint64_t at; /* bytes consumed */
    bool failed; /* the last short read was an error, not the end; */
    int error;   /* its errno */
    bool seeks;  /* skipping may seek */
} nz_source;

typedef struct nz_sink {
    FILE *file;     /* NULL: memory */
    int fd;         /* the file's; -1: it has none */
    bool begun;     /* what the caller left in the file's buffer is written */
    uint8_t *bytes; /* memory: the rest of it */
    size_t left;
    uint64_t at; /* bytes written */
} nz_sink;

void nz_source_file(nz_source *s, FILE *file);
void nz_source_memory(nz_source *s, const void *p, size_t n);
/* Fewer than n only at the end or when it failed. */
size_t nz_source_read(nz_source *s, void *p, size_t n);
/* Memory: the next n bytes, where they are; NULL when they are not there or not in memory. */
const uint8_t *nz_source_take(nz_source *s, size_t n);
/* True unless it is known that there were fewer than n; a seek past the end shows at the next read.
 */
bool nz_source_skip(nz_source *s, uint64_t n);

void nz_sink_file(nz_sink *s, FILE *file);
void nz_sink_memory(nz_sink *s, void *p, size_t n);
/* NZ_E_WRITE, errno says why, or NZ_E_FULL for memory. */
nz_err nz_sink_write(nz_sink *s, const void *p, size_t n);
/* All is written, and the file's own position is behind it. */
nz_err nz_sink_flush(nz_sink *s);

#endif
