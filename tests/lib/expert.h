/* What every kind of data with a model of its own has to hold. */
#ifndef NZ_TESTS_EXPERT_H
#define NZ_TESTS_EXPERT_H

#include "model/bytes.h"
#include "model/deep.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static inline size_t encode_with(const nz_shape *s, unsigned cpu, const uint8_t *raw, size_t n,
                                 uint8_t *out)
{
    nz_kern kern;
    nz_kern_init(&kern, cpu);
    nz_run run = {.kern = &kern};
    size_t size;
    cr_assert_eq(nz_bytes_encode(s, &run, raw, n, out, 2 * n, &size), NZ_OK);
    return size;
}

/* The n bytes, of such a shape, are smaller than as plain binary data, the same from every backend,
 * and come back. */
static inline void check_expert(const nz_shape *s, const uint8_t *raw, size_t n)
{
    uint8_t *packed = malloc(2 * n), *other = malloc(2 * n), *back = malloc(n);
    nz_shape plain = *s;
    plain.content = (nz_content){.kind = NZ_KIND_BINARY};
    nz_deep_choose(&plain, n, 0);
    size_t without = encode_with(&plain, nz_cpu(), raw, n, packed);
    size_t size = encode_with(s, nz_cpu(), raw, n, packed);
    cr_assert_lt(size, without, "level %d", s->level);
    cr_assert_eq(encode_with(s, 0, raw, n, other), size);
    cr_assert_eq(memcmp(packed, other, size), 0, "level %d", s->level);

    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    nz_run run = {.kern = &kern, .second_core = true};
    cr_assert_eq(nz_bytes_decode(s, &run, packed, size, back, n), NZ_OK);
    cr_assert_eq(memcmp(back, raw, n), 0);
    free(packed);
    free(other);
    free(back);
}

#endif
