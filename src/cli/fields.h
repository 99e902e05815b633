/* Tensors on the page of nzip explain: what the bits of each are spent on. */
#ifndef NZ_CLI_FIELDS_H
#define NZ_CLI_FIELDS_H

#include "cli/page.h"

void fields_write(html *h, const page *p);

#endif
