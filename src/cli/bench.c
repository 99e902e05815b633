/* Everything happens in memory and in this process: no pipes, no start-up, no disk. What is quick
 * is done again until its time can be measured; every round trip is compared. */
#include "cli/bench.h"
#include "cli/chart.h"
#include "cli/message.h"
#include "cli/progress.h"
#include "cli/rivals.h"
#include "cli/table.h"
#include "cli/timer.h"
#include "cli/whole.h"
#include "cli/work.h"

#include <stdlib.h>
#include <string.h>

#define ENOUGH_SECONDS 0.1 /* of a measurement */
#define ROUNDS_MAX     1000
#define LONG_SECONDS   20 /* of a job that is announced */
#define LEVELS_DEFAULT (1u << 1 | 1u << 3 | 1u << 5 | 1u << 7 | 1u << 9)

/* A file in memory, and room for what becomes of it. */
typedef struct trial {
    const options *o;
    const char *name;
    whole raw;
    unsigned char *packed, *again;
    size_t room, packed_n;
    const rival *rival; /* NULL: nzip, */
    int level;          /* at this level */
    uint64_t memory;    /* the last round's */
    nz_err err;
} trial;

/* ---- One round ---- */

static nz_options options_of(const trial *t)
{
    nz_options opt = t->o->nz;
    opt.level = t->level;
    return opt;
}

static bool pack_once(trial *t)
{
    if (t->rival)
        return t->rival->pack(t->level, t->packed, t->room, &t->packed_n, t->raw.p, t->raw.n,
                              &t->memory);
    nz_options opt = options_of(t);
    t->memory = nz_pack_memory(&opt, t->raw.n);
    t->err = nz_pack(t->packed, t->room, &t->packed_n, t->raw.p, t->raw.n, &opt);
    return !t->err;
}

static bool unpack_once(trial *t)
{
    size_t n = 0;
    if (t->rival)
        return t->rival->unpack(t->level, t->again, t->raw.n, t->packed, t->packed_n, &t->memory);
    nz_options opt = options_of(t);
    t->err = nz_unpack(t->again, t->raw.n, &n, t->packed, t->packed_n, &opt);
    return !t->err && n == t->raw.n;
}

/* The most that a frame of the archive takes. */
static uint64_t unpack_memory(const trial *t)
{
    uint64_t most = 0;
    nz_reader *r = NULL;
    nz_frame frame;
    int n;
    FILE *from = fmemopen(t->packed, t->packed_n, "rb");
    if (from && !nz_reader_new(&r, NULL, from))
        while (!nz_reader_frame(r, &frame, &n) && n)
            most = frame.memory > most ? frame.memory : most;
    nz_reader_free(r);
    if (from)
        fclose(from);
    return most;
}

/* ---- Rounds ---- */

static bool measure(trial *t, bool (*once)(trial *t), struct timing *out)
{
    timer start = timer_now(), spent = {0};
    int rounds = 0;
    do {
        if (!once(t))
            return false;
        spent = timer_since(&start);
        rounds++;
    } while (spent.elapsed < ENOUGH_SECONDS && rounds < ROUNDS_MAX);
    *out = (struct timing){spent.user / rounds, spent.elapsed / rounds, t->memory};
    return true;
}

static void say_failure(const trial *t, const char *setting)
{
    if (t->err)
        work_say_fault(t->o, t->name, (nz_fault){.err = t->err}, 0);
    else
        say_error("%s: %s %s failed", t->name, t->rival ? t->rival->codec : "nzip", setting);
}

/* False: it failed, which was said. */
static bool try_one(trial *t, result *r)
{
    *r = (result){.codec = t->rival ? t->rival->codec : "nzip", .raw = t->raw.n};
    if (t->rival) {
        snprintf(r->setting, sizeof r->setting, "%s", t->rival->setting);
        snprintf(r->label, sizeof r->label, "%s", t->rival->label);
    } else {
        snprintf(r->setting, sizeof r->setting, "-%d", t->level);
        snprintf(r->label, sizeof r->label, "-%d", t->level);
    }
    t->err = NZ_OK;
    if (!measure(t, pack_once, &r->pack) || !measure(t, unpack_once, &r->unpack)) {
        say_failure(t, r->setting);
        return false;
    }
    if (!t->rival)
        r->unpack.memory = unpack_memory(t);
    r->packed = t->packed_n;
    if (!memcmp(t->raw.p, t->again, t->raw.n))
        return true;
    say_error("%s: %s %s did not give the file back", t->name, r->codec, r->setting);
    return false;
}

/* ---- Files ---- */

static unsigned levels_of(const options *o)
{
    return o->levels ? o->levels : LEVELS_DEFAULT;
}

static bool make_room(trial *t)
{
    uint64_t room = nz_bound(t->raw.n);
    for (unsigned i = 0; rival_get(i); i++)
        room = rival_get(i)->bound(t->raw.n) > room ? rival_get(i)->bound(t->raw.n) : room;
    t->room = (size_t)room;
    t->packed = room <= SIZE_MAX ? malloc(t->room) : NULL;
    t->again = malloc(t->raw.n + 1);
    if (t->packed && t->again)
        return true;
    say_error("%s: out of memory", t->name);
    return false;
}

static void add_row(results *all, trial *t)
{
    result *r = &all->row[all->n];
    if (progress_wanted(t->o))
        fprintf(stderr, "\r\033[K%s: %s -%d", t->name, t->rival ? t->rival->codec : "nzip",
                t->level);
    all->n += try_one(t, r);
    if (progress_wanted(t->o))
        fputs("\r\033[K", stderr);
}

/* False: it could not be read. */
static bool bench_file(const options *o, const char *path, results *all)
{
    source s;
    trial t = {.o = o, .name = path};
    *all = (results){.name = path};
    if (!source_open(&s, o, path))
        return false;
    bool good = whole_read(&t.raw, o, &s);
    source_close(&s);
    if (good && !t.raw.n) {
        say_warning("%s: is empty; skipped", path);
        good = false;
    }
    good = good && make_room(&t);
    for (int level = NZ_LEVEL_MIN; level <= NZ_LEVEL_MAX && good; level++)
        if (levels_of(o) >> level & 1) {
            t.level = level;
            add_row(all, &t);
        }
    for (unsigned i = 0; good && (t.rival = rival_get(i)); i++) {
        t.level = t.rival->level;
        add_row(all, &t);
    }
    free(t.packed);
    free(t.again);
    whole_free(&t.raw);
    return good;
}

/* ---- All of them ---- */

static void add_timing(struct timing *to, const struct timing *t)
{
    to->user += t->user;
    to->elapsed += t->elapsed;
    to->memory = t->memory > to->memory ? t->memory : to->memory;
}

/* Only of compressors that managed all files. */
static results sum_of(const results *file, size_t n)
{
    results sum = {0};
    for (unsigned k = 0; k < file[0].n; k++) {
        result r = file[0].row[k];
        bool whole = true;
        for (size_t i = 1; i < n; i++) {
            const result *other = NULL;
            for (unsigned j = 0; j < file[i].n; j++)
                if (!strcmp(file[i].row[j].codec, r.codec) &&
                    !strcmp(file[i].row[j].setting, r.setting))
                    other = &file[i].row[j];
            whole &= other != NULL;
            if (!other)
                continue;
            r.raw += other->raw;
            r.packed += other->packed;
            add_timing(&r.pack, &other->pack);
            add_timing(&r.unpack, &other->unpack);
        }
        if (whole)
            sum.row[sum.n++] = r;
    }
    return sum;
}

static void say_estimate(const options *o)
{
    double seconds = 0;
    char text[CLOCK_TEXT];
    for (int i = 0; i < o->count; i++) {
        struct stat st;
        for (int level = NZ_LEVEL_MIN; level <= NZ_LEVEL_MAX && !stat(o->names[i], &st); level++)
            if (levels_of(o) >> level & 1)
                seconds += 2 * progress_guess(level, (uint64_t)st.st_size);
    }
    if (seconds >= LONG_SECONDS && progress_wanted(o))
        say_note("bench: about %s for nzip's levels", progress_about(text, seconds));
}

/* Before hours of work, not behind them. */
static bool may_create(const options *o, const char *name)
{
    struct stat st;
    if (!name || o->force || stat(name, &st) || !S_ISREG(st.st_mode))
        return true;
    say_error("%s: already exists; not overwritten (-f overwrites)", name);
    return false;
}

void bench_run(const options *o)
{
    size_t n = 0;
    if (!may_create(o, o->csv) || !may_create(o, o->svg))
        return;
    results *all = calloc((size_t)o->count + 1, sizeof *all);
    if (!all) {
        say_error("out of memory");
        return;
    }
    say_estimate(o);
    for (int i = 0; i < o->count; i++)
        if (bench_file(o, o->names[i], &all[n]) && all[n].n) {
            table_print(&all[n]);
            n++;
        }
    if (n > 1) {
        all[n] = sum_of(all, n);
        table_print(&all[n]);
    }
    if (n && o->verbose >= 0)
        table_explain();
    if (n && o->csv)
        table_write(o, all, n);
    if (n && o->svg)
        chart_write(o, all, n);
    free(all);
}
