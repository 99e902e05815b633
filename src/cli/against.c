#include "cli/against.h"
#include "cli/message.h"
#include "cli/work.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void *mapped, *unpacked;
static size_t mapped_bytes;

static bool say_errno(const options *o)
{
    say_error("%s: cannot read the base: %s", o->base, strerror(errno));
    return false;
}

static bool map(const options *o, FILE *from)
{
    struct stat st;
    if (fstat(fileno(from), &st))
        return say_errno(o);
    if (!S_ISREG(st.st_mode) || st.st_size == 0) {
        say_error("%s: a base must be a regular file, and not empty", o->base);
        return false;
    }
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fileno(from), 0);
    if (p == MAP_FAILED)
        return say_errno(o);
    mapped = p;
    mapped_bytes = (size_t)st.st_size;
    return true;
}

/* What an archive holds, all of it in memory; as it is when it is none. */
static bool unpack(const options *o, size_t *n)
{
    nz_archive *a;
    nz_fault fault;
    *n = mapped_bytes;
    nz_err err = nz_archive_open(&a, mapped, mapped_bytes, &o->nz, &fault);
    if (err == NZ_E_MAGIC)
        return true;
    if (!err) {
        *n = (size_t)nz_archive_raw(a);
        unpacked = malloc(*n ? *n : 1);
        if (!unpacked)
            fault = (nz_fault){.err = err = NZ_E_MEM};
        else
            err = nz_archive_read(a, 0, unpacked, *n, &fault);
        nz_archive_free(a);
    }
    if (err)
        work_say_fault(o, o->base, fault, errno);
    return !err;
}

bool against_open(options *o)
{
    nz_base *base;
    size_t n;
    if (!o->base)
        return true;
    FILE *from = fopen(o->base, "rb");
    if (!from)
        return say_errno(o);
    bool good = map(o, from) && unpack(o, &n);
    fclose(from);
    if (!good)
        return false;
    if (nz_base_new(&base, unpacked ? unpacked : mapped, n)) {
        say_error("%s: out of memory", o->base);
        return false;
    }
    o->nz.base = base;
    return true;
}

void against_close(options *o)
{
    nz_base_free((nz_base *)(uintptr_t)o->nz.base);
    o->nz.base = NULL;
    if (mapped)
        munmap(mapped, mapped_bytes);
    free(unpacked);
    mapped = unpacked = NULL;
}
