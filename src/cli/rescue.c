/* One line for each stretch that is lost, then one for all of it. What is damaged without a loss is
 * a warning, what is lost an error. */
#include "cli/rescue.h"
#include "cli/message.h"
#include "cli/progress.h"

#include <errno.h>
#include <string.h>

static unsigned char buffer[1 << 20];

typedef struct teller {
    const source *from;
    progress bar;
} teller;

#define RANGE_TEXT 80

typedef unsigned long long number;

/* "byte 7", "bytes 0-7"; of none "at byte 7". */
static const char *range_text(char text[RANGE_TEXT], uint64_t at, uint64_t n)
{
    if (n > 1)
        snprintf(text, RANGE_TEXT, "bytes %llu-%llu", (number)at, (number)(at + n - 1));
    else
        snprintf(text, RANGE_TEXT, "%sbyte %llu", n ? "" : "at ", (number)at);
    return text;
}

static void tell(void *arg, const nz_lost *l)
{
    teller *t = arg;
    char packed[RANGE_TEXT], raw[RANGE_TEXT];
    const char *name = t->from->name;
    const char *of = l->exact ? "raw" : "output";
    progress_hide(&t->bar);
    range_text(packed, l->offset, l->packed);
    range_text(raw, l->at, l->raw);
    if (!l->sized)
        say_error("%s: %s: %s: an unknown number of bytes is lost %s of the %s data", name, packed,
                  l->reason, raw, of);
    else if (l->raw)
        say_error("%s: %s: %s: lost %s of the %s data, now zeros", name, packed, l->reason, raw,
                  of);
    else
        say_warning("%s: %s: %s; no data was there", name, packed, l->reason);
}

static void say_sum(const char *name, const nz_salvaged *sum)
{
    number frames = sum->frames, raw = sum->raw, lost = sum->lost_raw;
    if (sum->whole)
        say_note("%s: %s: %llu frames, %llu bytes", name,
                 sum->damaged ? "damaged, but nothing is lost" : "undamaged", frames, raw);
    else if (sum->exact)
        say_error("%s: saved %llu frames, %llu bytes; lost %llu bytes, now zeros", name, frames,
                  raw, lost);
    else if (lost)
        say_error("%s: saved %llu frames, %llu bytes; lost %llu bytes, now zeros, and an unknown "
                  "number, left out",
                  name, frames, raw, lost);
    else
        say_error("%s: saved %llu frames, %llu bytes; lost an unknown number, left out", name,
                  frames, raw);
}

/* On NZ_E_WRITE errno is about the target. */
static nz_err drain(nz_salvage *from, const target *t, uint64_t *raw)
{
    size_t n;
    nz_err err;
    while (!(err = nz_salvage_get(from, buffer, sizeof buffer, &n)) && n) {
        if (t && fwrite(buffer, 1, n, t->to) != n)
            return NZ_E_WRITE;
        *raw += n;
    }
    return err;
}

static void say_failure(const options *o, const source *s, const target *t, nz_err err,
                        int system_error)
{
    if (err == NZ_E_WRITE)
        work_say_write_failure(t, system_error);
    else if (err == NZ_E_READ && system_error == ESPIPE)
        say_error("%s: is not a file; only one can be salvaged", s->name);
    else
        work_say_fault(o, s->name, (nz_fault){.err = err, .reason = nz_err_text(err)},
                       system_error);
}

bool rescue(const options *o, const source *s, const target *t, amount *done)
{
    teller told = {.from = s};
    nz_salvage *from = NULL;
    nz_options opt = o->nz;
    progress_start(&told.bar, o, s->name, UINT64_MAX);
    opt.progress = told.bar.shown ? progress_step : NULL;
    opt.progress_arg = &told.bar;
    *done = (amount){0};
    nz_err err = nz_salvage_open_file(&from, s->from, &opt, tell, &told);
    if (!err)
        err = drain(from, t, &done->raw);
    int saved = errno;
    done->seconds = progress_seconds(&told.bar);
    progress_end(&told.bar);
    nz_salvaged sum = {0};
    if (from)
        sum = nz_salvage_sum(from);
    nz_salvage_free(from);
    done->packed = sum.file;
    if (err) {
        say_failure(o, s, t, err, saved);
        return false;
    }
    say_sum(s->name, &sum);
    return sum.frames || sum.whole;
}
