/* nzip explain: what the bytes of a file or an archive cost, as one page. */
#ifndef NZ_CLI_EXPLAIN_H
#define NZ_CLI_EXPLAIN_H

#include "cli/source.h"

/* To FILE.html, -o or standard output. What goes wrong is said. */
void explain_file(const options *o, const source *s);

#endif
