/* Numbers taken apart and put together: what the kernels of both agree on.
 *
 * A float is turned left by one bit, which moves the sign to the end: the exponent and the first
 * bits of the mantissa, the `top`, follow each other in front, and close values have close tops.
 * The rest, mantissa and sign, is nearly noise and goes into planes: four bits, then bytes.
 *
 *   format  bits  top            rest
 *   E4M3    8     8: all         0
 *   E5M2    8     8: all         0
 *   F16     16    8: 5 + 3       8: one byte
 *   BF16    16    12: 8 + 4      4
 *   F32     32    12: 8 + 4      20: four bits and two bytes
 *   F64     64    12: 11 + 1     52: four bits and six bytes
 *
 * The top becomes one symbol, relative to a base that is what the number's row and column let
 * expect, a whole binade. From the base on come `dense` symbols, a top each. Below it each binade
 * has one symbol, for so small a number is rare, and its lower bits are told apart: it is odd.
 * NZ_NUMBER_ZERO is the top 0. NZ_NUMBER_ESCAPE, odd as well, is any other. */
#ifndef NZ_BACKEND_NUMBER_H
#define NZ_BACKEND_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NZ_NUMBER_GROUP 32        /* numbers that kernels work on at a time */
#define NZ_NUMBER_ROW   (1 << 17) /* longest row whose scale is taken */
/* Exponents' means lie about one binade below the standard deviation; hardly any number is more
 * than eight times that. So bases, and with them the dense symbols, start six binades below. */
#define NZ_NUMBER_BELOW  6
#define NZ_NUMBER_ZERO   254
#define NZ_NUMBER_ESCAPE 255
#define NZ_NUMBER_PLANES 7 /* of rest, at most */

typedef enum nz_number_shape {
    NZ_NUMBER_8,    /* 8 bits, no rest */
    NZ_NUMBER_16_8, /* 16 bits, rest of 8 */
    NZ_NUMBER_16_4,
    NZ_NUMBER_32,
    NZ_NUMBER_64,
    NZ_NUMBER_SHAPES
} nz_number_shape;

/* Which tops have symbols. */
typedef struct nz_number_reach {
    uint8_t kept;  /* bits below the exponent in a top: one binade is 2^kept tops */
    uint8_t dense; /* symbols from the base on, whole binades */
} nz_number_reach;

/* n numbers in parts. Where two numbers share a byte of four bits each, those are number i and
 * i + 16 of each group of 32, the second in the upper half. */
typedef struct nz_number_parts {
    uint8_t *symbol;                 /* [n] */
    uint8_t *rest[NZ_NUMBER_PLANES]; /* the highest bits first; [n], or [n / 2] of four bits each */
} nz_number_parts;

#endif
