/* Streams between FILEs and libnzip, and turns nz_fault into sentences with a way out. */
#include "cli/work.h"
#include "cli/message.h"
#include "cli/progress.h"

#include <errno.h>
#include <string.h>

#define ARCHIVE_FIRST 0xce /* byte, of every archive of every version */

static unsigned char buffer[1 << 20];

/* ---- Faults ---- */

static void say_limit(const options *o, const char *name, uint64_t needed)
{
    char limit[SIZE_TEXT], need[SIZE_TEXT];
    const char *way_out = o->task == TASK_PACK ? ", use a lower level or a smaller --frame" : "";
    if (o->nz.memory)
        size_text(limit, o->nz.memory);
    else
        strcpy(limit, "half of the memory");
    if (needed)
        say_error("%s: needs %s of memory, the limit is %s; raise it with --memory%s", name,
                  size_text(need, needed), limit, way_out);
    else
        say_error("%s: needs more memory than the limit, %s; raise it with --memory%s", name, limit,
                  way_out);
}

static void say_broken(const char *name, nz_fault f)
{
    say_error("%s: at byte %llu: %s", name, (unsigned long long)f.offset,
              f.reason ? f.reason : nz_err_text(f.err));
}

void work_say_fault(const options *o, const char *name, nz_fault f, int system_error)
{
    switch (f.err) {
    case NZ_OK:
    case NZ_E_STOPPED: say_failed(); break;
    case NZ_E_READ: say_error("%s: cannot read: %s", name, strerror(system_error)); break;
    case NZ_E_WRITE: say_error("%s: cannot write: %s", name, strerror(system_error)); break;
    case NZ_E_LIMIT: say_limit(o, name, 0); break;
    case NZ_E_MEM:
        say_error("%s: out of memory; %s needs less", name,
                  o->task == TASK_PACK ? "a lower level, -T1 or a smaller --frame" : "-T1");
        break;
    case NZ_E_ARG: /* the level and the threads were checked when they were read */
        if (o->nz.dtype)
            say_error("%s: --dtype: there are no rows like that of '%s'; -l shows names of types",
                      name, o->nz.dtype);
        else
            say_error("%s: --frame is out of range; it may be 64K to 1G", name);
        break;
    case NZ_E_BASE: say_error("%s: %s; name it with --base", name, f.reason); break;
    default: say_broken(name, f); break;
    }
}

/* A closed pipe is no news: its reader has seen enough. */
void work_say_write_failure(const target *t, int system_error)
{
    if (system_error == EPIPE && !t->name)
        say_failed();
    else
        say_error("%s: cannot write: %s", target_name(t), strerror(system_error));
}

/* ---- Packing ---- */

static nz_err feed(nz_writer *w, const source *s, uint64_t *raw)
{
    size_t n;
    do {
        if (!source_read(s, buffer, sizeof buffer, &n))
            return NZ_E_READ;
        nz_err err = nz_writer_put(w, buffer, n);
        if (err)
            return err;
        *raw += n;
    } while (n);
    return NZ_OK;
}

/* Memory is known beforehand only when the size is; -T1 because frames in flight adapt. */
static uint64_t least_memory(const options *o, const source *s)
{
    nz_options one = o->nz;
    one.threads = 1;
    one.memory = 0;
    return nz_pack_memory(&one, source_size(s));
}

static void say_pack_failure(const options *o, const source *s, const target *t, nz_fault f,
                             int system_error)
{
    if (f.err == NZ_E_WRITE)
        work_say_write_failure(t, system_error);
    else if (f.err == NZ_E_LIMIT)
        say_limit(o, s->name, least_memory(o, s));
    else
        work_say_fault(o, s->name, f, system_error);
}

bool work_pack(const options *o, const source *s, const target *t, amount *done)
{
    progress bar;
    nz_writer *w = NULL;
    nz_options opt = o->nz;
    progress_estimate(o, s->name, source_size(s));
    progress_start(&bar, o, s->name, source_size(s));
    opt.progress = bar.shown ? progress_step : NULL;
    opt.progress_arg = &bar;
    *done = (amount){0};
    nz_err err = nz_writer_new(&w, &opt, t->to);
    bar.to = w;
    if (!err)
        err = feed(w, s, &done->raw);
    if (!err)
        err = nz_writer_end(w);
    int saved = errno;
    nz_fault f = {.err = err, .offset = done->raw};
    if (w && nz_writer_fault(w).err == err)
        f = nz_writer_fault(w);
    done->packed = w ? nz_writer_packed(w) : 0;
    done->seconds = progress_seconds(&bar);
    progress_end(&bar);
    if (err)
        say_pack_failure(o, s, t, f, saved);
    nz_writer_free(w);
    return !err;
}

/* ---- Unpacking ---- */

typedef struct frames {
    uint64_t raw, memory; /* of all; of the frame at `at` */
} frames;

/* Walks the headers of a seekable archive and returns to where it was. False: no such luck. */
static bool look_ahead(FILE *from, uint64_t at, frames *all)
{
    nz_reader *r = NULL;
    nz_frame frame;
    off_t start = ftello(from);
    int n = 0;
    *all = (frames){0};
    if (start < 0 || fseeko(from, 0, SEEK_END) || fseeko(from, start, SEEK_SET))
        return false;
    nz_err err = nz_reader_new(&r, &(nz_options){0}, from);
    while (!err && !(err = nz_reader_frame(r, &frame, &n)) && n) {
        all->raw += frame.raw;
        if (frame.offset == at)
            all->memory = frame.memory;
    }
    nz_reader_free(r);
    clearerr(from);
    return !fseeko(from, start, SEEK_SET) && !err;
}

static uint64_t raw_size(const options *o, const source *s)
{
    frames all;
    if (!progress_wanted(o) || !S_ISREG(s->st.st_mode) || !look_ahead(s->from, 0, &all))
        return UINT64_MAX;
    return all.raw;
}

static uint64_t frame_memory(const source *s, uint64_t at)
{
    frames all;
    if (!s->path || fseeko(s->from, 0, SEEK_SET))
        return 0;
    look_ahead(s->from, at, &all);
    return all.memory;
}

/* On NZ_E_WRITE errno is about the target. */
static nz_err drain(nz_reader *r, const target *to, uint64_t *raw)
{
    size_t n;
    nz_err err;
    while (!(err = nz_reader_get(r, buffer, sizeof buffer, &n)) && n) {
        if (to && !target_write(to, buffer, n))
            return NZ_E_WRITE;
        *raw += n;
    }
    return err;
}

static void say_unpack_failure(const options *o, const source *s, const target *t, nz_fault f,
                               int system_error)
{
    if (f.err == NZ_E_WRITE && t)
        work_say_write_failure(t, system_error);
    else if (f.err == NZ_E_LIMIT)
        say_limit(o, s->name, frame_memory(s, f.offset));
    else
        work_say_fault(o, s->name, f, system_error);
}

/* Of a pipe one byte can be looked at, and of no other format is it the first: see formats. */
static bool is_foreign(const source *s)
{
    int c = getc(s->from);
    return c == EOF || ungetc(c, s->from) != ARCHIVE_FIRST;
}

/* For zcat -f's habits: files that were packed meanwhile and those that were not. */
static bool copy(const source *s, const target *t, amount *done)
{
    size_t n;
    *done = (amount){0};
    while ((n = fread(buffer, 1, sizeof buffer, s->from)) > 0) {
        if (fwrite(buffer, 1, n, t->to) != n) {
            work_say_write_failure(t, errno);
            return false;
        }
        done->packed = done->raw += n;
    }
    if (ferror(s->from))
        say_error("%s: cannot read: %s", s->name, strerror(errno));
    return !ferror(s->from);
}

bool work_unpack(const options *o, const source *s, const target *t, amount *done)
{
    progress bar;
    nz_reader *r = NULL;
    nz_options opt = o->nz;
    if (o->force && o->to_stdout && t && is_foreign(s))
        return copy(s, t, done);
    progress_start(&bar, o, s->name, raw_size(o, s));
    if (bar.total != UINT64_MAX) {
        bar.now[0] = bar.total;
        bar.now[1] = source_size(s);
    }
    opt.progress = bar.shown ? progress_step : NULL;
    opt.progress_arg = &bar;
    *done = (amount){0};
    nz_err err = nz_reader_new(&r, &opt, s->from);
    if (!err)
        err = drain(r, t, &done->raw);
    int saved = errno;
    nz_fault f = {.err = err};
    if (r && nz_reader_fault(r).err == err)
        f = nz_reader_fault(r);
    done->packed = r ? nz_reader_packed(r) : 0;
    done->seconds = progress_seconds(&bar);
    progress_end(&bar);
    if (err)
        say_unpack_failure(o, s, t, f, saved);
    nz_reader_free(r);
    return !err;
}

bool work_check(const options *o, const target *t, uint64_t raw)
{
    amount done;
    source s = {.path = t->name, .name = t->name};
    if (fflush(t->to) || !(s.from = target_reopen(t)) || fstat(fileno(s.from), &s.st)) {
        say_error("%s: cannot check: %s", t->name, strerror(errno));
        source_close(&s);
        return false;
    }
    bool good = work_unpack(o, &s, NULL, &done);
    if (good && done.raw != raw)
        say_error("%s: the check gave %llu bytes instead of %llu", t->name,
                  (unsigned long long)done.raw, (unsigned long long)raw);
    source_close(&s);
    return good && done.raw == raw;
}
