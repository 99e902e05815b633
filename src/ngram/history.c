#include "history.h"

#include <assert.h>
#include <pthread.h>

#define LITERAL_BITS   4  /* histories up to this length are kept whole */
#define LITERAL_STATES 31 /* 1 + 2 + 4 + 8 + 16 */
#define MINOR_MAX      5  /* bound of the smaller count */

/* Bound of the larger count, by the smaller one. */
static const int major_max[MINOR_MAX + 1] = {40, 20, 12, 8, 6, 5};

static nz_history table;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static int counted(int n0, int n1)
{
    int minor = n0 < n1 ? n0 : n1, major = n0 < n1 ? n1 : n0;
    return minor <= MINOR_MAX && major <= major_max[minor] && n0 + n1 > LITERAL_BITS;
}

/* What remains of a count when the other bit is seen. */
static int discount(int n)
{
    return n <= 3 ? n : n <= 5 ? 3 : n <= 9 ? 4 : 5;
}

static void make(void)
{
    uint8_t id[41][41][2] = {0}; /* [n0][n1][last bit] */
    int n = LITERAL_STATES;
    for (int len = 0; len <= LITERAL_BITS; len++) {
        for (int bits = 0; bits < 1 << len; bits++) {
            int s = (1 << len) - 1 + bits, ones = __builtin_popcount((unsigned)bits);
            table.n0[s] = (uint8_t)(len - ones);
            table.n1[s] = (uint8_t)ones;
            if (len < LITERAL_BITS)
                for (int y = 0; y < 2; y++)
                    table.next[y][s] = (uint8_t)((2 << len) - 1 + 2 * bits + y);
        }
    }
    for (int n0 = 0; n0 <= major_max[0]; n0++) {
        for (int n1 = 0; n1 <= major_max[0]; n1++) {
            for (int last = 0; last < 2; last++) {
                if (!counted(n0, n1) || !(last ? n1 : n0))
                    continue;
                assert(n < 256);
                id[n0][n1][last] = (uint8_t)n;
                table.n0[n] = (uint8_t)n0;
                table.n1[n] = (uint8_t)n1;
                n++;
            }
        }
    }
    for (int s = LITERAL_STATES - (1 << LITERAL_BITS); s < n; s++) {
        for (int y = 0; y < 2; y++) {
            int c[2] = {table.n0[s], table.n1[s]};
            c[!y] = discount(c[!y]);
            c[y]++;
            while (c[0] + c[1] <= LITERAL_BITS)
                c[y]++;
            while (!counted(c[0], c[1]))
                c[c[y] > c[!y] ? y : !y]--;
            table.next[y][s] = id[c[0]][c[1]][y];
        }
    }
    for (int s = 0; s < n; s++)
        table.total[s] = (uint8_t)(table.n0[s] + table.n1[s]);
}

const nz_history *nz_history_get(void)
{
    pthread_once(&made, make);
    return &table;
}
