/* Files of a directory that hold the same tensors: all but the first are packed against it. */
#ifndef NZ_CLI_SHARING_H
#define NZ_CLI_SHARING_H

#include "cli/options.h"
#include <sys/stat.h>

/* Which files are, when packing. The paths must last until sharing_close(). */
void sharing_plan(const options *o, const char *const *path, size_t n);
/* The i-th file comes: sets o->nz.base if it has one. Files come in order. */
void sharing_begin(options *o, size_t i);
/* The file was opened to be packed. If it is a base, but not what was opened as such, nobody gets
 * it: its archive will hold something else. */
void sharing_source(const struct stat *st);
/* Nobody wrote to the file's base since it was chosen; else says so. */
bool sharing_holds(void);
/* Says what the archive of that name needs to be unpacked, if anything. */
void sharing_say(const char *name);
/* It is done with. */
void sharing_end(size_t i);
void sharing_close(void);

#endif
