/* Salvaging: what is undamaged comes out, at its offset where that can be known; what is lost is
 * told; nothing that was packed is ever given differently without a word. From the top of the tree.
 */
#include "archive/base.h"
#include "archive/directory.h"
#include "archive/format.h"
#include "base/base.h"
#include "lib/bytes.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static const nz_options OPTIONS = {.threads = 1, .memory = (uint64_t)1 << 30};

static void put(bytes *b, const void *p, size_t n)
{
    b->p = realloc(b->p, b->n + n + 1);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

/* ---- An archive with a frame of every method ---- */

enum { FRAMES_MAX = 16 };

typedef struct frame {
    size_t offset, size, at, raw;
} frame;

typedef struct archive {
    bytes packed, raw;
    frame frame[FRAMES_MAX];
    size_t frames, directory, end; /* where they are */
} archive;

/* Its frames; the end must be added. */
static void add_golden(archive *a, nz_index *x, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "tests/golden/good-%s.nz", name);
    bytes packed = load(path);
    snprintf(path, sizeof path, "tests/golden/good-%s.raw", name);
    bytes raw = load(path);
    FILE *f = fmemopen(packed.p, packed.n, "rb");
    nz_reader *r;
    nz_frame one;
    int n;
    cr_assert_eq(nz_reader_new(&r, &OPTIONS, f), NZ_OK);
    while (!nz_reader_frame(r, &one, &n) && n) {
        cr_assert_lt(a->frames, FRAMES_MAX);
        a->frame[a->frames++] = (frame){a->packed.n, one.packed, a->raw.n, one.raw};
        cr_assert_eq(nz_index_add(x, one.packed, one.raw), NZ_OK);
        put(&a->packed, packed.p + one.offset, one.packed);
        put(&a->raw, raw.p, one.raw);
        memmove(raw.p, raw.p + one.raw, raw.n -= one.raw);
    }
    nz_reader_free(r);
    fclose(f);
    free(packed.p);
    free(raw.p);
}

static void add_end(archive *a, nz_index *x)
{
    uint8_t *end;
    size_t n;
    nz_buf names = {0};
    uint64_t dim = 4;
    nz_tensor t = {.name = "t", .at = 0};
    cr_assert(nz_tensor_shape(&t, NZ_DT_F32, &dim, 1));
    cr_assert_eq(nz_directory_store(&t, 1, 0, a->raw.n, &names), NZ_OK);
    a->directory = a->packed.n;
    put(&a->packed, names.p, names.n);
    x->directory = names.n;
    nz_buf_free(&names);
    a->end = a->packed.n;
    cr_assert_eq(nz_index_store(x, &end, &n), NZ_OK);
    put(&a->packed, end, n);
    free(end);
    nz_index_reset(x);
}

static archive sample(void)
{
    static const char *const golden[] = {"three", "text-1", "mixed-1", "weights-1", "records-1"};
    archive a = {0};
    nz_index x = {0};
    uint8_t head[NZ_HEAD_BYTES];
    nz_head_store(head);
    put(&a.packed, head, sizeof head);
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
        add_golden(&a, &x, golden[i]);
    add_end(&a, &x);
    cr_assert_geq(a.frames, 6);
    return a;
}

static void drop(archive *a)
{
    free(a->packed.p);
    free(a->raw.p);
}

/* ---- What salvaging says of it ---- */

enum { LOST_MAX = 64 };

typedef struct result {
    nz_err err;
    bytes out;
    nz_lost lost[LOST_MAX];
    size_t n;
    nz_salvaged sum;
} result;

static void note(void *arg, const nz_lost *l)
{
    result *r = arg;
    cr_assert_lt(r->n, LOST_MAX);
    cr_assert(l->err && l->reason);
    cr_assert(l->sized || !l->raw);
    if (r->n) {
        const nz_lost *before = &r->lost[r->n - 1];
        cr_assert_geq(l->offset, before->offset + before->packed);
        cr_assert_geq(l->at, before->at + before->raw);
        cr_assert_leq(l->exact, before->exact || l->exact);
    }
    r->lost[r->n++] = *l;
}

static result salvage_with(const uint8_t *p, size_t n, const nz_options *opt)
{
    result r = {0};
    nz_salvage *s;
    static uint8_t part[4096];
    size_t got;
    r.err = nz_salvage_open(&s, p, n, opt, note, &r);
    if (r.err)
        return r;
    while (!(r.err = nz_salvage_get(s, part, sizeof part, &got)) && got)
        put(&r.out, part, got);
    cr_assert_eq(r.err, NZ_OK);
    r.sum = nz_salvage_sum(s);
    nz_salvage_free(s);
    uint64_t lost = 0;
    for (size_t i = 0; i < r.n; i++) {
        const nz_lost *l = &r.lost[i];
        lost += l->raw;
        cr_assert_leq(l->offset + l->packed, n);
        cr_assert_leq(l->at + l->raw, r.out.n);
        for (uint64_t k = 0; k < l->raw; k++)
            cr_assert_eq(r.out.p[l->at + k], 0);
    }
    cr_assert_eq(r.sum.raw + lost, r.out.n);
    cr_assert_eq(r.sum.lost_raw, lost);
    cr_assert_eq(r.sum.damaged, r.n > 0);
    return r;
}

static result salvage(bytes b)
{
    return salvage_with(b.p, b.n, &OPTIONS);
}

static void cr_whole(const result *r, const bytes *raw, const char *what)
{
    cr_assert(r->sum.whole && r->sum.exact, "%s", what);
    cr_assert_eq(r->out.n, raw->n, "%s", what);
    cr_assert(!raw->n || !memcmp(r->out.p, raw->p, raw->n), "%s", what);
}

/* A stretch of the archive replaced by n other bytes. */
static bytes replace(const archive *a, size_t from, size_t end, const void *p, size_t n)
{
    bytes b = {0};
    put(&b, a->packed.p, from);
    put(&b, p, n);
    put(&b, a->packed.p + end, a->packed.n - end);
    return b;
}

/* Whether all of the frame is left when the bytes from..end are not. */
static bool left(const frame *f, size_t from, size_t end)
{
    return f->offset + f->size <= from || f->offset >= end;
}

/* With the end as it was, all that is left is where it was, and zeros are elsewhere. */
static void expect_in_place(const archive *a, const result *r, size_t from, size_t end)
{
    size_t frames = 0;
    cr_assert_eq(r->err, NZ_OK);
    cr_assert(r->sum.exact, "%zu-%zu", from, end);
    if (r->sum.frames == a->frames) { /* there are bits in a payload that say nothing */
        cr_whole(r, &a->raw, "in place");
        return;
    }
    cr_assert_eq(r->out.n, a->raw.n, "%zu-%zu: %zu, not %zu", from, end, r->out.n, a->raw.n);
    for (size_t i = 0; i < a->frames; i++) {
        const frame *f = &a->frame[i];
        if (!left(f, from, end))
            continue;
        frames++;
        cr_assert(!memcmp(r->out.p + f->at, a->raw.p + f->at, f->raw), "%zu-%zu: frame %zu", from,
                  end, i);
    }
    cr_assert_eq(r->sum.frames, frames, "%zu-%zu: %zu, not %zu", from, end, (size_t)r->sum.frames,
                 frames);
    cr_assert_eq(r->sum.whole, frames == a->frames, "%zu-%zu", from, end);
    cr_assert(r->sum.damaged);
    for (size_t i = 0; i < r->n; i++) {
        cr_assert(r->lost[i].exact);
        cr_assert_leq(r->lost[i].offset, end, "told where it is");
        cr_assert_geq(r->lost[i].offset + r->lost[i].packed, from);
    }
}

/* Else they come in order. */
static void expect_in_order(const archive *a, const result *r, size_t from, size_t end)
{
    size_t at = 0, frames = 0;
    for (size_t i = 0; i < a->frames; i++) {
        const frame *f = &a->frame[i];
        if (!left(f, from, end))
            continue;
        frames++;
        while (at + f->raw <= r->out.n && memcmp(r->out.p + at, a->raw.p + f->at, f->raw))
            at++;
        cr_assert_leq(at + f->raw, r->out.n, "%zu-%zu: frame %zu is not there", from, end, i);
        cr_assert(f->offset >= end || at == f->at, "%zu-%zu: frame %zu", from, end, i);
        at += f->raw;
    }
    cr_assert_eq(r->sum.frames, frames, "%zu-%zu", from, end);
    cr_assert(r->sum.damaged);
    if (frames < a->frames)
        cr_assert(!r->sum.whole);
    if (r->sum.whole)
        cr_whole(r, &a->raw, "in order");
}

static void expect(const archive *a, bytes damaged, size_t from, size_t end)
{
    result r = salvage(damaged);
    if (end <= a->end)
        expect_in_place(a, &r, from, end);
    else
        expect_in_order(a, &r, from, end);
    free(r.out.p);
    free(damaged.p);
}

/* ---- Without damage ---- */

Test(salvage, sound_archives_come_out_whole)
{
    DIR *d = opendir("tests/golden");
    struct dirent *e;
    int tried = 0;
    cr_assert(d);
    while ((e = readdir(d))) {
        size_t n = strlen(e->d_name);
        if (strncmp(e->d_name, "good-", 5) || strcmp(e->d_name + n - 3, ".nz") ||
            !strncmp(e->d_name, "good-primed", 11) || !strncmp(e->d_name, "good-delta", 10) ||
            e->d_name[n - 4] > '5')
            continue; /* what takes long says nothing new here */
        char path[300];
        snprintf(path, sizeof path, "tests/golden/%s", e->d_name);
        bytes packed = load(path);
        memcpy(path + strlen(path) - 3, ".raw", 5);
        bytes raw = load(path);
        result r = salvage(packed);
        cr_whole(&r, &raw, path);
        cr_assert(!r.sum.damaged && r.sum.file == packed.n);
        free(r.out.p);
        free(raw.p);
        free(packed.p);
        tried++;
    }
    closedir(d);
    cr_assert_gt(tried, 15);
}

Test(salvage, files_give_what_buffers_do)
{
    archive a = sample();
    FILE *f = tmpfile();
    nz_salvage *s;
    size_t n, at = 0;
    uint8_t part[100];
    a.packed.p[a.frame[2].offset + 3] ^= 1;
    result want = salvage(a.packed), r = {0};
    cr_assert_eq(fwrite(a.packed.p, 1, a.packed.n, f), a.packed.n);
    cr_assert(!fflush(f));
    for (int threads = 1; threads <= 2; threads++) {
        nz_options opt = {.threads = threads};
        cr_assert_eq(nz_salvage_open_file(&s, f, &opt, note, &r), NZ_OK,
                     "the position is not used");
        for (at = 0; !nz_salvage_get(s, part, sizeof part, &n) && n; at += n)
            cr_assert(at + n <= want.out.n && !memcmp(part, want.out.p + at, n));
        cr_assert_eq(at, want.out.n);
        cr_assert_eq(r.n, want.n);
        cr_assert(!memcmp(r.lost, want.lost, r.n * sizeof *r.lost));
        nz_salvaged sum = nz_salvage_sum(s);
        cr_assert(!memcmp(&sum, &want.sum, sizeof sum));
        nz_salvage_free(s);
        r = (result){0};
    }
    fclose(f);
    int ends[2];
    cr_assert(!pipe(ends));
    f = fdopen(ends[0], "rb");
    cr_assert_eq(nz_salvage_open_file(&s, f, &OPTIONS, NULL, NULL), NZ_E_READ);
    fclose(f);
    close(ends[1]);
    free(want.out.p);
    drop(&a);
}

Test(salvage, what_is_no_archive_is_said_to_be_none)
{
    uint8_t none[5000] = {0};
    nz_salvage *s;
    for (size_t n = 0; n < sizeof none; n += 999)
        cr_assert_eq(nz_salvage_open(&s, none, n, &OPTIONS, NULL, NULL), NZ_E_MAGIC);
    for (size_t i = 0; i < sizeof none; i++)
        none[i] = (uint8_t)(nz_hash32((uint32_t)i, 3) >> 24);
    cr_assert_eq(nz_salvage_open(&s, none, sizeof none, &OPTIONS, NULL, NULL), NZ_E_MAGIC);
    cr_assert_null(s);
}

/* ---- One damage ---- */

/* To the next byte to be damaged: of what tells frames most, of what they hold some. */
static size_t step_from(const archive *a, size_t at)
{
    const size_t some = getenv("NZ_SHORT") ? 9 : 2;
    for (size_t i = 0; i < a->frames; i++) {
        const frame *f = &a->frame[i];
        if (at >= f->offset + NZ_HEADER_BYTES && at < f->offset + f->size) {
            size_t rest = f->offset + f->size - at;
            return f->size / 8 + 1 < rest ? f->size / 8 + 1 : rest;
        }
    }
    return at + some < a->packed.n || at + 1 == a->packed.n ? some : 1;
}

Test(salvage, a_changed_byte)
{
    archive a = sample();
    for (size_t at = 0; at < a.packed.n; at += step_from(&a, at)) {
        uint8_t other = a.packed.p[at] ^ (at & 1 ? 1 : 255);
        bytes b = replace(&a, at, at + 1, &other, 1);
        result r = salvage(b);
        expect_in_place(&a, &r, at, at + 1); /* if the end is hit, too */
        free(r.out.p);
        free(b.p);
    }
    drop(&a);
}

Test(salvage, an_archive_that_is_cut_short)
{
    archive a = sample();
    for (size_t at = a.frame[0].offset + a.frame[0].size; at < a.packed.n;
         at += step_from(&a, at)) {
        bytes b = replace(&a, at, a.packed.n, "", 0);
        result r = salvage(b);
        expect_in_order(&a, &r, at, a.packed.n);
        cr_assert_eq(r.sum.whole, at >= a.end + 8, "so much of the end tells it all");
        free(r.out.p);
        free(b.p);
    }
    drop(&a);
}

Test(salvage, an_archive_without_its_beginning)
{
    archive a = sample();
    for (size_t at = 1; at < a.end; at += 1 + step_from(&a, at))
        expect(&a, replace(&a, 0, at, "", 0), 0, at);
    drop(&a);
}

/* Stretches that begin and end at, shortly before and shortly behind the borders of frames. */
static size_t borders(const archive *a, size_t *at)
{
    size_t n = 0;
    for (size_t i = 0; i <= a->frames; i++) {
        size_t border = i < a->frames ? a->frame[i].offset : a->directory;
        at[n++] = border - 3;
        at[n++] = border;
        at[n++] = border + 5;
    }
    return n;
}

static void in_stretches(const archive *a, const void *p, size_t n, bool same_size)
{
    size_t at[3 * (FRAMES_MAX + 1)], count = borders(a, at);
    uint8_t *fill = malloc(a->packed.n);
    for (size_t i = 0; i < a->packed.n; i++)
        fill[i] = (uint8_t)(nz_hash32((uint32_t)i, 9) >> 24);
    const size_t step = getenv("NZ_SHORT") ? 3 : 1;
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k += step)
            expect(a, replace(a, at[i], at[k], same_size ? fill : p, same_size ? at[k] - at[i] : n),
                   at[i], at[k]);
    free(fill);
}

Test(salvage, missing_stretches)
{
    archive a = sample();
    in_stretches(&a, "", 0, false);
    drop(&a);
}

Test(salvage, stretches_overwritten)
{
    archive a = sample();
    in_stretches(&a, NULL, 0, true);
    drop(&a);
}

Test(salvage, stretches_replaced_by_others)
{
    archive a = sample();
    in_stretches(&a, "\xf0\xf1\xe0 other bytes \xce\x4e\x5a\x0a", 19, false);
    drop(&a);
}

Test(salvage, bytes_between_frames_are_no_loss)
{
    archive a = sample();
    for (size_t i = 0; i < a.frames; i++)
        expect(&a, replace(&a, a.frame[i].offset, a.frame[i].offset, "not of it", 9),
               a.frame[i].offset, a.frame[i].offset);
    drop(&a);
}

/* Found by fuzzing: nothing but an end is left. */
Test(salvage, an_end_alone_tells_what_is_lost)
{
    archive a = sample();
    bytes b = {0};
    put(&b, "what", 4);
    put(&b, a.packed.p + a.end, a.packed.n - a.end);
    result r = salvage(b);
    cr_assert_eq(r.out.n, a.raw.n);
    cr_assert(r.sum.frames == 0 && r.sum.exact && !r.sum.whole);
    free(r.out.p);
    free(b.p);
    drop(&a);
}

/* ---- More damage ---- */

/* The last byte of the end makes it useless, bytes are missing elsewhere. */
Test(salvage, without_the_end_frames_come_in_order)
{
    archive a = sample();
    for (size_t i = 0; i < a.frames; i++) {
        bytes b = replace(&a, a.frame[i].offset + 4, a.frame[i].offset + 9, "", 0);
        b.p[b.n - 1] ^= 1;
        result r = salvage(b);
        expect_in_order(&a, &r, a.frame[i].offset + 4, a.frame[i].offset + 9);
        cr_assert(!r.sum.exact && !r.sum.whole);
        free(r.out.p);
        free(b.p);
    }
    drop(&a);
}

/* A payload's damage does not hide how long it is: zeros stand for it without any end. */
Test(salvage, headers_tell_sizes_without_the_end)
{
    archive a = sample();
    bytes b = replace(&a, a.directory, a.packed.n, "", 0);
    b.p[a.frame[1].offset + a.frame[1].size - 5] ^= 1;
    result r = salvage(b);
    cr_assert_eq(r.out.n, a.raw.n);
    cr_assert(!memcmp(r.out.p + a.frame[2].at, a.raw.p + a.frame[2].at, a.raw.n - a.frame[2].at));
    cr_assert_eq(r.n, 2, "the frame, and the end");
    cr_assert(r.lost[0].sized && r.lost[0].raw == a.frame[1].raw && r.lost[1].exact);
    cr_assert(!r.lost[1].sized && r.lost[1].err == NZ_E_TRUNCATED);
    free(r.out.p);
    free(b.p);
    drop(&a);
}

Test(salvage, two_gaps_keep_the_total)
{
    archive a = sample();
    const frame *f = a.frame;
    bytes b = {0};
    put(&b, a.packed.p, f[2].offset + 10);
    put(&b, a.packed.p + f[2].offset + 20, f[4].offset + 10 - (f[2].offset + 20));
    put(&b, a.packed.p + f[4].offset + 20, a.packed.n - (f[4].offset + 20));
    result r = salvage(b);
    cr_assert_eq(r.out.n, a.raw.n);
    cr_assert_eq(r.sum.frames, a.frames - 2);
    cr_assert(!r.sum.whole);
    cr_assert(!memcmp(r.out.p, a.raw.p, f[2].at), "in front of the first");
    cr_assert(!memcmp(r.out.p + f[5].at, a.raw.p + f[5].at, a.raw.n - f[5].at), "behind the last");
    cr_assert_eq(r.n, 2);
    free(r.out.p);
    free(b.p);
    drop(&a);
}

Test(salvage, joined_archives)
{
    archive a = sample();
    size_t ends[] = {a.frame[0].offset, a.frame[3].offset + 3, a.end + 4, a.packed.n - 1};
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++) {
            bytes b = {0};
            put(&b, a.packed.p, a.packed.n);
            put(&b, a.packed.p, a.packed.n);
            b.p[ends[i]] ^= 64;
            b.p[a.packed.n + ends[k]] ^= 64;
            size_t bad = (i < 2) + (k < 2);
            result r = salvage(b);
            cr_assert_eq(r.sum.frames, 2 * a.frames - bad, "%zu %zu", i, k);
            cr_assert_eq(r.out.n, 2 * a.raw.n);
            cr_assert_eq(r.sum.whole, bad == 0);
            cr_assert(r.sum.exact, "%zu %zu", i, k);
            for (size_t f = 0; f < 2 * a.frames; f++) {
                const frame *one = &a.frame[f % a.frames];
                size_t at = one->at + (f < a.frames ? 0 : a.raw.n), hit = f < a.frames ? i : k;
                if (hit > 1 || ends[hit] < one->offset || ends[hit] >= one->offset + one->size)
                    cr_assert(!memcmp(r.out.p + at, a.raw.p + one->at, one->raw), "%zu %zu", i, k);
            }
            free(r.out.p);
            free(b.p);
        }
    drop(&a);
}

Test(salvage, what_surrounds_archives)
{
    archive a = sample();
    uint8_t zeros[700] = {0};
    bytes b = {0};
    put(&b, zeros, sizeof zeros);
    put(&b, a.packed.p, a.packed.n);
    put(&b, zeros, sizeof zeros);
    result r = salvage(b);
    cr_whole(&r, &a.raw, "padding");
    cr_assert_eq(r.n, 2);
    free(r.out.p);
    b.p[b.n - 2] = 7;
    r = salvage(b);
    cr_assert(!r.sum.whole && !r.sum.exact, "who knows what that was");
    cr_assert(!memcmp(r.out.p, a.raw.p, a.raw.n));
    free(r.out.p);
    free(b.p);
    drop(&a);
}

/* What is left of an archive that was cut short, and a whole one behind it. */
Test(salvage, an_archive_without_end_before_another)
{
    archive a = sample();
    bytes b = {0};
    put(&b, a.packed.p, a.frame[2].offset);
    put(&b, a.packed.p, a.packed.n);
    result r = salvage(b);
    cr_assert_eq(r.out.n, a.frame[2].at + a.raw.n);
    cr_assert(!memcmp(r.out.p, a.raw.p, a.frame[2].at));
    cr_assert(!memcmp(r.out.p + a.frame[2].at, a.raw.p, a.raw.n));
    cr_assert(r.n == 1 && !r.lost[0].sized && r.lost[0].packed == 0 && !r.sum.whole);
    free(r.out.p);
    free(b.p);
    drop(&a);
}

/* An archive in an archive is data: its frames are not the outer one's, whatever is damaged. */
Test(salvage, an_archive_within_another)
{
    archive a = sample(), outer = {0};
    nz_index x = {0};
    uint8_t bytes_of[NZ_HEADER_BYTES];
    nz_head_store(bytes_of);
    put(&outer.packed, bytes_of, NZ_HEAD_BYTES);
    for (int i = 0; i < 3; i++) {
        nz_header h = {.method = NZ_METHOD_STORED,
                       .raw = a.packed.n,
                       .packed = a.packed.n,
                       .hash = nz_hash(a.packed.p, a.packed.n)};
        size_t n = nz_header_store(&h, bytes_of);
        outer.frame[outer.frames++] =
            (frame){outer.packed.n, n + a.packed.n, outer.raw.n, a.packed.n};
        put(&outer.packed, bytes_of, n);
        put(&outer.packed, a.packed.p, a.packed.n);
        put(&outer.raw, a.packed.p, a.packed.n);
        cr_assert_eq(nz_index_add(&x, n + a.packed.n, a.packed.n), NZ_OK);
    }
    add_end(&outer, &x);
    for (size_t i = 0; i < outer.frames; i++)
        for (size_t at = 0; at < outer.frame[i].size; at += outer.frame[i].size / 7) {
            size_t hit = outer.frame[i].offset + at;
            uint8_t other = outer.packed.p[hit] ^ 4;
            expect(&outer, replace(&outer, hit, hit + 1, &other, 1), hit, hit + 1);
        }
    drop(&outer);
    drop(&a);
}

/* Any number of changes: whatever is said to be whole is. */
Test(salvage, damage_at_random)
{
    archive a = sample();
    uint32_t seed = 1;
    int whole = 0;
    for (int i = 0; i < 300; i++) {
        bytes b = replace(&a, 0, 0, "", 0);
        for (uint32_t n = nz_hash32(seed++, 0) % 6 + 1; n; n--) {
            size_t at = nz_hash32(seed, 1) % b.n, most = nz_hash32(seed, 2) % 3000 + 1;
            size_t size = at + most < b.n ? most : b.n - at;
            uint32_t kind = nz_hash32(seed++, 3) % 3;
            if (kind == 0) {
                memmove(b.p + at, b.p + at + size, b.n - at - size);
                b.n -= size;
            } else if (kind == 1) {
                memset(b.p + at, (int)seed, size);
            } else {
                b.p[at] ^= (uint8_t)seed | 1;
            }
            if (b.n == 0)
                put(&b, "x", 1);
        }
        result r = salvage(b);
        whole += r.sum.whole;
        if (!r.err && r.sum.whole)
            cr_whole(&r, &a.raw, "at random");
        free(r.out.p);
        free(b.p);
    }
    cr_assert_lt(whole, 290);
    drop(&a);
}

/* ---- Bases, limits ---- */

Test(salvage, frames_that_need_a_base)
{
    enum { N = 40000 };
    static uint8_t old[N + 100], new[N + 100], packed[2 * N];
    static const char header[] = "{\"w\":{\"dtype\":\"BF16\",\"shape\":[100,200],"
                                 "\"data_offsets\":[0,40000]}}";
    size_t head = sizeof header - 1, n = 8 + head + N, size;
    nz_store64(old, head);
    memcpy(old + 8, header, head);
    for (size_t i = 0; i < N; i++)
        old[8 + head + i] = i & 1 ? 0x3c : (uint8_t)(nz_hash32((uint32_t)i, 5) >> 24);
    memcpy(new, old, n);
    for (size_t i = 0; i < N; i += 50)
        new[8 + head + i] ^= 1;
    nz_options opt = OPTIONS, none = OPTIONS;
    opt.level = 3;
    cr_assert_eq(nz_base_new((nz_base **)&opt.base, old, n), NZ_OK);
    cr_assert_eq(nz_pack(packed, sizeof packed, &size, new, n, &opt), NZ_OK);
    cr_assert_eq(packed[NZ_HEAD_BYTES], NZ_TAG_BASE);
    bytes raw = {new, n};
    unsigned char hash[NZ_BASE_HASH], want[NZ_BASE_HASH];
    for (size_t at = 0; at <= NZ_HEAD_BYTES + NZ_BASE_BYTES; at++) {
        bool whole = at == NZ_HEAD_BYTES + NZ_BASE_BYTES;
        if (!whole)
            packed[at] ^= 8;
        result r = salvage_with(packed, size, &opt);
        cr_whole(&r, &raw, "the base was given");
        cr_assert_eq(r.sum.damaged, !whole);
        free(r.out.p);
        r = salvage_with(packed, size, &none);
        cr_assert_eq(r.out.n, n);
        cr_assert(!r.sum.whole && r.sum.exact);
        cr_assert(at < NZ_HEAD_BYTES || !whole || r.lost[0].err == NZ_E_BASE);
        free(r.out.p);
        if (!whole)
            packed[at] ^= 8;
    }
    nz_salvage *s;
    cr_assert_eq(nz_salvage_open(&s, packed, size, &none, NULL, NULL), NZ_OK);
    cr_assert_eq(nz_salvage_base(s, hash), n);
    nz_base_about(opt.base, want);
    cr_assert(!memcmp(hash, want, sizeof hash));
    nz_salvage_free(s);
    nz_base_free((nz_base *)opt.base);
}

Test(salvage, a_frame_beyond_the_limit_does_not_stop_the_others)
{
    archive a = sample();
    nz_options opt = OPTIONS;
    opt.memory = 1 << 20;
    result r = salvage_with(a.packed.p, a.packed.n, &opt);
    size_t limit = 0;
    for (size_t i = 0; i < r.n; i++)
        limit += r.lost[i].err == NZ_E_LIMIT;
    cr_assert(limit && r.sum.frames && !r.sum.whole && r.sum.exact);
    cr_assert_eq(r.out.n, a.raw.n);
    free(r.out.p);
    drop(&a);
}

/* Headers of frames that reach to the end of the file, one in the other; tags of everything. Each
 * is so large that looking at all of them from each of them would take hours. */
Test(salvage, files_made_to_be_slow)
{
    enum { N = 4 << 20 };
    uint8_t *p = malloc(N);
    result r;
    static const uint8_t tags[] = {0xf0, 0xf1, 0xe0, 0xd0, 0xc0, 0xce, 0x01, 0x00, 0xff};
    nz_salvage *s;
    for (size_t i = 0; i < sizeof tags; i++) {
        memset(p, tags[i], N);
        cr_assert_eq(nz_salvage_open(&s, p, N, &OPTIONS, NULL, NULL), NZ_E_MAGIC);
    }
    for (size_t at = 0, n; at + NZ_HEADER_BYTES < N; at += n) {
        nz_header h = {.method = NZ_METHOD_STORED, .raw = N - at - 100, .packed = N - at - 100};
        if (at + 200 > N)
            break;
        n = nz_header_store(&h, p + at);
    }
    r = salvage_with(p, N, &OPTIONS);
    cr_assert(!r.err && r.sum.frames == 0 && r.n == 1 && !r.sum.whole);
    free(r.out.p);
    /* Heads and directories, each of which would have to be read to its end. */
    for (size_t at = 0; at < N; at += 16) {
        nz_head_store(p + at);
        p[at + 8] = NZ_TAG_DIRECTORY;
        memset(p + at + 9, 0x80, 2);
        p[at + 11] = 0x7f;
        memset(p + at + 12, 0, 4);
    }
    cr_assert_eq(nz_salvage_open(&s, p, N, &OPTIONS, NULL, NULL), NZ_OK);
    nz_salvage_free(s);
    nz_options small = OPTIONS;
    small.memory = 4 << 20;
    cr_assert_eq(nz_salvage_open(&s, p, N, &small, NULL, NULL), NZ_E_LIMIT);
    /* Ends as long as can be. */
    for (size_t at = 0; at + 8 <= N; at += 8)
        memcpy(p + at, "\xe0\x80\x80\x3f\x01\xe0\x10\x20", 8);
    cr_assert_eq(nz_salvage_open(&s, p, N, &OPTIONS, NULL, NULL), NZ_E_MAGIC);
    free(p);
}
