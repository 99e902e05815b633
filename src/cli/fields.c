#include "cli/fields.h"

#include <string.h>

/* Bytes of the page behind which no more tensors are listed. */
#define MOST (400 << 10)

typedef struct row {
    double elements;                                        /* that have a code of their own */
    double packed, raw, part[NZ_PARTS], part_raw[NZ_PARTS]; /* bits */
} row;

static row row_of(const nz_tensor_info *t, const nz_tensor_packed *c, const nz_tensor_parts *p)
{
    row r = {.elements = t->bytes ? 1 - (double)c->rest / (double)t->bytes : 0};
    for (unsigned k = 0; k < t->dims; k++)
        r.elements *= (double)t->dim[k];
    for (int k = 0; k < NZ_PARTS; k++) {
        r.part[k] = (double)p->packed[k];
        r.part_raw[k] = (double)p->raw[k];
        r.packed += r.part[k];
        r.raw += r.part_raw[k];
    }
    return r;
}

static void add(row *to, const row *r)
{
    to->elements += r->elements;
    to->packed += r->packed;
    to->raw += r->raw;
    for (int k = 0; k < NZ_PARTS; k++) {
        to->part[k] += r->part[k];
        to->part_raw[k] += r->part_raw[k];
    }
}

static void put_key(html *h, const row *all)
{
    html_put(h, "<div class=\"key\">");
    for (int k = 0; k < NZ_PARTS; k++)
        if (all->part[k] > 0)
            html_put(h, "<div><span class=\"p%d\"></span>%s</div>", k, nz_part_name((nz_part)k));
    html_put(h, "</div>\n");
}

/* All of the bar is what the tensor has as it is. */
static void put_parts(html *h, const row *r)
{
    html_put(h, "<td><div class=\"parts\">");
    for (int k = 0; k < NZ_PARTS; k++)
        if (r->part[k] > 0)
            html_put(h,
                     "<span class=\"p%d\" style=\"width:%.2f%%\" title=\"%s: %.3f bits\"></span>",
                     k, 100 * r->part[k] / (r->raw > r->packed ? r->raw : r->packed),
                     nz_part_name((nz_part)k), r->part[k] / r->elements);
    html_put(h, "</div></td>");
}

static void put_tensor(html *h, const nz_tensor_info *t, const nz_tensor_packed *c, const row *r)
{
    html_put(h, "<tr><th>");
    html_name(h, t->name);
    html_put(h, "</th><td>%s</td><td>", t->dtype);
    for (unsigned k = 0; k < t->dims; k++)
        html_put(h, "%s%llu", k ? " &#215; " : "", (unsigned long long)t->dim[k]);
    if (r->elements > 0 && r->packed > 0) {
        html_put(h, "</td><td>%s</td><td>%.2f</td><td>%.3g</td>", c->form ? c->form : "-",
                 r->packed / r->elements, r->raw / r->elements);
        put_parts(h, r);
        html_put(h, "</tr>\n");
    } else {
        html_put(h, "</td><td>%s</td><td></td><td></td><td></td></tr>\n",
                 t->bytes ? "with the rest" : "empty");
    }
}

/* Of all together, part by part. */
static void put_sum(html *h, const row *all)
{
    char text[COUNT_TEXT];
    html_put(
        h, "<h2>What tensors' bits are spent on</h2>\n<div class=\"wide\"><table><tr><th>part</th>"
           "<td>bytes</td><td>packed</td><td>ratio</td><td colspan=\"2\">share of these</td>"
           "</tr>\n");
    for (int k = 0; k < NZ_PARTS; k++) {
        if (all->part[k] <= 0 && all->part_raw[k] <= 0)
            continue;
        double part = all->part[k] / all->packed;
        html_put(h, "<tr><th>%s</th><td>%s</td>", nz_part_name((nz_part)k),
                 all->part_raw[k] > 0 ? count_text(text, (uint64_t)(all->part_raw[k] / 8 + .5))
                                      : "-");
        html_put(h, "<td>%s</td>", count_text(text, (uint64_t)(all->part[k] / 8 + .5)));
        if (all->part[k] > 0 && all->part_raw[k] > 0)
            html_put(h, "<td>%.3f</td>", all->part_raw[k] / all->part[k]);
        else
            html_put(h, "<td>-</td>");
        html_put(h,
                 "<td class=\"bar\"><span class=\"p%d\" style=\"width:%.1f%%\"></span></td>"
                 "<td>%.1f %%</td></tr>\n",
                 k, 100 * part, 100 * part);
    }
    html_put(h, "</table></div>\n");
}

void fields_write(html *h, const page *p)
{
    nz_tensor_info t;
    row all = {0};
    size_t i, most = h->written + MOST;
    for (i = 0; i < p->tensors; i++) {
        nz_tensor_about(p->archive, i, &t);
        row r = row_of(&t, &p->coded[i], &p->parts[i]);
        add(&all, &r);
    }
    if (all.packed > 0)
        put_sum(h, &all);
    html_put(h,
             "<h2>Tensor by tensor</h2>\n<p>Bits of an element, packed and as they are. All of a "
             "bar is what the element has; what is coloured is left. Parts that are coded together "
             "share their bits by the chain rule.</p>\n");
    put_key(h, &all);
    html_put(h, "<div class=\"wide\"><table "
                "class=\"names\"><tr><th>tensor</th><td>type</td><td>shape</td><td>coded"
                "</td><td>packed</td><td>raw</td><td>spent on</td></tr>\n");
    for (i = 0; i < p->tensors && h->written < most; i++) {
        nz_tensor_about(p->archive, i, &t);
        row r = row_of(&t, &p->coded[i], &p->parts[i]);
        put_tensor(h, &t, &p->coded[i], &r);
    }
    html_put(h, "</table></div>\n");
    if (i < p->tensors)
        html_put(h, "<p>And %zu more; nzip -lv lists all.</p>\n", p->tensors - i);
}
