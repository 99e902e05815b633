/* What a page shows of an archive's costs, gathered in one pass: sums, a chart along the whole of
 * it, its beginning byte by byte, and the dearest passages of the rest. Its size is bounded,
 * whatever the archive's. */
#ifndef NZ_CLI_COSTS_H
#define NZ_CLI_COSTS_H

#include "nz.h"
#include <stdbool.h>

enum {
    COSTS_CLASSES = 10,
    COSTS_COLUMNS = 512, /* of the chart, at most */
    COSTS_DEAREST = 8,
    COSTS_PASSAGE = 1 << 10, /* bytes of each of them */
    COSTS_HEAD = 1 << 16,    /* bytes that are shown from the start */
};

/* Characters of text. */
typedef enum costs_sort {
    SORT_LETTERS,
    SORT_DIGITS,
    SORT_SPACE,
    SORT_SIGNS,
    SORT_MARKUP, /* from < to >, with all in it */
    SORT_OTHER,  /* beyond ASCII, control characters */
    SORTS
} costs_sort;

typedef struct amount_of {
    uint64_t bytes;
    double bits;
} amount_of;

/* Some bytes of one kind, with what each cost. */
typedef struct passage {
    const char *kind;
    uint64_t at;
    size_t n;
    unsigned char *raw;
    float *bits;
} passage;

/* Starts as {0}. */
typedef struct costs {
    amount_of all;
    amount_of class[COSTS_CLASSES]; /* bytes of so much, see costs_class() */
    amount_of sort[SORTS];
    bool in_markup;
    uint64_t width; /* bytes of a column of the chart */
    unsigned columns;
    amount_of column[COSTS_COLUMNS];
    passage *head; /* one after the other, COSTS_HEAD bytes at most */
    size_t heads, head_bytes;
    passage dearest[COSTS_DEAREST]; /* of what follows, in the order of their cost per byte */
    size_t dear;
    bool failed; /* there was no memory */
} costs;

/* An nz_cost_fn: arg is the costs. Stops when there is no memory. */
int costs_add(void *arg, const nz_cost *cost);
void costs_free(costs *c);

/* Of 0 to COSTS_CLASSES - 1, and the bits from which on a class begins. */
unsigned costs_class(double bits);
double costs_class_from(unsigned class);
bool costs_is_text(const char *kind);

#endif
