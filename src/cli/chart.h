/* Results of nzip bench as a picture: ratio against speed, packing and unpacking side by side. */
#ifndef NZ_CLI_CHART_H
#define NZ_CLI_CHART_H

#include "cli/bench.h"

/* To o->svg; r[n] is the sum of r[0..n - 1] if n > 1. Errors are said. */
void chart_write(const options *o, const results *r, size_t n);

#endif
