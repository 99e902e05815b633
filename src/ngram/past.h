/* What has been read so far, as the context models want it: recent bytes, the current and earlier
 * words, the line and the one above, nesting, and small indirect histories. Updated once a byte,
 * by the encoder and the decoder alike. */
#ifndef NZ_NGRAM_PAST_H
#define NZ_NGRAM_PAST_H

#include "arm64.h"
#include "cells.h"
#include "follow.h"
#include "outline.h"
#include "phrase.h"
#include "spelling.h"
#include "texture.h"
#include "x86.h"

enum { NZ_NEST_MAX = 64, NZ_WORDS = 5, NZ_LINES = 4, NZ_AFTER3_BITS = 18 };

/* An open bracket or quotation mark. */
typedef struct nz_nest {
    uint32_t pos;   /* after it */
    uint32_t name;  /* the last name in front of it */
    uint32_t first; /* the first word inside, 0 before its end */
    uint32_t part;  /* blanks and commas inside */
    uint8_t what;
} nz_nest;

typedef struct nz_past {
    const uint8_t *raw; /* the frame from its start; pos bytes of it are known */
    uint32_t pos;
    uint32_t c4, c8, c12; /* the last 4 bytes (latest lowest), the 4 before, the 4 before those */

    /* UTF-8: the character's first byte, how many are still to come, whether the last one that
     * should have been UTF-8 was. */
    uint32_t lead, rest;
    bool utf8;

    /* Words: runs of letters and bytes >= 128, lower-cased. [0] is the current one. */
    uint32_t word[NZ_WORDS]; /* hashes; word[0] == 0 outside a word */
    uint32_t word_len;
    uint32_t tail, last_tail;       /* last 4 letters of the current and of the previous word */
    uint32_t initial, last_initial; /* first letters of both */
    uint32_t capital;               /* 0 lower case, 1 Capital, 2 CAPITALS or miXed */
    uint32_t capitals;              /* of the last three words, 2 bits each */
    uint32_t capital_word;          /* the last word that began with a capital */
    uint32_t line_word;             /* first word of the line */
    uint32_t stop;                  /* last byte outside words that was not a space */
    uint32_t follows;               /* the word that came after the previous word last time */

    /* Lines and nesting. */
    uint32_t line[NZ_LINES]; /* where this line and those above it start */
    uint32_t paragraph;      /* where the last empty line ended */
    uint32_t alike;          /* how many bytes this line began as the one above did */
    uint32_t line_first;     /* the first byte of the line, or 10 before it is known */
    uint32_t line_head;      /* its first two bytes */
    uint32_t bracket;        /* the last bracket-like byte; | 256 after a closing one */
    uint32_t tag, tag_now;   /* hash of the last complete <tag, of the one being read */
    uint32_t in_tag;
    uint32_t depth;
    nz_nest nest[NZ_NEST_MAX];

    /* Byte classes (see past.c), 4 bits each, latest lowest; runs collapsed in the second. */
    uint64_t classes, class_runs;
    uint32_t digits4, digits8; /* c4 and c8 with every digit read as '0' */

    nz_phrase phrase;
    nz_spelling spelling;
    nz_outline outline;
    nz_texture texture;
    nz_cells cells;

    /* Records: the distance at which bytes keep coming back, and how long it has been that. */
    uint32_t seen[4][256]; /* the last positions of every byte, latest first */
    uint32_t period, rival, votes, rival_votes;
    uint32_t zero; /* position after the last zero byte */
    /* Of the last 32 bytes, latest lowest: a bit for every one that is zero, and that is the same
     * as the byte a period, or four, before it. */
    uint32_t zeros, same, same4;
    uint32_t row; /* what nz_row_find() said last; the owner keeps it up to date */

    /* What followed: the bytes seen after each order-1, 2 and 3 context, latest lowest. */
    nz_follow follow;
    uint32_t after1[256];
    uint32_t *after2;    /* [65536] */
    uint32_t *after3;    /* [2^NZ_AFTER3_BITS] by hash */
    uint32_t *next_word; /* [65536] by the low bits of a word's hash */

    nz_x86 x86; /* code as instructions; the owner keeps the right one up to date */
    nz_arm64 arm64;
} nz_past;

enum { NZ_CLASS_LOWER = 1, NZ_CLASS_UPPER = 2, NZ_CLASS_DIGIT = 3 };
extern const uint8_t nz_byte_class[256];

int nz_past_new(nz_past *p, const uint8_t *raw); /* 0, or -1 without memory */
/* Another text begins: what came after what stays known, nothing else does. */
void nz_past_turn(nz_past *p, const uint8_t *raw);
void nz_past_free(nz_past *p);
uint64_t nz_past_memory(void);
void nz_past_next(nz_past *p, uint8_t byte);

NZ_INLINE uint32_t *nz_past_after3(const nz_past *p)
{
    return &p->after3[(p->c4 & 0xffffff) * 0x9E3779B1u >> (32 - NZ_AFTER3_BITS)];
}

/* The byte in a column so many lines up; 0 when that line is shorter. */
NZ_INLINE uint32_t nz_past_above(const nz_past *p, uint32_t up, uint32_t column)
{
    uint32_t at = p->line[up] + column;
    return at < p->line[up - 1] ? p->raw[at] : 0;
}

/* The byte `back` positions before the next one, 0 before the start. */
NZ_INLINE uint32_t nz_past_at(const nz_past *p, uint32_t back)
{
    return back <= p->pos ? p->raw[p->pos - back] : 0;
}

NZ_INLINE uint32_t nz_past_column(const nz_past *p)
{
    uint32_t column = p->pos - p->line[0];
    return column > 255 ? 255 : column;
}

NZ_INLINE uint32_t nz_past_top(const nz_past *p, uint32_t below)
{
    return p->depth > below ? p->nest[p->depth - 1 - below].what : 0;
}

/* The innermost nest; outside all of them one without name. */
NZ_INLINE nz_nest nz_past_nest(const nz_past *p)
{
    return p->depth ? p->nest[p->depth - 1] : (nz_nest){.pos = p->pos};
}

#endif
