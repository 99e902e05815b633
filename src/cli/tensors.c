/* Names come from the archive, so they may hold anything: nothing of them reaches a terminal or a
 * path unseen. */
#include "cli/tensors.h"
#include "cli/mapped.h"
#include "cli/message.h"
#include "cli/parts.h"
#include "cli/progress.h"
#include "cli/target.h"
#include "cli/visible.h"
#include "cli/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHAPE_TEXT 200         /* eight dims of 20 digits */
#define PIECE      (128 << 20) /* bytes of a tensor held at a time: frames enough for many cores */

/* Opens and, on errors, says what is wrong. `m` is to be closed behind the archive. */
static nz_archive *open_archive(const options *o, const source *s, mapped *m, progress *bar)
{
    nz_options opt = o->nz;
    nz_archive *a = NULL;
    nz_fault fault = {.err = NZ_E_READ};
    opt.verify = 1;
    opt.progress = bar ? progress_step : NULL;
    opt.progress_arg = bar;
    bool open = mapped_open(m, fileno(s->from), s->name);
    if (!open && errno == ESPIPE)
        say_error("%s: is not a file; only of one can a part be read", s->name);
    else if (!open || nz_archive_open(&a, m->p, m->n, &opt, &fault))
        work_say_fault(o, s->name, fault, errno);
    return a;
}

const char *tensors_name(char text[NAME_TEXT], const char *name)
{
    size_t n = 0;
    text[0] = 0;
    while (*name && n + VISIBLE_TEXT < NAME_TEXT) {
        name = visible_next(text + n, name);
        n += strlen(text + n);
    }
    return text;
}

/* ---- Listing ---- */

static void shape_text(char text[SHAPE_TEXT], const nz_tensor_info *t)
{
    size_t n = 0;
    strcpy(text, "-");
    for (unsigned k = 0; k < t->dims; k++)
        n += (size_t)sprintf(text + n, "%s%llu", k ? "x" : "", (unsigned long long)t->dim[k]);
}

static void print_tensor(const nz_tensor_info *t, const nz_tensor_packed *p)
{
    char packed[SIZE_TEXT] = "-", ratio[SIZE_TEXT] = "-", shape[SHAPE_TEXT], name[NAME_TEXT];
    if (p->packed) {
        snprintf(packed, sizeof packed, "%llu", (unsigned long long)p->packed);
        snprintf(ratio, sizeof ratio, "%.3f", (double)(t->bytes - p->rest) / (double)p->packed);
    }
    shape_text(shape, t);
    printf("%12s %12llu %7s %-13s %-11s %-14s  %s\n", packed, (unsigned long long)t->bytes, ratio,
           p->form    ? p->form
           : t->bytes ? "with the rest"
                      : "-",
           t->dtype, shape, tensors_name(name, t->name));
}

void tensors_list(const options *o, const source *s)
{
    if (!s->path || !S_ISREG(s->st.st_mode))
        return;
    mapped m;
    progress bar = {0};
    nz_archive *a = open_archive(o, s, &m, &bar);
    size_t n = a ? nz_tensor_count(a) : 0;
    nz_tensor_packed *p = calloc(n + 1, sizeof *p);
    nz_tensor_info t;
    nz_fault fault = {.err = NZ_E_MEM};
    if (n && (!p || nz_tensor_measure(a, p, &fault))) {
        work_say_fault(o, s->name, fault, 0);
        n = 0;
    }
    if (n && o->verbose >= 0)
        printf("\n%12s %12s %7s %-13s %-11s %-14s  %s\n", "packed", "raw", "ratio", "coded",
               "dtype", "shape", "tensor");
    for (size_t i = 0; i < n; i++) {
        nz_tensor_about(a, i, &t);
        print_tensor(&t, &p[i]);
    }
    if (n && o->verbose >= 0)
        putchar('\n');
    if (n && o->verbose > 0)
        parts_list(o, s, a, p, &bar);
    free(p);
    nz_archive_free(a);
    mapped_close(&m);
}

/* ---- Names that are not there ---- */

enum { NEAR = 3 /* names told */, FAR = 1000, LONGEST = 255 };

/* How many letters to insert, remove or change to get from one name to the other. */
static unsigned edits(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    unsigned row[LONGEST + 1];
    if (n > LONGEST || m > LONGEST)
        return FAR;
    for (size_t j = 0; j <= m; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned change = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            unsigned least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < least ? change : least;
        }
    }
    return row[m];
}

/* Names that hold the one asked for come first; of others a third may differ. */
static unsigned distance(const char *asked, const char *name)
{
    if (strstr(name, asked))
        return 0;
    unsigned n = edits(asked, name);
    return n <= strlen(asked) / 3 ? n + 1 : FAR;
}

static void say_unknown(const source *s, const nz_archive *a, const char *asked)
{
    unsigned best[NEAR] = {FAR, FAR, FAR};
    char near[NEAR][NAME_TEXT], text[NAME_TEXT];
    nz_tensor_info t;
    for (size_t i = 0; i < nz_tensor_count(a); i++) {
        nz_tensor_about(a, i, &t);
        unsigned n = distance(asked, t.name);
        size_t k = NEAR;
        for (; k > 0 && n < best[k - 1]; k--)
            if (k < NEAR) {
                best[k] = best[k - 1];
                strcpy(near[k], near[k - 1]);
            }
        if (k < NEAR) {
            best[k] = n;
            tensors_name(near[k], t.name);
        }
    }
    tensors_name(text, asked);
    if (!nz_tensor_count(a))
        say_error("%s: no tensor '%s': the archive lists none", s->name, text);
    else if (best[0] == FAR)
        say_error("%s: no tensor '%s'; 'nzip -l' lists all %zu", s->name, text, nz_tensor_count(a));
    else if (best[1] == FAR)
        say_error("%s: no tensor '%s'; there is '%s'", s->name, text, near[0]);
    else if (best[2] == FAR)
        say_error("%s: no tensor '%s'; there are '%s' and '%s'", s->name, text, near[0], near[1]);
    else
        say_error("%s: no tensor '%s'; there are '%s', '%s', '%s' ...", s->name, text, near[0],
                  near[1], near[2]);
}

/* ---- Taking out ---- */

/* On NZ_E_WRITE errno is about the target. */
static nz_err copy_tensor(const nz_archive *a, size_t tensor, uint64_t bytes, const target *to,
                          nz_fault *fault)
{
    size_t room = bytes < PIECE ? (size_t)bytes : PIECE;
    char *part = malloc(room + 1);
    nz_err err = part ? NZ_OK : NZ_E_MEM;
    *fault = (nz_fault){.err = err};
    for (uint64_t at = 0; at < bytes && !err; at += room) {
        size_t n = bytes - at < room ? (size_t)(bytes - at) : room;
        err = nz_tensor_read(a, tensor, at, part, n, fault);
        if (!err && !target_write(to, part, n))
            fault->err = err = NZ_E_WRITE;
    }
    int saved = errno;
    free(part);
    errno = saved;
    return err;
}

/* `name` NULL: to standard output. */
static bool take(const options *o, const source *s, const nz_archive *a, size_t tensor,
                 const char *name)
{
    target t;
    nz_tensor_info info;
    nz_fault fault;
    nz_tensor_about(a, tensor, &info);
    if (source_is(s, name)) {
        say_error("%s: input and output are the same file", s->name);
        return false;
    }
    if (!target_open(&t, name, o->output, o->force))
        return false;
    if (!copy_tensor(a, tensor, info.bytes, &t, &fault))
        return target_keep(&t, s->path ? &s->st : NULL, false);
    int saved = errno;
    target_drop(&t);
    if (fault.err == NZ_E_WRITE)
        work_say_write_failure(&t, saved);
    else
        work_say_fault(o, s->name, fault, saved);
    return false;
}

/* ARCHIVE.nz and "a/b" make ARCHIVE.a_b.bin, beside the archive whatever the name is. */
static char *own_name(const char *archive, const char *tensor)
{
    char *name = malloc(strlen(archive) + strlen(tensor) + sizeof "..bin");
    if (!name)
        return NULL;
    size_t n = (size_t)sprintf(name, "%s.", archive);
    for (const char *p = tensor; *p; p++)
        name[n++] = *p == '/' || (unsigned char)*p < ' ' || *p == 127 ? '_' : *p;
    strcpy(name + n, ".bin");
    return name;
}

static bool take_beside(const options *o, const source *s, const nz_archive *a, size_t tensor)
{
    nz_tensor_info info;
    nz_tensor_about(a, tensor, &info);
    char *archive = source_raw_name(s->path);
    char *name = archive ? own_name(archive, info.name) : NULL;
    if (archive && !name)
        say_error("%s: out of memory", s->name);
    bool good = name && take(o, s, a, tensor, name);
    free(archive);
    free(name);
    return good;
}

void tensors_take(const options *o, const source *s)
{
    bool beside = s->path && !o->output && !o->to_stdout;
    mapped m;
    nz_archive *a = open_archive(o, s, &m, NULL);
    bool good = a != NULL;
    for (int i = 0; i < o->tensor_count && a; i++)
        if (nz_tensor_find(a, o->tensors[i]) == nz_tensor_count(a)) {
            say_unknown(s, a, o->tensors[i]);
            good = false;
        }
    for (int i = 0; i < o->tensor_count && good; i++) {
        size_t tensor = nz_tensor_find(a, o->tensors[i]);
        good = beside ? take_beside(o, s, a, tensor) : take(o, s, a, tensor, o->output);
    }
    nz_archive_free(a);
    mapped_close(&m);
}
