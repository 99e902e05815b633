#include "filter.h"

#include <stdlib.h>

enum { NONE, LEFT, UP, AVERAGE, PAETH };

/* What a filter takes a byte to be, by those to the left, above and above that on the left. */
static int guess(unsigned type, int left, int up, int corner)
{
    switch (type) {
    case LEFT: return left;
    case UP: return up;
    case AVERAGE: return (left + up) / 2;
    case PAETH: {
        int by_left = abs(up - corner), by_up = abs(left - corner);
        int by_corner = abs(left + up - 2 * corner);
        return by_left <= by_up && by_left <= by_corner ? left : by_up <= by_corner ? up : corner;
    }
    default: return 0;
    }
}

/* pixels[at], one of the bytes of a row that begins at `start`. */
static uint8_t guess_at(unsigned type, const uint8_t *pixels, size_t start, size_t at, size_t row,
                        size_t pixel)
{
    bool edge = at - start < pixel, top = start == 0;
    return (uint8_t)guess(type, edge ? 0 : pixels[at - pixel], top ? 0 : pixels[at - row],
                          edge || top ? 0 : pixels[at - row - pixel]);
}

bool nz_png_unfilter(uint8_t *pixels, uint8_t *types, const uint8_t *filtered, size_t rows,
                     size_t row, size_t pixel)
{
    for (size_t r = 0, at = 0; r < rows; r++) {
        unsigned type = types[r] = *filtered++;
        if (type >= NZ_PNG_FILTERS)
            return false;
        for (size_t i = 0; i < row; i++, at++)
            pixels[at] = (uint8_t)(*filtered++ + guess_at(type, pixels, r * row, at, row, pixel));
    }
    return true;
}

bool nz_png_filter(uint8_t *filtered, const uint8_t *pixels, const uint8_t *types, size_t rows,
                   size_t row, size_t pixel)
{
    for (size_t r = 0, at = 0; r < rows; r++) {
        unsigned type = *filtered++ = types[r];
        if (type >= NZ_PNG_FILTERS)
            return false;
        for (size_t i = 0; i < row; i++, at++)
            *filtered++ = (uint8_t)(pixels[at] - guess_at(type, pixels, r * row, at, row, pixel));
    }
    return true;
}
