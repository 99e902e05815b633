/* Results of nzip bench in columns, to read and for programs. */
#ifndef NZ_CLI_TABLE_H
#define NZ_CLI_TABLE_H

#include "cli/bench.h"

/* On standard output. */
void table_print(const results *r);
/* What the columns mean, and what was not built in. */
void table_explain(void);
/* To o->csv. Errors are said. */
void table_write(const options *o, const results *r, size_t n);

#endif
