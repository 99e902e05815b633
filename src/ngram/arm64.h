/* ARM64 code as the branch filter leaves it (model/branch.h): instructions of four bytes, the
 * highest first, so that what is done is read before what with. Source: Arm Architecture Reference
 * Manual for A-profile, C4, "A64 instruction set encoding". */
#ifndef NZ_NGRAM_ARM64_H
#define NZ_NGRAM_ARM64_H

#include "base/base.h"

#include <stdbool.h>

enum { NZ_ARM64_WORDS = 4, NZ_ARM64_OPS = 6, NZ_ARM64_TRUST = 8 };

typedef struct nz_arm64 {
    uint32_t place;                /* bytes of this word that are known, 0 to 3, */
    uint32_t now;                  /* and these under a leading one */
    uint32_t word[NZ_ARM64_WORDS]; /* the ones before, the latest first */
    uint32_t op[NZ_ARM64_OPS];     /* what they do, of the latest ones */
    uint32_t same[256];            /* the last word with such a highest byte */
    uint32_t call[2];              /* the last called */
    uint32_t stack;                /* the last word that names the stack pointer as its base */
    uint32_t trust;                /* how much the last words are like code, up to 16 */
} nz_arm64;

/* The first byte of a word is next. */
void nz_arm64_start(nz_arm64 *a);
void nz_arm64_next(nz_arm64 *a, uint8_t byte);

/* How far a region is taken for code after another word of it, up to 2 * NZ_ARM64_TRUST. */
uint32_t nz_arm64_trust(uint32_t trust, uint32_t word);

/* What an instruction does, without registers and immediate values. */
NZ_INLINE uint32_t nz_arm64_op(uint32_t word)
{
    bool branch = (word >> 26 & 0x1f) == 5, wide = (word >> 24 & 0x1f) == 0x10; /* b, bl; adr(p) */
    return branch ? word >> 26 << 4 : wide ? word >> 24 & 0x9f : word >> 22;
}

/* bl: a call. */
NZ_INLINE bool nz_arm64_is_call(uint32_t word)
{
    return word >> 26 == 0x25;
}

/* adrp: the page of an address. */
NZ_INLINE bool nz_arm64_is_page(uint32_t word)
{
    return (word & 0x9f000000) == 0x90000000;
}

#endif
