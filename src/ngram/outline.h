/* What is left of a text when its words are taken out: signs, the shape of lines, indentation,
 * fields and what brackets hold. Code, markup and tables live by it. */
#ifndef NZ_NGRAM_OUTLINE_H
#define NZ_NGRAM_OUTLINE_H

#include "base/base.h"

#include <stdbool.h>

typedef struct nz_outline {
    uint64_t shape; /* the last 8 bytes; runs of small letters, of capitals, of digits are one */
    uint64_t signs; /* the last 8 visible bytes; a name is one, NZ_OUTLINE_NAME */
    uint32_t name;  /* hash of the name under way: letters, digits and _; 0 for none */
    uint32_t name_len;
    uint32_t last_name;
    uint32_t line;               /* hash of this line's bytes */
    uint32_t line_signs;         /* and of its signs */
    uint32_t indent;             /* blanks at its start, a tab counts 8 */
    uint32_t first, above_first; /* first name of this line and of the one above */
    uint32_t field;              /* hash of the bytes since the last delimiter */
    bool blank;                  /* nothing visible on this line yet */
} nz_outline;

enum { NZ_OUTLINE_NAME = 'a' };

void nz_outline_next(nz_outline *o, uint8_t byte, bool letter);

#endif
