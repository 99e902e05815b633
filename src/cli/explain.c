/* A file that is no archive is packed in memory first; then both are told of in the same way. */
#include "cli/explain.h"
#include "cli/message.h"
#include "cli/page.h"
#include "cli/progress.h"
#include "cli/target.h"
#include "cli/whole.h"
#include "cli/work.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is explained: bytes that are an archive, whoever made it. */
typedef struct subject {
    whole file, packed;
    nz_archive *archive;
    int level; /* 0: the file is the archive */
} subject;

static void subject_free(subject *b)
{
    nz_archive_free(b->archive);
    whole_free(&b->packed);
    whole_free(&b->file);
}

static nz_err pack(subject *b, const nz_options *opt)
{
    uint64_t room = nz_bound(b->file.n);
    b->level = opt->level ? opt->level : NZ_LEVEL_DEFAULT;
    b->packed.p = room <= SIZE_MAX ? malloc((size_t)room) : NULL;
    return b->packed.p ? nz_pack(b->packed.p, (size_t)room, &b->packed.n, b->file.p, b->file.n, opt)
                       : NZ_E_MEM;
}

/* Errors are said. */
static bool open_subject(subject *b, const options *o, const source *s, progress *bar)
{
    nz_options opt = o->nz;
    nz_fault fault;
    *b = (subject){0};
    if (!whole_read(&b->file, o, s))
        return false;
    progress_estimate(o, s->name, b->file.n);
    progress_start(bar, o, s->name, b->file.n);
    opt.progress = bar->shown ? progress_step : NULL;
    opt.progress_arg = bar;
    fault.err = nz_archive_open(&b->archive, b->file.p, b->file.n, &opt, &fault);
    if (fault.err == NZ_E_MAGIC || !b->file.n) {
        fault = (nz_fault){.err = pack(b, &opt)};
        if (!fault.err)
            nz_archive_open(&b->archive, b->packed.p, b->packed.n, &opt, &fault);
    }
    progress_end(bar);
    if (!fault.err)
        return true;
    work_say_fault(o, s->name, fault, 0);
    subject_free(b);
    return false;
}

/* All that the page tells. */
typedef struct findings {
    costs costs;
    nz_cost_sum sum;
    nz_tensor_parts *parts;
    nz_tensor_packed *coded;
} findings;

static void findings_free(findings *f)
{
    costs_free(&f->costs);
    free(f->parts);
    free(f->coded);
}

static nz_err find(findings *f, const nz_archive *a, nz_fault *fault)
{
    size_t n = nz_tensor_count(a);
    *f = (findings){0};
    *fault = (nz_fault){.err = NZ_E_MEM};
    f->parts = calloc(n + 1, sizeof *f->parts);
    f->coded = calloc(n + 1, sizeof *f->coded);
    if (!f->parts || !f->coded)
        return NZ_E_MEM;
    nz_err err = nz_archive_explain(a, costs_add, &f->costs, &f->sum, fault);
    if (err == NZ_E_STOPPED && f->costs.failed)
        *fault = (nz_fault){.err = err = NZ_E_MEM};
    if (!err && n)
        err = nz_tensor_measure(a, f->coded, fault);
    if (!err && n)
        err = nz_tensor_explain(a, f->parts, fault);
    return err;
}

/* `name` NULL: to standard output. */
static void write_page(const options *o, const source *s, const subject *b, const findings *f,
                       const char *name)
{
    target t;
    const char *slash = strrchr(s->name, '/');
    page p = {.name = slash && slash[1] ? slash + 1 : s->name,
              .raw = nz_archive_raw(b->archive),
              .packed = b->level ? b->packed.n : b->file.n,
              .level = b->level,
              .costs = &f->costs,
              .sum = &f->sum,
              .tensors = nz_tensor_count(b->archive),
              .archive = b->archive,
              .parts = f->parts,
              .coded = f->coded};
    if (source_is(s, name)) {
        say_error("%s: input and output are the same file", s->name);
        return;
    }
    if (!target_open(&t, name, o->output, o->force))
        return;
    page_write(&(html){.to = t.to}, &p);
    if (target_keep(&t, NULL, false) && name && o->verbose > 0)
        say_note("%s: %s", s->name, name);
}

static void explain(const options *o, const source *s, const char *name)
{
    subject b;
    findings f;
    progress bar;
    nz_fault fault;
    if (!open_subject(&b, o, s, &bar))
        return;
    progress_start(&bar, o, s->name, nz_archive_raw(b.archive));
    nz_err err = find(&f, b.archive, &fault);
    progress_end(&bar);
    if (err)
        work_say_fault(o, s->name, fault, 0);
    else
        write_page(o, s, &b, &f, name);
    findings_free(&f);
    subject_free(&b);
}

void explain_file(const options *o, const source *s)
{
    if (o->output || o->to_stdout || !s->path) {
        explain(o, s, o->output);
        return;
    }
    char *name = malloc(strlen(s->path) + sizeof ".html");
    if (!name) {
        say_error("%s: out of memory", s->name);
        return;
    }
    explain(o, s, strcat(strcpy(name, s->path), ".html"));
    free(name);
}
