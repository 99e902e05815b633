/* What bytes cost: the parts add up to the whole, and asking changes nothing. Run from the top of
 * the tree. */
#include "model/deep_plan.h"
#include "model/models.h"
#include "nz.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct told {
    uint64_t bytes, at;
    double bits;
    const unsigned char *raw; /* what it should be; NULL: any */
    unsigned char all;
    bool gaps, wrong, negative;
} told;

static int note(void *arg, const nz_cost *c)
{
    told *t = arg;
    double sum = 0;
    t->gaps |= c->at != t->bytes || !c->n;
    for (size_t i = 0; i < c->n && c->bits; i++) {
        sum += (double)c->bits[i];
        t->negative |= c->bits[i] <= 0;
    }
    t->wrong |= c->bits && fabs(sum - c->sum) > 1e-6 * sum;
    t->wrong |= !c->bits && c->n && !(c->sum > 0);
    t->wrong |= t->raw && c->raw && memcmp(c->raw, t->raw + c->at, c->n) != 0;
    t->wrong |= c->bits && !c->raw;
    for (size_t i = 0; c->raw && i < c->n; i++)
        t->all ^= c->raw[i]; /* they are there */
    t->bytes += c->n;
    t->bits += c->sum;
    return 0;
}

static nz_archive *pack(const void *raw, size_t n, const nz_options *opt, unsigned char **archive,
                        size_t *packed)
{
    nz_archive *a;
    size_t cap = (size_t)nz_bound(n);
    *archive = malloc(cap);
    cr_assert_eq(nz_pack(*archive, cap, packed, raw, n, opt), NZ_OK);
    cr_assert_eq(nz_archive_open(&a, *archive, *packed, opt, NULL), NZ_OK);
    return a;
}

/* All bits are somebody's, and what is not spent was earned. */
static void check_sums(const nz_cost_sum *sum, const told *t, size_t packed)
{
    double bits = sum->other;
    uint64_t bytes = 0;
    for (unsigned k = 0; k < sum->kinds; k++) {
        const nz_cost_kind *c = &sum->kind[k];
        double earned = 0, left = 8 * (double)c->bytes - c->bits;
        bits += c->bits;
        bytes += c->bytes;
        for (int i = 0; i < NZ_MODELS; i++)
            earned += c->earned[i];
        if (strcmp(c->kind, "stored") != 0 && strcmp(c->kind, "tensors") != 0 &&
            strcmp(c->kind, "rest") != 0)
            cr_assert(fabs(earned - left) < 1e-3 * left + 8, "%s: %f earned, %f left", c->kind,
                      earned, left);
    }
    cr_assert_eq(bytes, t->bytes);
    cr_assert(fabs(bits - 8 * (double)packed) < .01, "%f bits of %zu bytes", bits, packed);
    cr_assert(fabs(bits - sum->other - t->bits) < .01);
}

static void explain(const nz_archive *a, told *t, nz_cost_sum *sum)
{
    nz_fault fault;
    cr_assert_eq(nz_archive_explain(a, note, t, sum, &fault), NZ_OK, "%s", fault.reason);
    cr_assert(!t->gaps && !t->wrong && !t->negative, "%d%d%d", t->gaps, t->wrong, t->negative);
}

static unsigned char *load(const char *path, size_t *n, size_t most)
{
    FILE *f = fopen(path, "rb");
    unsigned char *p = malloc(most);
    cr_assert(f, "%s", path);
    *n = fread(p, 1, most, f);
    fclose(f);
    return p;
}

/* What no byte has is headers and the ends of codes: a few bytes a frame, or a list of words. */
static void check_text(int level, size_t n, uint64_t frame, double most_other)
{
    size_t size, packed;
    unsigned char *raw = load("priors/prose.txt", &size, n), *archive;
    nz_options opt = {
        .level = level, .threads = 1, .frame = frame, .prior = level == 5 ? 0 : NZ_PRIOR_OFF};
    nz_archive *a = pack(raw, size, &opt, &archive, &packed);
    told t = {.raw = raw};
    nz_cost_sum sum;
    explain(a, &t, &sum);
    check_sums(&sum, &t, packed);
    cr_assert_eq(t.bytes, size);
    cr_assert_eq(sum.kinds, 1);
    cr_assert_str_eq(sum.kind[0].kind, "text");
    cr_assert(sum.other > 0 && sum.other < 8 * most_other, "level %d: %f", level, sum.other / 8);
    nz_archive_free(a);
    free(archive);
    free(raw);
}

Test(cost, fast_text_adds_up)
{
    for (int level = 1; level <= 4; level++)
        check_text(level, 20000, 0, 70);
}

/* Long enough for words to have codes. */
Test(cost, words_add_up)
{
    check_text(1, 140000, 0, 300);
}

Test(cost, deep_text_adds_up)
{
    check_text(5, 3000, 0, 70);
    if (getenv("NZ_SHORT"))
        return;
    check_text(7, 3000, 0, 70);
    check_text(9, 3000, 0, 70);
}

/* Archives of every method and kind. */
Test(cost, golden_archives_add_up)
{
    DIR *folder = opendir("tests/golden");
    unsigned tried = 0;
    cr_assert(folder);
    for (struct dirent *e; (e = readdir(folder));) {
        char path[300];
        size_t n, length = strlen(e->d_name);
        /* Levels 6 to 9 differ from 5 in how much there is of everything. */
        if (strncmp(e->d_name, "good-", 5) != 0 || strcmp(e->d_name + length - 3, ".nz") != 0 ||
            strchr("6789", e->d_name[length - 4]))
            continue;
        snprintf(path, sizeof path, "tests/golden/%s", e->d_name);
        unsigned char *archive = load(path, &n, 1 << 24);
        nz_archive *a;
        told t = {0};
        nz_cost_sum sum;
        cr_assert_eq(nz_archive_open(&a, archive, n, NULL, NULL), NZ_OK, "%s", path);
        explain(a, &t, &sum);
        check_sums(&sum, &t, n);
        cr_assert(t.bytes >= nz_archive_raw(a), "%s", path);
        tried++;
        nz_archive_free(a);
        free(archive);
    }
    closedir(folder);
    cr_assert_gt(tried, 10);
}

/* ---- What goes wrong ---- */

static int refuse(void *arg, const nz_cost *c)
{
    (void)arg;
    (void)c;
    return 1;
}

static int refuse_progress(void *arg, uint64_t done)
{
    (void)arg;
    return done > 0;
}

Test(cost, stops_when_asked)
{
    size_t n, packed;
    unsigned char *raw = load("priors/prose.txt", &n, 6000), *archive;
    for (int level = 1; level <= 5; level += 4) {
        nz_options opt = {.level = level, .threads = 1, .prior = NZ_PRIOR_OFF};
        nz_archive *a = pack(raw, n, &opt, &archive, &packed), *b;
        nz_cost_sum sum;
        nz_fault fault;
        cr_assert_eq(nz_archive_explain(a, refuse, NULL, &sum, &fault), NZ_E_STOPPED);
        opt.progress = refuse_progress;
        cr_assert_eq(nz_archive_open(&b, archive, packed, &opt, NULL), NZ_OK);
        cr_assert_eq(nz_archive_explain(b, note, &(told){0}, &sum, &fault), NZ_E_STOPPED);
        nz_archive_free(a);
        nz_archive_free(b);
        free(archive);
    }
    free(raw);
}

Test(cost, refuses_damage_and_too_little_memory)
{
    size_t n, packed;
    unsigned char *raw = load("priors/prose.txt", &n, 20000), *archive;
    nz_options opt = {.level = 1, .threads = 1, .prior = NZ_PRIOR_OFF};
    nz_archive *a = pack(raw, n, &opt, &archive, &packed), *b;
    nz_cost_sum sum;
    nz_fault fault;
    opt.memory = 1 << 20;
    cr_assert_eq(nz_archive_open(&b, archive, packed, &opt, NULL), NZ_OK);
    cr_assert_eq(nz_archive_explain(b, note, &(told){0}, &sum, &fault), NZ_E_LIMIT);
    cr_assert_eq(fault.offset, 8);
    archive[packed / 2] ^= 1;
    cr_assert_eq(nz_archive_explain(a, note, &(told){0}, &sum, &fault), NZ_E_CORRUPT);
    cr_assert_eq(fault.offset, 8);
    nz_archive_free(a);
    nz_archive_free(b);
    free(archive);
    free(raw);
}

/* ---- Whose an input is ---- */

Test(cost, every_input_has_a_model)
{
    enum { FREE = 0xee, ROOM = 4096 };
    uint8_t model[ROOM];
    for (int level = 5; level <= 9; level++)
        for (int k = 0; k <= NZ_KINDS; k++) {
            nz_content c = {.kind = k < NZ_KINDS ? (nz_kind)k : NZ_KIND_CODE,
                            .machine = k == NZ_KINDS       ? NZ_MACHINE_ARM64
                                       : k == NZ_KIND_CODE ? NZ_MACHINE_X86_64
                                                           : 0};
            nz_shape s;
            size_t n = 0;
            nz_shape_for(&s, level, &c, 10000);
            memset(model, FREE, sizeof model);
            nz_deep_models(&s, model);
            while (model[n] < NZ_MODELS)
                n++;
            cr_assert_eq(n, nz_deep_inputs(&s), "level %d, kind %d: %zu", level, k, n);
            cr_assert_eq(model[n], FREE);
        }
}

Test(cost, models_have_names)
{
    for (int k = 0; k < NZ_MODELS; k++)
        cr_assert(nz_model_name((nz_model)k) && *nz_model_name((nz_model)k));
    cr_assert_null(nz_model_name(NZ_MODELS));
}
