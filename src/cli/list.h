/* nzip -l: what an archive holds, from its headers alone. */
#ifndef NZ_CLI_LIST_H
#define NZ_CLI_LIST_H

#include "cli/source.h"

/* One row, or with -v one row a frame. Errors are said. */
void list_file(const options *o, const source *s);
/* The sum of all rows, when there was more than one file. */
void list_total(const options *o);

#endif
