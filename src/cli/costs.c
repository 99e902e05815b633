#include "cli/costs.h"

#include <stdlib.h>
#include <string.h>

static const double FROM[COSTS_CLASSES] = {0, .1, .25, .5, 1, 2, 3, 4.5, 6.5, 9};

unsigned costs_class(double bits)
{
    unsigned k = COSTS_CLASSES - 1;
    while (k > 0 && bits < FROM[k])
        k--;
    return k;
}

double costs_class_from(unsigned class)
{
    return FROM[class];
}

bool costs_is_text(const char *kind)
{
    return !strcmp(kind, "text");
}

static void count(amount_of *a, uint64_t bytes, double bits)
{
    a->bytes += bytes;
    a->bits += bits;
}

static double rate(const amount_of *a)
{
    return a->bytes ? a->bits / (double)a->bytes : 0;
}

static double cost_of(const nz_cost *c, size_t i)
{
    return c->bits ? (double)c->bits[i] : c->sum / (double)c->n;
}

/* ---- The chart ---- */

/* Columns become twice as wide whenever they would be too many. */
static void widen(costs *c)
{
    for (unsigned k = 0; k < COSTS_COLUMNS; k += 2) {
        c->column[k / 2] = c->column[k];
        count(&c->column[k / 2], c->column[k + 1].bytes, c->column[k + 1].bits);
    }
    memset(c->column + COSTS_COLUMNS / 2, 0, sizeof c->column / 2);
    c->width *= 2;
    c->columns = COSTS_COLUMNS / 2;
}

static void add_to_chart(costs *c, const nz_cost *cost)
{
    if (!c->width)
        c->width = 1;
    for (size_t i = 0; i < cost->n;) {
        uint64_t at = cost->at + i;
        while (at / c->width >= COSTS_COLUMNS)
            widen(c);
        size_t end = i + (size_t)(c->width - at % c->width);
        double bits = 0;
        end = end < cost->n ? end : cost->n;
        if (cost->bits)
            for (size_t k = i; k < end; k++)
                bits += (double)cost->bits[k];
        else
            bits = cost->sum / (double)cost->n * (double)(end - i);
        c->columns = (unsigned)(at / c->width) + 1;
        count(&c->column[c->columns - 1], end - i, bits);
        i = end;
    }
}

/* ---- Sums ---- */

static bool is_letter(unsigned char c)
{
    return (unsigned char)((c | 32) - 'a') < 26;
}

static costs_sort sort_of(unsigned char c)
{
    return is_letter(c)                     ? SORT_LETTERS
           : c >= '0' && c <= '9'           ? SORT_DIGITS
           : c == ' ' || (c >= 9 && c < 14) ? SORT_SPACE
           : c > ' ' && c < 127             ? SORT_SIGNS
                                            : SORT_OTHER;
}

static bool opens_tag(const nz_cost *c, size_t i)
{
    unsigned char next = i + 1 < c->n ? c->raw[i + 1] : 0;
    return c->raw[i] == '<' && (is_letter(next) || next == '/' || next == '!' || next == '?');
}

static void add_to_sorts(costs *c, const nz_cost *cost)
{
    c->in_markup = false;
    for (size_t i = 0; i < cost->n; i++) {
        c->in_markup |= opens_tag(cost, i);
        count(&c->sort[c->in_markup ? SORT_MARKUP : sort_of(cost->raw[i])], 1, cost_of(cost, i));
        c->in_markup &= cost->raw[i] != '>';
    }
}

static void add_to_classes(costs *c, const nz_cost *cost)
{
    for (size_t i = 0; i < cost->n && cost->bits; i++)
        count(&c->class[costs_class((double)cost->bits[i])], 1, (double)cost -> bits[i]);
    if (!cost->bits)
        count(&c->class[costs_class(cost->sum / (double)cost->n)], cost -> n, cost -> sum);
}

/* ---- Passages ---- */

static void passage_free(passage *p)
{
    free(p->raw);
    free(p->bits);
    *p = (passage){0};
}

static bool copy(passage *p, const nz_cost *cost, size_t from, size_t n)
{
    *p = (passage){.kind = cost->kind, .at = cost->at + from, .n = n};
    p->raw = malloc(n);
    p->bits = malloc(n * sizeof *p->bits);
    if (!p->raw || !p->bits) {
        passage_free(p);
        return false;
    }
    memcpy(p->raw, cost->raw + from, n);
    for (size_t i = 0; i < n; i++)
        p->bits[i] = (float)cost_of(cost, from + i);
    return true;
}

/* Takes what there is room for; returns how much. */
static size_t add_to_head(costs *c, const nz_cost *cost)
{
    size_t room = COSTS_HEAD - c->head_bytes, n = cost->n < room ? cost->n : room;
    passage *more = n ? realloc(c->head, (c->heads + 1) * sizeof *more) : NULL;
    if (!n)
        return 0;
    if (more)
        c->head = more;
    if (!more || !copy(&c->head[c->heads], cost, 0, n)) {
        c->failed = true;
        return 0;
    }
    c->heads++;
    c->head_bytes += n;
    return n;
}

static double dearness(const passage *p)
{
    amount_of a = {.bytes = p->n};
    for (size_t i = 0; i < p->n; i++)
        a.bits += (double)p->bits[i];
    return rate(&a);
}

/* The cheapest of them makes room. */
static void add_dear(costs *c, const nz_cost *cost, size_t from, size_t n, double each)
{
    passage p;
    bool full = c->dear == COSTS_DEAREST;
    if (full && each <= dearness(&c->dearest[c->dear - 1]))
        return;
    if (!copy(&p, cost, from, n)) {
        c->failed = true;
        return;
    }
    if (full)
        passage_free(&c->dearest[--c->dear]);
    size_t k = c->dear++;
    for (; k > 0 && dearness(&c->dearest[k - 1]) < each; k--)
        c->dearest[k] = c->dearest[k - 1];
    c->dearest[k] = p;
}

/* From that byte on, passage by passage. What was stored costs the same all over. */
static void add_to_dearest(costs *c, const nz_cost *cost, size_t from)
{
    for (; from + COSTS_PASSAGE <= cost->n && cost->bits; from += COSTS_PASSAGE) {
        double bits = 0;
        for (size_t i = 0; i < COSTS_PASSAGE; i++)
            bits += (double)cost->bits[from + i];
        add_dear(c, cost, from, COSTS_PASSAGE, bits / COSTS_PASSAGE);
    }
}

int costs_add(void *arg, const nz_cost *cost)
{
    costs *c = arg;
    count(&c->all, cost->n, cost->sum);
    add_to_chart(c, cost);
    add_to_classes(c, cost);
    if (cost->raw && costs_is_text(cost->kind))
        add_to_sorts(c, cost);
    if (cost->raw)
        add_to_dearest(c, cost, add_to_head(c, cost));
    return c->failed;
}

void costs_free(costs *c)
{
    for (size_t i = 0; i < c->heads; i++)
        passage_free(&c->head[i]);
    for (size_t i = 0; i < c->dear; i++)
        passage_free(&c->dearest[i]);
    free(c->head);
    *c = (costs){0};
}
