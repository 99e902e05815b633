#include "texture.h"

enum { OTHER, WORD, PUNCTUATION, BLANK };

static uint32_t kind(uint8_t byte, bool word)
{
    switch (byte) {
    case ' ':
    case '\t':
    case '\r':
    case '\n': return BLANK;
    case '.':
    case ',':
    case ';':
    case ':':
    case '!':
    case '?': return PUNCTUATION;
    case '\'':
    case '-': return WORD;
    default: return word ? WORD : OTHER;
    }
}

void nz_texture_next(nz_texture *t, uint8_t byte, bool word)
{
    uint32_t k = kind(byte, word);
    if (k != WORD && (t->kinds & 3) == WORD)
        t->pause = false;
    t->pause |= k == PUNCTUATION;
    t->kinds = t->kinds << 2 | k;
    t->blanks = t->blanks << 1 | (k == BLANK);
}
