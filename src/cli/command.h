/* Commands that are words: nzip bench, nzip explain. */
#ifndef NZ_CLI_COMMAND_H
#define NZ_CLI_COMMAND_H

#include "cli/options.h"

/* True when the word is one; then o->task is what it says, and options of NZIP_OPT that are about
 * outputs no longer count. */
bool command_read(options *o, const char *word);
/* Behind the options: whether they are fit for the command. What is not was said. */
bool command_fits(const options *o, task command);

#endif
