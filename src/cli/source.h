/* Inputs: which names are taken and which are skipped. */
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

/* False when there is nothing to do; why was said. path NULL: standard input. */
bool source_open(source *s, const options *o, const char *path);
/* The size when it is known beforehand, else UINT64_MAX. */
uint64_t source_size(const source *s);
/* The file of that name is this one. */
bool source_is(const source *s, const char *name);
/* It is the same file, and nobody wrote to it between the one look and the other. */
bool source_same(const struct stat *a, const struct stat *b);
/* Nobody wrote to it since it was opened, and the name still leads to it: --rm may remove it. */
bool source_unchanged(const source *s, uint64_t bytes_read);
/* Up to cap bytes, fewer only at the end, whatever signals come. False: errno says why. */
bool source_read(const source *s, void *p, size_t cap, size_t *n);
void source_close(source *s);

/* The output's name in allocated memory: FILE -> FILE.nz, and back. NULL: skipped, why was said. */
char *source_packed_name(const options *o, const char *path);
char *source_raw_name(const char *path);
char *source_salvaged_name(const char *path);
/* Its name ends as an archive's does. */
bool source_is_packed(const char *path);

#endif
