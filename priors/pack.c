/* Packs the priors' texts into the file that the library holds: pack TEXT... >priors.bin, in the
 * order of their numbers. `make priors` runs it when a text or the fast engine has changed. */
#include "backend/hash.h"
#include "base/base.h"
#include "model/prior_file.h"

#include <stdio.h>
#include <stdlib.h>

enum { PACKED_MOST = NZ_PRIOR_MOST };

static int put_piece(const uint8_t *raw, size_t n)
{
    static uint8_t packed[PACKED_MOST];
    uint8_t head[NZ_PRIOR_HEAD];
    size_t packed_n;
    nz_shape s;
    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    nz_shape_choose(&s, NZ_PRIOR_LEVEL, raw, n);
    if (nz_bytes_encode(&s, &(nz_run){.kern = &kern}, raw, n, packed, sizeof packed, &packed_n))
        return -1;
    nz_store32(head, (uint32_t)n);
    nz_store32(head + 4, (uint32_t)packed_n);
    nz_store64(head + 8, nz_hash(raw, n));
    nz_shape_store(&s, head + 16);
    fprintf(stderr, "%zu -> %zu bytes\n", n, packed_n);
    return fwrite(head, sizeof head, 1, stdout) == 1 &&
                   fwrite(packed, 1, packed_n, stdout) == packed_n
               ? 0
               : -1;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

typedef struct gram {
    uint32_t value, count;
} gram;

static int by_count(const void *a, const void *b)
{
    const gram *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
                                : by_value(&x->value, &y->value);
}

static bool has_letter(const uint8_t *p)
{
    for (int i = 0; i < 4; i++)
        if ((p[i] | 32) >= 'a' && (p[i] | 32) <= 'z')
            return true;
    return false;
}

/* The commonest strings of four bytes, in the order of their values: those without a letter are
 * common in any table of numbers. */
static int put_grams(const uint8_t *raw, size_t n)
{
    static uint32_t all[NZ_PRIOR_MOST];
    static gram grams[NZ_PRIOR_MOST];
    uint32_t chosen[NZ_PRIOR_GRAMS];
    uint8_t out[4 * NZ_PRIOR_GRAMS];
    size_t count = 0, kinds = 0;
    for (size_t i = 0; i + 4 <= n; i++)
        if (has_letter(raw + i))
            all[count++] = nz_load32(raw + i);
    qsort(all, count, sizeof *all, by_value);
    for (size_t i = 0; i < count; i++) {
        if (!i || all[i] != all[i - 1])
            grams[kinds++] = (gram){all[i], 0};
        grams[kinds - 1].count++;
    }
    if (kinds < NZ_PRIOR_GRAMS)
        return -1;
    qsort(grams, kinds, sizeof *grams, by_count);
    for (size_t i = 0; i < NZ_PRIOR_GRAMS; i++)
        chosen[i] = grams[i].value;
    qsort(chosen, NZ_PRIOR_GRAMS, sizeof *chosen, by_value);
    for (size_t i = 0; i < NZ_PRIOR_GRAMS; i++)
        nz_store32(out + 4 * i, chosen[i]);
    return fwrite(out, sizeof out, 1, stdout) == 1 ? 0 : -1;
}

static int put_text(const char *name)
{
    static uint8_t raw[NZ_PRIOR_MOST];
    FILE *f = fopen(name, "rb");
    if (!f)
        return -1;
    size_t n = fread(raw, 1, sizeof raw, f), end = n < NZ_PRIOR_TAIL ? n : NZ_PRIOR_TAIL;
    int bad = !feof(f);
    fclose(f);
    return bad || put_grams(raw, n) || put_piece(raw + n - end, end) || put_piece(raw, n - end) ? -1
                                                                                                : 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (put_text(argv[i])) {
            fprintf(stderr, "%s: cannot be packed\n", argv[i]);
            return 1;
        }
    }
    return fflush(stdout) ? 1 : 0;
}
