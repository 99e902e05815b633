#include "past.h"

#include "row.h"

#define AFTER_ROWS  65536
#define AFTER3_ROWS ((size_t)1 << NZ_AFTER3_BITS)
#define PHRASE_ROWS ((size_t)1 << NZ_PHRASE_BITS)
#define FOLLOW_ROWS ((size_t)NZ_FOLLOWS << NZ_FOLLOW_BITS)

/* 0 the rest, 1 a-z, 2 A-Z, 3 digits, 4 space, 5 newline, 6 [], 7 {}|, 8 <>/, 9 &;#, 10 .!?,
 * 11 ,:, 12 quotes, 13 = * -, 14 bytes >= 128, 15 (). */
const uint8_t nz_byte_class[256] = {
    ['a' ... 'z'] = NZ_CLASS_LOWER,
    ['A' ... 'Z'] = NZ_CLASS_UPPER,
    ['0' ... '9'] = NZ_CLASS_DIGIT,
    [' '] = 4,
    [10] = 5,
    ['['] = 6,
    [']'] = 6,
    ['{'] = 7,
    ['}'] = 7,
    ['|'] = 7,
    ['<'] = 8,
    ['>'] = 8,
    ['/'] = 8,
    ['&'] = 9,
    [';'] = 9,
    ['#'] = 9,
    ['.'] = 10,
    ['!'] = 10,
    ['?'] = 10,
    [','] = 11,
    [':'] = 11,
    ['"'] = 12,
    ['\''] = 12,
    ['='] = 13,
    ['*'] = 13,
    ['-'] = 13,
    [128 ... 255] = 14,
    ['('] = 15,
    [')'] = 15,
};

uint64_t nz_past_memory(void)
{
    return (2 * AFTER_ROWS + AFTER3_ROWS) * sizeof(uint32_t) + PHRASE_ROWS * sizeof(nz_word_end) +
           FOLLOW_ROWS * sizeof(uint16_t);
}

void nz_past_turn(nz_past *p, const uint8_t *raw)
{
    nz_word_end *ends = p->phrase.ends; /* at places in the text before */
    if (ends)
        memset(ends, 0, PHRASE_ROWS * sizeof *ends);
    memset(p, 0, offsetof(nz_past, follow));
    p->phrase.ends = ends;
    p->raw = raw;
    p->line_first = 10;
    p->utf8 = true;
    p->outline.blank = true;
    p->period = 4;
    p->row = NZ_ROW_MIN;
}

int nz_past_new(nz_past *p, const uint8_t *raw)
{
    memset(p, 0, sizeof *p);
    nz_past_turn(p, raw);
    p->after2 = nz_big_new(nz_past_memory());
    if (!p->after2)
        return -1;
    p->next_word = p->after2 + AFTER_ROWS;
    p->after3 = p->next_word + AFTER_ROWS;
    p->phrase.ends = (nz_word_end *)(p->after3 + AFTER3_ROWS);
    p->follow.after = (uint16_t *)(p->phrase.ends + PHRASE_ROWS);
    return 0;
}

void nz_past_free(nz_past *p)
{
    nz_big_free(p->after2, nz_past_memory());
    p->after2 = NULL;
}

static void character(nz_past *p, uint8_t byte)
{
    if (byte < 0x80 || byte >= 0xc0) {
        p->utf8 &= !p->rest;
        p->lead = byte;
        p->rest = byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    } else if (p->rest && !--p->rest) {
        p->utf8 = true;
    }
}

/* Dashes, quotation marks, arrows: U+2000 to U+2FFF. */
static bool is_sign(const nz_past *p)
{
    return p->utf8 && p->lead == 0xe2;
}

/* Chinese and Japanese: every character is a word. */
static bool is_ideograph(uint8_t lead)
{
    return (lead >= 0xe3 && lead <= 0xe9) || lead == 0xef;
}

static bool is_letter(const nz_past *p, uint8_t byte)
{
    return nz_byte_class[byte] == NZ_CLASS_LOWER || nz_byte_class[byte] == NZ_CLASS_UPPER ||
           (byte >= 128 && !is_sign(p));
}

/* ASCII and Cyrillic; both halves of the latter's alphabet get one first byte. */
static uint32_t lower_case(uint8_t byte, uint8_t before)
{
    if (byte >= 'A' && byte <= 'Z')
        return byte + 32u;
    if (byte == 0xd0 || byte == 0xd1)
        return 0xd0;
    if (before == 0xd0 && byte >= 0x90 && byte < 0xb0)
        return byte ^ 0x20u;
    return byte;
}

static void letter(nz_past *p, uint32_t byte, uint32_t lower)
{
    if (!p->word_len) {
        p->initial = lower;
        p->capital = 0;
        p->tail = 0;
    }
    if (byte >= 'A' && byte <= 'Z')
        p->capital = p->word_len ? 2 : 1;
    p->word[0] = nz_hash32(p->word[0], lower + 1);
    p->word_len++;
    p->tail = p->tail << 8 | lower;
}

static void word_end(nz_past *p)
{
    uint32_t word = p->word[0];
    p->next_word[p->word[1] & 0xffff] = word;
    p->follows = p->next_word[word & 0xffff];
    memmove(p->word + 1, p->word, sizeof p->word - sizeof p->word[0]);
    p->last_tail = p->tail;
    p->last_initial = p->initial;
    if (p->capital)
        p->capital_word = word;
    p->capitals = (p->capitals << 2 | p->capital) & 63;
    if (!p->line_word)
        p->line_word = word;
    if (p->depth && !p->nest[p->depth - 1].first)
        p->nest[p->depth - 1].first = word;
    p->word[0] = p->word_len = p->tail = p->capital = p->initial = 0;
}

static void push(nz_past *p, uint8_t what)
{
    if (p->depth == NZ_NEST_MAX) {
        memmove(p->nest, p->nest + 1, (NZ_NEST_MAX - 1) * sizeof p->nest[0]);
        p->depth--;
    }
    p->nest[p->depth++] = (nz_nest){.pos = p->pos, .name = p->outline.last_name, .what = what};
}

/* Closes the nearest `what` within four levels; an unmatched closing bracket changes nothing. */
static void pop(nz_past *p, uint8_t what)
{
    for (uint32_t down = 0; down < 4 && down < p->depth; down++) {
        if (p->nest[p->depth - 1 - down].what == what) {
            p->depth -= down + 1;
            return;
        }
    }
}

static void nesting(nz_past *p, uint8_t byte)
{
    switch (byte) {
    case ' ':
    case ',':
    case '\n':
        if (p->depth)
            p->nest[p->depth - 1].part++;
        break;
    case '[':
    case '{':
    case '(':
    case '<': push(p, byte); break;
    case ']': pop(p, '['); break;
    case '}': pop(p, '{'); break;
    case ')': pop(p, '('); break;
    case '>': pop(p, '<'); break;
    case '"':
        if (nz_past_top(p, 0) == '"')
            p->depth--;
        else
            push(p, '"');
        break;
    case ';': /* escaped markup: &lt; &gt; &quot; */
        if (p->c4 == 0x266c743b)
            push(p, 'L');
        else if (p->c4 == 0x2667743b)
            pop(p, 'L');
        else if (p->c4 == 0x756f743b) {
            if (nz_past_top(p, 0) == '"')
                p->depth--;
            else
                push(p, '"');
        }
        break;
    default: break;
    }
}

static void markup(nz_past *p, uint8_t byte)
{
    switch (byte) {
    case '<':
    case '[':
    case '{':
    case '(':
    case '|':
    case '=':
    case '"':
    case '&': p->bracket = byte; break;
    case '>':
    case ']':
    case '}':
    case ')':
    case 10: p->bracket = byte | 256u; break;
    default: break;
    }
    if (byte == '<') {
        p->in_tag = 1;
        p->tag_now = 0;
    } else if (p->in_tag) {
        if (byte == ' ' || byte == '>') {
            p->tag = p->tag_now;
            p->in_tag = 0;
        } else {
            p->tag_now = nz_hash32(p->tag_now, byte);
        }
    }
    nesting(p, byte);
}

static void lines(nz_past *p, uint8_t byte, uint8_t before)
{
    uint32_t column = p->pos - 1 - p->line[0];
    p->alike += p->alike == column && nz_past_above(p, 1, column) == byte;
    if (byte == 10) {
        memmove(p->line + 1, p->line, sizeof p->line - sizeof p->line[0]);
        p->line[0] = p->pos;
        p->line_word = p->line_head = p->alike = 0;
        p->line_first = 10;
        if (before == 10) {
            p->depth = 0;
            p->paragraph = p->pos;
        }
    } else if (column == 0) {
        p->line_first = p->line_head = byte;
    } else if (column == 1) {
        p->line_head |= (uint32_t)byte << 8;
    }
}

/* A byte that came three times at one distance votes for it; a distance that outvotes the present
 * one takes its place. Periods below 2 say nothing. */
static void periods(nz_past *p, uint8_t byte)
{
    enum { TAKE_OVER = 16, VOTES_MAX = 255 };
    uint32_t d0 = p->pos - p->seen[0][byte], d1 = p->seen[0][byte] - p->seen[1][byte];
    uint32_t d2 = p->seen[1][byte] - p->seen[2][byte], d3 = p->seen[2][byte] - p->seen[3][byte];
    for (int k = 3; k > 0; k--)
        p->seen[k][byte] = p->seen[k - 1][byte];
    p->seen[0][byte] = p->pos;
    if (d0 < 2 || d0 > 65535 || d0 != d1 || d0 != d2 || (d0 < 32 && d0 != d3))
        return;
    if (d0 == p->period) {
        p->votes += p->votes < VOTES_MAX;
        p->rival_votes -= p->rival_votes > 0;
    } else if (d0 == p->rival) {
        p->votes -= p->votes > 0;
        if (++p->rival_votes > TAKE_OVER && p->rival_votes > p->votes) {
            p->period = d0;
            p->votes = p->rival_votes;
            p->rival_votes = 0;
        }
    } else {
        p->rival = d0;
        p->rival_votes = 1;
    }
}

static void records(nz_past *p, uint8_t byte)
{
    periods(p, byte);
    if (byte == 0)
        p->zero = p->pos;
    p->zeros = p->zeros << 1 | (byte == 0);
    p->same = p->same << 1 | (byte == nz_past_at(p, 1 + p->period));
    p->same4 = p->same4 << 1 | (byte == nz_past_at(p, 1 + 4));
}

void nz_past_next(nz_past *p, uint8_t byte)
{
    uint8_t before = (uint8_t)p->c4;
    p->after1[before] = p->after1[before] << 8 | byte;
    uint32_t *after = &p->after2[p->c4 & 0xffff];
    *after = *after << 8 | byte;
    after = nz_past_after3(p);
    *after = *after << 8 | byte;
    p->c12 = p->c12 << 8 | p->c8 >> 24;
    p->c8 = p->c8 << 8 | p->c4 >> 24;
    p->c4 = p->c4 << 8 | byte;
    p->pos++;

    uint32_t digit = byte >= '0' && byte <= '9' ? '0' : byte;
    p->digits8 = p->digits8 << 8 | p->digits4 >> 24;
    p->digits4 = p->digits4 << 8 | digit;
    uint32_t class = nz_byte_class[byte];
    p->classes = p->classes << 4 | class;
    if ((p->class_runs & 15) != class || !(class == NZ_CLASS_LOWER || class == NZ_CLASS_DIGIT))
        p->class_runs = p->class_runs << 4 | class;

    character(p, byte);
    bool is_word = is_letter(p, byte);
    uint32_t lower = lower_case(byte, before);
    if (is_word) {
        if (p->word_len && p->utf8 && is_ideograph(byte))
            word_end(p);
        letter(p, byte, lower);
    } else {
        if (p->word_len)
            word_end(p);
        if (byte != ' ')
            p->stop = byte;
    }
    nz_phrase_next(&p->phrase, byte, before, lower, is_word, p->pos);
    nz_follow_next(&p->follow, (uint8_t)lower, &p->phrase);
    nz_spelling_next(&p->spelling, lower, p->phrase.word[0]);
    nz_outline_next(&p->outline, byte, is_word);
    nz_texture_next(&p->texture, byte, is_word);
    nz_cells_next(&p->cells, p->raw, p->pos, p->line[1], &p->outline);
    lines(p, byte, before);
    markup(p, byte);
    records(p, byte);
}
