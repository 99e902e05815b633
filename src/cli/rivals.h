/* Other compressors that were there when this was built, for nzip bench: all of a buffer at once,
 * one core, at the settings people use. */
#ifndef NZ_CLI_RIVALS_H
#define NZ_CLI_RIVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rival {
    const char *codec;   /* "zstd", "xz" */
    const char *setting; /* "-3", "--ultra -22 --long" ... */
    const char *label;   /* the same, shorter */
    int level;
    size_t (*bound)(size_t n); /* of the packed bytes */
    /* Sets *packed; memory: bytes it allocates, 0: not known. False: it failed. */
    bool (*pack)(int level, void *to, size_t room, size_t *packed, const void *from, size_t n,
                 uint64_t *memory);
    /* Exactly n bytes come out. */
    bool (*unpack)(int level, void *to, size_t n, const void *from, size_t packed,
                   uint64_t *memory);
} rival;

/* The i-th, from 0 on; NULL behind the last one. */
const rival *rival_get(unsigned i);
/* Whether "zstd" or "xz" is built in. */
bool rival_there(const char *codec);

#endif
