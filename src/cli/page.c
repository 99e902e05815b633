/* One file, no scripts, nothing from elsewhere: the content policy says so too. Its size is bounded
 * by the limits below, about 2 MB. */
#include "cli/page.h"
#include "cli/fields.h"
#include "cli/message.h"
#include "cli/paint.h"
#include "cli/style.h"

#include <math.h>
#include <string.h>

/* Bytes of the page behind which nothing more is painted: of the beginning, then of the rest. */
#define HEAD_MOST (900 << 10)
#define DEAR_MOST (500 << 10)

static const char *const MODELS[NZ_MODELS] = {
    [NZ_MODEL_ORDERS] = "the last one to eight bytes",
    [NZ_MODEL_SPARSE] = "some of the last bytes, or some of their bits",
    [NZ_MODEL_WORDS] = "words, parts of words, the words before",
    [NZ_MODEL_LAYOUT] = "lines, columns, cells, brackets, tags",
    [NZ_MODEL_INDIRECT] = "what came after the same the last times",
    [NZ_MODEL_RECORDS] = "fields of records, rows, numbers that go on",
    [NZ_MODEL_CODE] = "machine instructions",
    [NZ_MODEL_SIGNAL] = "samples of images and sound",
    [NZ_MODEL_MATCH] = "the longest match so far",
    [NZ_MODEL_NETWORK] = "the neural network",
    [NZ_MODEL_SSE] = "corrections by what happened after similar predictions",
};
static const char *const SORT_NAMES[SORTS] = {[SORT_LETTERS] = "letters",
                                              [SORT_DIGITS] = "digits",
                                              [SORT_SPACE] = "white space",
                                              [SORT_SIGNS] = "punctuation",
                                              [SORT_MARKUP] = "markup, &lt; to &gt;",
                                              [SORT_OTHER] = "beyond ASCII, controls"};

static double share(double part, double all)
{
    return all > 0 ? part / all : 0;
}

/* A cell with a bar of that share, and the share in words. */
static void put_bar(html *h, double part)
{
    double width = part < 0 ? 0 : part > 1 ? 1 : part;
    html_put(h, "<td class=\"bar\"><span style=\"width:%.1f%%\"></span></td><td>%.1f %%</td>",
             100 * width, 100 * part);
}

/* ---- Head ---- */

static void put_fact(html *h, const char *value, const char *what)
{
    html_put(h, "<div><b>%s</b> %s</div>\n", value, what);
}

static void put_facts(html *h, const page *p)
{
    char text[COUNT_TEXT];
    html_put(h, "<div class=\"facts\">\n");
    put_fact(h, count_text(text, p->raw), "bytes");
    put_fact(h, count_text(text, p->packed), "packed");
    snprintf(text, sizeof text, "%.3f", share((double)p->raw, (double)p->packed));
    put_fact(h, text, "to one");
    snprintf(text, sizeof text, "%.3f", 8 * share((double)p->packed, (double)p->raw));
    put_fact(h, text, "bits a byte");
    snprintf(text, sizeof text, p->level ? "level %d" : "archive", p->level);
    put_fact(h, text, p->level ? "packed for this page" : "as it is");
    html_put(h, "</div>\n");
}

static void put_head(html *h, const page *p)
{
    html_put(h,
             "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
             "style-src 'unsafe-inline'\"/>\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>");
    html_name(h, p->name);
    html_put(h, " - nzip explain</title>\n<style>%s</style></head><body>\n<h1>", STYLE);
    html_name(h, p->name);
    html_put(h, "</h1>\n");
    put_facts(h, p);
}

/* ---- The chart ---- */

static double column_rate(const amount_of *a)
{
    return share(a->bits, (double)a->bytes);
}

static void put_chart(html *h, const costs *c)
{
    char bytes[COUNT_TEXT], at[COUNT_TEXT];
    double top = 1, mean = share(c->all.bits, (double)c->all.bytes);
    for (unsigned k = 0; k < c->columns; k++)
        top = fmax(top, column_rate(&c->column[k]));
    html_put(h,
             "<h2>Along the file</h2>\n<p>Bits a byte, %.1f at the top; the line is the mean, "
             "%.2f. A column is %s byte%s, packed data unpacked.</p>\n",
             top, mean, count_text(bytes, c->width), c->width == 1 ? "" : "s");
    html_put(h,
             "<svg class=\"chart\" viewBox=\"0 0 %u 100\" preserveAspectRatio=\"none\" "
             "role=\"img\" aria-label=\"bits a byte along the file\">\n",
             c->columns ? c->columns : 1);
    for (unsigned k = 0; k < c->columns; k++) {
        double rate = column_rate(&c->column[k]), high = 100 * rate / top;
        html_put(h,
                 "<rect class=\"%c\" x=\"%u\" y=\"%.1f\" width=\"1\" height=\"%.1f\">"
                 "<title>%.2f bits a byte, from byte %s on</title></rect>\n",
                 paint_class(costs_class(rate)), k, 100 - high, high, rate,
                 count_text(at, k * c->width));
    }
    html_put(h, "<path class=\"mean\" d=\"M0 %.1fH%u\"/></svg>\n", 100 - 100 * mean / top,
             c->columns);
    html_put(h, "<p class=\"ends\"><span>0</span><span>%s</span></p>\n",
             count_text(bytes, c->all.bytes));
}

/* ---- Sums ---- */

static void put_amount(html *h, const char *what, const amount_of *a, double all)
{
    char raw[COUNT_TEXT], packed[COUNT_TEXT];
    html_put(h, "<tr><th>%s</th><td>%s</td><td>%s</td><td>%.3f</td>", what,
             count_text(raw, a->bytes), count_text(packed, (uint64_t)(a->bits / 8 + .5)),
             share(a->bits, (double)a->bytes));
    put_bar(h, share(a->bits, all));
    html_put(h, "</tr>\n");
}

static void put_amounts_head(html *h, const char *what)
{
    html_put(h,
             "<div class=\"wide\"><table><tr><th>%s</th><td>bytes</td><td>packed</td>"
             "<td>bits a byte</td><td colspan=\"2\">share of what is packed</td></tr>\n",
             what);
}

static void put_kinds(html *h, const page *p)
{
    double all = 8 * (double)p->packed;
    html_put(h, "<h2>By kind of content</h2>\n");
    put_amounts_head(h, "kind");
    for (unsigned k = 0; k < p->sum->kinds; k++) {
        const nz_cost_kind *c = &p->sum->kind[k];
        put_amount(h, c->kind, &(amount_of){c->bytes, c->bits}, all);
    }
    html_put(h, "<tr><th>headers, maps, index</th><td>-</td><td>%.0f</td><td>-</td>",
             p->sum->other / 8);
    put_bar(h, share(p->sum->other, all));
    html_put(h, "</tr></table></div>\n");
}

static void put_sorts(html *h, const costs *c)
{
    amount_of all = {0};
    for (int k = 0; k < SORTS; k++) {
        all.bytes += c->sort[k].bytes;
        all.bits += c->sort[k].bits;
    }
    if (!all.bytes)
        return;
    html_put(h, "<h2>Within text</h2>\n");
    put_amounts_head(h, "characters");
    for (int k = 0; k < SORTS; k++)
        if (c->sort[k].bytes)
            put_amount(h, SORT_NAMES[k], &c->sort[k], all.bits);
    html_put(h, "</table></div>\n");
}

/* ---- Models ---- */

static bool has_models(const nz_cost_kind *k)
{
    for (int i = 0; i < NZ_MODELS; i++)
        if (k->earned[i] != 0)
            return true;
    return false;
}

static void put_model(html *h, const nz_cost_sum *s, int model, double earned, double all)
{
    html_put(h, "<tr><th>%s</th><td class=\"words\">%s</td>", nz_model_name((nz_model)model),
             MODELS[model]);
    put_bar(h, share(earned, all));
    for (unsigned k = 0; k < s->kinds; k++)
        if (has_models(&s->kind[k]))
            html_put(h, "<td>%.3f</td>", share(s->kind[k].earned[model], (double)s->kind[k].bytes));
    html_put(h, "</tr>\n");
}

static void put_models(html *h, const nz_cost_sum *s)
{
    double earned[NZ_MODELS] = {0}, all = 0;
    for (unsigned k = 0; k < s->kinds; k++)
        for (int i = 0; i < NZ_MODELS; i++) {
            earned[i] += s->kind[k].earned[i];
            all += s->kind[k].earned[i];
        }
    if (all == 0)
        return;
    html_put(h, "<h2>Which models earned it</h2>\n<p>Bits spared against guessing, which costs 8 a "
                "byte: the share of all, and for each kind of content bits a byte.</p>\n"
                "<div class=\"wide\"><table><tr><th>models of</th><td class=\"words\">what they "
                "look at</td><td colspan=\"2\">share of the gain</td>");
    for (unsigned k = 0; k < s->kinds; k++)
        if (has_models(&s->kind[k]))
            html_put(h, "<td>%s</td>", s->kind[k].kind);
    html_put(h, "</tr>\n");
    for (int i = 0; i < NZ_MODELS; i++)
        if (earned[i] != 0)
            put_model(h, s, i, earned[i], all);
    html_put(
        h, "</table></div>\n<details><summary>How this is worked out</summary><p>Every model gives "
           "the mixer an opinion on the next bit. In the mixer's logistic domain the prediction is "
           "a sum: each opinion times its weight pushes towards a one or a zero. Let all pushes "
           "grow evenly from nothing to what they are; each model then earns what its push brings "
           "on the way (the Aumann-Shapley value), which is the gain shared out in proportion to "
           "the pushes. One that pushes the wrong way earns less than nothing. What the stages "
           "behind the mixer change is theirs. So all rows add up to 8 bits a byte less what was "
           "spent. It says who was heard, not what would be lost without a model: others would "
           "take over most of it.</p></details>\n");
}

/* ---- Byte by byte ---- */

static void put_legend(html *h, const costs *c)
{
    html_put(h, "<div class=\"wide\"><table class=\"legend\"><tr><th>bits, from</th>");
    for (unsigned k = 0; k < COSTS_CLASSES; k++)
        html_put(h, "<td><i class=\"%c\">%g</i></td>", paint_class(k), costs_class_from(k));
    html_put(h, "</tr>\n<tr><th>of all bytes</th>");
    for (unsigned k = 0; k < COSTS_CLASSES; k++)
        html_put(h, "<td>%.1f %%</td>",
                 100 * share((double)c->class[k].bytes, (double)c->all.bytes));
    html_put(h, "</tr>\n<tr><th>of all bits</th>");
    for (unsigned k = 0; k < COSTS_CLASSES; k++)
        html_put(h, "<td>%.1f %%</td>", 100 * share(c->class[k].bits, c->all.bits));
    html_put(h, "</tr></table></div>\n");
}

static void put_passage_title(html *h, const passage *p)
{
    char at[COUNT_TEXT];
    double bits = 0;
    for (size_t i = 0; i < p->n; i++)
        bits += (double)p->bits[i];
    html_put(h, "<h3>%s, from byte %s on: %.2f bits a byte</h3>\n", p->kind, count_text(at, p->at),
             share(bits, (double)p->n));
}

static void put_begin(html *h, const costs *c)
{
    size_t shown = 0, most = h->written + HEAD_MOST;
    char text[COUNT_TEXT];
    html_put(h, "<h2>From the beginning</h2>\n<p>Colours are bits a byte; pointing at a character "
                "or byte tells its own.</p>\n");
    put_legend(h, c);
    for (size_t i = 0; i < c->heads && h->written < most; i++) {
        if (c->heads > 1)
            put_passage_title(h, &c->head[i]);
        shown += paint_passage(h, &c->head[i], most);
    }
    if (shown < c->all.bytes)
        html_put(h, "<p>So far the first %s bytes.</p>\n", count_text(text, shown));
}

static void put_dearest(html *h, const costs *c)
{
    size_t most = h->written + DEAR_MOST;
    if (!c->dear)
        return;
    html_put(h, "<h2>The dearest of the rest</h2>\n");
    for (size_t i = 0; i < c->dear && h->written < most; i++) {
        put_passage_title(h, &c->dearest[i]);
        paint_passage(h, &c->dearest[i], most);
    }
}

void page_write(html *h, const page *p)
{
    put_head(h, p);
    if (p->costs->all.bytes)
        put_chart(h, p->costs);
    if (p->tensors)
        fields_write(h, p);
    put_kinds(h, p);
    put_sorts(h, p->costs);
    put_models(h, p->sum);
    if (p->costs->heads)
        put_begin(h, p->costs);
    put_dearest(h, p->costs);
    html_put(h,
             "<footer>Made by %s. One file, no scripts; nothing was sent anywhere.</footer>\n"
             "</body></html>\n",
             nz_version());
}
