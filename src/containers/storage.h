/* What a PyTorch pickle says about its storages: which tensors lie where in each of them. */
#ifndef NZ_CONTAINERS_STORAGE_H
#define NZ_CONTAINERS_STORAGE_H

#include "parse.h"
#include "pickle.h"

/* A tensor in a storage. `t.at` counts from the storage's beginning. */
typedef struct nz_view {
    nz_tensor t;
    bool plain;      /* not rows on rows: t is no use, but the storage is known */
    bool used;       /* of the first in a storage: it was added */
    uint32_t order;  /* as the pickle has them */
    const char *key; /* the storage */
    size_t key_n;
    uint64_t bytes; /* of the storage, as the pickle has it */
    nz_dtype dtype; /* of the storage */
} nz_view;

typedef struct nz_storages {
    nz_view *views; /* by key, and in a storage by place */
    size_t n, room, names;
    char *text;   /* where the keys are */
    bool foreign; /* the numbers are big-endian: only bytes to us */
} nz_storages;

/* Walks everything the pickle holds; a tensor is named by the keys that lead to it. Takes the
 * pickle's text and marks its pool: it is of no further use but for nz_pickle_end(). */
nz_err nz_storages_read(nz_storages *x, nz_pickle *k);
/* The first of *n views of a storage; NULL: the pickle does not know it, or
 * it was added before: a hostile archive could repeat it. */
nz_view *nz_storages_find(nz_storages *x, const char *key, size_t key_n, size_t *n);
/* Adds them for a storage that lies at [at, at + bytes): those that do not overlap, and what is
 * left between them under the storage's name. */
nz_err nz_storages_add(nz_scan *s, const nz_storages *x, nz_view *first, size_t n, uint64_t at,
                       uint64_t bytes, const char *name, size_t name_n);
void nz_storages_end(nz_storages *x);

#endif
