/* Large zeroed tables straight from the system: pages cost nothing until they are touched. */
#define _DEFAULT_SOURCE
#include "base.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define HUGE_MIN  ((size_t)4 << 20) /* a smaller table would pay for pages it hardly touches */

/* Whole pages, not huge ones: callers count on taking little more than they ask for. */
static size_t mapped(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) & ~(page - 1);
}

void nz_big_ask(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    size_t head = (size_t)(-(uintptr_t)p & (HUGE_PAGE - 1));
    if (bytes >= HUGE_MIN)
        madvise((uint8_t *)p + head, (bytes - head) & ~(HUGE_PAGE - 1), MADV_HUGEPAGE);
#else
    (void)p, (void)bytes;
#endif
}

void *nz_big_new(size_t bytes)
{
    if (bytes < HUGE_PAGE) {
        size_t n = (bytes + 63) & ~(size_t)63;
        void *p = aligned_alloc(64, n ? n : 64);
        if (p)
            memset(p, 0, n);
        return p;
    }
    if (bytes > SIZE_MAX - 2 * HUGE_PAGE)
        return NULL;
    /* Map one huge page more than needed, then give back both ends, so that the rest is aligned. */
    size_t n = mapped(bytes);
    uint8_t *p =
        mmap(NULL, n + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t head = (size_t)(-(uintptr_t)p & (HUGE_PAGE - 1));
    if (head)
        munmap(p, head);
    munmap(p + head + n, HUGE_PAGE - head);
    if (bytes >= HUGE_MIN)
        nz_big_ask(p + head, n);
    return p + head;
}

void nz_big_free(void *p, size_t bytes)
{
    if (!p)
        return;
    if (bytes < HUGE_PAGE)
        free(p);
    else
        munmap(p, mapped(bytes));
}
