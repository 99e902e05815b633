#define _GNU_SOURCE
#include "plan.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

const char *const CLASS_NAME[CLASSES] = {"memory", "full",  "short",  "eintr", "read",
                                         "write",  "calls", "signal", "kill",  "change"};

static void add(plan *p, trial t)
{
    /* Doubled whenever its size is a power of two. */
    if (!(p->n & (p->n - 1)) &&
        !(p->trial = realloc(p->trial, (p->n ? 2 * p->n : 1) * sizeof *p->trial)))
        exit(2);
    p->trial[p->n++] = t;
}

static void add_fault(plan *p, fault f)
{
    add(p, (trial){.f = f});
}

static size_t count(const stage *st, long call)
{
    size_t n = 0;
    for (size_t i = 0; i < st->system.calls; i++)
        n += call == CALL_ANY || st->system.call[i] == call;
    return n;
}

/* Of allocations that come from the same place the first two and the last one. */
static void plan_memory(plan *p, const stage *st, bool on)
{
    const long *call = st->memory.call;
    size_t n = st->memory.calls;
    for (size_t i = 0; i < n; i++) {
        size_t before = 0, after = 0;
        for (size_t j = 0; j < n; j++) {
            before += j < i && call[j] == call[i];
            after += j > i && call[j] == call[i];
        }
        if (before == 0 || (!on && (before == 1 || after == 0)))
            add_fault(p, (fault){.kind = FAULT_ALLOCATION, .at = i, .on = on});
    }
}

/* At each such call, and at all of them. */
static void plan_call(plan *p, const stage *st, fault f, bool all)
{
    size_t n = count(st, f.call);
    for (f.at = 0; f.at < n; f.at++)
        add_fault(p, f);
    f.at = 0;
    f.on = true;
    if (all && n)
        add_fault(p, f);
}

static void plan_short(plan *p, const stage *st)
{
    static const long CALL[] = {SYS_read, SYS_write};
    for (size_t i = 0; i < 2; i++) {
        plan_call(p, st, (fault){.kind = FAULT_SHORT, .call = CALL[i], .value = 1}, false);
        plan_call(p, st, (fault){.kind = FAULT_SHORT, .call = CALL[i], .value = 61}, true);
    }
}

static void plan_error(plan *p, const stage *st, long call, int error)
{
    plan_call(p, st, (fault){.kind = FAULT_ERROR, .call = call, .value = error}, error == EINTR);
}

typedef struct error {
    long call;
    const char *name;
    int value;
} error;

/* Such as there are in the field: a lost disk or network, quotas and limits, file systems without
 * hard links or owners. */
static const error OTHER[] = {
    {SYS_openat, "openat", EMFILE},
    {SYS_openat, "openat", EACCES},
    {SYS_newfstatat, "fstatat", EIO},
    {SYS_fstat, "fstat", EIO},
    {SYS_lseek, "lseek", EIO},
    {SYS_link, "link", EPERM},
    {SYS_link, "link", EIO},
    {SYS_link, "link", EEXIST},
    {SYS_rename, "rename", EIO},
    {SYS_unlink, "unlink", EIO},
    {SYS_fsync, "fsync", EIO},
    {SYS_close, "close", EIO},
    {SYS_mmap, "mmap", ENOMEM},
    {SYS_madvise, "madvise", EINVAL},
    {SYS_getdents64, "getdents", EIO},
    {SYS_fchmod, "fchmod", EPERM},
    {SYS_fchown, "fchown", EPERM},
    {SYS_utimensat, "utimensat", EPERM},
    {SYS_clone3, "clone", EAGAIN},
    {SYS_rt_sigaction, "sigaction", EINVAL},
    {SYS_mprotect, "mprotect", ENOMEM},
    {SYS_read, "read", 0},
    {SYS_write, "write", 0},
};
enum { OTHERS = sizeof OTHER / sizeof *OTHER };

static void plan_signals(plan *p, const stage *st)
{
    static const int SIGNAL[] = {SIGINT, SIGTERM};
    static const int ALSO[] = {SIGHUP, SIGPIPE, SIGXCPU, SIGQUIT};
    size_t n = count(st, CALL_ANY);
    for (size_t i = 0; i < n; i++) {
        fault f = {.kind = FAULT_SIGNAL, .call = CALL_ANY, .at = i};
        for (size_t k = 0; k < 2; k++) {
            f.value = SIGNAL[k];
            add_fault(p, f);
        }
        f.value = ALSO[i % 4];
        add_fault(p, f);
    }
}

/* But not between the last look at the input and its removal: nothing guards that moment. */
static void plan_changes(plan *p, const stage *st)
{
    size_t n = st->s->victim ? count(st, CALL_ANY) : 0;
    for (size_t i = 0; i < n; i++)
        for (manner how = 0; how < MANNERS && st->system.call[i] != SYS_unlink; how++)
            add(p, (trial){{.kind = FAULT_CHANGE, .call = CALL_ANY, .at = i}, how});
}

plan plan_new(const stage *st, class c)
{
    plan p = {0};
    switch (c) {
    case CLASS_MEMORY: plan_memory(&p, st, false); break;
    case CLASS_FULL: plan_memory(&p, st, true); break;
    case CLASS_SHORT: plan_short(&p, st); break;
    case CLASS_EINTR:
        plan_error(&p, st, SYS_read, EINTR);
        plan_error(&p, st, SYS_write, EINTR);
        break;
    case CLASS_READ: plan_error(&p, st, SYS_read, EIO); break;
    case CLASS_WRITE:
        plan_error(&p, st, SYS_write, ENOSPC);
        plan_error(&p, st, SYS_write, EIO);
        plan_error(&p, st, SYS_write, EPIPE);
        break;
    case CLASS_CALLS:
        for (size_t i = 0; i < OTHERS; i++)
            if (OTHER[i].value)
                plan_error(&p, st, OTHER[i].call, OTHER[i].value);
        break;
    case CLASS_SIGNAL: plan_signals(&p, st); break;
    case CLASS_KILL:
        plan_call(&p, st, (fault){FAULT_SIGNAL, .call = CALL_ANY, .value = SIGKILL}, false);
        break;
    case CLASS_CHANGE: plan_changes(&p, st); break;
    case CLASSES: break;
    }
    return p;
}

void plan_free(plan *p)
{
    free(p->trial);
    *p = (plan){0};
}

static const char *call_name(long call)
{
    for (size_t i = 0; i < OTHERS; i++)
        if (OTHER[i].call == call)
            return OTHER[i].name;
    return "any";
}

char *trial_text(const trial *t)
{
    const fault *f = &t->f;
    const char *on = f->on ? " and later ones" : "";
    switch (f->kind) {
    case FAULT_ALLOCATION: return text("allocation %zu%s", f->at, on);
    case FAULT_ERROR:
        return text("%s at call %zu of %s%s", strerrorname_np(f->value), f->at, call_name(f->call),
                    on);
    case FAULT_SHORT:
        return text("%d bytes at call %zu of %s%s", f->value, f->at, call_name(f->call), on);
    case FAULT_SIGNAL: return text("SIG%s at call %zu", sigabbrev_np(f->value), f->at);
    case FAULT_CHANGE: return text("input %s at call %zu", MANNER_NAME[t->how], f->at);
    default: return text("nothing");
    }
}
