/* Branch filter: machine code names the same place by another distance wherever it is named from;
 * as addresses, counted from where the code begins, the same places look the same.
 *
 * Distances are those of x86 calls, jumps and RIP-relative operands, found by reading instructions,
 * and of ARM64 calls and pages, whose instructions are turned around to begin with what they do.
 * The filter keeps every length and can be undone on any bytes. formats/bytes.md. */
#ifndef NZ_MODEL_BRANCH_H
#define NZ_MODEL_BRANCH_H

#include "base/base.h"

/* What code is written for, as recorded in the frame. */
typedef enum nz_machine {
    NZ_MACHINE_NONE = 0,
    NZ_MACHINE_X86 = 1,
    NZ_MACHINE_X86_64 = 2,
    NZ_MACHINE_ARM64 = 3,
    NZ_MACHINES
} nz_machine;

/* NZ_MACHINE_NONE: hardly any code. */
nz_machine nz_machine_of(const uint8_t *raw, size_t n);
void nz_branch_absolute(nz_machine machine, uint8_t *raw, size_t n);
void nz_branch_relative(nz_machine machine, uint8_t *raw, size_t n);

#endif
