/* Greys and colours that can be read on light and on dark ground; no fonts but the viewer's own. */
#include "cli/chart.h"
#include "cli/html.h"
#include "cli/message.h"
#include "cli/target.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH = 860,
    ROW = 300, /* height of a file's two panels */
    TOP = 34,
    PANEL = 360,
    HIGH = 210,
    LEFT = 52,
    GAP = 60, /* between the panels */
    FILES_MAX = 6,
    LETTER = 7 /* width of one, nearly */
};

/* What a panel shows: where each result is, and what is taken by labels. */
typedef struct panel {
    double x, y; /* of its upper left corner */
    double slow, fast, least, most, step;
    const results *r;
    bool unpacking;
    struct box {
        double x, y, w, h;
    } taken[2 * RESULTS_MAX];
    unsigned boxes;
} panel;

static const struct {
    const char *codec, *colour;
} COLOURS[] = {{"nzip", "#d9622b"}, {"zstd", "#3d7fc1"}, {"xz", "#4a9a6b"}};

enum { CODECS = sizeof COLOURS / sizeof *COLOURS };

static double speed_of(const result *r, bool unpacking)
{
    const struct timing *t = unpacking ? &r->unpack : &r->pack;
    double seconds = t->user > 0 ? t->user : t->elapsed;
    return seconds > 0 ? 1e-6 * (double)r->raw / seconds : 1e6;
}

static double ratio_of(const result *r)
{
    return (double)r->raw / (double)r->packed;
}

/* ---- Axes ---- */

/* 1, 2 or 5 times a power of ten, for about five steps. */
static double step_of(double range)
{
    double power = pow(10, floor(log10(range / 4))), n = range / 4 / power;
    return power * (n < 2 ? 1 : n < 5 ? 2 : 5);
}

static void fit(panel *p)
{
    double low = INFINITY, high = 0;
    p->slow = INFINITY;
    for (unsigned i = 0; i < p->r->n; i++) {
        double speed = speed_of(&p->r->row[i], p->unpacking), ratio = ratio_of(&p->r->row[i]);
        p->slow = fmin(p->slow, speed);
        p->fast = fmax(p->fast, speed);
        low = fmin(low, ratio);
        high = fmax(high, ratio);
    }
    double range = fmax(high - low, .05 * high);
    p->slow /= 2;
    p->fast *= 2;
    p->step = step_of(range * 1.3);
    p->least = fmax(0, p->step * floor((low - .15 * range) / p->step));
    p->most = p->step * ceil((high + .15 * range) / p->step);
}

static double x_of(const panel *p, double speed)
{
    return p->x + PANEL * log(speed / p->slow) / log(p->fast / p->slow);
}

static double y_of(const panel *p, double ratio)
{
    return p->y + HIGH * (p->most - ratio) / (p->most - p->least);
}

static void put_axes(html *h, const panel *p)
{
    for (double v = pow(10, ceil(log10(p->slow))); v < p->fast; v *= 10) {
        html_put(h, "<path class=\"g\" d=\"M%.1f %.1fv%d\"/>", x_of(p, v), p->y, HIGH);
        html_put(h, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g</text>\n", x_of(p, v),
                 p->y + HIGH + 16, v);
    }
    for (double v = p->least; v < p->most + p->step / 2; v += p->step) {
        html_put(h, "<path class=\"g\" d=\"M%.1f %.1fh%d\"/>", p->x, y_of(p, v), PANEL);
        html_put(h, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", p->x - 6,
                 y_of(p, v) + 4, round(v * 1e6) / 1e6);
    }
    html_put(
        h, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s, MB/s of processor time</text>\n",
        p->x + PANEL / 2.0, p->y + HIGH + 34, p->unpacking ? "unpacking" : "packing");
}

/* ---- Points ---- */

static bool overlaps(const struct box *a, const struct box *b)
{
    return a->x < b->x + b->w && b->x < a->x + a->w && a->y < b->y + b->h && b->y < a->y + a->h;
}

static bool is_free(const panel *p, const struct box *b)
{
    bool inside = b->x >= p->x && b->x + b->w <= p->x + PANEL && b->y >= p->y - 8 &&
                  b->y + b->h <= p->y + HIGH;
    for (unsigned i = 0; i < p->boxes && inside; i++)
        inside = !overlaps(b, &p->taken[i]);
    return inside;
}

static void take(panel *p, struct box b)
{
    p->taken[p->boxes++] = b;
}

/* Beside, above or below its point, where nothing else is. */
static void put_label(html *h, panel *p, const result *r, const char *colour)
{
    double x = x_of(p, speed_of(r, p->unpacking)), y = y_of(p, ratio_of(r));
    double w = LETTER * (double)strlen(r->label);
    /* More ratio mostly means less speed: lines leave the upper right free. */
    const struct box places[] = {{x + 4, y - 18, w, 13},     {x + 7, y - 7, w, 13},
                                 {x - 4 - w, y + 5, w, 13},  {x - w / 2, y - 20, w, 13},
                                 {x - w / 2, y + 7, w, 13},  {x - 7 - w, y - 7, w, 13},
                                 {x + 4, y + 5, w, 13},      {x - 4 - w, y - 18, w, 13},
                                 {x - w / 2, y - 33, w, 13}, {x - w / 2, y + 20, w, 13}};
    unsigned k = 0, n = sizeof places / sizeof *places;
    while (k < n && !is_free(p, &places[k]))
        k++;
    const struct box *b = &places[k < n ? k : 0];
    take(p, *b);
    html_put(h, "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\">%s</text>\n", b->x, b->y + 11, colour,
             r->label);
}

static void put_codec(html *h, panel *p, unsigned codec)
{
    char command = 'M';
    html_put(h, "<path class=\"l\" stroke=\"%s\" d=\"", COLOURS[codec].colour);
    for (unsigned i = 0; i < p->r->n; i++) {
        const result *r = &p->r->row[i];
        if (strcmp(r->codec, COLOURS[codec].codec) != 0)
            continue;
        html_put(h, "%c%.1f %.1f", command, x_of(p, speed_of(r, p->unpacking)),
                 y_of(p, ratio_of(r)));
        command = 'L';
    }
    html_put(h, "%s\"/>\n", command == 'M' ? "M0 0" : "");
    for (unsigned i = 0; i < p->r->n; i++) {
        const result *r = &p->r->row[i];
        if (strcmp(r->codec, COLOURS[codec].codec) != 0)
            continue;
        html_put(h,
                 "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"><title>%s %s: %.3f, "
                 "%.3g MB/s</title></circle>\n",
                 x_of(p, speed_of(r, p->unpacking)), y_of(p, ratio_of(r)), COLOURS[codec].colour,
                 r->codec, r->setting, ratio_of(r), speed_of(r, p->unpacking));
    }
}

static void put_panel(html *h, panel *p)
{
    fit(p);
    put_axes(h, p);
    for (unsigned i = 0; i < p->r->n; i++) {
        const result *r = &p->r->row[i];
        take(p, (struct box){x_of(p, speed_of(r, p->unpacking)) - 5, y_of(p, ratio_of(r)) - 5, 10,
                             10});
    }
    for (unsigned k = 0; k < CODECS; k++)
        put_codec(h, p, k);
    for (unsigned i = 0; i < p->r->n; i++)
        for (unsigned k = 0; k < CODECS; k++)
            if (!strcmp(p->r->row[i].codec, COLOURS[k].codec))
                put_label(h, p, &p->r->row[i], COLOURS[k].colour);
}

/* ---- The picture ---- */

static bool has_codec(const results *r, const char *codec)
{
    for (unsigned i = 0; i < r->n; i++)
        if (!strcmp(r->row[i].codec, codec))
            return true;
    return false;
}

/* Whose colours these are, at the right end of a row's title. */
static void put_key(html *h, const results *r, double y)
{
    double x = WIDTH - 16;
    for (unsigned k = CODECS; k-- > 0;) {
        if (!has_codec(r, COLOURS[k].codec))
            continue;
        html_put(h,
                 "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" fill=\"%s\">&#9679; %s</text>\n",
                 x, y, COLOURS[k].colour, COLOURS[k].codec);
        x -= LETTER * (double)strlen(COLOURS[k].codec) + 34;
    }
}

/* A path's last name. */
static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void put_row(html *h, const results *r, double y)
{
    char count[COUNT_TEXT];
    html_put(h, "<text x=\"%d\" y=\"%.1f\"><tspan class=\"n\">", LEFT, y + 18);
    html_name(h, r->name ? last_of(r->name) : "all files");
    html_put(h, "</tspan>, %s bytes: ratio</text>\n", count_text(count, r->row[0].raw));
    put_key(h, r, y + 18);
    for (int unpacking = 0; unpacking < 2; unpacking++)
        put_panel(h, &(panel){.x = LEFT + unpacking * (PANEL + GAP),
                              .y = y + TOP,
                              .r = r,
                              .unpacking = unpacking});
}

static void write_picture(html *h, const results *r, size_t n)
{
    html_put(h,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %zu\" width=\"%d\" "
             "role=\"img\">\n<title>nzip bench: ratio against speed</title>\n"
             "<style>text{font:12px sans-serif}text:not([fill]){fill:#808690}"
             ".n{font-weight:600}.g{stroke:#80869040;fill:none}.l{fill:none;stroke-width:1.5;"
             "stroke-opacity:.5}</style>\n",
             WIDTH, n * ROW + 8, WIDTH);
    for (size_t i = 0; i < n; i++)
        put_row(h, &r[i], (double)(i * ROW));
    html_put(h, "</svg>\n");
}

void chart_write(const options *o, const results *r, size_t n)
{
    target t;
    if (!target_open(&t, o->svg, true, o->force))
        return;
    bool all = n <= FILES_MAX; /* each by itself, or their sum */
    write_picture(&(html){.to = t.to}, all ? r : &r[n], all ? n : 1);
    target_keep(&t, NULL, false);
}
