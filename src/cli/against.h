/* The base file of --base: opened once, for all files of the run. */
#ifndef NZ_CLI_AGAINST_H
#define NZ_CLI_AGAINST_H

#include "cli/options.h"

/* Sets o->nz.base when there is an o->base; a base that is an archive itself stands for what it
 * holds. False: it was said why not. */
bool against_open(options *o);
void against_close(options *o);

#endif
