#include "phrase.h"

static nz_word_end *end_of(const nz_phrase *p, uint32_t word)
{
    return &p->ends[word >> (32 - NZ_PHRASE_BITS)];
}

uint32_t nz_phrase_age(const nz_phrase *p, uint32_t pos)
{
    const nz_word_end *end = end_of(p, p->word[0]);
    if (!p->word[0] || end->word != p->word[0])
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

static void word_end(nz_phrase *p, uint8_t byte, uint32_t pos)
{
    uint32_t word = p->word[0];
    *end_of(p, word) = (nz_word_end){word, pos};
    if (byte == ':' || byte == '=')
        p->keyword = word;
    memmove(p->word + 1, p->word, sizeof p->word - sizeof word);
    p->word[0] = 0;
}

static void sentence_end(nz_phrase *p, uint32_t pos)
{
    memset(p->word, 0, sizeof p->word);
    p->last_gap = 0;
    p->sentence = pos;
}

void nz_phrase_next(nz_phrase *p, uint8_t byte, uint8_t before, uint32_t lower, bool letter,
                    uint32_t pos)
{
    join(p, byte, before, lower, letter);
    if (letter || (byte >= '0' && byte <= '9')) {
        if (!p->word[0]) {
            p->last_gap = p->gap;
            p->gap = 0;
        }
        p->word[0] = nz_hash32(p->word[0], lower);
        p->letters = p->letters << 8 | lower;
        return;
    }
    if (p->word[0])
        word_end(p, byte, pos);
    p->gap = nz_hash32(p->gap, byte == '\n' ? ' ' : byte);
    if (byte == '.' || byte == '!' || byte == '?')
        sentence_end(p, pos);
}
