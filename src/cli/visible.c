#include "cli/visible.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of the UTF-8 character at p; 0: there is none. */
static size_t length(const unsigned char *p)
{
    size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool longer_than_needed = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) ||
                              (p[0] == 0xf4 && p[1] >= 0x90);
    return longer_than_needed ? 0 : n;
}

const char *visible_next(char text[VISIBLE_TEXT], const char *p)
{
    const unsigned char *c = (const unsigned char *)p;
    size_t n = length(c);
    bool c1 = c[0] == 0xc2 && c[1] < 0xa0; /* control characters of eight bits */
    if (n && *c >= ' ' && *c != 127 && !c1) {
        memcpy(text, p, n);
        text[n] = 0;
        return p + n;
    }
    n = n ? n : 1;
    for (size_t i = 0; i < n; i++)
        sprintf(text + 4 * i, "\\x%02x", c[i]);
    return p + n;
}

void visible_put(FILE *to, const char *s)
{
    char text[VISIBLE_TEXT];
    while (*s) {
        s = visible_next(text, s);
        fputs(text, to);
    }
}
