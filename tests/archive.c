/* The archive: what goes in comes out, what is not an archive is refused, bytes depend on nothing
 * but input and options. Run from the top of the tree. */
#include "archive/format.h"
#include "base/base.h"
#include "lib/bytes.h"
#include "model/bytes.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* Reading a prior first has tests of its own. */
static const nz_options QUICK = {
    .level = 1, .threads = 1, .memory = (uint64_t)1 << 30, .prior = NZ_PRIOR_OFF};

/* Bytes of a fixed pseudo-random sequence. */
static void fill_random(uint8_t *p, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(nz_hash32((uint32_t)i, (uint32_t)seed) >> 24);
}

/* Words of a small vocabulary: packs well. */
static void fill_text(uint8_t *p, size_t n)
{
    static const char *const words[] = {"the ", "frame ",  "holds ",  "bytes, ",
                                        "and ", "archive", "ends.\n", "nothing "};
    size_t at = 0;
    for (uint32_t i = 0; at < n; i++)
        for (const char *w = words[nz_hash32(i, 7) & 7]; *w && at < n; w++)
            p[at++] = (uint8_t)*w;
}

static bytes pack(const void *raw, size_t n, const nz_options *opt)
{
    size_t cap = (size_t)nz_bound(n) + n / 100 + 1024;
    bytes b = {malloc(cap), 0};
    cr_assert_eq(nz_pack(b.p, cap, &b.n, raw, n, opt), NZ_OK);
    return b;
}

/* The reader's word on an archive that must be refused. */
static nz_fault fault_of(const uint8_t *p, size_t n, const nz_options *opt)
{
    FILE *f = n ? fmemopen((void *)p, n, "rb") : tmpfile();
    nz_reader *r;
    nz_err err = nz_reader_new(&r, opt, f);
    nz_fault fault = {err, 0, NULL};
    if (!err) {
        uint8_t part[4096];
        size_t got;
        do
            err = nz_reader_get(r, part, sizeof part, &got);
        while (!err && got);
        fault = nz_reader_fault(r);
        cr_assert_eq(fault.err, err);
        size_t again = 1;
        cr_assert_eq(nz_reader_get(r, part, sizeof part, &again), err, "the error stays");
        cr_assert_eq(again, 0);
        nz_reader_free(r);
    }
    fclose(f);
    return fault;
}

static void round_trip(const uint8_t *raw, size_t n, const nz_options *opt)
{
    bytes b = pack(raw, n, opt);
    uint8_t *back = malloc(n + 1);
    size_t got;
    cr_assert_eq(nz_unpack(back, n, &got, b.p, b.n, opt), NZ_OK);
    cr_assert_eq(got, n);
    cr_assert(n == 0 || !memcmp(back, raw, n));
    if (n)
        cr_assert_eq(nz_unpack(back, n - 1, &got, b.p, b.n, opt), NZ_E_FULL);
    size_t packed;
    uint8_t *again = malloc(b.n);
    cr_assert_eq(nz_pack(again, b.n, &packed, raw, n, opt), NZ_OK);
    cr_assert_eq(packed, b.n);
    cr_assert(!memcmp(again, b.p, b.n), "the same bytes every time");
    cr_assert_eq(nz_pack(again, b.n - 1, &packed, raw, n, opt), NZ_E_FULL);
    free(again);
    free(back);
    free(b.p);
}

/* ---- Headers ---- */

Test(archive, varints)
{
    uint8_t p[NZ_VARINT_BYTES + 1];
    for (int bit = 0; bit < 64; bit++)
        for (int less = 0; less < 2; less++) {
            uint64_t v = ((uint64_t)1 << bit) - (uint64_t)less, back;
            size_t n = nz_varint_store(p, v);
            cr_assert_eq(nz_varint_load(&back, p, n), n);
            cr_assert_eq(back, v);
            for (size_t i = 0; i < n; i++)
                cr_assert_eq(nz_varint_load(&back, p, i), 0, "needs more");
        }
    uint64_t v;
    cr_assert_gt(nz_varint_load(&v, (const uint8_t *)"\x80\x00", 2), NZ_VARINT_BYTES, "too long");
    memset(p, 0xff, sizeof p);
    p[9] = 1;
    cr_assert_eq(nz_varint_load(&v, p, 10), 10);
    cr_assert_eq(v, UINT64_MAX);
    p[9] = 2;
    cr_assert_gt(nz_varint_load(&v, p, 10), NZ_VARINT_BYTES, "over 64 bits");
    p[9] = 0x80;
    cr_assert_gt(nz_varint_load(&v, p, 11), NZ_VARINT_BYTES, "eleven bytes");
}

Test(archive, head_is_checked)
{
    uint8_t head[NZ_HEAD_BYTES], bad[NZ_HEAD_BYTES];
    const char *reason;
    nz_head_store(head);
    cr_assert_eq(nz_head_load(head, sizeof head, &reason), NZ_OK);
    for (size_t n = 0; n < sizeof head; n++)
        cr_assert_eq(nz_head_load(head, n, &reason), NZ_E_TRUNCATED);
    for (size_t i = 0; i < sizeof head; i++) {
        memcpy(bad, head, sizeof bad);
        bad[i] ^= 1;
        cr_assert_eq(nz_head_load(bad, sizeof bad, &reason), i < 4 ? NZ_E_MAGIC : NZ_E_CORRUPT);
    }
    for (size_t i = 4; i < 6; i++) {
        memcpy(bad, head, sizeof bad);
        bad[i] += 2;
        uint64_t check = nz_hash(bad, 6);
        bad[6] = (uint8_t)check;
        bad[7] = (uint8_t)(check >> 8);
        cr_assert_eq(nz_head_load(bad, sizeof bad, &reason), NZ_E_VERSION);
    }
}

static nz_header sample_header(nz_method method, uint64_t raw, uint64_t packed)
{
    nz_header h = {.method = method, .raw = raw, .packed = packed, .hash = 0x0123456789abcdef};
    if (method != NZ_METHOD_STORED)
        for (int i = 0; i < NZ_SHAPE_BYTES; i++)
            h.params[i] = (uint8_t)(i + 1);
    return h;
}

static nz_err reload(const nz_header *h)
{
    uint8_t p[NZ_HEADER_BYTES];
    nz_header back;
    const char *reason;
    size_t n = nz_header_store(h, p);
    cr_assert_leq(n, sizeof p);
    nz_err err = nz_header_load(&back, p, n, &reason);
    cr_assert_eq(err != NZ_OK, reason != NULL);
    cr_assert_eq(back.size, n);
    cr_assert_eq(back.raw, h->raw);
    cr_assert_eq(back.packed, h->packed);
    cr_assert_eq(back.hash, h->hash);
    cr_assert(!memcmp(back.params, h->params, NZ_SHAPE_BYTES));
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(nz_header_load(&back, p, i, &reason), NZ_E_TRUNCATED);
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 8; bit++) {
            p[i] ^= (uint8_t)(1 << bit);
            cr_assert_neq(nz_header_load(&back, p, n, &reason), NZ_OK, "byte %zu bit %d", i, bit);
            p[i] ^= (uint8_t)(1 << bit);
        }
    return err;
}

Test(archive, frame_headers)
{
    for (uint64_t raw = 1; raw <= NZ_FRAME_MAX; raw *= 2) {
        nz_header h = sample_header(NZ_METHOD_STORED, raw, raw);
        cr_assert_eq(reload(&h), NZ_OK);
        h = sample_header(NZ_METHOD_BYTES, raw, raw - 1);
        cr_assert_eq(reload(&h), NZ_OK);
        h.packed = raw;
        cr_assert_eq(reload(&h), NZ_E_CORRUPT, "packed must be smaller");
    }
    nz_header h = sample_header(NZ_METHOD_STORED, 0, 0);
    cr_assert_eq(reload(&h), NZ_E_CORRUPT, "an empty frame");
    h = sample_header(NZ_METHOD_BYTES, NZ_FRAME_MAX + 1, 5);
    cr_assert_eq(reload(&h), NZ_E_CORRUPT, "too large");
    h = sample_header(NZ_METHOD_BYTES, UINT64_MAX, 5);
    cr_assert_eq(reload(&h), NZ_E_CORRUPT, "all 64 bits are read");
    h = sample_header(NZ_METHOD_WEIGHTS, 9, 9);
    cr_assert_eq(reload(&h), NZ_E_CORRUPT, "packed must be smaller");
    h = sample_header(NZ_METHOD_MIXED, 9, 9);
    cr_assert_eq(reload(&h), NZ_E_CORRUPT, "packed must be smaller");
    for (int method = NZ_METHOD_KV; method < 16; method++) {
        if (method == NZ_METHOD_MIXED)
            continue;
        h = sample_header((nz_method)method, UINT64_MAX - 1, UINT64_MAX);
        cr_assert_eq(reload(&h), NZ_E_METHOD);
    }
}

Test(archive, reserved_methods_are_named)
{
    static const char *const names[] = {"kv", "llm"};
    uint8_t p[NZ_HEAD_BYTES + NZ_HEADER_BYTES];
    nz_head_store(p);
    for (int i = 0; i < 2; i++) {
        nz_header h = sample_header((nz_method)(NZ_METHOD_KV + i), 9, 9);
        size_t n = NZ_HEAD_BYTES + nz_header_store(&h, p + NZ_HEAD_BYTES);
        nz_fault fault = fault_of(p, n, &QUICK);
        cr_assert_eq(fault.err, NZ_E_METHOD);
        cr_assert_eq(fault.offset, NZ_HEAD_BYTES);
        cr_assert(strstr(fault.reason, names[i]) && strstr(fault.reason, "not supported"));
    }
}

/* ---- Round trips ---- */

Test(archive, empty_and_tiny)
{
    uint8_t raw[300];
    bytes b = pack(NULL, 0, &QUICK);
    cr_assert_eq(b.n, 19);
    free(b.p);
    fill_random(raw, sizeof raw, 1);
    for (size_t n = 0; n <= sizeof raw; n += n < 70 ? 1 : 23)
        round_trip(raw, n, &QUICK);
    memset(raw, 'a', sizeof raw);
    for (size_t n = 1; n <= sizeof raw; n += n < 70 ? 1 : 23)
        round_trip(raw, n, &QUICK);
}

Test(archive, text_and_zeros)
{
    size_t n = 300 * KIB;
    uint8_t *raw = calloc(n, 1);
    round_trip(raw, n, &QUICK);
    bytes b = pack(raw, n, &QUICK);
    cr_assert_lt(b.n, n / 100);
    free(b.p);
    fill_text(raw, n);
    const bool brief = getenv("NZ_SHORT"); /* the engines' own tests take every level */
    for (int level = NZ_LEVEL_MIN; level <= NZ_LEVEL_MAX; level += brief ? 4 : 1) {
        nz_options opt = QUICK;
        opt.level = level;
        opt.memory = (uint64_t)8 << 30;
        round_trip(raw, (size_t)(level < 5 ? 40 : brief ? 2 : 8) * KIB, &opt);
    }
    b = pack(raw, n, &QUICK);
    cr_assert_lt(b.n, n / 3);
    free(b.p);
    free(raw);
}

Test(archive, random_grows_by_little)
{
    static const size_t sizes[] = {1, 2, 63, 64, 65, 1000, 4095, 65536, 65537, 1000000};
    uint8_t *raw = malloc(MIB);
    fill_random(raw, MIB, 3);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bytes b = pack(raw, sizes[i], &QUICK);
        cr_assert_leq(b.n, sizes[i] + sizes[i] / 1000 + 64);
        cr_assert_leq(b.n, nz_bound(sizes[i]));
        free(b.p);
    }
    nz_options opt = QUICK;
    opt.frame = 64 * KIB;
    bytes b = pack(raw, MIB, &opt);
    cr_assert_leq(b.n, MIB + MIB / 1000 + 64);
    free(b.p);
    free(raw);
}

/* ---- Streams ---- */

static bytes slurp(FILE *f)
{
    fflush(f);
    bytes b = {NULL, (size_t)ftello(f)};
    b.p = malloc(b.n + 1);
    rewind(f);
    cr_assert_eq(fread(b.p, 1, b.n, f), b.n);
    return b;
}

static bytes pack_stream(const uint8_t *raw, size_t n, const nz_options *opt, size_t step)
{
    FILE *f = tmpfile();
    nz_writer *w;
    cr_assert_eq(nz_writer_new(&w, opt, f), NZ_OK);
    for (size_t at = 0; at < n; at += step)
        cr_assert_eq(nz_writer_put(w, raw + at, n - at < step ? n - at : step), NZ_OK);
    cr_assert_eq(nz_writer_end(w), NZ_OK);
    uint64_t packed = nz_writer_packed(w);
    cr_assert_eq(nz_writer_put(w, raw, 1), NZ_E_ARG, "an archive ends once");
    nz_writer_free(w);
    bytes b = slurp(f);
    cr_assert_eq(b.n, packed);
    fclose(f);
    return b;
}

Test(archive, pieces_threads_and_progress_never_change_it)
{
    size_t n = 200 * KIB + 17;
    uint8_t *raw = malloc(n), *back = malloc(n);
    fill_text(raw, n);
    fill_random(raw + 70000, 66000, 5);
    nz_options opt = QUICK;
    opt.frame = 64 * KIB;
    bytes want = pack(raw, n, &opt);
    static const size_t steps[] = {1, 7, 4096, 65536, 65537, 1 << 20};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        opt.threads = (int)i + 1;
        bytes got = pack_stream(raw, n, &opt, steps[i]);
        cr_assert(got.n == want.n && !memcmp(got.p, want.p, got.n), "pieces of %zu", steps[i]);
        FILE *f = fmemopen(got.p, got.n, "rb");
        nz_reader *r;
        cr_assert_eq(nz_reader_new(&r, &opt, f), NZ_OK);
        size_t at = 0, part;
        do {
            size_t cap = n - at < steps[i] ? n - at + 1 : steps[i];
            uint8_t *piece = malloc(cap);
            cr_assert_eq(nz_reader_get(r, piece, cap, &part), NZ_OK);
            cr_assert_leq(part, n - at);
            memcpy(back + at, piece, part);
            at += part;
            free(piece);
        } while (part);
        cr_assert_eq(at, n);
        cr_assert_eq(nz_reader_packed(r), got.n);
        cr_assert(!memcmp(back, raw, n));
        nz_reader_free(r);
        fclose(f);
        free(got.p);
    }
    free(want.p);
    free(back);
    free(raw);
}

/* BF16, about normal; behind it what is none. */
static void fill_weights(uint8_t *p, size_t n, size_t numbers)
{
    fill_random(p, n, 11);
    uint32_t seed = 1;
    for (size_t i = 0; i < numbers; i++) {
        float v = -6;
        for (int k = 0; k < 12; k++) {
            seed = seed * 1664525 + 1013904223;
            v += (float)(seed >> 8) / (1 << 24);
        }
        uint32_t u;
        memcpy(&u, &v, sizeof u);
        nz_store16(p + 2 * i, (uint16_t)(u >> 16));
    }
}

static size_t weights_frames(bytes b)
{
    FILE *f = fmemopen(b.p, b.n, "rb");
    nz_reader *r;
    nz_frame frame;
    int n;
    size_t count = 0;
    cr_assert_eq(nz_reader_new(&r, &QUICK, f), NZ_OK);
    while (nz_reader_frame(r, &frame, &n) == NZ_OK && n)
        count += !strcmp(frame.method, "weights");
    nz_reader_free(r);
    fclose(f);
    return count;
}

Test(archive, arrays_are_found_in_any_pieces)
{
    size_t n = 5 * MIB + 3, numbers = 2 * MIB + 100 * KIB;
    uint8_t *raw = malloc(n), *back = malloc(n);
    fill_weights(raw, n, numbers);
    static const struct {
        size_t from, n;
        uint64_t frame;
        size_t weights;
    } CASES[] = {
        {0, 300 * KIB, 64 * KIB, 5},
        {1, 300 * KIB, 64 * KIB, 5},
        {0, 200 * KIB + 1, 0, 1},
        {0, 20 * KIB, 0, 0},
        {0, 5 * MIB + 3, 0, 1},
        {4 * MIB + 201 * KIB, 600 * KIB, 0, 0},
        {4 * MIB, 300 * KIB, 64 * KIB, 3},
    };
    static const size_t STEPS[] = {7, 6 << 20, 4097, 65536, 1 << 20};
    const bool brief = getenv("NZ_SHORT");
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        nz_options opt = {.level = 1, .frame = CASES[c].frame};
        const uint8_t *p = raw + CASES[c].from;
        const bool slow = brief && CASES[c].n > MIB; /* megabytes take the byte model long */
        const size_t steps = slow ? 1 : brief ? 2 : sizeof STEPS / sizeof *STEPS;
        bytes want = pack(p, CASES[c].n, &opt);
        cr_assert_eq(weights_frames(want), CASES[c].weights, "%zu: %zu", c, weights_frames(want));
        cr_assert_eq(nz_unpack(back, n, &(size_t){0}, want.p, want.n, &opt), NZ_OK);
        cr_assert(!memcmp(back, p, CASES[c].n));
        for (size_t i = 0; i < steps; i++) {
            opt.threads = (int)i + 1;
            bytes got = pack_stream(p, CASES[c].n, &opt, STEPS[i]);
            cr_assert(got.n == want.n && !memcmp(got.p, want.p, got.n), "%zu %zu", c, i);
            free(got.p);
        }
        if (!slow) {
            opt.weights = NZ_WEIGHTS_OFF;
            bytes off = pack(p, CASES[c].n, &opt);
            cr_assert_eq(weights_frames(off), 0);
            cr_assert_lt(want.n, off.n + off.n / 100, "%zu: %zu %zu", c, off.n, want.n);
            free(off.p);
        }
        free(want.p);
    }
    free(back);
    free(raw);
}

typedef struct seen {
    pthread_t thread;
    uint64_t last;
    int calls, stop_at;
} seen;

static int watch(void *arg, uint64_t raw_done)
{
    seen *s = arg;
    cr_assert(pthread_equal(s->thread, pthread_self()), "called on the caller's thread");
    cr_assert_geq(raw_done, s->last, "never goes back");
    s->last = raw_done;
    return ++s->calls == s->stop_at;
}

Test(archive, progress_and_stop)
{
    size_t n = 300 * KIB;
    uint8_t *raw = malloc(n), *back = malloc(n);
    fill_text(raw, n);
    for (int threads = 1; threads <= 3; threads++) {
        seen s = {.thread = pthread_self()};
        nz_options opt = QUICK;
        opt.threads = threads;
        opt.frame = 64 * KIB;
        bytes plain = pack(raw, n, &opt);
        opt.progress = watch;
        opt.progress_arg = &s;
        bytes b = pack(raw, n, &opt);
        cr_assert(b.n == plain.n && !memcmp(b.p, plain.p, b.n));
        cr_assert_eq(s.last, n);
        cr_assert_geq(s.calls, 5);
        s = (seen){.thread = pthread_self()};
        size_t got;
        cr_assert_eq(nz_unpack(back, n, &got, b.p, b.n, &opt), NZ_OK);
        cr_assert_eq(s.last, n);
        for (int at = 1; at <= 3; at++) {
            s = (seen){.thread = pthread_self(), .stop_at = at};
            cr_assert_eq(nz_pack(b.p, b.n, &got, raw, n, &opt), NZ_E_STOPPED);
            cr_assert_eq(s.calls, at, "not asked again");
            s = (seen){.thread = pthread_self(), .stop_at = at};
            cr_assert_eq(nz_unpack(back, n, &got, plain.p, plain.n, &opt), NZ_E_STOPPED);
        }
        free(b.p);
        free(plain.p);
    }
    free(back);
    free(raw);
}

Test(archive, through_a_pipe)
{
    uint8_t raw[3000], back[3001];
    fill_text(raw, sizeof raw);
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    FILE *to = fdopen(ends[1], "wb"), *from = fdopen(ends[0], "rb");
    nz_writer *w;
    cr_assert_eq(nz_writer_new(&w, &QUICK, to), NZ_OK);
    cr_assert_eq(nz_writer_put(w, raw, sizeof raw), NZ_OK);
    cr_assert_eq(nz_writer_end(w), NZ_OK);
    nz_writer_free(w);
    fclose(to);
    nz_reader *r;
    size_t n;
    cr_assert_eq(nz_reader_new(&r, &QUICK, from), NZ_OK);
    cr_assert_eq(nz_reader_get(r, back, sizeof back, &n), NZ_OK);
    cr_assert(n == sizeof raw && !memcmp(back, raw, n));
    cr_assert_eq(nz_reader_get(r, back, sizeof back, &n), NZ_OK);
    cr_assert_eq(n, 0);
    nz_reader_free(r);
    fclose(from);
}

Test(archive, frames_are_listed)
{
    size_t n = 150 * KIB;
    uint8_t *raw = malloc(n);
    fill_text(raw, n);
    fill_random(raw + 64 * KIB, 64 * KIB, 9);
    nz_options opt = QUICK;
    opt.frame = 64 * KIB;
    bytes b = pack(raw, n, &opt);
    char path[] = "/tmp/nzip-archive-XXXXXX", command[64];
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    FILE *f = fdopen(fd, "w+b");
    cr_assert_eq(fwrite(b.p, 1, b.n, f), b.n);
    snprintf(command, sizeof command, "cat %s", path);
    for (int seekable = 0; seekable < 2; seekable++) {
        rewind(f);
        FILE *from = seekable ? f : popen(command, "r");
        nz_reader *r;
        cr_assert_eq(nz_reader_new(&r, &opt, from), NZ_OK);
        nz_frame frame;
        int more;
        uint64_t at = NZ_HEAD_BYTES, total = 0;
        for (int i = 0; i < 3; i++) {
            cr_assert_eq(nz_reader_frame(r, &frame, &more), NZ_OK);
            cr_assert_eq(more, 1);
            cr_assert_eq(frame.offset, at);
            cr_assert_eq(frame.check, nz_hash(raw + total, (size_t)frame.raw));
            cr_assert_str_eq(frame.method, i == 1 ? "stored" : "bytes");
            cr_assert_eq(frame.level, i == 1 ? 0 : 1);
            cr_assert_geq(frame.memory, frame.raw);
            at += frame.packed;
            total += frame.raw;
        }
        cr_assert_eq(total, n);
        cr_assert_eq(nz_reader_frame(r, &frame, &more), NZ_OK);
        cr_assert_eq(more, 0);
        cr_assert_eq(nz_reader_packed(r), b.n);
        nz_reader_free(r);
        if (!seekable)
            pclose(from);
    }
    fclose(f);
    unlink(path);
    /* And from the end, as a reader that can seek does. */
    uint32_t size = nz_load32(b.p + b.n - 8);
    const uint8_t *end = b.p + b.n - 8 - size;
    cr_assert_eq(end[0], NZ_TAG_END);
    cr_assert_eq((uint32_t)nz_hash(end, size + 4), nz_load32(b.p + b.n - 4));
    uint64_t frames, total, packed, part, sum = 0;
    size_t i = 1;
    i += nz_varint_load(&frames, end + i, size - i);
    i += nz_varint_load(&total, end + i, size - i);
    cr_assert_eq(frames, 3);
    cr_assert_eq(total, n);
    while (i < size) {
        i += nz_varint_load(&packed, end + i, size - i);
        i += nz_varint_load(&part, end + i, size - i);
        sum += packed;
    }
    cr_assert_eq(end - b.p, NZ_HEAD_BYTES + (ptrdiff_t)sum);
    free(b.p);
    free(raw);
}

Test(archive, concatenation)
{
    uint8_t raw[900], back[900];
    fill_text(raw, sizeof raw);
    uint8_t all[2000];
    size_t n = 0;
    static const size_t parts[] = {300, 0, 600};
    for (size_t i = 0, at = 0; i < 3; at += parts[i++]) {
        bytes b = pack(raw + at, parts[i], &QUICK);
        memcpy(all + n, b.p, b.n);
        n += b.n;
        free(b.p);
    }
    size_t got;
    cr_assert_eq(nz_unpack(back, sizeof back, &got, all, n, &QUICK), NZ_OK);
    cr_assert(got == sizeof raw && !memcmp(back, raw, got));
    static const uint8_t zeros[4096], text[] = "trailing";
    const struct {
        const uint8_t *p;
        size_t n;
    } junk[] = {{zeros, 1}, {zeros, 4}, {zeros, 900}, {text, 1}, {text, sizeof text}};
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
        memcpy(all + n, junk[i].p, junk[i].n);
        nz_fault fault = fault_of(all, n + junk[i].n, &QUICK);
        cr_assert_eq(fault.err, NZ_E_CORRUPT);
        cr_assert_eq(fault.offset, n);
        cr_assert(strstr(fault.reason, "trailing bytes"));
    }
}

/* ---- Damage ---- */

/* A packed archive and a stored one behind it. */
enum { FIRST = 1500, SECOND = 40, BOTH = FIRST + SECOND };

static bytes small_archives(uint8_t raw[BOTH], size_t *first)
{
    fill_text(raw, FIRST);
    fill_random(raw + FIRST, SECOND, 11);
    bytes b = pack(raw, FIRST, &QUICK), c = pack(raw + FIRST, SECOND, &QUICK);
    *first = b.n;
    b.p = realloc(b.p, b.n + c.n);
    memcpy(b.p + b.n, c.p, c.n);
    b.n += c.n;
    free(c.p);
    return b;
}

Test(archive, truncation_at_every_byte, .timeout = 300)
{
    uint8_t raw[BOTH], back[BOTH];
    size_t first, got;
    bytes b = small_archives(raw, &first);
    for (size_t cut = 0; cut < b.n; cut++) {
        nz_err want = cut == first ? NZ_OK : NZ_E_TRUNCATED;
        cr_assert_eq(nz_unpack(back, BOTH, &got, b.p, cut, &QUICK), want, "cut at %zu", cut);
        cr_assert(got == 0 || got == FIRST || got == BOTH);
        cr_assert(!memcmp(back, raw, got));
        nz_fault fault = fault_of(b.p, cut, &QUICK);
        cr_assert_eq(fault.err, want);
        cr_assert(!fault.reason || fault.offset == cut);
    }
    free(b.p);
}

Test(archive, damage_at_every_byte, .timeout = 300)
{
    uint8_t raw[BOTH], back[BOTH];
    size_t first, got;
    bytes b = small_archives(raw, &first);
    for (size_t at = 0; at < b.n; at++) {
        uint8_t flip = (uint8_t)(1 + nz_hash32((uint32_t)at, 13) % 255);
        b.p[at] ^= flip;
        /* The engine may not need every bit of its last bytes: then the contents are still right.
         */
        nz_err err = nz_unpack(back, BOTH, &got, b.p, b.n, &QUICK);
        cr_assert(err || got == BOTH, "byte %zu", at);
        cr_assert(got == 0 || got == FIRST || got == BOTH);
        cr_assert(!memcmp(back, raw, got), "byte %zu", at);
        b.p[at] ^= flip;
    }
    free(b.p);
}

Test(archive, good_frames_come_before_the_fault)
{
    size_t n = 160 * KIB;
    uint8_t *raw = malloc(n), *back = malloc(n);
    fill_random(raw, n, 21);
    for (int threads = 1; threads <= 4; threads++) {
        nz_options opt = QUICK;
        opt.threads = threads;
        opt.frame = 64 * KIB;
        bytes b = pack(raw, n, &opt);
        size_t second = NZ_HEAD_BYTES + 1 + 3 + 8 + 4 + 64 * KIB;
        cr_assert_eq(b.p[second], NZ_TAG_FRAME);
        b.p[second + 100] ^= 1;
        size_t got;
        cr_assert_eq(nz_unpack(back, n, &got, b.p, b.n, &opt), NZ_E_CORRUPT);
        cr_assert_eq(got, 64 * KIB);
        cr_assert(!memcmp(back, raw, got));
        nz_fault fault = fault_of(b.p, b.n, &opt);
        cr_assert_eq(fault.offset, second);
        cr_assert_str_eq(fault.reason, "the frame's checksum does not match");
        free(b.p);
    }
    free(back);
    free(raw);
}

Test(archive, end_must_match)
{
    uint8_t raw[] = "abcdefgh";
    bytes b = pack(raw, 8, &QUICK);
    /* A right end, but of another archive. */
    nz_index x = {0};
    nz_index_add(&x, 22, 9);
    uint8_t *end;
    size_t n;
    cr_assert_eq(nz_index_store(&x, &end, &n), NZ_OK);
    memcpy(b.p + b.n - n, end, n);
    nz_fault fault = fault_of(b.p, b.n, &QUICK);
    cr_assert_eq(fault.err, NZ_E_CORRUPT);
    cr_assert_eq(fault.offset, b.n - n);
    free(end);
    nz_index_reset(&x);
    free(b.p);
}

Test(archive, too_many_frames)
{
    enum { FRAME = 1 + 1 + 8 + 4 + 1 };
    nz_header h = {.method = NZ_METHOD_STORED, .raw = 1, .packed = 1, .hash = nz_hash("x", 1)};
    size_t n = NZ_HEAD_BYTES + (NZ_INDEX_FRAMES + 1) * FRAME;
    uint8_t *p = malloc(n), *at = p + NZ_HEAD_BYTES;
    nz_head_store(p);
    for (uint64_t i = 0; i <= NZ_INDEX_FRAMES; i++, at += FRAME) {
        cr_assert_eq(nz_header_store(&h, at), FRAME - 1);
        at[FRAME - 1] = 'x';
    }
    nz_fault fault = fault_of(p, n, &QUICK);
    cr_assert_eq(fault.err, NZ_E_CORRUPT);
    cr_assert_eq(fault.offset, n - FRAME);
    free(p);
}

/* ---- Limits ---- */

Test(archive, claimed_sizes_allocate_nothing)
{
    uint8_t p[NZ_HEAD_BYTES + NZ_HEADER_BYTES + 8] = {0};
    nz_head_store(p);
    nz_header h = {.method = NZ_METHOD_STORED, .raw = NZ_FRAME_MAX, .packed = NZ_FRAME_MAX};
    size_t n = NZ_HEAD_BYTES + nz_header_store(&h, p + NZ_HEAD_BYTES) + 8;
    nz_options opt = QUICK;
    opt.memory = NZ_FRAME_MAX - 1;
    nz_fault fault = fault_of(p, n, &opt);
    cr_assert_eq(fault.err, NZ_E_LIMIT);
    cr_assert_eq(fault.offset, NZ_HEAD_BYTES);
    opt.memory = NZ_FRAME_MAX;
    cr_assert_eq(fault_of(p, n, &opt).err, NZ_E_TRUNCATED, "allowed, but it is not there");

    uint8_t raw[100];
    memset(raw, 'a', sizeof raw);
    nz_shape shape;
    nz_shape_choose(&shape, 1, raw, sizeof raw);
    h = (nz_header){.method = NZ_METHOD_BYTES, .raw = NZ_FRAME_MAX, .packed = NZ_FRAME_MAX - 1};
    nz_shape_store(&shape, h.params);
    n = NZ_HEAD_BYTES + nz_header_store(&h, p + NZ_HEAD_BYTES) + 8;
    opt.memory = 2 * NZ_FRAME_MAX;
    cr_assert_eq(fault_of(p, n, &opt).err, NZ_E_LIMIT, "the tables count");
    opt.memory = 2 * NZ_FRAME_MAX + nz_shape_memory(&shape);
    cr_assert_eq(fault_of(p, n, &opt).err, NZ_E_TRUNCATED);
    memset(h.params, 0xff, sizeof h.params);
    n = NZ_HEAD_BYTES + nz_header_store(&h, p + NZ_HEAD_BYTES) + 8;
    cr_assert_eq(fault_of(p, n, &opt).err, NZ_E_VERSION, "other arithmetic");
    nz_shape_store(&shape, h.params);
    h.params[NZ_SHAPE_BYTES - 1] = 1;
    n = NZ_HEAD_BYTES + nz_header_store(&h, p + NZ_HEAD_BYTES) + 8;
    cr_assert_eq(fault_of(p, n, &opt).err, NZ_E_CORRUPT, "no encoder writes these");
}

Test(archive, memory_limit)
{
    size_t n = 300 * KIB, got;
    uint8_t *raw = malloc(n), *back = malloc(n);
    fill_text(raw, n);
    nz_options opt = QUICK;
    opt.weights = NZ_WEIGHTS_OFF;
    opt.prior = NZ_PRIOR_CODE;
    opt.frame = 64 * KIB;
    bytes want = pack(raw, n, &opt);
    opt.threads = 1;
    uint64_t one = nz_pack_memory(&opt, 64 * KIB);
    opt.threads = 4;
    opt.memory = one; /* room for one frame: slower, the same archive */
    cr_assert_eq(nz_pack_memory(&opt, UINT64_MAX), one);
    uint8_t *p = malloc(want.n);
    cr_assert_eq(nz_pack(p, want.n, &got, raw, n, &opt), NZ_OK);
    cr_assert(got == want.n && !memcmp(p, want.p, got));
    cr_assert_eq(nz_unpack(back, n, &got, p, want.n, &opt), NZ_OK);
    cr_assert(got == n && !memcmp(back, raw, n));
    opt.memory = 200 * KIB;
    cr_assert_eq(nz_pack(p, want.n, &got, raw, n, &opt), NZ_E_LIMIT);
    cr_assert_eq(nz_unpack(back, n, &got, want.p, want.n, &opt), NZ_E_LIMIT);
    opt.memory = (uint64_t)64 << 30;
    cr_assert_eq(nz_pack_memory(&opt, UINT64_MAX), 4 * one);
    cr_assert_eq(nz_pack_memory(&opt, 65 * KIB), 2 * one);
    free(p);
    free(want.p);
    free(back);
    free(raw);
}

static nz_err stream_pack(const uint8_t *raw, size_t n, const nz_options *opt)
{
    nz_writer *w;
    FILE *to = tmpfile();
    nz_err err = nz_writer_new(&w, opt, to);
    for (size_t at = 0; at < n && !err; at += KIB)
        err = nz_writer_put(w, raw + at, n - at < KIB ? n - at : KIB);
    if (!err)
        err = nz_writer_end(w);
    nz_writer_free(w);
    fclose(to);
    return err;
}

/* Numbers of two bytes that lie close. */
static void fill_numbers(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 2)
        nz_store16(p + i, (uint16_t)(0x3c00 + (nz_hash32((uint32_t)i, 3) & 0x83ff)));
}

Test(archive, memory_of_tensors)
{
    static const nz_weights_option modes[] = {NZ_WEIGHTS_TURBO, NZ_WEIGHTS_FAST, NZ_WEIGHTS_MAX};
    size_t n = 300 * KIB;
    uint8_t *raw = malloc(n);
    fill_numbers(raw, n);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        nz_options opt = QUICK;
        opt.weights = modes[i];
        opt.frame = 64 * KIB;
        opt.dtype = "BF16";
        opt.row = 128;
        opt.memory = 0;
        uint64_t one = nz_pack_memory(&opt, n);
        opt.memory = one;
        cr_assert_eq(stream_pack(raw, n, &opt), NZ_OK);
        opt.memory = one - 64 * KIB;
        cr_assert_eq(stream_pack(raw, n, &opt), NZ_E_LIMIT);
        opt.threads = 2;
        opt.memory = (uint64_t)64 << 30;
        uint64_t two = nz_pack_memory(&opt, UINT64_MAX);
        cr_assert_eq(two, (modes[i] == NZ_WEIGHTS_MAX ? 2 : 4) * one);
    }
    free(raw);
}

/* Whatever it turns out to be: text has more contexts than binary data at level 9, code at 5. */
Test(archive, memory_of_every_kind)
{
    for (int level = NZ_LEVEL_MIN; level <= NZ_LEVEL_MAX; level++)
        for (nz_kind kind = NZ_KIND_TEXT; kind <= NZ_KIND_CODE; kind++)
            for (size_t n = 4 * KIB; n <= 16 * MIB; n *= 16) {
                nz_options opt = {.level = level, .threads = 1, .prior = NZ_PRIOR_OFF};
                nz_shape s;
                nz_shape_for(&s, level, &(nz_content){.kind = kind}, n);
                cr_assert_geq(nz_pack_memory(&opt, n), nz_shape_memory(&s) + n,
                              "level %d, kind %d, %zu bytes", level, kind, n);
            }
}

/* Frames of tensors that wait for a worker are stopped too, and so are those nobody takes. */
static int stop_at_once(void *arg, uint64_t done)
{
    (void)arg;
    return done > 0;
}

Test(archive, many_frames_of_tensors)
{
    size_t n = 3 * MIB, got;
    uint8_t *raw = malloc(n), *back = malloc(n), *cut = malloc(n);
    fill_numbers(raw, n);
    nz_options opt = QUICK;
    opt.weights = NZ_WEIGHTS_FAST;
    opt.frame = 64 * KIB;
    opt.dtype = "BF16";
    bytes want = pack(raw, n, &opt);
    for (opt.threads = 2; opt.threads < 40; opt.threads *= 3) {
        bytes b = pack(raw, n, &opt);
        cr_assert(b.n == want.n && !memcmp(b.p, want.p, b.n), "%d threads", opt.threads);
        cr_assert_eq(nz_unpack(back, n, &got, b.p, b.n, &opt), NZ_OK);
        cr_assert(got == n && !memcmp(back, raw, n));
        memcpy(cut, b.p, b.n);
        cut[b.n / 2] ^= 1;
        cr_assert_neq(nz_unpack(back, n, &got, cut, b.n, &opt), NZ_OK);
        cr_assert(got < n && !memcmp(back, raw, got));
        opt.progress = stop_at_once;
        cr_assert_eq(nz_pack(cut, n, &got, raw, n, &opt), NZ_E_STOPPED);
        cr_assert_eq(nz_unpack(back, n, &got, b.p, b.n, &opt), NZ_E_STOPPED);
        cr_assert_eq(stream_pack(raw, n, &opt), NZ_E_STOPPED);
        opt.progress = NULL;
        free(b.p);
    }
    free(want.p);
    free(cut);
    free(back);
    free(raw);
}

Test(archive, arguments)
{
    static const nz_options bad[] = {
        {.level = -1}, {.level = 10},           {.threads = -1},
        {.frame = 1},  {.frame = 64 * KIB - 1}, {.frame = NZ_FRAME_MAX + 1},
    };
    uint8_t p[100];
    size_t n;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(nz_pack(p, sizeof p, &n, "x", 1, &bad[i]), NZ_E_ARG, "case %zu", i);
    cr_assert_eq(nz_pack(p, sizeof p, &n, "x", 1, NULL), NZ_OK);
    uint8_t x;
    size_t got;
    cr_assert_eq(nz_unpack(&x, 1, &got, p, n, NULL), NZ_OK);
    cr_assert(got == 1 && x == 'x');
    nz_writer_free(NULL);
    nz_reader_free(NULL);
    for (int err = NZ_OK; err <= NZ_E_STOPPED + 1; err++)
        cr_assert(nz_err_text((nz_err)err)[0]);
    cr_assert_eq(strncmp(nz_version(), "nzip ", 5), 0);
    cr_assert(nz_backend()[0]);
}

Test(archive, failing_files)
{
    FILE *full = fopen("/dev/full", "wb");
    if (!full)
        cr_skip_test("no /dev/full");
    nz_writer *w;
    nz_err err = nz_writer_new(&w, &QUICK, full);
    if (!err) {
        err = nz_writer_put(w, "x", 1);
        cr_assert_eq(err ? err : nz_writer_end(w), NZ_E_WRITE);
        cr_assert_eq(nz_writer_fault(w).err, NZ_E_WRITE);
        cr_assert(nz_writer_fault(w).reason);
        nz_writer_free(w);
    }
    fclose(full);
    FILE *folder = fopen(".", "rb");
    nz_reader *r;
    if (folder) {
        cr_assert_eq(nz_reader_new(&r, &QUICK, folder), NZ_E_READ);
        fclose(folder);
    }
}

/* ---- Archives kept in the tree ---- */

static bytes golden(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "tests/golden/%s", name);
    return load(path);
}

static void golden_pack(const char *name, const char *raw, size_t n)
{
    bytes want = golden(name), b = pack(raw, n, &QUICK);
    cr_assert(b.n == want.n && !memcmp(b.p, want.p, b.n), "%s", name);
    free(b.p);
    free(want.p);
}

Test(archive, golden_bytes)
{
    golden_pack("good-empty.nz", "", 0);
    golden_pack("good-stored.nz", "nzip", 4);
}

Test(archive, golden_files)
{
    DIR *dir = opendir("tests/golden");
    cr_assert(dir);
    int good = 0, bad = 0;
    bytes of_base = golden("good-delta.base");
    nz_options with_base = {0};
    nz_base *base;
    cr_assert_eq(nz_base_new(&base, of_base.p, of_base.n), NZ_OK);
    with_base.base = base;
    for (struct dirent *e; (e = readdir(dir));) {
        size_t len = strlen(e->d_name);
        if (len < 3 || strcmp(e->d_name + len - 3, ".nz"))
            continue;
        bytes b = golden(e->d_name);
        nz_fault fault = fault_of(b.p, b.n, &with_base);
        if (!strncmp(e->d_name, "good-", 5)) {
            cr_assert_eq(fault.err, NZ_OK, "%s: %s", e->d_name, fault.reason);
            good++;
        } else {
            cr_assert_neq(fault.err, NZ_OK, "%s", e->d_name);
            bad++;
        }
        free(b.p);
    }
    closedir(dir);
    nz_base_free(base);
    free(of_base.p);
    cr_assert(good >= 2 && bad >= 10);
}
