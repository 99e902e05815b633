/* Only regular files get an output beside them, as with gzip: a device, a pipe or a link is taken
 * only when the output goes elsewhere (-c, -o, -t, -l). */
#include "cli/source.h"
#include "cli/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX     ".nz"
#define SUFFIX_LEN (sizeof SUFFIX - 1)

bool source_is_packed(const char *path)
{
    size_t n = strlen(path);
    return n > SUFFIX_LEN && path[n - SUFFIX_LEN - 1] != '/' &&
           !strcmp(path + n - SUFFIX_LEN, SUFFIX);
}

static bool converts(const options *o)
{
    return o->task == TASK_PACK || o->task == TASK_UNPACK;
}

static bool output_beside(const options *o)
{
    return !o->to_stdout && !o->output && converts(o);
}

/* NULL when the file may be taken. */
static const char *unfit(const options *o, const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        return "is a directory";
    if (o->remove && converts(o) && S_ISREG(st->st_mode) && st->st_nlink > 1 && !o->force)
        return "has other hard links, so --rm would free nothing (-f does it)";
    if (!output_beside(o))
        return NULL;
    if (S_ISLNK(st->st_mode) && !o->force)
        return "is a symbolic link (-f follows it)";
    if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))
        return "is not a regular file";
    return NULL;
}

static bool fit(const options *o, const char *path, const struct stat *st)
{
    const char *why = unfit(o, st);
    if (why)
        say_warning("%s: %s; skipped", path, why);
    return !why;
}

bool source_open(source *s, const options *o, const char *path)
{
    struct stat link;
    *s = (source){.path = path, .name = path ? path : "(stdin)"};
    if (!path) {
        s->from = stdin;
        return !fstat(STDIN_FILENO, &s->st);
    }
    if (lstat(path, &link)) {
        say_error("%s: %s", path, strerror(errno));
        return false;
    }
    if (!fit(o, path, &link))
        return false;
    if (!(s->from = fopen(path, "rb")) || fstat(fileno(s->from), &s->st)) {
        say_error("%s: %s", path, strerror(errno));
        source_close(s);
        return false;
    }
    if (fit(o, path, &s->st)) /* again: a link may lead to anything */
        return true;
    source_close(s);
    return false;
}

uint64_t source_size(const source *s)
{
    if (!S_ISREG(s->st.st_mode))
        return UINT64_MAX;
    off_t at = s->path ? 0 : lseek(STDIN_FILENO, 0, SEEK_CUR);
    return at < 0 || at > s->st.st_size ? 0 : (uint64_t)(s->st.st_size - at);
}

bool source_is(const source *s, const char *name)
{
    struct stat st;
    return name && !stat(name, &st) && S_ISREG(st.st_mode) && st.st_dev == s->st.st_dev &&
           st.st_ino == s->st.st_ino;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool source_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time(&a->st_mtim, &b->st_mtim);
}

bool source_unchanged(const source *s, uint64_t bytes_read)
{
    struct stat now;
    return s->path && !stat(s->path, &now) && source_same(&now, &s->st) &&
           (uint64_t)now.st_size == bytes_read;
}

bool source_read(const source *s, void *p, size_t cap, size_t *n)
{
    *n = 0;
    while (*n < cap && !feof(s->from)) {
        errno = 0;
        *n += fread((char *)p + *n, 1, cap - *n, s->from);
        if (ferror(s->from) && errno != EINTR)
            return false;
        if (ferror(s->from))
            clearerr(s->from);
    }
    return true;
}

void source_close(source *s)
{
    if (s->from && s->path)
        fclose(s->from);
    s->from = NULL;
}

char *source_packed_name(const options *o, const char *path)
{
    if (source_is_packed(path) && !o->force) {
        say_warning("%s: already ends in " SUFFIX "; skipped (-f packs it again)", path);
        return NULL;
    }
    char *name = malloc(strlen(path) + sizeof SUFFIX);
    if (name)
        strcat(strcpy(name, path), SUFFIX);
    else
        say_error("%s: out of memory", path);
    return name;
}

/* FILE.nz -> FILE and what comes behind it. */
static char *without_suffix(const char *path, const char *behind)
{
    if (!source_is_packed(path)) {
        say_error("%s: does not end in " SUFFIX "; name the output with -o or use -c", path);
        return NULL;
    }
    size_t n = strlen(path) - SUFFIX_LEN;
    char *name = malloc(n + strlen(behind) + 1);
    if (name)
        strcpy((char *)memcpy(name, path, n) + n, behind);
    else
        say_error("%s: out of memory", path);
    return name;
}

char *source_raw_name(const char *path)
{
    return without_suffix(path, "");
}

char *source_salvaged_name(const char *path)
{
    return without_suffix(path, ".salvaged");
}
