/* Bits per element, packed/raw. Columns that no tensor has are left out. */
#include "cli/parts.h"
#include "cli/message.h"
#include "cli/tensors.h"
#include "cli/work.h"

#include <stdlib.h>
#include <string.h>

#define CELL_TEXT 32

/* A tensor, or all of a type. */
typedef struct row {
    const char *dtype;
    size_t tensors;
    double elements; /* that have a code of their own */
    nz_tensor_parts parts;
} row;

static const int WIDTH[NZ_PARTS] = {
    [NZ_PART_SIGN] = 6,   [NZ_PART_EXPONENT] = 8,    [NZ_PART_MANTISSA] = 8,
    [NZ_PART_VALUE] = 8,  [NZ_PART_SCALES] = 10,     [NZ_PART_MINIMA] = 10,
    [NZ_PART_QUANTS] = 8, [NZ_PART_DIFFERENCE] = 10, [NZ_PART_SIDE] = 5};

static uint64_t sum(const uint64_t bits[NZ_PARTS])
{
    uint64_t all = 0;
    for (int k = 0; k < NZ_PARTS; k++)
        all += bits[k];
    return all;
}

static row row_of(const nz_tensor_info *t, const nz_tensor_packed *p, const nz_tensor_parts *parts)
{
    row r = {t->dtype, 1, t->bytes ? 1 - (double)p->rest / (double)t->bytes : 0, *parts};
    for (unsigned k = 0; k < t->dims; k++)
        r.elements *= (double)t->dim[k];
    return r;
}

static void add(row *to, const row *r)
{
    to->tensors += r->tensors;
    to->elements += r->elements;
    for (int k = 0; k < NZ_PARTS; k++) {
        to->parts.raw[k] += r->parts.raw[k];
        to->parts.packed[k] += r->parts.packed[k];
    }
}

/* ---- Bits per element ---- */

static bool shown(const row *all, int part)
{
    return all->parts.raw[part] || all->parts.packed[part];
}

static void print_header(const row *all)
{
    printf("%9s", "bits");
    for (int k = 0; k < NZ_PARTS; k++)
        if (shown(all, k))
            printf(" %*s", WIDTH[k], nz_part_name((nz_part)k));
    printf("  %-8s %s\n", "dtype", "tensor");
}

static const char *cell(char text[CELL_TEXT], uint64_t packed, uint64_t raw, double elements)
{
    if (!packed && !raw)
        return "-";
    int n = snprintf(text, CELL_TEXT, "%.2f", (double)packed / elements);
    if (raw)
        snprintf(text + n, CELL_TEXT - (size_t)n, "/%.3g", (double)raw / elements);
    return text;
}

static void print_row(const row *r, const row *all, const char *name)
{
    const nz_tensor_parts *p = &r->parts;
    char text[CELL_TEXT];
    printf("%9s", cell(text, sum(p->packed), sum(p->raw), r->elements));
    for (int k = 0; k < NZ_PARTS; k++)
        if (shown(all, k))
            printf(" %*s", WIDTH[k], cell(text, p->packed[k], p->raw[k], r->elements));
    printf("  %-8s %s\n", r->dtype, name);
}

static void print_types(const row *rows, size_t n, const row *all)
{
    char text[NAME_TEXT];
    for (size_t i = 0; i < n; i++) {
        row type = {.dtype = rows[i].dtype};
        size_t before = 0;
        while (strcmp(rows[before].dtype, type.dtype))
            before++;
        for (size_t k = i; k < n && before == i; k++)
            if (!strcmp(rows[k].dtype, type.dtype))
                add(&type, &rows[k]);
        snprintf(text, sizeof text, "(%zu tensor%s)", type.tensors, type.tensors == 1 ? "" : "s");
        if (type.elements > 0)
            print_row(&type, all, text);
    }
}

/* ---- Bytes ---- */

static void print_bytes(uint64_t packed, uint64_t raw, uint64_t of, const char *what)
{
    char ratio[SIZE_TEXT] = "-";
    if (packed && raw)
        snprintf(ratio, sizeof ratio, "%.3f", (double)raw / (double)packed);
    printf("%12llu %12llu %7s %5.1f%%  %s\n", (unsigned long long)packed, (unsigned long long)raw,
           ratio, of ? 100 * (double)packed / (double)of : 0, what);
}

static void print_sums(const source *s, const nz_archive *a, const row *all)
{
    const nz_tensor_parts *p = &all->parts;
    uint64_t packed = sum(p->packed) / 8, raw = sum(p->raw) / 8;
    uint64_t file = (uint64_t)s->st.st_size;
    printf("\n%12s %12s %7s %6s\n", "packed", "raw", "ratio", "share");
    for (int k = 0; k < NZ_PARTS; k++)
        if (shown(all, k))
            print_bytes((p->packed[k] + 4) / 8, (p->raw[k] + 4) / 8, file,
                        nz_part_name((nz_part)k));
    print_bytes(packed, raw, file, "all of these tensors");
    print_bytes(file - packed, nz_archive_raw(a) - raw, file,
                "the rest: shared tables, names, what is no tensor");
}

void parts_list(const options *o, const source *s, const nz_archive *a,
                const nz_tensor_packed *packed, progress *bar)
{
    size_t n = nz_tensor_count(a);
    nz_tensor_parts *parts = calloc(n, sizeof *parts);
    row *rows = calloc(n, sizeof *rows), all = {0};
    nz_fault fault = {.err = NZ_E_MEM};
    nz_tensor_info t;
    char text[NAME_TEXT];
    fflush(stdout);
    progress_start(bar, o, s->name, nz_archive_raw(a));
    nz_err err = parts && rows ? nz_tensor_explain(a, parts, &fault) : NZ_E_MEM;
    progress_end(bar);
    if (err) {
        work_say_fault(o, s->name, fault, 0);
        n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        nz_tensor_about(a, i, &t);
        rows[i] = row_of(&t, &packed[i], &parts[i]);
        add(&all, &rows[i]);
    }
    if (n)
        print_header(&all);
    for (size_t i = 0; i < n; i++) {
        nz_tensor_about(a, i, &t);
        print_row(&rows[i], &all, tensors_name(text, t.name));
    }
    if (n) {
        putchar('\n');
        print_types(rows, n, &all);
        print_sums(s, a, &all);
        putchar('\n');
    }
    free(parts);
    free(rows);
}
