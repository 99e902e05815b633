/* What to expect of a number's magnitude from its place: training gives the rows and columns of a
 * matrix scales of their own. Each row and column has the mean of its exponents, with three bits of
 * mantissa, rounded to a quarter of a binade; a number's scale is the sum of both. Its whole
 * binades move the number's symbol, its quarter chooses among four tables, in which the steps of
 * the mantissa then lie in the same places.
 *
 * Some tensors follow another, number by number: Adam's second moments the squares of the first,
 * a block's minimum its scale. Their scale is then the other number's, its square or its root, but
 * for a factor. */
#ifndef NZ_WEIGHTS_SCALE_H
#define NZ_WEIGHTS_SCALE_H

#include "nz.h"
#include "weights/number.h"
#include <stdbool.h>

#define NZ_SCALE_SETS  4   /* quarters of a binade */
#define NZ_SCALE_RANGE 255 /* between the smallest row or column and the largest, in quarters */

typedef struct nz_scale {
    const nz_number *format;
    size_t n;      /* numbers */
    size_t block;  /* numbers that share a row's scale: a row, or several short ones */
    size_t period; /* numbers a row; 0: there are no columns */
    bool by_row, by_column;
    int16_t mean;
    /* Numbers to follow, as many; NULL: none. `power`: the root, the same, the square. */
    const nz_number *other_format;
    const uint8_t *other;
    size_t other_first, other_n; /* numbers that `other` holds; behind them any scale will do */
    bool by_other;
    int power;      /* -1, 0, 1 */
    int16_t factor; /* what to add, in quarters */
    size_t rows;
    int16_t *row;    /* [rows], in quarters */
    int16_t *column; /* [period], what to add */
} nz_scale;

/* The arrays, nothing in them yet. `row`: numbers a row of the tensor, at least 1. NZ_E_MEM. */
nz_err nz_scale_new(nz_scale *s, const nz_number *format, size_t n, size_t row);
void nz_scale_free(nz_scale *s);
/* Fills mean, rows and columns. NZ_E_MEM. */
nz_err nz_scale_measure(nz_scale *s, const nz_kern *kern, const uint8_t *raw);

/* With `other`, `by_other` and `power` set: the factor that brings its mean to this one's. */
void nz_scale_follow(nz_scale *s, const uint8_t *raw);

/* Numbers at..at + n: their bases and their tables. */
void nz_scale_fill(const nz_scale *s, const nz_kern *kern, int16_t *base, uint8_t *set, size_t at,
                   size_t n);

#endif
