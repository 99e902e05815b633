#include "numeric.h"

#include <pthread.h>

/* exp(1/256) and its square root, to the last bit of a double. */
#define STEP      1.0039138893383475734436096039034
#define HALF_STEP 1.0019550335910028120465188980475

static nz_numeric table;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make(void)
{
    double e = 1; /* exp(d / 256) */
    for (int d = 0; d <= NZ_STRETCH_MAX + 1; d++, e *= STEP) {
        int p = (int)(65536 * e / (1 + e) + .5);
        p = p > 65535 ? 65535 : p;
        if (d <= NZ_STRETCH_MAX)
            table.squash[NZ_STRETCH_MAX + 1 + d] = (uint16_t)p;
        table.squash[NZ_STRETCH_MAX + 1 - d] = (uint16_t)(65536 - p);
    }
    double edge = HALF_STEP; /* odds above it round to the next d */
    for (int i = 2048, d = 0; i < 4096; i++) {
        for (double odds = (i + .5) / (4095.5 - i); odds > edge; edge *= STEP)
            d++;
        table.stretch[i] = (int16_t)d;
        table.stretch[4095 - i] = (int16_t)-d;
    }
}

const nz_numeric *nz_numeric_get(void)
{
    pthread_once(&made, make);
    return &table;
}
