/* Numbers with exponents of a fixed length: what the kernels of the turbo form agree on.
 *
 * A float is turned left by one bit, as in number.h: its exponent leads, its sign ends the rest.
 * Numbers share a base, NZ_TURBO_BLOCK of them; what their exponent lies below it is their code, 0
 * to 6. Code 7 is any other exponent, an odd one, and a list has it. NZ_TURBO_GROUP numbers lie
 * together; bit i of a word of 32 bits, little-endian, belongs to number i of the group:
 *
 *   F16   3 words: bits 0, 1, 2 of the code; 3 words: bits 8, 9, 10 of the rest; 32 bytes: bits 0-7
 *   BF16  3 words: bits 0, 1, 2 of the code; 32 bytes: the rest
 *   F32   3 words: bits 0, 1, 2 of the code; 32 bytes: bits 16-23 of the rest; 32 times 2: 0-15 */
#ifndef NZ_BACKEND_TURBO_H
#define NZ_BACKEND_TURBO_H

#include <stddef.h>
#include <stdint.h>

#define NZ_TURBO_GROUP 32
#define NZ_TURBO_BLOCK 512
#define NZ_TURBO_ODD   7
/* Bytes that can be read behind the last odd exponent: a corrupt group may take as many more than
 * there are before this is noticed, and vectors are loaded whole. */
#define NZ_TURBO_SLACK NZ_TURBO_GROUP

typedef enum nz_turbo_shape {
    NZ_TURBO_F16,
    NZ_TURBO_BF16,
    NZ_TURBO_F32,
    NZ_TURBO_SHAPES
} nz_turbo_shape;

/* Bytes of a group. */
enum { NZ_TURBO_F16_BYTES = 56, NZ_TURBO_BF16_BYTES = 44, NZ_TURBO_F32_BYTES = 108 };

typedef struct nz_turbo_state {
    const uint8_t *base, *groups; /* those of number 0 on */
    const uint8_t *odd, *end;     /* the exponents not yet read */
    size_t at;                    /* the next number, first of its group */
} nz_turbo_state;

#endif
