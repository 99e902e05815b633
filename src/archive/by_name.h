/* Tensors to be found by name. */
#ifndef NZ_ARCHIVE_BY_NAME_H
#define NZ_ARCHIVE_BY_NAME_H

#include "containers/tensor.h"
#include "nz.h"

/* Starts as {0}. */
typedef struct nz_by_name {
    const nz_tensor **tensor; /* sorted */
    size_t n;
} nz_by_name;

/* The tensors stay the caller's and where they are. NZ_E_MEM. */
nz_err nz_by_name_make(nz_by_name *x, const nz_tensor *t, size_t n);
/* The first of that name; NULL: there is none. */
const nz_tensor *nz_by_name_find(const nz_by_name *x, const char *name);
void nz_by_name_free(nz_by_name *x); /* {0} again */

#endif
