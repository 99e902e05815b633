/* Bytes in the colours of what they cost. */
#ifndef NZ_CLI_PAINT_H
#define NZ_CLI_PAINT_H

#include "cli/costs.h"
#include "cli/html.h"

/* A name of one letter in the style sheet. */
char paint_class(unsigned class);
/* Text as text, all else as a map of hexadecimal digits; stops once the page has `most` bytes.
 * Returns how many of the passage's bytes were shown. */
size_t paint_passage(html *h, const passage *p, size_t most);

#endif
