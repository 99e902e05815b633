/* The tensors of an archive: listing them, and taking some out without the rest. */
#ifndef NZ_CLI_TENSORS_H
#define NZ_CLI_TENSORS_H

#include "cli/source.h"

/* A table of them, when there are any and the archive is a file. Errors are said. */
void tensors_list(const options *o, const source *s);
/* Those that --tensor named, each to a file of its own, or to -o or standard output. */
void tensors_take(const options *o, const source *s);

#define NAME_TEXT 1024
/* A name with its control characters, the C1 ones of UTF-8 too, as \xNN; cut where text ends. */
const char *tensors_name(char text[NAME_TEXT], const char *name);

#endif
