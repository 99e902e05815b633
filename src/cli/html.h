/* Writing HTML that any parser of XML reads too. What comes from files or archives goes through
 * html_name() and html_byte() only, so nothing of it can become markup. */
#ifndef NZ_CLI_HTML_H
#define NZ_CLI_HTML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct html {
    FILE *to;       /* its errors show when it is closed */
    size_t written; /* bytes */
} html;

/* Markup of our own. */
void html_put(html *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A name: what cannot be shown as \xNN. */
void html_name(html *h, const char *name);
/* The character that begins at p, of n bytes at hand; returns its bytes. What is no character, or
 * none that can be seen where it stands, is one byte as \xNN. */
size_t html_character(html *h, const unsigned char *p, size_t n);
/* How many bytes html_character() would take. */
size_t html_length(const unsigned char *p, size_t n);
/* "1,234,567", in the caller's buffer. */
#define COUNT_TEXT 32
const char *count_text(char text[COUNT_TEXT], uint64_t n);

#endif
