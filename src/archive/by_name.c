#include "archive/by_name.h"

#include <stdlib.h>
#include <string.h>

static int by_name_and_place(const void *x, const void *y)
{
    const nz_tensor *a = *(const nz_tensor *const *)x, *b = *(const nz_tensor *const *)y;
    int order = strcmp(a->name, b->name);
    return order ? order : (a > b) - (a < b);
}

nz_err nz_by_name_make(nz_by_name *x, const nz_tensor *t, size_t n)
{
    x->tensor = malloc((n + 1) * sizeof *x->tensor);
    if (!x->tensor)
        return NZ_E_MEM;
    x->n = n;
    for (size_t i = 0; i < n; i++)
        x->tensor[i] = &t[i];
    qsort(x->tensor, n, sizeof *x->tensor, by_name_and_place);
    return NZ_OK;
}

const nz_tensor *nz_by_name_find(const nz_by_name *x, const char *name)
{
    size_t low = 0, high = x->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(x->tensor[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < x->n && !strcmp(x->tensor[low]->name, name) ? x->tensor[low] : NULL;
}

void nz_by_name_free(nz_by_name *x)
{
    free(x->tensor);
    *x = (nz_by_name){0};
}
