#include "judge.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const VERDICT_NAME[VERDICTS] = {"survived", "reported",    "died",    "LOST",
                                            "LEFT",     "UNEXPLAINED", "CRASHED", "HUNG"};
const char *const MANNER_NAME[MANNERS] = {"shrinks", "is emptied", "grows", "is rewritten",
                                          "is replaced"};

/* ---- Changes ---- */

change change_new(const stage *st, const place *p, manner how)
{
    blob old = tree_find(&st->have, st->s->victim)->is;
    change c = {text("%s/%s", p->folder, st->s->victim), blob_copy(old), how};
    if (how == SHRINKS)
        c.last.n /= 2;
    if (how == EMPTIES)
        c.last.n = 0;
    if (how == GROWS) {
        blob_free(&c.last);
        c.last = (blob){malloc(2 * old.n), 2 * old.n};
        memcpy(c.last.p, old.p, old.n);
        memcpy(c.last.p + old.n, old.p, old.n);
    }
    for (size_t i = how == REWRITTEN ? old.n / 3 : 0; i < old.n && how >= REWRITTEN; i++)
        c.last.p[i] ^= 1;
    return c;
}

static bool put(const char *path, int flags, blob b, size_t from)
{
    int fd = open(path, O_WRONLY | flags, 0600);
    if (fd < 0)
        return false;
    bool good = pwrite(fd, b.p + from, b.n - from, (off_t)from) == (ssize_t)(b.n - from);
    return !close(fd) && good;
}

bool change_do(const void *arg)
{
    const change *c = arg;
    struct stat st;
    if (lstat(c->path, &st))
        return false;
    if (c->how <= EMPTIES)
        return !truncate(c->path, (off_t)c->last.n);
    if (c->how != REPLACED)
        return put(c->path, 0, c->last, c->how == GROWS ? (size_t)st.st_size : c->last.n / 3);
    char *other = text("%s.other", c->path);
    bool good = put(other, O_CREAT | O_EXCL, c->last, 0) && !rename(other, c->path);
    free(other);
    return good;
}

void change_free(change *c)
{
    free(c->path);
    blob_free(&c->last);
}

/* ---- What is there ---- */

static bool is_archive(const char *name)
{
    size_t n = strlen(name);
    return n > 3 && !strcmp(name + n - 3, ".nz");
}

static bool is_temporary(const char *name)
{
    const char *slash = strrchr(name, '/');
    return !strncmp(slash ? slash + 1 : name, ".nzip-", 6);
}

/* What is made from a file, under the name that it then has. */
static const named *made_from(const tree *t, const char *name)
{
    char *other =
        is_archive(name) ? text("%.*s", (int)strlen(name) - 3, name) : text("%s.nz", name);
    const named *it = tree_find(t, other);
    free(other);
    return it;
}

typedef struct scope {
    const stage *st;
    const place *p;
    const change *c; /* NULL: no input was changed */
    tree after;
    int status; /* the exit status; -1: killed */
} scope;

static bool is_victim(const scope *s, const named *f)
{
    return s->c && !strcmp(f->name, s->st->s->victim);
}

/* What an input should hold now, or have held when it was removed. */
static blob last_of(const scope *s, const named *input)
{
    return is_victim(s, input) ? s->c->last : input->is;
}

/* Bytes that one of the inputs holds, or held. */
static bool is_an_input(const scope *s, blob b)
{
    for (size_t i = 0; i < s->st->have.n; i++) {
        const named *f = &s->st->have.file[i];
        if (blob_same(f->is, b) || blob_same(last_of(s, f), b))
            return true;
    }
    return false;
}

/* What the archive holds: with the files that are there, or with an input as it was first, which
 * may be its base, and was what it had to be then. */
static blob contents(const scope *s, const char *name)
{
    tree t = {0};
    blob raw = decode(s->p, &s->after, name);
    if (raw.p || !s->c)
        return raw;
    for (size_t i = 0; i < s->after.n; i++) {
        const named *f = &s->after.file[i], *have = tree_find(&s->st->have, f->name);
        tree_add(&t, f->name, blob_copy(have ? have->is : f->is));
    }
    raw = decode(s->p, &t, name);
    tree_free(&t);
    return raw;
}

/* An archive that differs from the one without a fault: an input that changed may be packed in
 * part, if that was said; tensors that could not be compared are packed by themselves. */
static bool good_archive(const scope *s, const char *name)
{
    blob raw = contents(s, name);
    bool good = raw.p && ((s->c && s->status != 0) || is_an_input(s, raw));
    blob_free(&raw);
    return good;
}

/* Files unpacked from an archive that changed. */
static bool good_contents(const scope *s, const named *archive, blob output)
{
    tree t = {0};
    tree_add(&t, archive->name, blob_copy(last_of(s, archive)));
    for (size_t i = 0; i < s->after.n; i++)
        if (strcmp(s->after.file[i].name, archive->name))
            tree_add(&t, s->after.file[i].name, blob_copy(s->after.file[i].is));
    blob raw = decode(s->p, &t, archive->name);
    bool good = blob_same(raw, output);
    blob_free(&raw);
    tree_free(&t);
    return good;
}

/* What it became is what its archive unpacks to, or it unpacks to its archive's contents. */
static bool became(const scope *s, const named *input, const named *output)
{
    const named *want = tree_find(&s->st->want, output->name);
    if (!is_victim(s, input) && want && blob_same(want->is, output->is))
        return true;
    if (is_archive(input->name))
        return good_contents(s, input, output->is);
    blob raw = contents(s, output->name);
    bool good = blob_same(raw, last_of(s, input));
    blob_free(&raw);
    return good;
}

static const char *look_at(const scope *s, const named *f)
{
    const named *have = tree_find(&s->st->have, f->name), *want = tree_find(&s->st->want, f->name);
    const named *from = made_from(&s->st->have, f->name);
    if (have && (blob_same(last_of(s, have), f->is) || blob_same(have->is, f->is)))
        return NULL;
    if (!want)
        return have ? "an input was written to" : "a file that nobody asked for";
    if (blob_same(want->is, f->is))
        return NULL;
    if (is_archive(f->name) ? good_archive(s, f->name) : from && good_contents(s, from, f->is))
        return NULL;
    return "a file under its final name is not complete";
}

static const char *look_for(const scope *s, const named *input)
{
    if (tree_find(&s->after, input->name))
        return NULL;
    if (tree_find(&s->st->want, input->name))
        return "an input is gone";
    const named *output = made_from(&s->after, input->name);
    if (!output)
        return "an input was removed, and there is no output";
    return became(s, input, output) ? NULL : "an input was removed that is not what was read";
}

static const char *any_loss(const scope *s)
{
    const char *why = NULL;
    for (size_t i = 0; i < s->after.n && !why; i++)
        if (!is_temporary(s->after.file[i].name))
            why = look_at(s, &s->after.file[i]);
    for (size_t i = 0; i < s->st->have.n && !why; i++)
        why = look_for(s, &s->st->have.file[i]);
    return why;
}

static bool any_temporary(const tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (is_temporary(t->file[i].name))
            return true;
    return false;
}

/* All is as it would be without the fault. */
static bool nothing_missing(const scope *s, const outcome *o)
{
    const stage *st = s->st;
    for (size_t i = 0; i < st->want.n; i++)
        if (!tree_find(&s->after, st->want.file[i].name))
            return false;
    return s->c ? true : s->after.n == st->want.n && blob_same(o->out, st->want_out);
}

/* ---- What is said ---- */

/* Or its folder. */
static bool names_one_of(const char *line, const tree *t)
{
    bool named = false;
    for (size_t i = 0; i < t->n && !named; i++) {
        const char *slash = strrchr(t->file[i].name, '/');
        named = strstr(line, slash ? slash + 1 : t->file[i].name);
        if (slash && !named) {
            char *folder = text("nzip: %.*s", (int)(slash - t->file[i].name), t->file[i].name);
            named = strstr(line, folder);
            free(folder);
        }
    }
    return named;
}

/* Each line is ours, and one of them names a file and gives a reason. */
static bool explained(const stage *st, const outcome *o)
{
    char *all = text("%.*s", (int)o->err.n, o->err.p ? (const char *)o->err.p : ""), *at = all;
    bool ours = true, named = false;
    for (char *line; (line = strsep(&at, "\n")) != NULL;) {
        if (!*line)
            continue;
        ours &= !strncmp(line, "nzip: ", 6) && !strstr(line, "Success");
        named |= strstr(line + 6, ": ") &&
                 (names_one_of(line, &st->have) || names_one_of(line, &st->want) ||
                  strstr(line, "(stdin)") || strstr(line, "(stdout)") || strstr(line, " --"));
    }
    free(all);
    return ours && named;
}

/* Nobody is there to be told: standard error is broken itself, or standard output is a pipe whose
 * reader has gone. */
static bool need_not_explain(const fault *f)
{
    return f->kind == FAULT_ERROR && f->call == SYS_write && f->value == EPIPE;
}

static verdict judge_status(const scope *s, const fault *f, const outcome *o, const char **why)
{
    const stage *st = s->st;
    *why = "by a signal that nobody sent";
    if (s->status < 0)
        return f->kind == FAULT_SIGNAL && WTERMSIG(o->status) == f->value ? DIED : CRASHED;
    *why = "an exit status that is none of ours";
    if (s->status > 2)
        return CRASHED;
    *why = "exit 0, but the output is not what it must be";
    if (s->status == 0)
        return nothing_missing(s, o) ? SURVIVED : LOST;
    *why = "output before the error is not what it must be";
    if (st->s->data && !s->c && !blob_starts(st->want_out, o->out))
        return LOST;
    *why = "no file or no reason is named";
    return explained(st, o) || need_not_explain(f) ? REPORTED : UNEXPLAINED;
}

verdict judge(const stage *st, const place *p, const fault *f, const change *changed,
              const outcome *o, const char **why)
{
    scope s = {.st = st, .p = p, .c = o->struck ? changed : NULL};
    s.status = WIFEXITED(o->status) ? WEXITSTATUS(o->status) : -1;
    s.after = tree_read(p->folder);
    verdict v = HUNG;
    *why = "for a minute";
    if (!o->hung && (*why = any_loss(&s)) != NULL)
        v = LOST;
    else if (!o->hung)
        v = judge_status(&s, f, o, why);
    if (v <= DIED && any_temporary(&s.after) && !(f->kind == FAULT_SIGNAL && f->value == SIGKILL)) {
        v = LEFT;
        *why = "a temporary file is left";
    }
    tree_free(&s.after);
    return v;
}
