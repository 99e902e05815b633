/* A base is opened before it is packed itself, so that --rm may take its name away, and kept until
 * the last file that needs it is packed. Its contents must be what they were when it was chosen all
 * that time: its own archive may be all that is left of it. */
#include "cli/sharing.h"
#include "cli/against.h"
#include "cli/message.h"
#include "cli/source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NONE SIZE_MAX

typedef struct member {
    const char *path;
    struct stat st;   /* when it was looked into */
    size_t base;      /* the member that is its base, or NONE */
    size_t last;      /* that this one is the base of; 0: it is none */
    nz_shared shared; /* with its base */
    against file;     /* as a base */
    mapped look;      /* while planning */
} member;

static member *all;
static size_t count, now;

/* A file that cannot be read shares nothing: packing it says why. */
static void map(member *m)
{
    int fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    if (!fstat(fd, &m->st))
        mapped_open(&m->look, fd, m->path);
    close(fd);
}

/* number[]: the member that each file of the shards is. */
static bool plan(nz_shards *shards, size_t *number)
{
    size_t added = 0;
    for (size_t i = 0; i < count; i++) {
        member *m = &all[i];
        map(m);
        if (!m->look.p)
            continue;
        if (nz_shards_add(shards, m->look.p, m->look.n, &m->shared))
            return false;
        number[added++] = i;
        if (m->shared.tensors) {
            m->base = number[m->shared.file];
            all[m->base].last = i;
        }
        if (!m->shared.own)
            mapped_close(&m->look);
    }
    return true;
}

void sharing_plan(const options *o, const char *const *path, size_t n)
{
    nz_shards *shards = NULL;
    now = NONE;
    count = 0;
    if (o->task != TASK_PACK || o->base || o->alone || o->nz.dtype ||
        o->nz.weights == NZ_WEIGHTS_OFF)
        return;
    size_t *number = calloc(n + 1, sizeof *number);
    all = calloc(n + 1, sizeof *all);
    if (number && all && !nz_shards_new(&shards)) {
        count = n;
        for (size_t i = 0; i < n; i++)
            all[i] = (member){.path = path[i], .base = NONE};
    }
    bool good = count && plan(shards, number);
    for (size_t i = 0; i < count; i++)
        mapped_close(&all[i].look);
    if (!good)
        sharing_close();
    nz_shards_free(shards);
    free(number);
}

void sharing_begin(options *o, size_t i)
{
    nz_fault fault;
    if (!count)
        return;
    member *m = &all[i];
    now = i;
    if (m->last && against_open(&m->file, o, m->path, &fault) && !source_same(&m->st, &m->file.st))
        against_close(&m->file);
    if (m->base != NONE)
        o->nz.base = all[m->base].file.base;
}

void sharing_source(const struct stat *st)
{
    if (count && now != NONE && all[now].file.base && !source_same(&all[now].file.st, st))
        against_close(&all[now].file);
}

/* The base of the file that is being packed, opened; NULL: there is none. */
static const member *base_now(void)
{
    if (!count || now == NONE || all[now].base == NONE || !all[all[now].base].file.base)
        return NULL;
    return &all[all[now].base];
}

bool sharing_holds(void)
{
    const member *m = base_now();
    if (!m || against_holds(&m->file))
        return true;
    say_error("%s: not packed: %s, which it shares tensors with, changed meanwhile", all[now].path,
              m->path);
    return false;
}

void sharing_say(const char *name)
{
    char bytes[SIZE_TEXT];
    const member *m = base_now();
    if (!m)
        return;
    const nz_shared *s = &all[now].shared;
    say_note("%s needs %s, or its archive, beside it to unpack (%llu tensor%s, %s shared)", name,
             m->path, (unsigned long long)s->tensors, s->tensors == 1 ? "" : "s",
             size_text(bytes, s->bytes));
}

void sharing_end(size_t i)
{
    if (count && all[i].base != NONE && all[all[i].base].last == i)
        against_close(&all[all[i].base].file);
    now = NONE;
}

void sharing_close(void)
{
    for (size_t i = 0; i < count; i++)
        against_close(&all[i].file);
    free(all);
    all = NULL;
    count = 0;
}
