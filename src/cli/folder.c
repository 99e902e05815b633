/* A directory's files come first, then with -r the directories in it. Links in it are not followed:
 * they may lead out of it, in circles, or to a file that is there under its own name. */
#include "cli/folder.h"
#include "cli/message.h"
#include "cli/sharing.h"
#include "cli/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int not_dots(const struct dirent *e)
{
    return strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static char *joined(const char *folder, const char *name)
{
    size_t n = strlen(folder), m = strlen(name);
    char *path = malloc(n + m + 2);
    if (!path)
        return NULL;
    memcpy(path, folder, n);
    if (n && path[n - 1] != '/')
        path[n++] = '/';
    memcpy(path + n, name, m + 1);
    return path;
}

/* One that cannot be looked at is said, what has gone meanwhile is not there. False: no memory. */
static bool add(folder *f, const char *path, const char *name)
{
    entry *e = &f->entry[f->n];
    if (!(e->path = joined(path, name)))
        return false;
    if (!lstat(e->path, &e->st)) {
        f->n++;
        return true;
    }
    if (errno != ENOENT)
        say_error("%s: %s", e->path, strerror(errno));
    free(e->path);
    return true;
}

bool folder_read(folder *f, const char *path)
{
    struct dirent **name;
    *f = (folder){0};
    int n = scandir(*path ? path : ".", &name, not_dots, by_bytes);
    if (n < 0)
        return false;
    f->entry = calloc((size_t)n + 1, sizeof *f->entry);
    bool good = f->entry != NULL;
    for (int i = 0; i < n; i++) {
        good = good && add(f, path, name[i]->d_name);
        free(name[i]);
    }
    int saved = errno;
    free(name);
    if (!good)
        folder_free(f);
    errno = saved;
    return good;
}

void folder_free(folder *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->entry[i].path);
    free(f->entry);
    *f = (folder){0};
}

/* Whether the task is about it. */
static bool wanted(const options *o, const entry *e)
{
    bool link = S_ISLNK(e->st.st_mode);
    if (source_is_packed(e->path) == (o->task == TASK_PACK))
        return false;
    if (link && o->verbose > 0)
        say_note("%s: is a symbolic link; skipped", e->path);
    return S_ISREG(e->st.st_mode);
}

/* Files to the front, in order; returns how many there are. */
static size_t pick(const options *o, const folder *f, const char **path)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        if (!S_ISDIR(f->entry[i].st.st_mode) && wanted(o, &f->entry[i]))
            path[n++] = f->entry[i].path;
    return n;
}

static void walk(const options *o, const char *folder_path, folder_fn run)
{
    folder f;
    const char **path = NULL;
    if (!folder_read(&f, folder_path) || !(path = calloc(f.n + 1, sizeof *path))) {
        say_error("%s: %s", folder_path, strerror(errno));
        folder_free(&f);
        return;
    }
    size_t n = pick(o, &f, path);
    sharing_plan(o, path, n);
    for (size_t i = 0; i < n; i++) {
        options own = *o;
        sharing_begin(&own, i);
        run(&own, path[i]);
        sharing_end(i);
    }
    sharing_close();
    for (size_t i = 0; i < f.n && o->recurse; i++)
        if (S_ISDIR(f.entry[i].st.st_mode))
            walk(o, f.entry[i].path, run);
    free(path);
    folder_free(&f);
}

void folder_walk(const options *o, const char *path, folder_fn run)
{
    struct stat st;
    bool one = (o->to_stdout || o->output) && o->task != TASK_TEST && o->task != TASK_LIST;
    if ((o->force ? stat(path, &st) : lstat(path, &st)) || !S_ISDIR(st.st_mode))
        run(o, path); /* which also says why it cannot be opened */
    else if (one)
        say_error("%s: is a directory, its files cannot go into one", path);
    else
        walk(o, path, run);
}
