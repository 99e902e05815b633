#include "cli/html.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

void html_put(html *h, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vfprintf(h->to, format, args);
    va_end(args);
    h->written += n > 0 ? (size_t)n : 0;
}

/* ---- Characters ---- */

/* Of UTF-8 in its shortest form; 0: not that. */
static size_t decode(uint32_t *code, const unsigned char *p, size_t n)
{
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = p[0] < 0x80       ? 1
                    : p[0] >> 5 == 6  ? 2
                    : p[0] >> 4 == 14 ? 3
                    : p[0] >> 3 == 30 ? 4
                                      : 0;
    if (!length || length > n)
        return 0;
    *code = length == 1 ? p[0] : p[0] & 0x7fu >> length;
    for (size_t i = 1; i < length; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        *code = *code << 6 | (p[i] & 63);
    }
    return *code >= LEAST[length] && *code < 0x110000 ? length : 0;
}

/* Controls, surrogates, what is no character, and what turns or joins its neighbours unseen. */
static bool is_unseen(uint32_t c)
{
    return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || (c >= 0xd800 && c < 0xe000) || c == 0xfeff ||
           (c >= 0xfdd0 && c < 0xfdf0) || (c & 0xfffe) == 0xfffe || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

size_t html_length(const unsigned char *p, size_t n)
{
    uint32_t code;
    size_t length = decode(&code, p, n);
    return length && !is_unseen(code) ? length : 1;
}

size_t html_character(html *h, const unsigned char *p, size_t n)
{
    uint32_t code;
    size_t length = decode(&code, p, n);
    if (!length || is_unseen(code)) {
        html_put(h, "\\x%02x", *p);
        return 1;
    }
    switch (code) {
    case '<': html_put(h, "&lt;"); break;
    case '>': html_put(h, "&gt;"); break;
    case '&': html_put(h, "&amp;"); break;
    case '"': html_put(h, "&quot;"); break;
    default: html_put(h, "%.*s", (int)length, (const char *)p);
    }
    return length;
}

void html_name(html *h, const char *name)
{
    const unsigned char *p = (const unsigned char *)name;
    for (size_t n = strlen(name); n > 0;) {
        size_t length = html_character(h, p, n);
        p += length;
        n -= length;
    }
}

const char *count_text(char text[COUNT_TEXT], uint64_t n)
{
    char digits[COUNT_TEXT];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), to = 0;
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            text[to++] = ',';
        text[to++] = digits[i];
    }
    text[to] = 0;
    return text;
}
