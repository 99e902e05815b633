/* --salvage: what is left of a damaged archive. */
#ifndef NZ_CLI_RESCUE_H
#define NZ_CLI_RESCUE_H

#include "cli/work.h"

/* Says what is lost, and how much came out. target NULL: only that. False: nothing was saved, or it
 * could not be written; why was said. */
bool rescue(const options *o, const source *s, const target *t, amount *done);

#endif
