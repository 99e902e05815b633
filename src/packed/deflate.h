/* Blocks of a raw deflate stream (RFC 1951): what they say, apart from how it is written in bits.
 */
#ifndef NZ_PACKED_DEFLATE_H
#define NZ_PACKED_DEFLATE_H

#include "base/bits.h"

enum {
    NZ_MATCH_MIN = 3,
    NZ_MATCH_MAX = 258,
    NZ_WINDOW_MAX = 32768,
    NZ_STORED_MAX = 65535,

    NZ_END_SYMBOL = 256,
    NZ_LENGTH_SYMBOLS = 29,
    NZ_LITERALS = 286,       /* symbols of literals, the end and lengths; */
    NZ_FIXED_LITERALS = 288, /* a fixed block has codes for two more that are not used */
    NZ_DISTANCES = 30,
    NZ_FIXED_DISTANCES = 32,
    NZ_LENS = NZ_FIXED_LITERALS + NZ_FIXED_DISTANCES,
    NZ_RUNS = 19, /* symbols that code lengths of codes are written in */
    NZ_CODE_MAX = 15,
    NZ_RUN_CODE_MAX = 7
};

/* A literal byte, or a match: its length and, from bit 16 on, its distance. */
typedef uint32_t nz_token;

NZ_INLINE nz_token nz_match_token(unsigned length, unsigned distance)
{
    return distance << 16 | length;
}

NZ_INLINE unsigned nz_token_distance(nz_token t)
{
    return t >> 16; /* 0: a literal */
}

NZ_INLINE unsigned nz_token_bytes(nz_token t)
{
    return t >> 16 ? t & 65535 : 1;
}

/* How many of each symbol's values there are is 2^extra, from `base` on. */
typedef struct nz_range {
    uint16_t base;
    uint8_t extra;
} nz_range;

extern const nz_range nz_lengths[NZ_LENGTH_SYMBOLS], nz_distances[NZ_DISTANCES];
extern const nz_range nz_repeats[3]; /* run symbols 16, 17, 18 */
extern const uint8_t nz_run_order[NZ_RUNS];

unsigned nz_length_symbol(unsigned length); /* from 0 on */
unsigned nz_distance_symbol(unsigned distance);

typedef enum nz_deflate_kind {
    NZ_DEFLATE_STORED,
    NZ_DEFLATE_FIXED,
    NZ_DEFLATE_DYNAMIC
} nz_deflate_kind;

/* What a dynamic block says of its codes. */
typedef struct nz_codes {
    unsigned literals, distances; /* symbols */
    uint8_t len[NZ_LENS];         /* of literals' codes, right behind them of distances' */
    unsigned runs;
    uint8_t run[NZ_LENS], repeat[NZ_LENS]; /* symbols, and how often when above 15 */
    unsigned run_lens;                     /* as many as are written, */
    uint8_t run_len[NZ_RUNS];              /* by symbol */
} nz_codes;

typedef struct nz_deflate {
    nz_deflate_kind kind;
    bool last;
    nz_token *token;
    size_t tokens, room;
    unsigned stored; /* bytes */
    unsigned pad;    /* the bits in front of them, or behind the last block */
    nz_codes codes;
} nz_deflate;

void nz_deflate_reset(nz_deflate *b);
bool nz_deflate_add(nz_deflate *b, nz_token t); /* false: no memory */

/* Lengths of the codes that a block of this kind, not stored, is written in. */
void nz_deflate_lens(const nz_deflate *b, uint8_t literals[NZ_FIXED_LITERALS],
                     uint8_t distances[NZ_FIXED_DISTANCES]);
/* Codes by symbol, the bit that comes first lowest. */
void nz_code_assign(uint16_t *code, const uint8_t *len, unsigned n);

/* `raw`: the bytes it stands for. A last block fills its last byte. */
void nz_deflate_write(nz_bits_out *out, const nz_deflate *b, const uint8_t *raw);

#endif
