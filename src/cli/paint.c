/* Neighbours that cost next to nothing share one piece without a tag of its own: pages stay small.
 */
#include "cli/paint.h"

enum { ROW = 16 /* bytes of a map */ };

char paint_class(unsigned class)
{
    return (char)('a' + class);
}

static void open_piece(html *h, unsigned class, double bits, size_t bytes)
{
    html_put(h, "<i class=\"%c\" title=\"%.1f bits", paint_class(class), bits);
    if (bytes > 1)
        html_put(h, ", %zu bytes", bytes);
    html_put(h, "\">");
}

/* ---- Text ---- */

static size_t put_character(html *h, const unsigned char *p, size_t n)
{
    if (*p == '\n')
        html_put(h, "\xe2\x86\xb5"); /* an arrow */
    else if (*p == '\t')
        html_put(h, "\xe2\x86\x92 ");
    else if (*p == '\r')
        html_put(h, "\\r");
    else
        return html_character(h, p, n);
    return 1;
}

static size_t paint_text(html *h, const passage *p, size_t most)
{
    size_t i = 0;
    html_put(h, "<pre class=\"text\">");
    while (i < p->n && h->written < most) {
        size_t length = html_length(p->raw + i, p->n - i);
        double bits = 0;
        for (size_t k = 0; k < length; k++)
            bits += (double)p->bits[i + k];
        unsigned class = costs_class(bits / (double)length);
        if (class)
            open_piece(h, class, bits, length);
        put_character(h, p->raw + i, p->n - i);
        if (class)
            html_put(h, "</i>");
        if (p->raw[i] == '\n')
            html_put(h, "\n");
        i += length;
    }
    html_put(h, "</pre>\n");
    return i;
}

/* ---- Anything else ---- */

static void paint_row(html *h, const passage *p, size_t from, size_t end)
{
    html_put(h, "<b>%08llx</b> ", (unsigned long long)(p->at + from));
    for (size_t i = from; i < end; i++) {
        unsigned class = costs_class((double)p->bits[i]);
        html_put(h, " ");
        if (class)
            open_piece(h, class, (double)p->bits[i], 1);
        html_put(h, "%02x%s", p->raw[i], class ? "</i>" : "");
    }
    html_put(h, "%*s", (int)(3 * (ROW - (end - from)) + 2), "");
    for (size_t i = from; i < end; i++) {
        if (p->raw[i] >= ' ' && p->raw[i] < 127)
            html_character(h, p->raw + i, 1);
        else
            html_put(h, "\xc2\xb7");
    }
    html_put(h, "\n");
}

static size_t paint_map(html *h, const passage *p, size_t most)
{
    size_t i = 0;
    html_put(h, "<pre class=\"map\">");
    while (i < p->n && h->written < most) {
        size_t end = i + ROW < p->n ? i + ROW : p->n;
        paint_row(h, p, i, end);
        i = end;
    }
    html_put(h, "</pre>\n");
    return i;
}

size_t paint_passage(html *h, const passage *p, size_t most)
{
    return costs_is_text(p->kind) ? paint_text(h, p, most) : paint_map(h, p, most);
}
