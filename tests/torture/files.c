#define _GNU_SOURCE
#include "files.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *must(void *p)
{
    if (!p) {
        perror("torture");
        exit(2);
    }
    return p;
}

char *text(const char *format, ...)
{
    char *s;
    va_list args;
    va_start(args, format);
    if (vasprintf(&s, format, args) < 0)
        must(NULL);
    va_end(args);
    return s;
}

blob blob_read(const char *path)
{
    blob b = {0};
    FILE *f = fopen(path, "rb");
    size_t got, room = 1 << 16;
    if (!f)
        return b;
    b.p = must(malloc(room));
    while ((got = fread(b.p + b.n, 1, room - b.n, f)) > 0)
        if ((b.n += got) == room)
            b.p = must(realloc(b.p, room *= 2));
    fclose(f);
    return b;
}

void blob_write(const char *path, blob b)
{
    FILE *f = must(fopen(path, "wb"));
    if (b.n && fwrite(b.p, 1, b.n, f) != b.n)
        must(NULL);
    if (fclose(f))
        must(NULL);
}

blob blob_copy(blob b)
{
    blob c = {must(malloc(b.n + 1)), b.n};
    memcpy(c.p, b.p, b.n);
    return c;
}

bool blob_starts(blob a, blob b)
{
    return a.p && b.p && a.n >= b.n && !memcmp(a.p, b.p, b.n);
}

bool blob_same(blob a, blob b)
{
    return a.n == b.n && blob_starts(a, b);
}

void blob_free(blob *b)
{
    free(b->p);
    *b = (blob){0};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

void tree_add(tree *t, const char *name, blob b)
{
    t->file = must(realloc(t->file, (t->n + 1) * sizeof *t->file));
    t->file[t->n++] = (named){must(strdup(name)), b};
    qsort(t->file, t->n, sizeof *t->file, by_name);
}

static void read_below(tree *t, const char *folder, const char *prefix)
{
    DIR *d = must(opendir(folder));
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        struct stat st;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        char *path = text("%s/%s", folder, e->d_name), *name = text("%s%s", prefix, e->d_name);
        if (!lstat(path, &st) && S_ISDIR(st.st_mode)) {
            char *below = text("%s/", name);
            read_below(t, path, below);
            free(below);
        } else {
            tree_add(t, name, blob_read(path));
        }
        free(path);
        free(name);
    }
    closedir(d);
}

tree tree_read(const char *folder)
{
    tree t = {0};
    read_below(&t, folder, "");
    return t;
}

void folder_remove(const char *folder)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        char *path = text("%s/%s", folder, e->d_name);
        if (unlink(path))
            folder_remove(path);
        free(path);
    }
    if (d)
        closedir(d);
    rmdir(folder);
}

void tree_write(const char *folder, const tree *t)
{
    folder_remove(folder);
    if (mkdir(folder, 0700))
        must(NULL);
    for (size_t i = 0; i < t->n; i++) {
        char *path = text("%s/%s", folder, t->file[i].name);
        for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/'));
             *slash++ = '/') {
            *slash = 0;
            mkdir(path, 0700);
        }
        blob_write(path, t->file[i].is);
        free(path);
    }
}

const named *tree_find(const tree *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (!strcmp(t->file[i].name, name))
            return &t->file[i];
    return NULL;
}

void tree_free(tree *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->file[i].name);
        blob_free(&t->file[i].is);
    }
    free(t->file);
    *t = (tree){0};
}
