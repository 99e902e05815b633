/* What the fast engine remembers of the bytes read so far, and the contexts it makes of it.
 *
 * Contexts are hashed while the last bits of the latest byte are still unknown, so that the lines
 * they name are on their way in time: `late` below is that byte with these bits clear. */
#ifndef NZ_MODEL_FAST_PAST_H
#define NZ_MODEL_FAST_PAST_H

#include "base/base.h"

enum {
    FAST_AFTER = 65536, /* entries of `after2` */
};

typedef struct fast_past {
    const uint8_t *raw;
    uint32_t pos;
    uint32_t c4, c8;             /* the last four bytes, the latest lowest, and the four before */
    uint32_t word, word1, word2; /* hashes of this word (0 outside) and of the ones before */
    uint32_t length;             /* of the current word */
    uint32_t line, above;        /* where this line and the one above start */
    uint32_t mark;               /* the last bracket, quote or line end */
    uint32_t row;                /* distance to the byte above in a table or image */
    uint32_t *after2;            /* the bytes that came after two bytes, the latest lowest */
    uint32_t after1[256];        /* the same after one byte */
} fast_past;

NZ_INLINE uint32_t fast_hash(uint32_t a, uint32_t b)
{
    uint32_t h = a * 0x2F0B4C47u + b * 0x9E3779B1u;
    h ^= h >> 15;
    h *= 0x85EBCA6Bu;
    return h ^ h >> 13;
}

/* Where a context's nibble is: the upper bits name a pair of lines, bit 8 chooses one of them, the
 * lower eight check it. */
NZ_INLINE uint32_t fast_line(uint32_t hash, uint32_t nibble)
{
    uint32_t h = (hash + nibble) * 0x2C1B3C6Du;
    h ^= h >> 15;
    h *= 0x297A2D39u;
    return h ^ h >> 16;
}

NZ_INLINE int fast_is_mark(uint32_t c)
{
    return c == '<' || c == '>' || c == '[' || c == ']' || c == '{' || c == '}' || c == '(' ||
           c == ')' || c == '"' || c == '=' || c == '|' || c == '&' || c == '\n';
}

NZ_INLINE void fast_past_next(fast_past *p, uint32_t c)
{
    uint32_t *one = &p->after1[p->c4 & 255], *two = &p->after2[p->c4 & 0xffff];
    *one = *one << 8 | c;
    *two = *two << 8 | c;
    p->c8 = p->c8 << 8 | p->c4 >> 24;
    p->c4 = p->c4 << 8 | c;
    p->pos++;
    uint32_t letter = c - 'A' < 26 ? c + 32 : c;
    if (letter - 'a' < 26 || c >= 128) {
        p->word = (p->word + letter + 1) * 0x2F0B4C47u;
        p->word ^= p->word >> 15;
        p->length++;
    } else if (p->word) {
        p->word2 = p->word1;
        p->word1 = p->word;
        p->word = 0;
        p->length = 0;
    }
    if (fast_is_mark(c))
        p->mark = c;
    if (c == '\n') {
        p->above = p->line;
        p->line = p->pos;
    }
}

/* 0 small letters, capitals, digits, space, line end, beyond ASCII, opening brackets, other 7. */
NZ_INLINE uint32_t fast_class(uint32_t c)
{
    return c - 'a' < 26                       ? 0
           : c - 'A' < 26                     ? 1
           : c - '0' < 10                     ? 2
           : c == ' '                         ? 3
           : c == '\n'                        ? 4
           : c >= 128                         ? 5
           : c == '[' || c == '{' || c == '<' ? 6
                                              : 7;
}

NZ_INLINE uint32_t fast_back(const fast_past *p, uint32_t distance)
{
    return distance <= p->pos ? p->raw[p->pos - distance] : 0;
}

/* One hash a context beyond order 1: the first n of the list for text. `bits` of the latest byte
 * are unknown. Bit k of the result is clear when context k does not depend on that byte at all. */
NZ_INLINE uint32_t fast_text(const fast_past *p, int n, int bits, uint32_t late, uint32_t *h)
{
    const uint32_t c4 = p->c4 << 8 | late, c8 = p->c8 << 8 | p->c4 >> 24, c1 = late;
    const uint32_t word1 = p->word1 * 0x3D4D51CBu, word2 = p->word2 * 0x1F123BB5u;
    h[0] = fast_hash(c4 & 0xffff, 2);
    h[1] = fast_hash(c4 & 0xffffff, 3);
    h[2] = fast_hash(c4, 4);
    h[3] = fast_hash(c4, 0x50000 + (c8 & 0xffff));
    h[4] = fast_hash(p->word, 0x600 + c1);
    h[5] = fast_hash(p->word ^ word1, 0x700 + c1);
    if (n <= 6)
        return UINT32_MAX;
    /* When the latest byte may be the line end, the next one starts a line. */
    int fresh = late == ('\n' & UINT32_MAX << bits);
    uint32_t line = fresh ? p->pos + 1 : p->line, above = fresh ? p->line : p->above;
    uint32_t column = p->pos + 1 - line;
    uint32_t over = above + column;
    uint32_t up = over < line && over < p->pos ? p->raw[over] : 0;
    h[6] = fast_hash(p->mark, 0x160000 + (c4 & 0xffff));
    h[7] = fast_hash(p->after2[c4 & 0xffff], 0xb00 + (c4 & 0xffff) * 0x10001);
    h[8] = fast_hash(up << 8 | c1, 0x15000000 + (column < 255 ? column : 255));
    h[9] = fast_hash(c4 & 0xffff00, 10);
    h[10] = fast_hash(p->word ^ word2, 0x1200 + c1);
    h[11] = fast_hash(c4 & 0xf0f0f0ff, 14 + ((c8 & 0xf0f0) << 8));
    if (n > 12) {
        h[12] = fast_hash(c4 & 0xff00ff, 13);
        h[13] = fast_hash(c4, 0x80000 + (c8 & 0xff));
        h[14] = fast_hash(c4, 0x15000000 ^ c8);
        h[15] = fast_hash(p->after1[c1] & 0xffff, 0x1700 + (c1 << 16));
        h[16] = fast_hash(word1 ^ p->word2, 0x1400 + c1);
        h[17] = fast_hash(p->word ^ word1 ^ word2, 0x1300 + c1);
        h[18] = fast_hash(c4 & 0xf8f8ffff, 11 + ((c8 & 0xf0f0) << 8));
        h[19] = fast_hash(c4 & 0xdfdfdfdf, 0x990000 + (c8 & 0xdfdf));
    }
    return ~(1u << 9);
}

/* The list for everything else: programs, records, images, sound. */
NZ_INLINE uint32_t fast_binary(const fast_past *p, int n, uint32_t late, uint32_t *h)
{
    const uint32_t c4 = p->c4 << 8 | late, c8 = p->c8 << 8 | p->c4 >> 24, c1 = late;
    const uint32_t at = p->pos + 1;
    /* The byte above the next one, and its neighbours. */
    uint32_t up = fast_back(p, p->row - 1), up2 = fast_back(p, 2 * p->row - 1);
    uint32_t up_left = fast_back(p, p->row);
    h[0] = fast_hash(c4 & 0xffff, 2);
    h[1] = fast_hash(c4 & 0xffffff, 3);
    h[2] = fast_hash(up << 8 | c1, 7);
    h[3] = fast_hash(c4, 0x50000 + (c8 & 0xffff));
    h[4] = fast_hash(c4 & 0xffff00, 6);
    h[5] = fast_hash(c4, 4);
    if (n <= 6)
        return ~(1u << 4);
    h[6] = fast_hash(c4 & 0xff0000ff, 8);
    h[7] = fast_hash(p->after2[c4 & 0xffff], 0xb00 + (c4 & 0xffff) * 0x10001);
    h[8] = fast_hash(up << 8 | up2, 9);
    h[9] = fast_hash(c4 & 0xff00ff, 10);
    h[10] = fast_hash(c4 & 0xf0f0f0f0, 11 + (c8 & 0xf0f0) * 256);
    h[11] = fast_hash(c1 + up - up_left, 12);
    uint32_t fixed = 1u << 4 | 1u << 8;
    if (n > 12) {
        h[12] = fast_hash(c4 & 0xff000000, 13 + (at & 3) * 256);
        h[13] = fast_hash(c4, 0x80000 + (c8 & 0xff));
        h[14] = fast_hash(c4, 0x15000000 ^ c8);
        h[15] = fast_hash(p->after1[c1] & 0xffff, 0x1700 + (c1 << 16));
        h[16] = fast_hash(c4 & 0xffffff00, 17);
        h[17] = fast_hash(c8 & 0xffff, 0x1800 + (c1 << 16));
        h[18] = fast_hash(c4 & 0xf8f8ffff, 19);
        h[19] = fast_hash(up << 16 | up_left << 8 | c1, 20);
        fixed |= 1u << 12 | 1u << 16;
    }
    return ~fixed;
}

#endif
