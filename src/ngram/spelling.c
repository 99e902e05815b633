#include "spelling.h"

/* 0 the rest, 1 consonants, 2 vowels, 3 e, 4 y, 5 digits, 6 zero, 7 beyond ASCII, 8 space,
 * 9 newline, 10 .!?, 11 ,;:, 12 opening and 13 closing brackets, 14 quotes. */
static const uint8_t kind_of[256] = {
    ['a'] = 2,         ['b' ... 'd'] = 1, ['e'] = 3,         ['f' ... 'h'] = 1, ['i'] = 2,
    ['j' ... 'n'] = 1, ['o'] = 2,         ['p' ... 't'] = 1, ['u'] = 2,         ['v' ... 'x'] = 1,
    ['y'] = 4,         ['z'] = 1,         ['0'] = 6,         ['1' ... '9'] = 5, [128 ... 255] = 7,
    [' '] = 8,         [10] = 9,          ['.'] = 10,        ['!'] = 10,        ['?'] = 10,
    [','] = 11,        [';'] = 11,        [':'] = 11,        ['('] = 12,        ['['] = 12,
    ['{'] = 12,        ['<'] = 12,        [')'] = 13,        [']'] = 13,        ['}'] = 13,
    ['>'] = 13,        ['"'] = 14,        ['\''] = 14,
};

void nz_spelling_next(nz_spelling *s, uint32_t lower, bool word)
{
    if (word != s->word)
        s->kinds = 0;
    s->word = word;
    s->kinds = s->kinds << 4 | kind_of[lower & 0xff];
}
