/* Inputs: which names are taken, which are skipped, and walking directories. */
#ifndef NZ_CLI_SOURCE_H
#define NZ_CLI_SOURCE_H

#include "cli/options.h"
#include <sys/stat.h>

typedef struct source {
    FILE *from;
    const char *path; /* NULL: standard input */
    const char *name; /* for messages */
    struct stat st;   /* as it was when opened */
} source;

/* Calls `run` for every file that `path` stands for, in an order that does not depend on the disk.
 * `named` is false for files met inside a directory: they are skipped without a warning. */
typedef void (*source_fn)(const options *o, const char *path, bool named);
void source_walk(const options *o, const char *path, source_fn run);

/* False when there is nothing to do; why was said. path NULL: standard input. */
bool source_open(source *s, const options *o, const char *path, bool named);
/* The size when it is known beforehand, else UINT64_MAX. */
uint64_t source_size(const source *s);
/* The file of that name is this one. */
bool source_is(const source *s, const char *name);
/* Nobody wrote to it since it was opened, and the name still leads to it: --rm may remove it. */
bool source_unchanged(const source *s, uint64_t bytes_read);
void source_close(source *s);

/* The output's name in allocated memory: FILE -> FILE.nz, and back. NULL: skipped, why was said. */
char *source_packed_name(const options *o, const char *path, bool named);
char *source_raw_name(const char *path, bool named);

#endif
