#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* On one thread, so that the at-th call is the same in every run; where there are two it is at
 * least some call. */
const scene SCENES[] = {
    {"pack -1", "-1 -T1 --no-prior text", "text", NULL, "text", false},
    {"pack -5", "-5 -T1 --no-prior text", "text", NULL, "text", false},
    {"pack fast", "-3 -T1 weights", "weights", NULL, "weights", false},
    {"pack max", "-7 -T1 weights", "weights", NULL, "weights", false},
    {"pack mixed", "-1 -T1 --no-prior mixed", "mixed", NULL, "mixed", false},
    {"pack stored", "-1 -T1 random", "random", NULL, "random", false},
    {"pack -T2", "-1 -T2 --no-prior --frame=64K long", "long", NULL, "long", false},
    {"pack -f -o", "-1 -T1 --no-prior -f -o old.nz text", "text old.nz=random", NULL, "text",
     false},
    {"pack --check", "-1 -T1 --no-prior --check text", "text", NULL, "text", false},
    {"pack --rm", "-1 -T1 --no-prior --rm text random", "text random", NULL, "text", false},
    {"pack --base", "-3 -T1 --rm --base=old new", "old new", NULL, "old", false},
    {"pack -r --rm", "-3 -T1 -r --rm d", "d/m=m d/m.2=m.2 d/e/random=random", NULL, "d/m", false},
    {"pack stdin", "-1 -T1 --no-prior", "", "text", NULL, true},
    {"unpack -1", "-d -T1 text.nz", "text.nz", NULL, "text.nz", false},
    {"unpack -5", "-d -T1 deep.nz", "deep.nz", NULL, "deep.nz", false},
    {"unpack fast", "-d -T1 weights.nz", "weights.nz", NULL, "weights.nz", false},
    {"unpack max", "-d -T1 max.nz", "max.nz", NULL, "max.nz", false},
    {"unpack mixed", "-d -T1 mixed.nz", "mixed.nz", NULL, "mixed.nz", false},
    {"unpack -T2", "-d -T2 long.nz", "long.nz", NULL, "long.nz", false},
    {"unpack --rm", "-d -T1 --rm text.nz random.nz", "text.nz random.nz", NULL, "text.nz", false},
    {"unpack --base", "-d -T1 --rm --base=old new.nz", "old new.nz", NULL, "old", false},
    {"unpack -r --rm", "-d -T1 -r --rm d", "d/m.nz=m.nz d/m.2.nz=m.2.nz d/e/random.nz=random.nz",
     NULL, "d/m.nz", false},
    {"unpack stdin", "-d -T1", "", "text.nz", NULL, true},
    {"unpack -c", "-dc -T1 random.nz", "random.nz", NULL, "random.nz", true},
    {"-t", "-t -T1 text.nz weights.nz", "text.nz weights.nz", NULL, "text.nz", false},
    {"-l", "-l text.nz weights.nz", "text.nz weights.nz", NULL, "weights.nz", false},
    {"-lv", "-lv -T1 weights.nz mixed.nz", "weights.nz mixed.nz", NULL, "weights.nz", false},
    {"--tensor", "-d -T1 --tensor layer.1.weight weights.nz", "weights.nz", NULL, "weights.nz",
     false},
    {"--tensor -c", "-dc -T2 --tensor embed m64.nz", "m64.nz", NULL, "m64.nz", true},
    {"-lv -T2", "-lv -T2 m64.nz", "m64.nz", NULL, "m64.nz", false},
};
const size_t SCENE_COUNT = sizeof SCENES / sizeof *SCENES;

place place_new(const char *nzip, const char *inputs, const char *work, unsigned number)
{
    return (place){text("%s", nzip),
                   text("%s", inputs),
                   text("%s/%u.run", work, number),
                   text("%s/%u.aside", work, number),
                   text("%s/%u.out", work, number),
                   text("%s/%u.err", work, number)};
}

void place_free(place *p)
{
    folder_remove(p->folder);
    folder_remove(p->aside);
    free(p->nzip);
    free(p->inputs);
    free(p->folder);
    free(p->aside);
    free(p->out);
    free(p->err);
}

static void wrong(const scene *s, const char *why, const outcome *o)
{
    fprintf(stderr, "torture: '%s' without any fault: %s (status %x)\n%.*s", s->name, why,
            (unsigned)o->status, (int)o->err.n, (const char *)o->err.p);
    exit(2);
}

static char **words(const char *first, const char *line)
{
    char **argv = calloc(strlen(line) + 2, sizeof *argv), *copy = text("%s", line), *at = copy;
    size_t n = 0;
    argv[n++] = text("%s", first);
    for (char *word; (word = strsep(&at, " ")) != NULL;)
        if (*word)
            argv[n++] = text("%s", word);
    free(copy);
    return argv;
}

static void words_free(char **argv)
{
    for (size_t i = 0; argv[i]; i++)
        free(argv[i]);
    free(argv);
}

static tree files_of(const scene *s, const place *p)
{
    tree t = {0};
    char **name = words("", s->have);
    for (size_t i = 1; name[i]; i++) {
        char *input = strchr(name[i], '=');
        if (input)
            *input++ = 0;
        char *path = text("%s/%s", p->inputs, input ? input : name[i]);
        blob b = blob_read(path);
        if (!b.p)
            wrong(s, path, &(outcome){0});
        tree_add(&t, name[i], b);
        free(path);
    }
    words_free(name);
    return t;
}

command stage_command(const stage *st, const place *p)
{
    return (command){
        .argv = st->argv, .folder = p->folder, .in = st->in, .out = p->out, .err = p->err};
}

static outcome run_well(stage *st, const place *p, bool traced)
{
    command c = stage_command(st, p);
    c.traced = traced;
    tree_write(p->folder, &st->have);
    outcome o = run(&c, &(fault){0});
    if (!WIFEXITED(o.status) || WEXITSTATUS(o.status))
        wrong(st->s, "it fails", &o);
    if (!o.calls)
        wrong(st->s, "no calls are counted", &o);
    return o;
}

void stage_open(stage *st, const scene *s, const place *p)
{
    *st = (stage){.s = s, .argv = words(p->nzip, s->args), .have = files_of(s, p)};
    if (s->in)
        st->in = text("%s/%s", p->inputs, s->in);
    st->system = run_well(st, p, true);
    st->want = tree_read(p->folder);
    st->want_out = blob_copy(st->system.out);
    st->memory = run_well(st, p, false);
    if (!blob_same(st->want_out, st->memory.out))
        wrong(s, "another output every time", &st->memory);
}

blob decode(const place *p, const tree *files, const char *name)
{
    char *argv[] = {p->nzip, "-dc", "-T1", (char *)(size_t)name, NULL};
    command c = {.argv = argv, .folder = p->aside, .out = p->out, .err = p->err};
    tree_write(p->aside, files);
    outcome o = run(&c, &(fault){0});
    blob b = o.out;
    o.out = (blob){0};
    if (!WIFEXITED(o.status) || WEXITSTATUS(o.status))
        blob_free(&b);
    outcome_free(&o);
    return b;
}
