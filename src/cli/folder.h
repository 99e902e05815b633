/* Directories: what is in them, and walking them file by file. */
#ifndef NZ_CLI_FOLDER_H
#define NZ_CLI_FOLDER_H

#include "cli/options.h"
#include <sys/stat.h>

typedef struct entry {
    char *path;
    struct stat st; /* of a link, not of what it leads to */
} entry;

typedef struct folder {
    entry *entry; /* by name, byte by byte */
    size_t n;
} folder;

/* "" is the current one. False: errno says why. */
bool folder_read(folder *f, const char *path);
void folder_free(folder *f);

/* Calls `run` for every file that `path` stands for: itself, or those of a directory that the task
 * is about. Of a file packed against another one of the directory o->nz.base is that one. */
typedef void (*folder_fn)(const options *o, const char *path);
void folder_walk(const options *o, const char *path, folder_fn run);

#endif
