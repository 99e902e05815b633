#include "cli/against.h"
#include "cli/message.h"
#include "cli/source.h"
#include "cli/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static nz_err map(against *a, const char *path)
{
    if (!(a->from = fopen(path, "rb")) || fstat(fileno(a->from), &a->st))
        return NZ_E_READ;
    if (!S_ISREG(a->st.st_mode) || a->st.st_size == 0)
        return NZ_E_ARG;
    return mapped_open(&a->file, fileno(a->from), path) ? NZ_OK : NZ_E_READ;
}

/* What an archive holds, all of it in memory; as it is when it is none. */
static nz_err unpack(against *a, const options *o, size_t *n, nz_fault *fault)
{
    nz_options opt = o->nz;
    nz_archive *archive;
    opt.base = NULL;
    nz_err err = nz_archive_open(&archive, a->file.p, *n, &opt, fault);
    if (err)
        return err == NZ_E_MAGIC ? NZ_OK : err;
    uint64_t raw = nz_archive_raw(archive);
    *n = (size_t)raw;
    if (raw > options_memory(o))
        fault->err = err = NZ_E_LIMIT;
    else if (!(a->unpacked = malloc(*n ? *n : 1)))
        fault->err = err = NZ_E_MEM;
    else
        err = nz_archive_read(archive, 0, a->unpacked, *n, fault);
    nz_archive_free(archive);
    return err;
}

bool against_open(against *a, const options *o, const char *path, nz_fault *fault)
{
    *a = (against){.path = path};
    nz_err err = map(a, path);
    size_t n = a->file.n;
    *fault = (nz_fault){.err = err};
    if (!err)
        err = unpack(a, o, &n, fault);
    if (!err)
        fault->err = err = nz_base_new(&a->base, a->unpacked ? a->unpacked : a->file.p, n);
    int saved = errno;
    if (err)
        against_close(a);
    errno = saved;
    return !err;
}

bool against_holds(const against *a)
{
    struct stat st;
    return !fstat(fileno(a->from), &st) && source_same(&st, &a->st) &&
           (stat(a->path, &st) || source_same(&st, &a->st));
}

void against_say(const options *o, const char *path, nz_fault fault, int system_error)
{
    if (fault.err == NZ_E_READ)
        say_error("%s: cannot read the base: %s", path, strerror(system_error));
    else if (fault.err == NZ_E_ARG)
        say_error("%s: a base must be a regular file, and not empty", path);
    else
        work_say_fault(o, path, fault, system_error);
}

void against_close(against *a)
{
    nz_base_free(a->base);
    mapped_close(&a->file);
    if (a->from)
        fclose(a->from);
    free(a->unpacked);
    *a = (against){0};
}
