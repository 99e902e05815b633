/* Of the files and archives of the right size the hash decides. What was hashed once and is not it
 * is remembered: the next archive's base may be of the same size. */
#include "cli/beside.h"
#include "cli/against.h"
#include "cli/folder.h"
#include "cli/message.h"
#include "cli/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct contents {
    uint64_t size;
    unsigned char hash[NZ_BASE_HASH];
} contents;

typedef struct known {
    struct stat st;
    contents holds; /* no size: it cannot be read */
} known;

/* The first file of the right size that could not be read; path: the caller's. */
typedef struct failure {
    const char *path;
    nz_fault fault;
    int system_error;
} failure;

static against found;
static char *found_path;
static known *all;
static size_t count;

static contents contents_of(const nz_base *b)
{
    contents c;
    c.size = nz_base_about(b, c.hash);
    return c;
}

static bool equal(const contents *a, const contents *b)
{
    return a->size == b->size && !memcmp(a->hash, b->hash, NZ_BASE_HASH);
}

static bool known_otherwise(const struct stat *st, const contents *want)
{
    for (size_t i = 0; i < count; i++)
        if (source_same(&all[i].st, st) && !equal(&all[i].holds, want))
            return true;
    return false;
}

static void remember(const struct stat *st, const contents *holds)
{
    known *more = realloc(all, (count + 1) * sizeof *more);
    if (!more)
        return; /* it will be hashed again */
    all = more;
    all[count++] = (known){*st, *holds};
}

/* What the archive of that file, found by its end, holds and which base it needs; size 0: none. On
 * NZ_E_READ errno says why. */
static nz_err look(FILE *from, const char *path, const options *o, uint64_t *raw, contents *base)
{
    mapped m;
    nz_archive *a;
    if (!mapped_open(&m, fileno(from), path))
        return NZ_E_READ;
    nz_err err = nz_archive_open(&a, m.p, m.n, &o->nz, NULL);
    if (!err) {
        *raw = nz_archive_raw(a);
        base->size = nz_archive_base(a, base->hash);
        nz_archive_free(a);
    }
    mapped_close(&m);
    return err;
}

/* Whether it is an archive of that many bytes which needs no base itself. */
static bool holds_size(const options *o, const char *path, uint64_t size, failure *failed)
{
    contents base;
    uint64_t raw;
    FILE *from = fopen(path, "rb");
    nz_err err = from ? look(from, path, o, &raw, &base) : NZ_E_READ;
    if ((err == NZ_E_READ || err == NZ_E_MEM) && !failed->path)
        *failed = (failure){path, {.err = err}, errno};
    if (from)
        fclose(from);
    return !err && raw == size && !base.size;
}

static bool is_it(const options *o, const char *path, const contents *want, bool archive,
                  failure *failed)
{
    struct stat st;
    nz_fault fault;
    contents holds = {0};
    if (stat(path, &st) || !S_ISREG(st.st_mode) || known_otherwise(&st, want))
        return false;
    if (archive ? !holds_size(o, path, want->size, failed) : (uint64_t)st.st_size != want->size)
        return false;
    against_close(&found);
    if (against_open(&found, o, path, &fault))
        holds = contents_of(found.base);
    else if (!failed->path)
        *failed = (failure){path, fault, errno};
    if (equal(&holds, want))
        return true;
    against_close(&found);
    remember(&st, &holds);
    return false;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
}

/* The base that the archive names, if any; a damaged one may do so still. */
static nz_err read_wanted(const options *o, const source *s, contents *want)
{
    nz_salvage *damaged = NULL;
    uint64_t raw;
    if (!o->salvage)
        return look(s->from, s->path, o, &raw, want);
    nz_err err = nz_salvage_open_file(&damaged, s->from, &o->nz, NULL, NULL);
    if (!err)
        want->size = nz_salvage_base(damaged, want->hash);
    nz_salvage_free(damaged);
    return err;
}

/* Files as they are first: they need no unpacking. */
static bool search(const options *o, const source *s, const contents *want)
{
    folder f = {0};
    failure failed = {0};
    char *path = folder_of(s->path);
    bool good = false;
    if (!path || !folder_read(&f, path))
        say_error("%s: cannot look for its base: %s", s->name, strerror(errno));
    else
        for (int archives = 0; archives < 2 && !good; archives++)
            for (size_t i = 0; i < f.n && !good; i++) {
                char *name = f.entry[i].path;
                if (source_is_packed(name) != archives || !is_it(o, name, want, archives, &failed))
                    continue;
                good = true;
                free(found_path);
                found_path = name;
                f.entry[i].path = NULL;
            }
    if (!good && failed.path)
        against_say(o, failed.path, failed.fault, failed.system_error);
    folder_free(&f);
    free(path);
    return good;
}

static void say_missing(const source *s, const contents *want)
{
    char hex[2 * NZ_BASE_HASH + 1];
    for (int i = 0; i < NZ_BASE_HASH; i++)
        sprintf(hex + 2 * i, "%02x", want->hash[i]);
    say_error("%s: packed against a base file of %llu bytes, XXH3-128 %s, which is not in its "
              "folder, nor an archive of it; name it with --base",
              s->name, (unsigned long long)want->size, hex);
}

bool beside_find(options *o, const source *s)
{
    contents want, have;
    if (o->base || o->alone || !s->path)
        return true;
    nz_err err = read_wanted(o, s, &want);
    if (err == NZ_E_MEM || (err == NZ_E_READ && errno != ESPIPE)) {
        work_say_fault(o, s->name, (nz_fault){.err = err}, errno);
        return false;
    }
    if (err || !want.size)
        return true; /* what is wrong with it shows when it is read */
    if (found.base)
        have = contents_of(found.base);
    if (!(found.base && equal(&have, &want)) && !search(o, s, &want)) {
        say_missing(s, &want);
        return false;
    }
    if (o->verbose > 0)
        say_note("%s: its base is %s", s->name, found_path);
    o->nz.base = found.base;
    return true;
}

void beside_close(void)
{
    against_close(&found);
    free(found_path);
    free(all);
    found_path = NULL;
    all = NULL;
    count = 0;
}
