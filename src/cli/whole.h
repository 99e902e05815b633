/* An input as a whole, in memory. */
#ifndef NZ_CLI_WHOLE_H
#define NZ_CLI_WHOLE_H

#include "cli/source.h"

typedef struct whole {
    unsigned char *p;
    size_t n;
} whole;

/* What is left of the source. False: why not was said. */
bool whole_read(whole *w, const options *o, const source *s);
void whole_free(whole *w);

#endif
