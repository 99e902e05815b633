#include "phrase.h"

static nz_word_end *end_of(const nz_phrase *p, uint32_t word)
{
    return &p->ends[word >> (32 - NZ_PHRASE_BITS)];
}

uint32_t nz_phrase_age(const nz_phrase *p, uint32_t pos)
{
    const nz_word_end *end = end_of(p, p->word);
    if (!p->word || end->word != p->word)
        return 0;
    return 32u - (uint32_t)__builtin_clz(pos - end->at + 1);
}

/* Anything but a single blank between two words, quotation marks aside, breaks what joins them. */
static void join(nz_phrase *p, uint8_t byte, uint8_t before, uint32_t lower, bool letter)
{
    bool blank = byte == ' ' || byte == '\n', quote = byte == '"' || byte == '\'';
    if (letter) {
        p->joined[0] = nz_hash32(p->joined[0], lower);
    } else if (blank && p->joined[0]) {
        memmove(p->joined + 1, p->joined, sizeof p->joined - sizeof p->joined[0]);
        p->joined[0] = 0;
    } else if (!quote && !(blank && (before == ' ' || before == '\n'))) {
        memset(p->joined, 0, sizeof p->joined);
    }
}

void nz_phrase_next(nz_phrase *p, uint8_t byte, uint8_t before, uint32_t lower, bool letter,
                    uint32_t pos)
{
    join(p, byte, before, lower, letter);
    if (letter || (byte >= '0' && byte <= '9')) {
        p->word = nz_hash32(p->word, lower);
        p->letters = p->letters << 8 | lower;
        p->gap = 0;
        return;
    }
    if (p->word) {
        *end_of(p, p->word) = (nz_word_end){p->word, pos};
        if (byte == ':' || byte == '=')
            p->keyword = p->word;
        p->word = 0;
    }
    p->gap = nz_hash32(p->gap, byte == '\n' ? ' ' : byte);
}
