/* x86 machine code, read byte by byte: where instructions begin and what they consist of.
 *
 * Lengths follow from prefixes, opcode, ModRM and SIB (Intel 64 and IA-32 Architectures Software
 * Developer's Manual, volume 2, chapter 2 and appendix A). Any bytes are read as some code: in
 * data it is nonsense, which shows in `trust`; wherever one begins in real code, a few instructions
 * are enough to fall into step. */
#ifndef NZ_NGRAM_X86_H
#define NZ_NGRAM_X86_H

#include "base/base.h"

#include <stdbool.h>

/* What the next byte is. */
typedef enum nz_x86_part {
    NZ_X86_START,   /* a prefix or an opcode */
    NZ_X86_ESCAPED, /* an opcode after 0F, 0F 38, 0F 3A or VEX */
    NZ_X86_VEX,
    NZ_X86_MODRM,
    NZ_X86_SIB,
    NZ_X86_DISPLACEMENT,
    NZ_X86_IMMEDIATE,
} nz_x86_part;

enum { NZ_X86_PAST = 6, NZ_X86_TRUST_MAX = 15, NZ_X86_NUMBER_BITS = 6 };

typedef struct nz_x86 {
    bool wide; /* 64-bit mode */

    /* The instruction so far. */
    nz_x86_part part;
    uint8_t left;      /* bytes of this part to come: VEX, displacement, immediate */
    uint8_t length;    /* bytes read */
    uint8_t immediate; /* bytes it will have */
    uint8_t map;       /* of opcodes: 0, or 1 to 3 for 0F, 0F 38, 0F 3A */
    uint8_t opcode, form, modrm, sib, rex;
    bool narrow, vex; /* a 66 prefix; a VEX or EVEX one */
    uint32_t bytes;   /* hash */
    uint32_t value;   /* of the displacement or immediate, as far as read */

    /* Whole ones, latest first: opcodes; the same with operands; all bytes. */
    uint32_t op[NZ_X86_PAST], shape[NZ_X86_PAST], whole[NZ_X86_PAST];
    uint32_t operands; /* ModRM bytes */
    uint32_t since;    /* instructions since the last that never goes on to the next, up to 31 */
    uint32_t trust;    /* how likely this is code, up to NZ_X86_TRUST_MAX */

    /* What instructions referred to. */
    uint32_t call[2], jump; /* the last calls; the last jump */
    uint32_t data;          /* the last RIP-relative operand, an absolute one in 32-bit mode */
    uint32_t offset[16][2]; /* the last displacements from each register */
    uint32_t number[1 << NZ_X86_NUMBER_BITS]; /* last immediates, by hash of opcode and operands */
} nz_x86;

void nz_x86_next(nz_x86 *x, uint8_t byte);
/* Passes over so many bytes that are part of a displacement or immediate. */
void nz_x86_skip(nz_x86 *x, uint32_t bytes);

/* Whether the next four bytes are a distance from the end of their instruction; if so *after is how
 * many bytes of it follow them. */
bool nz_x86_distance(const nz_x86 *x, uint32_t *after);

/* [1024] */
NZ_INLINE uint32_t nz_x86_opcode(const nz_x86 *x)
{
    return (uint32_t)x->map << 8 | x->opcode;
}

/* [64] The part that is next and how much of it is left. */
NZ_INLINE uint32_t nz_x86_place(const nz_x86 *x)
{
    return x->part | (x->left < 7u ? x->left : 7u) << 3;
}

/* [16] The register a displacement counts from. */
NZ_INLINE uint32_t nz_x86_base(const nz_x86 *x)
{
    return ((x->modrm & 7) == 4 ? x->sib & 7 : x->modrm & 7) | (x->rex & 1) << 3;
}

/* Where in `number` the immediate belongs. */
NZ_INLINE uint32_t nz_x86_number_row(const nz_x86 *x)
{
    return nz_hash32(nz_x86_opcode(x), x->modrm >> 3) >> (32 - NZ_X86_NUMBER_BITS);
}

#endif
