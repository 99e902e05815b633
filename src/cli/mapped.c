#include "cli/mapped.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

static mapped *first;

bool mapped_open(mapped *m, int fd, const char *name)
{
    struct stat st;
    *m = (mapped){.name = name};
    if (fstat(fd, &st))
        return false;
    errno = S_ISREG(st.st_mode) ? EFBIG : ESPIPE;
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > SIZE_MAX)
        return false;
    if (st.st_size == 0)
        return true;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return false;
    *m = (mapped){p, (size_t)st.st_size, name, first};
    first = m;
    return true;
}

void mapped_close(mapped *m)
{
    for (mapped **at = &first; *at; at = &(*at)->next)
        if (*at == m) {
            *at = m->next;
            break;
        }
    if (m->p)
        munmap(m->p, m->n);
    *m = (mapped){0};
}

const char *mapped_at(const void *address)
{
    uintptr_t at = (uintptr_t)address;
    for (const mapped *m = first; m; m = m->next)
        if (at >= (uintptr_t)m->p && at - (uintptr_t)m->p < m->n)
            return m->name;
    return NULL;
}
