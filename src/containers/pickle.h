/* Reads a Python pickle, protocols 2 to 5, as data: nothing is imported, called or executed.
 *
 * Like an unpickler's, its work is done on a stack, with a memo, but a call only makes an object
 * that remembers what would have been called with what. Values are 16 bytes; those that hold
 * others point into one pool of values:
 *
 *   TUPLE, LIST, DICT   v -> a head, whose runs hold the items (of a dict keys and values in turn)
 *   OBJECT              v -> a head, what was called, its arguments; runs: what it was given since
 *   PERSID              v -> the persistent id
 *
 * A pool is a graph and may have cycles: whoever walks it must remember where he was. */
#ifndef NZ_CONTAINERS_PICKLE_H
#define NZ_CONTAINERS_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum nz_pkind {
    NZ_PK_OTHER, /* of no use here: floats, bytes, long strings, ... */
    NZ_PK_NONE,
    NZ_PK_INT,    /* v */
    NZ_PK_STR,    /* n bytes at text + v */
    NZ_PK_GLOBAL, /* "module.name", n bytes at text + v */
    NZ_PK_TUPLE,
    NZ_PK_LIST,
    NZ_PK_DICT,
    NZ_PK_OBJECT,
    NZ_PK_PERSID,
    NZ_PK_MARK,  /* on the stack alone */
    NZ_PK_HEAD,  /* in the pool: v the first run, n the last one, 0 for none */
    NZ_PK_SEEN,  /* a head that its walker has marked */
    NZ_PK_ITEMS, /* a run: v the next one, n values, which follow */
    NZ_PK_PAIRS, /* likewise, keys and values in turn */
    NZ_PK_STATE  /* likewise: what an object was told to be */
} nz_pkind;

typedef struct nz_pvalue {
    uint32_t kind, n;
    uint64_t v;
} nz_pvalue;

typedef struct nz_pickle {
    uint64_t skip; /* after nz_pickle_take(): how far to move on, and how many bytes to show it */
    size_t want;
    bool end; /* the pickle ends after `skip`; what it holds is `root` */
    nz_pvalue root;

    nz_pvalue *pool;
    char *text;
    size_t pool_n, pool_room, text_n, text_room;
    nz_pvalue *stack, *memo;
    size_t stack_n, stack_room, memo_n, memo_room;
    uint64_t bytes; /* walked so far */
} nz_pickle;

/* Begins a pickle, whose first byte is to be shown. */
void nz_pickle_begin(nz_pickle *k);
/* The n == k->want bytes asked for; at first 1. k->want == 0 afterwards: it is broken, or asks for
 * more memory than it may have. */
void nz_pickle_take(nz_pickle *k, const uint8_t *p, size_t n);
/* Frees what it holds; it may begin again. */
void nz_pickle_end(nz_pickle *k);

/* The values of a tuple in one row, whose number is n; NULL: not a tuple. */
const nz_pvalue *nz_pickle_tuple(const nz_pickle *k, nz_pvalue v, size_t *n);
bool nz_pickle_is(const nz_pickle *k, nz_pvalue v, const char *text); /* string or global */

#endif
