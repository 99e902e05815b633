/* The page of nzip explain. */
#ifndef NZ_CLI_PAGE_H
#define NZ_CLI_PAGE_H

#include "cli/costs.h"
#include "cli/html.h"

typedef struct page {
    const char *name; /* of the file, any bytes */
    uint64_t raw, packed;
    int level; /* it was packed at for the page; 0: it is an archive */
    const costs *costs;
    const nz_cost_sum *sum;
    size_t tensors; /* of the archive; their data, if any */
    const nz_archive *archive;
    const nz_tensor_parts *parts;
    const nz_tensor_packed *coded;
} page;

void page_write(html *h, const page *p);

#endif
