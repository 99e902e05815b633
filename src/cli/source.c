/* Only regular files get an output beside them, as with gzip: a device, a pipe or a link is taken
 * only when the output goes elsewhere (-c, -o, -t, -l). */
#include "cli/source.h"
#include "cli/message.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX     ".nz"
#define SUFFIX_LEN (sizeof SUFFIX - 1)

static bool has_suffix(const char *path)
{
    size_t n = strlen(path);
    return n > SUFFIX_LEN && path[n - SUFFIX_LEN - 1] != '/' &&
           !strcmp(path + n - SUFFIX_LEN, SUFFIX);
}

static bool output_beside(const options *o)
{
    return !o->to_stdout && !o->output && (o->task == TASK_PACK || o->task == TASK_UNPACK);
}

static char *joined(const char *folder, const char *name)
{
    size_t n = strlen(folder), m = strlen(name);
    char *path = malloc(n + m + 2);
    if (!path) {
        say_error("%s: out of memory", folder);
        return NULL;
    }
    memcpy(path, folder, n);
    if (n && path[n - 1] != '/')
        path[n++] = '/';
    memcpy(path + n, name, m + 1);
    return path;
}

static int not_dots(const struct dirent *e)
{
    return strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void walk_inside(const options *o, const char *folder, source_fn run);

static void walk_entry(const options *o, const char *path, source_fn run)
{
    struct stat st;
    if (lstat(path, &st))
        say_error("%s: %s", path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        walk_inside(o, path, run);
    else
        run(o, path, false);
}

static void walk_inside(const options *o, const char *folder, source_fn run)
{
    struct dirent **entry;
    int n = scandir(folder, &entry, not_dots, by_bytes);
    if (n < 0) {
        say_error("%s: %s", folder, strerror(errno));
        return;
    }
    for (int i = 0; i < n; i++) {
        char *path = joined(folder, entry[i]->d_name);
        if (path)
            walk_entry(o, path, run);
        free(path);
        free(entry[i]);
    }
    free(entry);
}

void source_walk(const options *o, const char *path, source_fn run)
{
    struct stat st;
    if (lstat(path, &st) || !S_ISDIR(st.st_mode))
        run(o, path, true); /* which also says why it cannot be opened */
    else if (o->recurse)
        walk_inside(o, path, run);
    else
        say_warning("%s: is a directory; skipped (-r goes into it)", path);
}

/* NULL when the file may be taken. */
static const char *unfit(const options *o, const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        return "is a directory";
    if (!output_beside(o))
        return NULL;
    if (S_ISLNK(st->st_mode) && !o->force)
        return "is a symbolic link (-f follows it)";
    if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))
        return "is not a regular file";
    return NULL;
}

static bool fit(const options *o, const char *path, const struct stat *st, bool named)
{
    const char *why = unfit(o, st);
    if (why && named)
        say_warning("%s: %s; skipped", path, why);
    return !why;
}

bool source_open(source *s, const options *o, const char *path, bool named)
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
    if (!fit(o, path, &link, named))
        return false;
    if (!(s->from = fopen(path, "rb")) || fstat(fileno(s->from), &s->st)) {
        say_error("%s: %s", path, strerror(errno));
        source_close(s);
        return false;
    }
    if (fit(o, path, &s->st, named)) /* again: a link may lead to anything */
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

bool source_unchanged(const source *s, uint64_t bytes_read)
{
    struct stat now;
    return s->path && !stat(s->path, &now) && now.st_dev == s->st.st_dev &&
           now.st_ino == s->st.st_ino && same_time(&now.st_mtim, &s->st.st_mtim) &&
           (uint64_t)now.st_size == bytes_read;
}

void source_close(source *s)
{
    if (s->from && s->path)
        fclose(s->from);
    s->from = NULL;
}

char *source_packed_name(const options *o, const char *path, bool named)
{
    if (has_suffix(path) && !o->force) {
        if (named)
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

char *source_raw_name(const char *path, bool named)
{
    if (!has_suffix(path)) {
        if (named)
            say_error("%s: does not end in " SUFFIX "; name the output with -o or use -c", path);
        return NULL;
    }
    char *name = strndup(path, strlen(path) - SUFFIX_LEN);
    if (!name)
        say_error("%s: out of memory", path);
    return name;
}
