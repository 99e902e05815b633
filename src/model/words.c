#include "words.h"

#include <stdlib.h>

enum {
    TEXT_MIN = 1 << 17, /* below, the list costs what it saves */
    SAVING_MIN = 32,    /* of the text, at least one byte in so many must go */
    COUNTED_BITS = 15,
    COUNTED_MOST = 3 << (COUNTED_BITS - 2), /* words beyond these are not counted */
    FIRST_CODE = 128,
    /* Of the list: letters, the end of a word, and what makes the next letter a capital. */
    SYMBOL_BITS = 5,
    END = 26,
    CAPITAL = 27,
};

typedef struct counted {
    const uint8_t *at; /* its first occurrence */
    uint32_t length, count;
} counted;

static bool is_letter(uint8_t c)
{
    return (uint8_t)((c | 32) - 'a') < 26;
}

/* The length of the run of letters at p. */
static size_t run_of(const uint8_t *p, const uint8_t *end)
{
    size_t n = 0;
    while (p + n < end && is_letter(p[n]))
        n++;
    return n;
}

static uint32_t hash_of(const uint8_t *p, size_t n)
{
    uint32_t h = 0;
    for (size_t i = 0; i < n; i++)
        h = (h + p[i]) * 0x2F0B4C47u;
    return (h ^ h >> 15) * 0x9E3779B1u;
}

/* Whether most words end at a space, as they do in prose: elsewhere parts of words and what stands
 * between them tell more about each other than a code does. */
static bool count_words(counted *table, const uint8_t *raw, size_t n)
{
    const uint8_t *end = raw + n;
    uint32_t known = 0, all = 0, spaced = 0;
    for (const uint8_t *p = raw; p < end;) {
        size_t length = run_of(p, end);
        if (length > 1 && length <= NZ_WORD_MAX) {
            uint32_t i = hash_of(p, length) >> (32 - COUNTED_BITS);
            while (table[i].at &&
                   (table[i].length != length || memcmp(table[i].at, p, length) != 0))
                i = (i + 1) & ((1u << COUNTED_BITS) - 1);
            if (!table[i].at && known < COUNTED_MOST) {
                table[i] = (counted){.at = p, .length = (uint32_t)length};
                known++;
            }
            table[i].count += table[i].at != NULL;
            all++;
            spaced += p + length < end && (p[length] == ' ' || p[length] == '\n');
        }
        p += length + 1;
    }
    return spaced >= all / 8 * 5;
}

/* Bytes saved less what the list takes. */
static int64_t gain_of(const counted *c)
{
    return (int64_t)(c->length - 1) * c->count - c->length;
}

static int best_first(const void *a, const void *b)
{
    const counted *x = a, *y = b;
    int64_t gain_x = gain_of(x), gain_y = gain_of(y);
    return gain_x != gain_y ? (gain_x < gain_y) - (gain_x > gain_y)
                            : (x->at > y->at) - (x->at < y->at);
}

static unsigned free_codes(uint8_t *code, const uint8_t *raw, size_t n)
{
    bool used[256] = {false};
    unsigned found = 0;
    for (size_t i = 0; i < n; i++)
        used[raw[i]] = true;
    for (unsigned c = FIRST_CODE; c < 256 && found < NZ_WORDS_CODES; c++)
        if (!used[c])
            code[found++] = (uint8_t)c;
    return found;
}

bool nz_words_choose(nz_words *w, const uint8_t *raw, size_t n)
{
    *w = (nz_words){0};
    uint8_t code[NZ_WORDS_CODES];
    if (n < TEXT_MIN)
        return true;
    unsigned codes = free_codes(code, raw, n);
    counted *table = calloc((size_t)1 << COUNTED_BITS, sizeof *table);
    if (!table)
        return false;
    bool prose = count_words(table, raw, n);
    size_t words = 0;
    for (size_t i = 0; i < (size_t)1 << COUNTED_BITS && prose; i++)
        if (table[i].at)
            table[words++] = table[i];
    qsort(table, words, sizeof *table, best_first);
    int64_t saved = 0;
    for (; w->n < codes && w->n < words && gain_of(&table[w->n]) > 0; w->n++) {
        const counted *c = &table[w->n];
        nz_word *word = &w->word[w->n];
        *word = (nz_word){.code = code[w->n], .length = (uint8_t)c->length};
        memcpy(word->letter, c->at, c->length);
        saved += gain_of(c);
    }
    if (saved < (int64_t)(n / SAVING_MIN))
        w->n = 0;
    free(table);
    return true;
}

/* ---- There and back ---- */

size_t nz_words_shrink(const nz_words *w, uint8_t *out, const uint8_t *raw, size_t n)
{
    enum { BITS = 8, SIZE = 1 << BITS };
    const nz_word *table[SIZE] = {NULL};
    for (unsigned k = 0; k < w->n; k++) {
        const nz_word *word = &w->word[k];
        uint32_t i = hash_of((const uint8_t *)word->letter, word->length) >> (32 - BITS);
        while (table[i])
            i = (i + 1) % SIZE;
        table[i] = word;
    }
    const uint8_t *end = raw + n;
    uint8_t *to = out;
    for (const uint8_t *p = raw; p < end;) {
        size_t length = run_of(p, end);
        if (length > 1 && length <= NZ_WORD_MAX) {
            uint32_t i = hash_of(p, length) >> (32 - BITS);
            while (table[i] &&
                   (table[i]->length != length || memcmp(table[i]->letter, p, length) != 0))
                i = (i + 1) % SIZE;
            if (table[i]) {
                *to++ = table[i]->code;
                p += length;
                continue;
            }
        }
        length += !length;
        memcpy(to, p, length);
        to += length;
        p += length;
    }
    return (size_t)(to - out);
}

bool nz_words_expand(const nz_words *w, uint8_t *raw, size_t n, const uint8_t *in, size_t size)
{
    const nz_word *of[256] = {NULL};
    for (unsigned k = 0; k < w->n; k++)
        of[w->word[k].code] = &w->word[k];
    size_t to = 0;
    for (size_t i = 0; i < size; i++) {
        const nz_word *word = of[in[i]];
        size_t length = word ? word->length : 1;
        /* Every byte still to come needs room for at least itself. */
        if (length > n - to || n - to - length < size - i - 1)
            return false;
        if (word)
            memcpy(raw + to, word->letter, length);
        else
            raw[to] = in[i];
        to += length;
    }
    return to == n;
}

/* ---- The list ---- */

void nz_words_write(const nz_words *w, nz_arith *a)
{
    unsigned next = FIRST_CODE;
    nz_arith_encode_even(a, w->n, 6);
    for (unsigned k = 0; k < w->n; k++) {
        const nz_word *word = &w->word[k];
        for (; next < word->code; next++)
            nz_arith_encode_even(a, 1, 1); /* in use */
        nz_arith_encode_even(a, 0, 1);
        next++;
        for (unsigned i = 0; i < word->length; i++) {
            if (!(word->letter[i] & 32))
                nz_arith_encode_even(a, CAPITAL, SYMBOL_BITS);
            nz_arith_encode_even(a, (uint32_t)(word->letter[i] | 32) - 'a', SYMBOL_BITS);
        }
        nz_arith_encode_even(a, END, SYMBOL_BITS);
    }
}

static bool read_word(nz_word *word, nz_arith *a)
{
    char capital = 0;
    for (;;) {
        uint32_t symbol = nz_arith_decode_even(a, SYMBOL_BITS);
        if (symbol == CAPITAL && !capital) {
            capital = 32;
        } else if (symbol < END && word->length < NZ_WORD_MAX) {
            word->letter[word->length++] = (char)((char)('a' + symbol) - capital);
            capital = 0;
        } else {
            return symbol == END && !capital && word->length > 1;
        }
    }
}

bool nz_words_read(nz_words *w, nz_arith *a)
{
    unsigned next = FIRST_CODE;
    *w = (nz_words){.n = nz_arith_decode_even(a, 6)};
    if (w->n > NZ_WORDS_CODES)
        return false;
    for (unsigned k = 0; k < w->n; k++, next++) {
        while (next < 256 && nz_arith_decode_even(a, 1))
            next++;
        if (next > 255)
            return false;
        w->word[k].code = (uint8_t)next;
        if (!read_word(&w->word[k], a))
            return false;
    }
    return true;
}
