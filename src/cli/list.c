/* Frames are read header by header, and the tensors' names; nothing is decoded, so a broken payload
 * goes unnoticed here (that is what -t is for). */
#include "cli/list.h"
#include "cli/message.h"
#include "cli/tensors.h"
#include "cli/visible.h"
#include "cli/work.h"

#include <errno.h>
#include <string.h>

#define METHOD_TEXT 24

/* So much from so little may be meant to fill a disk. */
#define BOMB_RATIO 1000
#define BOMB_RAW   (UINT64_C(64) << 20)

typedef struct row {
    uint64_t frames, raw, packed;
    uint64_t memory;          /* that its most demanding frame takes */
    char method[METHOD_TEXT]; /* "bytes-5", "stored", "several" */
} row;

static row total;
static unsigned files;

static double bits_per_byte(uint64_t packed, uint64_t raw)
{
    return raw ? 8 * (double)packed / (double)raw : 0;
}

static double ratio(uint64_t packed, uint64_t raw)
{
    return packed ? (double)raw / (double)packed : 0;
}

static void print_header(const options *o)
{
    if (files || o->verbose < 0)
        return;
    if (o->verbose > 0)
        printf("%12s %12s %12s %7s %6s %-8s %-6s %10s %16s  %s\n", "offset", "packed", "raw",
               "ratio", "bpb", "method", "prior", "memory", "check", "name");
    else
        printf("%6s %12s %12s %7s %6s %-8s  %s\n", "frames", "packed", "raw", "ratio", "bpb",
               "method", "name");
}

static void print_name(const char *name)
{
    visible_put(stdout, name);
    putchar('\n');
}

static void print_row(const row *r, const char *name)
{
    printf("%6llu %12llu %12llu %7.3f %6.3f %-8s  ", (unsigned long long)r->frames,
           (unsigned long long)r->packed, (unsigned long long)r->raw, ratio(r->packed, r->raw),
           bits_per_byte(r->packed, r->raw), r->method);
    print_name(name);
}

static void method_text(char text[METHOD_TEXT], const nz_frame *f)
{
    if (f->level)
        snprintf(text, METHOD_TEXT, "%s-%d", f->method, f->level);
    else
        snprintf(text, METHOD_TEXT, "%s", f->method);
}

static void print_frame(const nz_frame *f, const char *name)
{
    char method[METHOD_TEXT], memory[SIZE_TEXT];
    method_text(method, f);
    printf("%12llu %12llu %12llu %7.3f %6.3f %-8s %-6s %10s %016llx  ",
           (unsigned long long)f->offset, (unsigned long long)f->packed, (unsigned long long)f->raw,
           ratio(f->packed, f->raw), bits_per_byte(f->packed, f->raw), method,
           f->prior ? f->prior : "-", size_text(memory, f->memory), (unsigned long long)f->check);
    print_name(name);
}

/* Under their frame, what each kind takes of it. */
static void print_kinds(const nz_frame *f)
{
    for (unsigned i = 0; i < f->kinds; i++) {
        const nz_frame_kind *k = &f->kind[i];
        printf("%12s %12llu %12llu %7.3f %6.3f   %s\n", "", (unsigned long long)k->packed,
               (unsigned long long)k->raw, ratio(k->packed, k->raw),
               bits_per_byte(k->packed, k->raw), k->name);
    }
}

static void merge_method(row *r, const char *method)
{
    if (!r->method[0])
        snprintf(r->method, sizeof r->method, "%s", method);
    else if (strcmp(r->method, method))
        strcpy(r->method, "several");
}

static void add_frame(row *r, const nz_frame *f)
{
    char method[METHOD_TEXT];
    method_text(method, f);
    merge_method(r, method);
    r->frames++;
    r->raw += f->raw;
    if (f->memory > r->memory)
        r->memory = f->memory;
}

static nz_err read_frames(const options *o, const source *s, nz_reader *reader, row *r)
{
    nz_frame frame;
    nz_err err;
    int n = 0;
    while (!(err = nz_reader_frame(reader, &frame, &n)) && n) {
        add_frame(r, &frame);
        if (o->verbose > 0) {
            print_frame(&frame, s->name);
            print_kinds(&frame);
        }
    }
    r->packed = nz_reader_packed(reader);
    return err;
}

static void add_to_total(const row *r)
{
    files++;
    total.frames += r->frames;
    total.raw += r->raw;
    total.packed += r->packed;
    merge_method(&total, r->method);
}

/* What one should know before unpacking it. */
static void warn(const options *o, const row *r, const char *name)
{
    char size[SIZE_TEXT];
    if (r->raw >= BOMB_RAW && r->raw / BOMB_RATIO >= r->packed)
        say_warning("%s: unpacks to %s, %.0f times its size", name, size_text(size, r->raw),
                    ratio(r->packed, r->raw));
    if (r->memory > options_memory(o))
        say_warning("%s: unpacking it needs %s of memory, more than the limit; raise it with "
                    "--memory",
                    name, size_text(size, r->memory));
}

void list_file(const options *o, const source *s)
{
    row r = {0};
    nz_reader *reader = NULL;
    print_header(o);
    nz_err err = nz_reader_new(&reader, &o->nz, s->from);
    if (!err)
        err = read_frames(o, s, reader, &r);
    int saved = errno;
    nz_fault f = {.err = err};
    if (reader && nz_reader_fault(reader).err == err)
        f = nz_reader_fault(reader);
    nz_reader_free(reader);
    if (err) {
        work_say_fault(o, s->name, f, saved);
        return;
    }
    if (!r.method[0])
        strcpy(r.method, "-");
    if (o->verbose <= 0)
        print_row(&r, s->name);
    add_to_total(&r);
    warn(o, &r, s->name);
    tensors_list(o, s);
}

void list_total(const options *o)
{
    char name[32];
    if (files < 2 || o->verbose > 0)
        return;
    snprintf(name, sizeof name, "(%u files)", files);
    print_row(&total, name);
}
