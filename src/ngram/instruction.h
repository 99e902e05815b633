/* Contexts of machine code: the instruction so far, after more or less of those before it, and the
 * numbers it is likely to hold. */
#ifndef NZ_NGRAM_INSTRUCTION_H
#define NZ_NGRAM_INSTRUCTION_H

#include "list.h"
#include "past.h"

/* x86; tier 0, 1, 2: 12, 24, 34 slot contexts; 4, 9, 14 embedding rows. */
void nz_instruction_slots(list *l, const nz_past *p, int tier);
void nz_instruction_rows(uint32_t *hash, const nz_past *p, int tier);
/* ARM64: 12, 24, 24 slot contexts; 4, 9, 14 embedding rows. */
void nz_arm64_slots(list *l, const nz_past *p, int tier);
void nz_arm64_rows(uint32_t *hash, const nz_past *p, int tier);

#endif
