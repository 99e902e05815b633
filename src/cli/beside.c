/* Of the files and archives of the right size the hash decides. What was hashed once and is not it
 * is remembered: the next archive's base may be of the same size. */
#include "cli/beside.h"
#include "cli/against.h"
#include "cli/folder.h"
#include "cli/message.h"

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

/* Whether it is an archive of that many bytes which needs no base itself. */
static bool holds_size(const char *path, uint64_t size)
{
    unsigned char hash[NZ_BASE_HASH];
    nz_archive *a = NULL;
    FILE *from = fopen(path, "rb");
    bool good = from && !nz_archive_open_file(&a, from, &(nz_options){0}, NULL) &&
                nz_archive_raw(a) == size && !nz_archive_base(a, hash);
    nz_archive_free(a);
    if (from)
        fclose(from);
    return good;
}

static bool is_it(const options *o, const char *path, const contents *want, bool archive,
                  failure *failed)
{
    struct stat st;
    nz_fault fault;
    contents holds = {0};
    if (stat(path, &st) || !S_ISREG(st.st_mode) || known_otherwise(&st, want))
        return false;
    if (archive ? !holds_size(path, want->size) : (uint64_t)st.st_size != want->size)
        return false;
    against_close(&found);
    if (against_open(&found, o, path, &fault))
        holds = contents_of(found.base);
    else if (!failed->path)
        *failed = (failure){path, fault, errno};
    if (equal(&holds, want))
        return true;
    remember(&st, &holds);
    return false;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
}

/* Files as they are first: they need no unpacking. */
static bool search(const options *o, const source *s, const contents *want)
{
    folder f = {0};
    failure failed = {0};
    char *path = folder_of(s->path);
    bool good = false;
    if (path && folder_read(&f, path))
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
    nz_archive *a;
    contents want, have;
    if (o->base || o->alone || !s->path)
        return true;
    if (nz_archive_open_file(&a, s->from, &o->nz, NULL))
        return true; /* what is wrong with it shows when it is read */
    want.size = nz_archive_base(a, want.hash);
    nz_archive_free(a);
    if (!want.size)
        return true;
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
