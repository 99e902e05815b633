#include "cli/table.h"
#include "cli/message.h"
#include "cli/rivals.h"
#include "cli/target.h"
#include "cli/tensors.h"

#define SPEED_TEXT 16

static const char *speed_text(char text[SPEED_TEXT], uint64_t raw, double seconds)
{
    double speed = seconds > 0 ? 1e-6 * (double)raw / seconds : 0;
    snprintf(text, SPEED_TEXT,
             speed < .995    ? "%.3f"
             : speed < 9.995 ? "%.2f"
             : speed < 99.95 ? "%.1f"
                             : "%.0f",
             speed);
    return seconds > 0 ? text : "-";
}

static const char *memory_text(char text[SIZE_TEXT], uint64_t bytes)
{
    return bytes ? size_text(text, bytes) : "-";
}

static void print_row(const result *r)
{
    char name[40], speed[4][SPEED_TEXT], memory[2][SIZE_TEXT];
    snprintf(name, sizeof name, "%s %s", r->codec, r->setting);
    printf("%-23s %12llu %8.3f %6.3f %8s %8s %8s %8s %9s %9s\n", name,
           (unsigned long long)r->packed, (double)r->raw / (double)r->packed,
           8 * (double)r->packed / (double)r->raw, speed_text(speed[0], r->raw, r->pack.user),
           speed_text(speed[1], r->raw, r->pack.elapsed),
           speed_text(speed[2], r->raw, r->unpack.user),
           speed_text(speed[3], r->raw, r->unpack.elapsed), memory_text(memory[0], r->pack.memory),
           memory_text(memory[1], r->unpack.memory));
}

void table_print(const results *r)
{
    char text[NAME_TEXT];
    if (!r->n)
        return;
    printf("%s: %llu bytes\n", r->name ? tensors_name(text, r->name) : "(all files)",
           (unsigned long long)r->row[0].raw);
    printf("%-23s %12s %8s %6s %17s %17s %19s\n", "", "", "", "", "packing MB/s", "unpacking MB/s",
           "memory, most");
    printf("%-23s %12s %8s %6s %8s %8s %8s %8s %9s %9s\n", "", "bytes", "ratio", "bpb", "cpu",
           "elapsed", "cpu", "elapsed", "packing", "unpacking");
    for (unsigned i = 0; i < r->n; i++)
        print_row(&r->row[i]);
    putchar('\n');
    fflush(stdout);
}

void table_explain(void)
{
    printf("cpu: user time of all threads; elapsed: by the clock. zstd and xz use one core.\n");
    printf("memory: allocated beside input and output. Every round trip was compared.\n");
    if (!rival_there("zstd"))
        printf("zstd: not built in\n");
    if (!rival_there("xz"))
        printf("xz: not built in\n");
}

/* A name that holds what would end a field is in quotation marks. */
static void put_name(FILE *to, const char *name)
{
    fputc('"', to);
    for (; *name; name++) {
        if (*name == '"')
            fputc('"', to);
        fputc(*name, to);
    }
    fputc('"', to);
}

static void put_row(FILE *to, const char *name, const result *r)
{
    put_name(to, name);
    fprintf(to, ",%s,%s,%llu,%llu,%.5f,%.5f,%.9f,%.9f,%.9f,%.9f,%llu,%llu\n", r->codec, r->setting,
            (unsigned long long)r->raw, (unsigned long long)r->packed,
            (double)r->raw / (double)r->packed, 8 * (double)r->packed / (double)r->raw,
            r->pack.user, r->pack.elapsed, r->unpack.user, r->unpack.elapsed,
            (unsigned long long)r->pack.memory, (unsigned long long)r->unpack.memory);
}

void table_write(const options *o, const results *r, size_t n)
{
    target t;
    if (!target_open(&t, o->csv, true, o->force))
        return;
    fputs("file,codec,setting,raw,packed,ratio,bpb,pack_cpu_s,pack_s,unpack_cpu_s,unpack_s,"
          "pack_memory,unpack_memory\n",
          t.to);
    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < r[i].n; k++)
            put_row(t.to, r[i].name, &r[i].row[k]);
    target_keep(&t, NULL, false);
}
