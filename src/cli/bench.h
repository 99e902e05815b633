/* nzip bench: levels and other compressors on the user's own files, in one run. */
#ifndef NZ_CLI_BENCH_H
#define NZ_CLI_BENCH_H

#include "cli/options.h"

/* What one compressor made of one file, or of all of them. Seconds are of one round. */
typedef struct result {
    const char *codec;    /* "nzip", "zstd", "xz" */
    char setting[24];     /* "-5" */
    char label[8];        /* the same, shorter */
    uint64_t raw, packed; /* bytes */
    struct timing {
        double user, elapsed; /* seconds: of the processor in all threads, and by the clock */
        uint64_t memory;      /* bytes allocated beside input and output; 0: not known */
    } pack, unpack;
} result;

enum { RESULTS_MAX = 16 };

typedef struct results {
    const char *name; /* of the file; NULL: all files together */
    result row[RESULTS_MAX];
    unsigned n;
} results;

/* All of o->names. Errors are said. */
void bench_run(const options *o);

#endif
