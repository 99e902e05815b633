/* Text of others, names of files and tensors, as it may reach a terminal: none of it moves the
 * cursor, rings or changes what the keys do. */
#ifndef NZ_CLI_VISIBLE_H
#define NZ_CLI_VISIBLE_H

#include <stdio.h>

#define VISIBLE_TEXT 9

/* The next character of p, which is not at its end, into text; returns what is behind it. Control
 * characters and bytes that are no UTF-8 become \xNN. */
const char *visible_next(char text[VISIBLE_TEXT], const char *p);
void visible_put(FILE *to, const char *s);

#endif
