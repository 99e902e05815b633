/* Bytes that a test holds, a whole file of them for instance. */
#ifndef NZ_TESTS_BYTES_H
#define NZ_TESTS_BYTES_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct bytes {
    uint8_t *p;
    size_t n;
} bytes;

static inline bytes load(const char *path)
{
    FILE *f = fopen(path, "rb");
    cr_assert(f, "%s: run from the top of the tree", path);
    fseek(f, 0, SEEK_END);
    bytes b = {NULL, (size_t)ftell(f)};
    rewind(f);
    b.p = malloc(b.n + 1);
    cr_assert_eq(fread(b.p, 1, b.n, f), b.n);
    fclose(f);
    return b;
}

#endif
