/* What bytes cost: the parts add up to the whole, and asking changes nothing. Run from the top of
 * the tree. */
#include "model/deep_plan.h"
#include "model/models.h"
#include "nz.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct told {
    uint64_t bytes, at;
    double bits;
    const unsigned char *raw; /* what it should be; NULL: any */
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
    t->wrong |= t->raw && c->raw && memcmp(c->raw, t->raw + c->at, c->n) != 0;
    t->bytes += c->n;
    t->bits += c->sum;
    return 0;
}

static nz_archive *pack(const void *raw, size_t n, const nz_options *opt, unsigned char **archive)
{
    nz_archive *a;
    size_t cap = (size_t)nz_bound(n), packed;
    *archive = malloc(cap);
    cr_assert_eq(nz_pack(*archive, cap, &packed, raw, n, opt), NZ_OK);
    cr_assert_eq(nz_archive_open(&a, *archive, packed, opt, NULL), NZ_OK);
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

static size_t packed_size(const void *raw, size_t n, const nz_options *opt)
{
    size_t cap = (size_t)nz_bound(n), packed;
    unsigned char *p = malloc(cap);
    cr_assert_eq(nz_pack(p, cap, &packed, raw, n, opt), NZ_OK);
    free(p);
    return packed;
}

/* What no byte has is headers and the ends of codes: a few bytes a frame, or a list of words. */
static void check_text(int level, size_t n, uint64_t frame, double most_other)
{
    size_t size;
    unsigned char *raw = load("priors/prose.txt", &size, n), *archive;
    nz_options opt = {
        .level = level, .threads = 1, .frame = frame, .prior = level == 5 ? 0 : NZ_PRIOR_OFF};
    nz_archive *a = pack(raw, size, &opt, &archive);
    told t = {.raw = raw};
    nz_cost_sum sum;
    explain(a, &t, &sum);
    check_sums(&sum, &t, packed_size(raw, size, &opt));
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
    check_text(1, 300000, 0, 300);
    check_text(1, 150000, 65536, 200);
}

Test(cost, deep_text_adds_up)
{
    check_text(5, 20000, 0, 70);
    check_text(7, 8000, 0, 70);
    check_text(9, 8000, 0, 70);
}
