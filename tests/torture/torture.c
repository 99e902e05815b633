/* Puts the command through every fault of every class in every scene, and counts what becomes of
 * it. Several workers take the scenes' classes one after the other. */
#include "plan.h"

#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCENES_MOST = 64 };

typedef struct options {
    const char *nzip, *inputs, *work;
    const char *scene, *class; /* only these; NULL: all */
    size_t every;              /* only every so manieth trial */
    unsigned workers;
    bool untraced; /* only faults that need no tracing */
} options;

typedef struct results {
    _Atomic size_t next; /* piece of work */
    _Atomic unsigned injected[SCENES_MOST][CLASSES], became[SCENES_MOST][VERDICTS];
} results;

static results *all;

static void say_bad(const stage *st, const trial *t, verdict v, const char *why, const outcome *o)
{
    char *what = trial_text(t);
    printf("%s: %s: %s: %s (status %x)\n", VERDICT_NAME[v], st->s->name, what, why,
           (unsigned)o->status);
    if (o->err.n)
        printf("    %.*s\n", (int)(o->err.n < 600 ? o->err.n : 600), (const char *)o->err.p);
    free(what);
    fflush(stdout);
}

static void try(const stage *st, const place *p, const trial *t, size_t scene, class c)
{
    fault f = t->f;
    change changed = {0};
    const char *why;
    if (f.kind == FAULT_CHANGE) {
        changed = change_new(st, p, t->how);
        f.change = change_do;
        f.arg = &changed;
    }
    command cmd = stage_command(st, p);
    tree_write(p->folder, &st->have);
    outcome o = run(&cmd, &f);
    if (o.struck) {
        verdict v = judge(st, p, &f, f.kind == FAULT_CHANGE ? &changed : NULL, &o, &why);
        all->injected[scene][c]++;
        all->became[scene][v]++;
        if (v > DIED)
            say_bad(st, t, v, why, &o);
    }
    if (f.kind == FAULT_CHANGE)
        change_free(&changed);
    outcome_free(&o);
}

static bool wanted(const options *o, class c)
{
    if (o->class)
        return !strcmp(o->class, CLASS_NAME[c]);
    return !o->untraced || c <= CLASS_FULL;
}

/* Where not all are tried, of the many alike there are fewer still. */
static size_t pace(const options *o, class c)
{
    static const size_t RARER[CLASSES] = {
        [CLASS_CALLS] = 4, [CLASS_SIGNAL] = 16, [CLASS_KILL] = 8, [CLASS_CHANGE] = 24};
    return o->every == 1 || !RARER[c] ? o->every : o->every * RARER[c];
}

static void work(const options *o, const stage *stages, unsigned number)
{
    place p = place_new(o->nzip, o->inputs, o->work, number);
    for (size_t i; (i = all->next++) < SCENE_COUNT * CLASSES;) {
        size_t scene = i / CLASSES;
        class c = (class)(i % CLASSES);
        if (!stages[scene].s || !wanted(o, c))
            continue;
        plan todo = plan_new(&stages[scene], c);
        size_t by = pace(o, c);
        for (size_t k = i % by; k < todo.n; k += by)
            try(&stages[scene], &p, &todo.trial[k], scene, c);
        plan_free(&todo);
    }
    place_free(&p);
}

/* ---- The table ---- */

typedef struct sums {
    unsigned injected[CLASSES], became[VERDICTS], bad;
} sums;

static void print_row(const char *name, const sums *s)
{
    printf("%-15s", name);
    for (class c = 0; c < CLASSES; c++)
        printf(" %7u", s->injected[c]);
    printf("  %8u %8u %6u %5u\n", s->became[SURVIVED], s->became[REPORTED], s->became[DIED],
           s->bad);
}

static void add(sums *to, const sums *s)
{
    for (class c = 0; c < CLASSES; c++)
        to->injected[c] += s->injected[c];
    for (verdict v = 0; v < VERDICTS; v++)
        to->became[v] += s->became[v];
    to->bad += s->bad;
}

static sums sums_of(size_t scene)
{
    sums s = {0};
    for (class c = 0; c < CLASSES; c++)
        s.injected[c] = all->injected[scene][c];
    for (verdict v = 0; v < VERDICTS; v++) {
        s.became[v] = all->became[scene][v];
        s.bad += v > DIED ? s.became[v] : 0;
    }
    return s;
}

/* Returns how many trials ended badly. */
static unsigned print_table(const stage *stages)
{
    sums total = {0};
    unsigned injected = 0;
    printf("%-15s", "faults injected");
    for (class c = 0; c < CLASSES; c++)
        printf(" %7s", CLASS_NAME[c]);
    printf("  %8s %8s %6s %5s\n", "survived", "reported", "died", "bad");
    for (size_t i = 0; i < SCENE_COUNT; i++) {
        if (!stages[i].s)
            continue;
        sums s = sums_of(i);
        print_row(stages[i].s->name, &s);
        add(&total, &s);
    }
    print_row("all", &total);
    for (class c = 0; c < CLASSES; c++)
        injected += total.injected[c];
    printf("%u injected", injected);
    for (verdict v = DIED + 1; v < VERDICTS; v++)
        printf(", %u %s", total.became[v], VERDICT_NAME[v]);
    putchar('\n');
    return total.bad + !injected;
}

static bool options_read(options *o, int argc, char **argv)
{
    *o = (options){.every = 1, .workers = (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};
    for (int c; (c = getopt(argc, argv, "s:c:e:j:u")) >= 0;)
        switch (c) {
        case 's': o->scene = optarg; break;
        case 'c': o->class = optarg; break;
        case 'e': o->every = (size_t)atol(optarg); break;
        case 'j': o->workers = (unsigned)atoi(optarg); break;
        case 'u': o->untraced = true; break;
        default: return false;
        }
    if (argc - optind != 3 || !o->every || !o->workers)
        return false;
    o->nzip = argv[optind];
    o->inputs = argv[optind + 1];
    o->work = argv[optind + 2];
    return true;
}

int main(int argc, char **argv)
{
    static stage stages[SCENES_MOST];
    options o;
    if (!options_read(&o, argc, argv)) {
        fprintf(stderr, "usage: torture [-s SCENE] [-c CLASS] [-e EVERY] [-j WORKERS] [-u] "
                        "NZIP INPUTS WORK (absolute paths)\n");
        return 2;
    }
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return 2;
    place p = place_new(o.nzip, o.inputs, o.work, o.workers);
    for (size_t i = 0; i < SCENE_COUNT; i++)
        if (!o.scene || !strcmp(o.scene, SCENES[i].name))
            stage_open(&stages[i], &SCENES[i], &p);
    place_free(&p);
    fflush(stdout);
    for (unsigned i = 0; i < o.workers; i++)
        if (!fork()) {
            work(&o, stages, i);
            exit(0);
        }
    bool good = true;
    for (int status; wait(&status) > 0;)
        good &= WIFEXITED(status) && !WEXITSTATUS(status);
    return print_table(stages) || !good;
}
