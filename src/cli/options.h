/* The command line and NZIP_OPT, read once into one structure that never changes afterwards, but
 * for the base, which is a file's own. */
#ifndef NZ_CLI_OPTIONS_H
#define NZ_CLI_OPTIONS_H

#include "nz.h"
#include <stdbool.h>

typedef enum task {
    TASK_PACK,
    TASK_UNPACK,
    TASK_TEST,
    TASK_LIST,
    TASK_BENCH,  /* nzip bench */
    TASK_EXPLAIN /* nzip explain */
} task;

typedef struct options {
    task task;
    bool to_stdout;     /* -c */
    bool force;         /* -f */
    bool remove;        /* --rm: the input, once the output is safe */
    bool keep;          /* -k, said as such */
    bool recurse;       /* -r */
    bool check;         /* --check: decode the new archive before naming it */
    bool salvage;       /* --salvage: of a damaged archive whatever is not */
    bool too_high;      /* a level above NZ_LEVEL_MAX was asked for */
    int verbose;        /* -2: -qq, -1: -q, 0, 1: -v */
    const char *output; /* -o, or NULL */
    const char *base;   /* --base, or NULL */
    bool alone;         /* --base=none: no file is any other's base */
    char **tensors;     /* --tensor: of an archive only these; owned, the names are argv's */
    int tensor_count;
    unsigned levels;       /* bit n: -n was given on the command line */
    const char *csv, *svg; /* bench: files to write, or NULL */
    nz_options nz;
    char **names; /* what is left of argv; none: standard input */
    int count;
    char *env; /* owned: NZIP_OPT cut into words, which the members above may point into */
} options;

typedef enum parsed { PARSED_RUN, PARSED_DONE, PARSED_WRONG } parsed;

/* PARSED_DONE: help or version was printed. PARSED_WRONG: the mistake was said on stderr. */
parsed options_read(options *o, int argc, char **argv);
/* What may be allocated. */
uint64_t options_memory(const options *o);
void options_free(options *o);

#endif
