/* The base that an archive needs, looked for in its folder. */
#ifndef NZ_CLI_BESIDE_H
#define NZ_CLI_BESIDE_H

#include "cli/source.h"

/* Sets o->nz.base when the archive needs one and there was no --base. False: it is not there, which
 * was said. What is found stays open until another is needed. */
bool beside_find(options *o, const source *s);
void beside_close(void);

#endif
