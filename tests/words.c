/* Words as codes: there and back, also in place, only where it pays; a hostile list is refused. */
#include "model/words.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { SIZE = 200000 };

static uint32_t random32(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

/* Made-up words, some much more frequent than others, and now and then byte 128 or 192. */
static uint8_t *prose(const char *between)
{
    uint8_t *raw = malloc(SIZE);
    uint32_t s = 7;
    for (size_t i = 0; i < SIZE;) {
        uint32_t k = random32(&s) % 40 * (random32(&s) % 40) / 40;
        char word[16] = "Ab";
        for (uint32_t j = 0; j <= k % 7; j++)
            word[1 + j] = (char)('a' + (k + j * 5) % 26);
        for (const char *c = word; *c && i < SIZE; c++)
            raw[i++] = (uint8_t)*c;
        for (const char *c = between; *c && i < SIZE; c++)
            raw[i++] = (uint8_t)*c;
        if (i < SIZE && random32(&s) % 512 == 0)
            raw[i++] = (uint8_t)(128 + 64 * (random32(&s) % 2));
    }
    return raw;
}

Test(words, come_back_also_in_place)
{
    nz_words w;
    uint8_t *raw = prose(" "), *codes = malloc(SIZE), *back = malloc(SIZE);
    cr_assert(nz_words_choose(&w, raw, SIZE));
    cr_assert_gt(w.n, 8u);
    for (unsigned k = 0; k < w.n; k++)
        cr_assert(w.word[k].code >= 128 && !memchr(raw, w.word[k].code, SIZE));
    size_t size = nz_words_shrink(&w, codes, raw, SIZE);
    cr_assert_lt(size, (size_t)SIZE * 3 / 4);
    cr_assert(nz_words_expand(&w, back, SIZE, codes, size));
    cr_assert_arr_eq(back, raw, SIZE);
    memcpy(back + SIZE - size, codes, size);
    cr_assert(nz_words_expand(&w, back, SIZE, back + SIZE - size, size));
    cr_assert_arr_eq(back, raw, SIZE);
    /* Whatever the size should be, nothing beyond it is written. */
    for (size_t n = 0; n < SIZE; n += 9973) {
        memset(back, 1, SIZE);
        cr_assert_not(nz_words_expand(&w, back, n, codes, size));
        for (size_t i = n; i < SIZE; i++)
            cr_assert_eq(back[i], 1);
    }
    free(raw);
    free(codes);
    free(back);
}

Test(words, are_left_alone_where_they_do_not_pay)
{
    nz_words w;
    uint8_t *raw = prose(" "), *code = prose("_");
    cr_assert(nz_words_choose(&w, raw, 100000));
    cr_assert_eq(w.n, 0u, "too short");
    cr_assert(nz_words_choose(&w, code, SIZE));
    cr_assert_eq(w.n, 0u, "no prose");
    for (size_t i = 0; i < 128; i++)
        raw[2 * i] = (uint8_t)(128 + i);
    cr_assert(nz_words_choose(&w, raw, SIZE));
    cr_assert_eq(w.n, 0u, "every code in use");
    free(raw);
    free(code);
}

Test(words, list_comes_back)
{
    nz_words w, back;
    uint8_t *raw = prose(" "), list[1024];
    nz_arith a;
    cr_assert(nz_words_choose(&w, raw, SIZE));
    nz_arith_write(&a, list, sizeof list);
    nz_words_write(&w, &a);
    cr_assert_eq(nz_arith_flush(&a), 0);
    size_t size = (size_t)(a.at - list);
    nz_arith_read(&a, list, size);
    cr_assert(nz_words_read(&back, &a));
    cr_assert_eq(nz_arith_check(&a), 0);
    cr_assert_eq(memcmp(&w, &back, sizeof w), 0);
    free(raw);
}

Test(words, any_bits_are_a_list_or_refused)
{
    uint32_t s = 11;
    unsigned read = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t list[64];
        nz_words w;
        nz_arith a;
        for (size_t i = 0; i < sizeof list; i++)
            list[i] = (uint8_t)(random32(&s) >> 8);
        nz_arith_read(&a, list, sizeof list);
        if (!nz_words_read(&w, &a))
            continue;
        read++;
        for (unsigned k = 0; k < w.n; k++) {
            cr_assert(w.word[k].length > 1 && w.word[k].length <= NZ_WORD_MAX);
            cr_assert(w.word[k].code >= 128 && (!k || w.word[k].code > w.word[k - 1].code));
        }
    }
    cr_assert_gt(read, 100u);
}
