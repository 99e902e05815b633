/* System calls are counted and changed by ptrace(), from main() on (fail.c says where it begins);
 * allocations count themselves. */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "registers are those of x86-64"
#endif

enum { SECONDS_MOST = 60, LOG_FD = 9, THREADS = 64 };

static volatile pid_t running;
static volatile sig_atomic_t too_long;

static void on_alarm(int number)
{
    (void)number;
    too_long = 1;
    if (running)
        kill(running, SIGKILL);
}

static void die(const char *what)
{
    perror(what);
    exit(2);
}

/* ---- The child ---- */

static void redirect(const char *path, int flags, int to)
{
    int fd = open(path, flags, 0600);
    if (fd < 0 || dup2(fd, to) < 0)
        die(path);
    close(fd);
}

static void become(const command *c, const fault *f, int log, bool traced)
{
    redirect(c->in ? c->in : "/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(c->out, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(c->err, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    if (dup2(log, LOG_FD) < 0 || chdir(c->folder))
        die(c->folder);
    char *at = text("%zu%s", f->at, f->on ? "+" : "");
    if (f->kind == FAULT_ALLOCATION)
        setenv("NZ_FAIL", at, 1);
    if (!traced)
        setenv("NZ_FAIL_FD", "9", 1);
    if (traced) {
        setenv("NZ_TRACED", "1", 1);
        setenv("ASAN_OPTIONS", "detect_leaks=0:exitcode=99",
               1); /* leaks need a tracer of their own */
        if (ptrace(PTRACE_TRACEME, 0, 0, 0))
            die("ptrace");
    }
    signal(SIGPIPE, SIG_DFL);
    execv(c->argv[0], c->argv);
    die(c->argv[0]);
}

/* ---- The tracer ---- */

/* What is to be put right when a call of that thread returns. */
typedef struct pending {
    pid_t thread;
    kind kind;
    long value;
} pending;

typedef struct tracer {
    const fault *f;
    outcome *o;
    pid_t child;
    size_t seen; /* calls that the fault is about */
    size_t room;
    pending pending[THREADS];
} tracer;

static void record(tracer *t, long call)
{
    outcome *o = t->o;
    if (o->calls == t->room) {
        t->room = t->room ? 2 * t->room : 256;
        if (!(o->call = realloc(o->call, t->room * sizeof *o->call)))
            die("torture");
    }
    o->call[o->calls++] = call;
}

static void wait_for_return(tracer *t, pid_t thread, kind kind, long value)
{
    for (size_t i = 0; i < THREADS; i++)
        if (!t->pending[i].thread) {
            t->pending[i] = (pending){thread, kind, value};
            return;
        }
    die("too many threads");
}

/* Of a message that cannot be written nobody could be told. */
static bool is_message(const struct user_regs_struct *r)
{
    return r->orig_rax == SYS_write && r->rdi == STDERR_FILENO;
}

static bool its_turn(tracer *t, const struct user_regs_struct *r)
{
    const fault *f = t->f;
    if (f->kind <= FAULT_ALLOCATION || (f->call != CALL_ANY && f->call != (long)r->orig_rax))
        return false;
    if (f->call != CALL_ANY && is_message(r))
        return false;
    size_t now = t->seen++;
    if (now < f->at || (!f->on && now > f->at))
        return false;
    return now == f->at || f->kind != FAULT_ERROR || (now - f->at) % 2 == 0;
}

static void strike(tracer *t, pid_t thread, struct user_regs_struct *r)
{
    const fault *f = t->f;
    switch (f->kind) {
    case FAULT_ERROR:
        r->orig_rax = (unsigned long long)-1;
        wait_for_return(t, thread, f->kind, -f->value);
        break;
    case FAULT_SHORT:
        if (r->rdx <= (unsigned)f->value)
            return;
        wait_for_return(t, thread, f->kind, (long)r->rdx);
        r->rdx = (unsigned)f->value;
        break;
    case FAULT_SIGNAL:
        if (f->value == SIGKILL)
            kill(t->child, SIGKILL);
        else
            syscall(SYS_tgkill, t->child, thread, f->value);
        t->o->struck = true;
        return;
    case FAULT_CHANGE: t->o->struck |= f->change(f->arg); return;
    default: return;
    }
    if (ptrace(PTRACE_SETREGS, thread, 0, r))
        die("ptrace");
    t->o->struck = true;
}

static void call_begins(tracer *t, pid_t thread)
{
    struct user_regs_struct r;
    if (ptrace(PTRACE_GETREGS, thread, 0, &r))
        return; /* it was killed meanwhile */
    if (t->f->kind == FAULT_NONE)
        record(t, (long)r.orig_rax);
    else if (its_turn(t, &r))
        strike(t, thread, &r);
}

static void call_ends(tracer *t, pid_t thread)
{
    struct user_regs_struct r;
    for (size_t i = 0; i < THREADS; i++) {
        pending *p = &t->pending[i];
        if (p->thread != thread)
            continue;
        p->thread = 0;
        if (ptrace(PTRACE_GETREGS, thread, 0, &r))
            return;
        if (p->kind == FAULT_ERROR)
            r.rax = (unsigned long long)p->value;
        else
            r.rdx = (unsigned long long)p->value; /* the kernel leaves it as it was */
        ptrace(PTRACE_SETREGS, thread, 0, &r);
    }
}

/* Returns the signal to be handed on. */
static int stopped(tracer *t, pid_t thread, int status)
{
    struct __ptrace_syscall_info info;
    int number = WSTOPSIG(status);
    if (number == (SIGTRAP | 0x80)) {
        if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0)
            return 0;
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
            call_begins(t, thread);
        else
            call_ends(t, thread);
        return 0;
    }
    if (number == SIGTRAP || number == SIGSTOP) /* a new thread, the start */
        return 0;
    return number;
}

static int next_event(pid_t *who)
{
    int status;
    while ((*who = waitpid(-1, &status, __WALL)) < 0)
        if (errno != EINTR)
            die("waitpid");
    return status;
}

static void trace(tracer *t)
{
    pid_t who;
    int status = next_event(&who); /* behind execv() */
    if (WIFSTOPPED(status)) {
        ptrace(PTRACE_SETOPTIONS, who, 0,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
        ptrace(PTRACE_CONT, who, 0, 0);
        status = next_event(&who); /* before main() */
    }
    while (WIFSTOPPED(status) || who != t->child) {
        if (WIFSTOPPED(status))
            ptrace(PTRACE_SYSCALL, who, 0, stopped(t, who, status));
        status = next_event(&who);
    }
    t->o->status = status;
}

/* ---- Both ---- */

static void read_log(outcome *o, int log, bool failing)
{
    off_t n = lseek(log, 0, SEEK_END);
    o->struck = failing && n > 0;
    if (failing || n <= 0)
        return;
    o->calls = (size_t)n / sizeof *o->call;
    if (!(o->call = malloc((size_t)n)) || pread(log, o->call, (size_t)n, 0) != n)
        die("torture");
}

outcome run(const command *c, const fault *f)
{
    outcome o = {0};
    bool traced = c->traced || f->kind > FAULT_ALLOCATION;
    tracer t = {.f = f, .o = &o};
    FILE *log = tmpfile();
    if (!log)
        die("tmpfile");
    too_long = 0;
    signal(SIGALRM, on_alarm);
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (!child)
        become(c, f, fileno(log), traced);
    running = t.child = child;
    alarm(SECONDS_MOST);
    if (traced)
        trace(&t);
    else
        while (waitpid(child, &o.status, 0) < 0 && errno == EINTR)
            ;
    alarm(0);
    running = 0;
    o.hung = too_long;
    if (!traced)
        read_log(&o, fileno(log), f->kind == FAULT_ALLOCATION);
    fclose(log);
    o.out = blob_read(c->out);
    o.err = blob_read(c->err);
    return o;
}

void outcome_free(outcome *o)
{
    blob_free(&o->out);
    blob_free(&o->err);
    free(o->call);
    *o = (outcome){0};
}
