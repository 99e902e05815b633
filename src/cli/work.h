/* One input, one output: packing, unpacking, testing. Failures are said here. */
#ifndef NZ_CLI_WORK_H
#define NZ_CLI_WORK_H

#include "cli/source.h"
#include "cli/target.h"

typedef struct amount {
    uint64_t raw, packed;
    double seconds;
} amount;

bool work_pack(const options *o, const source *s, const target *t, amount *done);
/* target NULL: decode and check only. */
bool work_unpack(const options *o, const source *s, const target *t, amount *done);
/* Decodes the unfinished archive in t, which must be on disk, and expects `raw` bytes. */
bool work_check(const options *o, const target *t, uint64_t raw);

/* Says that t could not be written, unless it is a pipe whose reader has gone. */
void work_say_write_failure(const target *t, int system_error);
/* Says what nz reported about the archive (or input) called `name`. */
void work_say_fault(const options *o, const char *name, nz_fault fault, int system_error);

#endif
