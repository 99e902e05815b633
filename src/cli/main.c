/* nzip: names in, files out. Every file stands for itself: one that fails does not stop the next,
 * and the exit status tells the worst that happened. */
#include "cli/against.h"
#include "cli/bench.h"
#include "cli/beside.h"
#include "cli/explain.h"
#include "cli/folder.h"
#include "cli/list.h"
#include "cli/message.h"
#include "cli/rescue.h"
#include "cli/sharing.h"
#include "cli/tensors.h"
#include "cli/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static against given; /* the file of --base */

static void say_done(const options *o, const char *name, const amount *a)
{
    if (o->verbose > 0)
        say_note("%s: %llu -> %llu (%.3f:1, %.3f bpb), %.2f s", name,
                 (unsigned long long)(o->task == TASK_PACK ? a->raw : a->packed),
                 (unsigned long long)(o->task == TASK_PACK ? a->packed : a->raw),
                 a->packed ? (double)a->raw / (double)a->packed : 0,
                 a->raw ? 8 * (double)a->packed / (double)a->raw : 0, a->seconds);
}

static bool terminal_refused(const options *o, const source *s, bool to_stdout)
{
    if (o->force)
        return false;
    if (o->task == TASK_PACK && to_stdout && isatty(STDOUT_FILENO)) {
        say_error("archives are not written to a terminal (-f does it, -h for help)");
        return true;
    }
    if (o->task != TASK_PACK && !s->path && isatty(STDIN_FILENO)) {
        say_error("archives are not read from a terminal (-h for help)");
        return true;
    }
    return false;
}

/* What was unpacked is what it was told to be, whatever the archive is now. */
static void finish_input(const options *o, const source *s, const amount *done, bool removable)
{
    struct stat st;
    bool pack = o->task == TASK_PACK;
    if (!s->path)
        return;
    if (!o->remove || !removable) {
        if (pack && !stat(s->path, &st) && !source_same(&st, &s->st))
            say_warning("%s: changed meanwhile; packed is what was read of it", s->name);
        return;
    }
    if (!source_unchanged(s, pack ? done->raw : done->packed))
        say_warning("%s: changed meanwhile; not removed", s->name);
    else if (unlink(s->path))
        say_error("%s: cannot remove: %s", s->name, strerror(errno));
}

/* The file of --base is still what the new archive needs. */
static bool given_holds(const options *o, const source *s)
{
    if (!given.base || o->nz.base != given.base || against_holds(&given))
        return true;
    say_error("%s: not packed: its base, %s, changed meanwhile", s->name, o->base);
    return false;
}

static bool fill(const options *o, const source *s, const target *t, amount *done)
{
    if (o->salvage)
        return rescue(o, s, t, done);
    if (o->task == TASK_UNPACK)
        return work_unpack(o, s, t, done);
    return work_pack(o, s, t, done) && given_holds(o, s) && sharing_holds() &&
           (!o->check || t->in_place || work_check(o, t, done->raw));
}

/* `name` NULL: to standard output. */
static void convert(const options *o, const source *s, const char *name)
{
    target t;
    amount done;
    if (source_is(s, name)) {
        say_error("%s: input and output are the same file", s->name);
        return;
    }
    if (!target_open(&t, name, o->output, o->force))
        return;
    if (!fill(o, s, &t, &done)) {
        target_drop(&t);
        return;
    }
    bool in_place = t.in_place;
    if (!target_keep(&t, s->path && S_ISREG(s->st.st_mode) ? &s->st : NULL, o->remove))
        return;
    say_done(o, s->name, &done);
    sharing_say(name);
    finish_input(o, s, &done, !in_place);
}

static void inspect(const options *o, const source *s)
{
    amount done;
    if (o->task == TASK_LIST)
        list_file(o, s);
    else if (o->salvage)
        rescue(o, s, NULL, &done);
    else if (work_unpack(o, s, NULL, &done))
        say_done(o, s->name, &done);
}

static char *own_name(const options *o, const char *path)
{
    if (o->output) {
        char *name = strdup(o->output);
        if (!name)
            say_error("%s: out of memory", o->output);
        return name;
    }
    if (o->task == TASK_PACK)
        return source_packed_name(o, path);
    return o->salvage ? source_salvaged_name(path) : source_raw_name(path);
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return a && b && !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool derives_name(const options *o)
{
    return (o->task == TASK_PACK || o->task == TASK_UNPACK) && !o->to_stdout && !o->tensor_count;
}

/* Nothing is its own base: it may be removed, and is not there when it is to be unpacked. */
static bool choose_base(options *o, const source *s, const char *name)
{
    if (o->task != TASK_PACK)
        return o->task == TASK_LIST || beside_find(o, s);
    if (o->base && source_is(s, o->base))
        o->nz.base = NULL;
    if (!o->nz.base || !same_file(o->base, name))
        return true;
    say_error("%s: would replace %s, which it needs as its base", s->name, name);
    return false;
}

static void run_file(const options *o, const char *path)
{
    source s;
    char *name = NULL;
    options own = *o;
    if (derives_name(o) && !(name = own_name(o, path)))
        return;
    if (!source_open(&s, o, path))
        goto done;
    sharing_source(&s.st);
    if (choose_base(&own, &s, name)) {
        if (o->task == TASK_TEST || o->task == TASK_LIST)
            inspect(&own, &s);
        else if (o->task == TASK_EXPLAIN)
            explain_file(&own, &s);
        else if (o->tensor_count)
            tensors_take(&own, &s);
        else if (!terminal_refused(o, &s, o->to_stdout))
            convert(&own, &s, name);
    }
    source_close(&s);
done:
    free(name);
}

static void run_stdin(const options *o)
{
    source s;
    if (!source_open(&s, o, NULL)) {
        say_error("(stdin): %s", strerror(errno));
        return;
    }
    if (terminal_refused(o, &s, !o->output))
        return;
    if (o->task == TASK_TEST || o->task == TASK_LIST)
        inspect(o, &s);
    else if (o->task == TASK_EXPLAIN)
        explain_file(o, &s);
    else if (o->tensor_count)
        tensors_take(o, &s);
    else
        convert(o, &s, o->output);
}

static void run(const options *o)
{
    if (!o->count)
        run_stdin(o);
    for (int i = 0; i < o->count; i++) {
        if (!strcmp(o->names[i], "-"))
            run_stdin(o);
        else if (o->task == TASK_EXPLAIN)
            run_file(o, o->names[i]);
        else
            folder_walk(o, o->names[i], run_file);
    }
    if (o->task == TASK_LIST)
        list_total(o);
}

int main(int argc, char **argv)
{
    options o;
    parsed p = options_read(&o, argc, argv);
    if (p == PARSED_WRONG)
        say_failed();
    if (p == PARSED_RUN) {
        say_quietly(o.verbose < 0 ? -o.verbose : 0);
        target_guard();
        nz_fault fault;
        if (o.base && !against_open(&given, &o, o.base, &fault)) {
            against_say(&o, o.base, fault, errno);
        } else {
            o.nz.base = given.base;
            if (o.task == TASK_BENCH)
                bench_run(&o);
            else
                run(&o);
        }
        against_close(&given);
        beside_close();
    }
    options_free(&o);
    if ((fflush(stdout) || ferror(stdout)) && say_status() != STATUS_ERROR)
        say_error("(stdout): cannot write: %s", strerror(errno));
    return say_status();
}
