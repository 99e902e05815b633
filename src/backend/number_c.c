/* Number kernels in C: the definition. */
#include "kern.h"

void nz_kern_number_c(nz_kern *k);

#define LOOPS
#include "number_loops.h"

static size_t number_odd_c(uint16_t *where, const uint8_t *symbol, unsigned dense, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        where[count] = (uint16_t)i;
        count += symbol[i] >= dense && symbol[i] != NZ_NUMBER_ZERO;
    }
    return count;
}

void nz_kern_number_c(nz_kern *k)
{
    fill(k);
    k->number_odd = number_odd_c;
}
