/* Any part of an archive without the rest: the same bytes as unpacking gives, whichever way, and
 * nothing worse than an error from archives that are damaged or lie. */
#include "archive/directory.h"
#include "archive/format.h"
#include "base/base.h"
#include "containers/tensor.h"
#include "lib/bytes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)

/* Frames of 64 KiB, so that a small checkpoint has many. */
static const nz_options QUICK = {
    .level = 1, .threads = 1, .frame = 64 * KIB, .memory = (uint64_t)1 << 30};

static bytes pack(const bytes *raw, const nz_options *opt)
{
    size_t cap = (size_t)nz_bound(raw->n) + raw->n / 10;
    bytes b = {malloc(cap), 0};
    cr_assert_eq(nz_pack(b.p, cap, &b.n, raw->p, raw->n, opt), NZ_OK);
    return b;
}

/* The caller's own allocation, so that a sanitizer sees reads behind it. */
static bytes copy_of(const uint8_t *p, size_t n)
{
    bytes b = {malloc(n + !n), n};
    memcpy(b.p, p, n);
    return b;
}

/* ---- A checkpoint ---- */

typedef struct sample {
    const char *name, *dtype, *shape;
    size_t bytes;
} sample;

static const sample SAMPLES[] = {
    {"model.embed.weight", "BF16", "500,256", 256000},
    {"model.layer.0.q.weight", "BF16", "128,256", 65536},
    {"model.layer.0.k.weight", "F16", "128,257", 65792},
    {"model.layer.0.norm.weight", "F32", "256", 1024},
    {"model.layer.0.scale", "F32", "", 4},
    {"model.layer.0.nothing", "F64", "3,0", 0},
    {"model.layer.1.q.weight", "F32", "100,333", 133200},
    {"model.layer.1.k.weight", "F8_E4M3", "300,301", 90300},
    {"model.layer.1.bias", "F64", "101", 808},
    {"ids", "I64", "2000", 16000},
    {"mask", "BOOL", "17", 17},
    {"noise", "U8", "3,50000", 150000},
    {"one row", "BF16", "1,50001", 100002},
    {"tail", "I16", "7", 14},
};
#define SAMPLE_COUNT (sizeof SAMPLES / sizeof *SAMPLES)

/* Of one frame. */
static const sample FEW[] = {
    {"w", "BF16", "32,16", 1024},
    {"wide", "F32", "5,20", 400},
    {"scale", "F32", "", 4},
};
enum { FEW_COUNT = 3, FEW_MAX = 2000 };

enum { MANY = 12 }; /* parts read */

/* About as numbers of a model are: exponents near each other, mantissas of noise. */
static void fill_sample(uint8_t *p, const sample *s, uint32_t seed)
{
    bool bf16 = !strcmp(s->dtype, "BF16"), f32 = !strcmp(s->dtype, "F32");
    for (size_t i = 0; i < s->bytes; i++)
        p[i] = (uint8_t)(nz_hash32((uint32_t)i, seed) >> 24);
    for (size_t i = 0; (bf16 || f32) && i < s->bytes; i += bf16 ? 2 : 4) {
        uint8_t *top = p + i + (bf16 ? 0 : 2);
        uint32_t h = nz_hash32((uint32_t)i, seed + 1);
        unsigned exponent = 120 - (unsigned)__builtin_clz(h | 1);
        nz_store16(top, (uint16_t)((h & 0x807f) | exponent << 7));
    }
    for (size_t i = 0; !strcmp(s->dtype, "I64") && i < s->bytes; i++)
        p[i] = i % 8 < 2 ? p[i] : 0;
}

/* safetensors: the size of the header, the header, the data. */
static bytes checkpoint(const sample *s, size_t count, size_t at[])
{
    char *json = malloc(200 * count + 100);
    size_t n = (size_t)sprintf(json, "{\"__metadata__\":{\"format\":\"pt\"}"), data = 0;
    for (size_t i = 0; i < count; i++) {
        n += (size_t)sprintf(json + n,
                             ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                             s[i].name, s[i].dtype, s[i].shape, data, data + s[i].bytes);
        at[i] = data;
        data += s[i].bytes;
    }
    json[n++] = '}';
    while (n % 8)
        json[n++] = ' ';
    bytes b = {malloc(8 + n + data), 8 + n + data};
    nz_store64(b.p, n);
    memcpy(b.p + 8, json, n);
    free(json);
    for (size_t i = 0; i < count; i++) {
        at[i] += 8 + n;
        fill_sample(b.p + at[i], &s[i], (uint32_t)i + 1);
    }
    return b;
}

static nz_archive *open_bytes(const bytes *b, const nz_options *opt)
{
    nz_archive *a;
    nz_fault fault;
    cr_assert_eq(nz_archive_open(&a, b->p, b->n, opt, &fault), NZ_OK, "%s", fault.reason);
    cr_assert_eq(fault.err, NZ_OK);
    return a;
}

/* ---- What must come out ---- */

Test(access, tensors_are_told)
{
    size_t at[SAMPLE_COUNT];
    bytes raw = checkpoint(SAMPLES, SAMPLE_COUNT, at), b = pack(&raw, &QUICK);
    nz_archive *a = open_bytes(&b, &QUICK);
    cr_assert_eq(nz_archive_raw(a), raw.n);
    cr_assert_eq(nz_tensor_count(a), SAMPLE_COUNT);
    nz_tensor_info t;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        cr_assert_eq(nz_tensor_about(a, i, &t), NZ_OK);
        cr_assert_str_eq(t.name, SAMPLES[i].name);
        cr_assert_str_eq(t.dtype, SAMPLES[i].dtype);
        cr_assert_eq(t.at, at[i]);
        cr_assert_eq(t.bytes, SAMPLES[i].bytes);
        char shape[100] = "";
        for (unsigned k = 0; k < t.dims; k++)
            sprintf(shape + strlen(shape), "%s%u", k ? "," : "", (unsigned)t.dim[k]);
        cr_assert_str_eq(shape, SAMPLES[i].shape);
        cr_assert_eq(nz_tensor_find(a, SAMPLES[i].name), i);
    }
    cr_assert_eq(nz_tensor_about(a, SAMPLE_COUNT, &t), NZ_E_ARG);
    static const char *const others[] = {"", "a", "model", "tail ", "zzz", "model.layer.0.q.weigh"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_eq(nz_tensor_find(a, others[i]), SAMPLE_COUNT);
    nz_archive_free(a);
    free(b.p);
    free(raw.p);
}

Test(access, tensors_are_measured)
{
    size_t at[SAMPLE_COUNT];
    bytes raw = checkpoint(SAMPLES, SAMPLE_COUNT, at), b = pack(&raw, &QUICK);
    nz_archive *a = open_bytes(&b, &QUICK);
    nz_tensor_packed p[SAMPLE_COUNT];
    uint64_t sum = 0;
    cr_assert_eq(nz_tensor_measure(a, p, NULL), NZ_OK);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        bool small = SAMPLES[i].bytes < 32;
        cr_assert_eq(p[i].form == NULL, small, "%s", SAMPLES[i].name);
        cr_assert_eq(p[i].rest, small ? SAMPLES[i].bytes : 0, "%s", SAMPLES[i].name);
        cr_assert_leq(p[i].packed, SAMPLES[i].bytes + 64);
        sum += p[i].packed;
    }
    cr_assert_str_eq(p[0].form, "turbo");
    cr_assert_lt(p[0].packed, SAMPLES[0].bytes * 9 / 10);
    cr_assert_str_eq(p[11].form, "stored");
    cr_assert_lt(sum, b.n);
    cr_assert_gt(sum + 4000, b.n);
    nz_archive_free(a);
    free(b.p);
    free(raw.p);
}

static int stop(void *arg, uint64_t raw_done)
{
    return ++*(unsigned *)arg == 3 || raw_done == UINT64_MAX;
}

Test(access, tensors_are_explained)
{
    size_t at[SAMPLE_COUNT];
    bytes raw = checkpoint(SAMPLES, SAMPLE_COUNT, at);
    for (int w = NZ_WEIGHTS_OFF; w <= NZ_WEIGHTS_MAX; w++) {
        nz_options opt = QUICK;
        opt.weights = (nz_weights_option)w;
        bytes b = pack(&raw, &opt);
        unsigned calls = 0;
        for (opt.threads = 1; opt.threads <= 3; opt.threads++) {
            nz_archive *a = open_bytes(&b, &opt);
            nz_tensor_packed p[SAMPLE_COUNT];
            nz_tensor_parts parts[SAMPLE_COUNT];
            nz_fault fault;
            size_t n = nz_tensor_count(a);
            cr_assert_eq(nz_tensor_measure(a, p, NULL), NZ_OK);
            cr_assert_eq(nz_tensor_explain(a, parts, &fault), NZ_OK, "%s", fault.reason);
            for (size_t i = 0; i < n; i++) {
                uint64_t packed = 0, whole = 0;
                for (int k = 0; k < NZ_PARTS; k++) {
                    packed += parts[i].packed[k];
                    whole += parts[i].raw[k];
                }
                cr_assert_eq(packed, 8 * p[i].packed, "%s", SAMPLES[i].name);
                cr_assert_eq(whole, 8 * (SAMPLES[i].bytes - p[i].rest), "%s", SAMPLES[i].name);
            }
            nz_archive_free(a);
        }
        opt.threads = 1;
        opt.progress = stop;
        opt.progress_arg = &calls;
        nz_archive *a = open_bytes(&b, &opt);
        nz_tensor_parts parts[SAMPLE_COUNT];
        nz_err err = nz_tensor_explain(a, parts, NULL);
        cr_assert_eq(err, nz_tensor_count(a) ? NZ_E_STOPPED : NZ_OK);
        nz_archive_free(a);
        free(b.p);
    }
    for (int k = 0; k < NZ_PARTS; k++)
        cr_assert(nz_part_name((nz_part)k)[0]);
    cr_assert_null(nz_part_name(NZ_PARTS));
    free(raw.p);
}

/* `parts`: of each tensor, chosen at random; as many more of all the raw data. */
static void read_everywhere(const nz_archive *a, const bytes *raw, const size_t at[],
                            uint32_t parts)
{
    uint8_t *part = malloc(raw->n + 1);
    nz_fault fault;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        size_t n = SAMPLES[i].bytes;
        cr_assert_eq(nz_tensor_read(a, i, 0, part, n, NULL), NZ_OK);
        cr_assert(!memcmp(part, raw->p + at[i], n));
        for (uint32_t k = 0; k < parts && n; k++) {
            size_t from = nz_hash32(k, (uint32_t)i) % n, most = n - from;
            size_t m = 1 + nz_hash32(k, (uint32_t)i + 99) % (k % 2 && most > 100 ? 100 : most);
            part[m] = 0xa5;
            cr_assert_eq(nz_tensor_read(a, i, from, part, m, &fault), NZ_OK, "%s", fault.reason);
            cr_assert(!memcmp(part, raw->p + at[i] + from, m));
            cr_assert_eq(part[m], 0xa5, "no byte behind them is written");
        }
        cr_assert_eq(nz_tensor_read(a, i, n, part, 0, &fault), NZ_OK);
        cr_assert_eq(nz_tensor_read(a, i, n, part, 1, &fault), NZ_E_ARG);
        cr_assert_eq(nz_tensor_read(a, i, n + 1, part, 0, &fault), NZ_E_ARG);
        cr_assert_eq(fault.err, NZ_E_ARG);
        cr_assert(fault.reason);
    }
    cr_assert_eq(nz_tensor_read(a, SAMPLE_COUNT, 0, part, 0, NULL), NZ_E_ARG);
    for (uint32_t k = 0; k < parts; k++) {
        size_t from = nz_hash32(k, 5) % raw->n, n = nz_hash32(k, 6) % (raw->n - from) + 1;
        cr_assert_eq(nz_archive_read(a, from, part, n, NULL), NZ_OK);
        cr_assert(!memcmp(part, raw->p + from, n));
    }
    cr_assert_eq(nz_archive_read(a, 0, part, raw->n, NULL), NZ_OK);
    cr_assert(!memcmp(part, raw->p, raw->n));
    cr_assert_eq(nz_archive_read(a, 1, part, raw->n, NULL), NZ_E_ARG);
    cr_assert_eq(nz_archive_read(a, UINT64_MAX, part, 1, NULL), NZ_E_ARG);
    free(part);
}

Test(access, every_way_of_packing_and_reading, .timeout = 300)
{
    size_t at[SAMPLE_COUNT];
    bytes raw = checkpoint(SAMPLES, SAMPLE_COUNT, at);
    for (int w = NZ_WEIGHTS_TURBO; w <= NZ_WEIGHTS_MAX; w++) {
        bool slow = w == NZ_WEIGHTS_MAX;
        nz_options opt = QUICK;
        opt.weights = (nz_weights_option)w;
        opt.threads = 2;
        bytes b = pack(&raw, &opt);
        for (opt.threads = slow ? 2 : 1; opt.threads <= (slow ? 2 : 4); opt.threads *= 2)
            for (opt.verify = slow; opt.verify <= 1; opt.verify++) {
                nz_archive *a = open_bytes(&b, &opt);
                read_everywhere(a, &raw, at, slow ? 1 : MANY);
                nz_archive_free(a);
            }
        free(b.p);
    }
    free(raw.p);
}

/* A part of a frame, in every mode: in one that learns, what is in front of it comes first. */
Test(access, parts_of_a_frame)
{
    size_t at[FEW_COUNT];
    bytes raw = checkpoint(FEW, FEW_COUNT, at);
    uint8_t part[FEW_MAX];
    for (int w = NZ_WEIGHTS_TURBO; w <= NZ_WEIGHTS_MAX; w++) {
        nz_options opt = QUICK;
        opt.weights = (nz_weights_option)w;
        bytes b = pack(&raw, &opt);
        nz_archive *a = open_bytes(&b, &opt);
        for (uint32_t k = 0; k < 60; k++) {
            size_t i = k % FEW_COUNT, from = nz_hash32(k, 1) % FEW[i].bytes;
            size_t n = 1 + nz_hash32(k, 2) % (FEW[i].bytes - from);
            cr_assert_eq(nz_tensor_read(a, i, from, part, n, NULL), NZ_OK);
            cr_assert(!memcmp(part, raw.p + at[i] + from, n));
        }
        nz_archive_free(a);
        free(b.p);
    }
    free(raw.p);
}

Test(access, without_tensors)
{
    bytes raw = {malloc(300 * KIB), 300 * KIB};
    for (size_t i = 0; i < raw.n; i++)
        raw.p[i] = (uint8_t)(i < 100 * KIB ? nz_hash32((uint32_t)i, 3) >> 24 : i / 5 % 61);
    bytes b = pack(&raw, &QUICK), part = {malloc(raw.n), 0};
    nz_options opt = QUICK;
    for (opt.threads = 1; opt.threads <= 4; opt.threads++) {
        nz_archive *a = open_bytes(&b, &opt);
        cr_assert_eq(nz_tensor_count(a), 0);
        cr_assert_eq(nz_tensor_find(a, ""), 0);
        cr_assert_eq(nz_tensor_measure(a, NULL, NULL), NZ_OK);
        cr_assert_eq(nz_tensor_explain(a, NULL, NULL), NZ_OK);
        for (uint32_t k = 0; k < 10; k++) {
            size_t from = nz_hash32(k, 7) % raw.n, n = nz_hash32(k, 8) % (raw.n - from) + 1;
            cr_assert_eq(nz_archive_read(a, from, part.p, n, NULL), NZ_OK);
            cr_assert(!memcmp(part.p, raw.p + from, n));
        }
        nz_archive_free(a);
    }
    free(part.p);
    free(b.p);
    free(raw.p);
}

/* Checkpoints and other files behind each other, an empty one among them. */
Test(access, concatenated)
{
    size_t at[SAMPLE_COUNT];
    bytes one = checkpoint(SAMPLES, SAMPLE_COUNT, at), none = {NULL, 0},
          text = {(uint8_t *)"abc", 3};
    const bytes *const parts[] = {&text, &one, &none, &one, &text};
    bytes all = {NULL, 0}, raw = {NULL, 0};
    for (size_t i = 0; i < 5; i++) {
        bytes b = pack(parts[i], &QUICK);
        all.p = realloc(all.p, all.n + b.n);
        memcpy(all.p + all.n, b.p, b.n);
        all.n += b.n;
        free(b.p);
        raw.p = realloc(raw.p, raw.n + parts[i]->n + 1);
        if (parts[i]->n)
            memcpy(raw.p + raw.n, parts[i]->p, parts[i]->n);
        raw.n += parts[i]->n;
    }
    nz_archive *a = open_bytes(&all, &QUICK);
    cr_assert_eq(nz_archive_raw(a), raw.n);
    cr_assert_eq(nz_tensor_count(a), 2 * SAMPLE_COUNT);
    cr_assert_eq(nz_tensor_find(a, "noise"), 11, "the first of a name");
    uint8_t *part = malloc(raw.n);
    for (size_t i = 0; i < 2 * SAMPLE_COUNT; i++) {
        nz_tensor_info t;
        cr_assert_eq(nz_tensor_about(a, i, &t), NZ_OK);
        cr_assert_str_eq(t.name, SAMPLES[i % SAMPLE_COUNT].name);
        cr_assert_eq(t.at, at[i % SAMPLE_COUNT] + 3 + (i < SAMPLE_COUNT ? 0 : one.n));
        cr_assert_eq(nz_tensor_read(a, i, 0, part, (size_t)t.bytes, NULL), NZ_OK);
        cr_assert(!memcmp(part, raw.p + t.at, (size_t)t.bytes));
    }
    cr_assert_eq(nz_archive_read(a, 0, part, raw.n, NULL), NZ_OK);
    cr_assert(!memcmp(part, raw.p, raw.n));
    nz_archive_free(a);
    free(part);
    free(all.p);
    free(raw.p);
    free(one.p);
}

Test(access, files)
{
    size_t at[SAMPLE_COUNT];
    bytes raw = checkpoint(SAMPLES, SAMPLE_COUNT, at), b = pack(&raw, &QUICK);
    FILE *f = tmpfile();
    nz_archive *a;
    nz_fault fault;
    cr_assert_eq(nz_archive_open_file(&a, f, &QUICK, &fault), NZ_E_TRUNCATED, "empty");
    cr_assert_null(a);
    cr_assert_eq(fwrite(b.p, 1, b.n, f), b.n);
    fflush(f);
    cr_assert_eq(nz_archive_open_file(&a, f, &QUICK, &fault), NZ_OK);
    fclose(f);
    read_everywhere(a, &raw, at, MANY);
    nz_archive_free(a);
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    f = fdopen(ends[0], "rb");
    cr_assert_eq(nz_archive_open_file(&a, f, &QUICK, &fault), NZ_E_READ);
    cr_assert_eq(errno, ESPIPE);
    fclose(f);
    close(ends[1]);
    nz_archive_free(NULL);
    free(b.p);
    free(raw.p);
}

typedef struct user {
    pthread_t thread;
    const nz_archive *a;
    const bytes *raw;
    const size_t *at;
} user;

static void *use(void *arg)
{
    user *u = arg;
    read_everywhere(u->a, u->raw, u->at, MANY);
    return NULL;
}

Test(access, from_several_threads)
{
    size_t at[SAMPLE_COUNT];
    bytes raw = checkpoint(SAMPLES, SAMPLE_COUNT, at), b = pack(&raw, &QUICK);
    nz_options opt = QUICK;
    opt.threads = 2;
    nz_archive *a = open_bytes(&b, &opt);
    user users[3];
    for (int i = 0; i < 3; i++) {
        users[i] = (user){.a = a, .raw = &raw, .at = at};
        cr_assert_eq(pthread_create(&users[i].thread, NULL, use, &users[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(users[i].thread, NULL);
    nz_archive_free(a);
    free(b.p);
    free(raw.p);
}

/* ---- Damage ---- */

/* Opens, tells, measures and reads all there is; raw bytes that were checked must be `raw`'s, and
 * all of them where `raw` is given. Returns the first error. */
static nz_err use_all(const bytes *b, const nz_options *opt, const bytes *raw)
{
    nz_archive *a;
    nz_fault fault = {0};
    nz_err err = nz_archive_open(&a, b->p, b->n, opt, &fault);
    cr_assert_eq(fault.err, err);
    cr_assert_eq(a == NULL, err != NZ_OK);
    cr_assert(!err || (fault.reason && fault.offset <= b->n));
    if (err)
        return err;
    size_t n = nz_tensor_count(a), room = (size_t)nz_archive_raw(a);
    room = room < FEW_MAX ? room : FEW_MAX;
    nz_tensor_packed *p = calloc(n + 1, sizeof *p);
    uint8_t *part = malloc(room + 1);
    nz_tensor_parts *parts = calloc(n + 1, sizeof *parts);
    err = nz_tensor_measure(a, p, &fault);
    cr_assert_eq(fault.err, err);
    nz_err explained = nz_tensor_explain(a, parts, &fault);
    cr_assert_eq(fault.err, explained);
    err = err ? err : explained;
    for (size_t i = 0; i < n && !err; i++) {
        uint64_t bits = 0;
        for (int k = 0; k < NZ_PARTS; k++)
            bits += parts[i].packed[k];
        cr_assert_eq(bits, 8 * p[i].packed);
    }
    free(parts);
    for (size_t i = 0; i < n; i++) {
        nz_tensor_info t;
        cr_assert_eq(nz_tensor_about(a, i, &t), NZ_OK);
        cr_assert_lt(nz_tensor_find(a, t.name), n);
        cr_assert_leq(t.at + t.bytes, nz_archive_raw(a));
        size_t m = t.bytes < room ? (size_t)t.bytes : room;
        nz_err one = nz_tensor_read(a, i, t.bytes - m, part, m, &fault);
        cr_assert_eq(fault.err, one);
        err = err ? err : one;
        if (!one && opt->verify && raw)
            cr_assert(!memcmp(part, raw->p + t.at + t.bytes - m, m));
        one = nz_tensor_read(a, i, m / 3, part, m / 4, &fault);
        err = err ? err : one;
    }
    nz_err one = nz_archive_read(a, 0, part, room, &fault);
    err = err ? err : one;
    if (!one && room == nz_archive_raw(a) && raw)
        cr_assert(room == raw->n && !memcmp(part, raw->p, room), "checked bytes are right");
    nz_archive_free(a);
    free(part);
    free(p);
    return err;
}

Test(access, damage_at_every_byte, .timeout = 300)
{
    size_t at[FEW_COUNT];
    bytes raw = checkpoint(FEW, FEW_COUNT, at), whole = pack(&raw, &QUICK);
    nz_options opt = QUICK;
    cr_assert_leq(raw.n, FEW_MAX);
    for (opt.verify = 0; opt.verify <= 1; opt.verify++) {
        cr_assert_eq(use_all(&whole, &opt, &raw), NZ_OK);
        for (size_t i = 0; i < whole.n; i++) {
            bytes b = copy_of(whole.p, whole.n);
            b.p[i] ^= (uint8_t)(opt.verify ? 1 + nz_hash32((uint32_t)i, 13) % 255 : 1);
            use_all(&b, &opt, &raw);
            free(b.p);
        }
    }
    for (size_t n = 0; n < whole.n; n++) {
        bytes b = copy_of(whole.p, n);
        cr_assert_eq(use_all(&b, &opt, &raw), NZ_E_TRUNCATED, "cut to %zu", n);
        free(b.p);
    }
    free(whole.p);
    free(raw.p);
}

/* An archive with right checks around any payload, directory and index. */
static bytes forged(unsigned method, const uint8_t *payload, size_t n, uint64_t raw,
                    const uint8_t *section, size_t section_n)
{
    bytes b = {malloc(NZ_HEAD_BYTES + NZ_HEADER_BYTES + n + section_n + 100), 0};
    nz_header h = {.method = (nz_method)method, .raw = raw, .packed = n};
    h.params[0] = method == NZ_METHOD_WEIGHTS ? 1 : NZ_NUMERICS;
    nz_head_store(b.p);
    b.n = NZ_HEAD_BYTES;
    size_t header = nz_header_store(&h, b.p + b.n);
    b.n += header;
    memcpy(b.p + b.n, payload, n);
    memcpy(b.p + b.n + n, section, section_n);
    b.n += n + section_n;
    nz_index x = {0};
    uint8_t *end;
    size_t end_n;
    nz_index_add(&x, header + n, raw);
    x.directory = section_n;
    cr_assert_eq(nz_index_store(&x, &end, &end_n), NZ_OK);
    b.p = realloc(b.p, b.n + end_n);
    memcpy(b.p + b.n, end, end_n);
    b.n += end_n;
    free(end);
    nz_index_reset(&x);
    return b;
}

static bytes section_of(const uint8_t *contents, size_t n)
{
    bytes b = {malloc(1 + NZ_VARINT_BYTES + n + 4), 1};
    b.p[0] = NZ_TAG_DIRECTORY;
    b.n += nz_varint_store(b.p + 1, n);
    memcpy(b.p + b.n, contents, n);
    nz_store32(b.p + b.n + n, (uint32_t)nz_hash(b.p, b.n + n));
    b.n += n + 4;
    return b;
}

static nz_directory reload(const nz_tensor *t, size_t n, uint64_t from, uint64_t raw, nz_err want)
{
    nz_buf out = {0};
    nz_directory d = {0};
    const char *reason;
    cr_assert_eq(nz_directory_store(t, n, from, raw, &out), NZ_OK);
    cr_assert_leq(out.n, nz_directory_most(raw));
    if (out.n)
        cr_assert_eq(nz_directory_load(&d, out.p, out.n, from, raw, 1 << 30, &reason), want);
    nz_buf_free(&out);
    return d;
}

Test(access, directories)
{
    enum { N = 300 };
    nz_tensor t[N];
    char name[N][400];
    uint64_t at = 100;
    for (unsigned i = 0; i < N; i++) {
        t[i] = (nz_tensor){.name = name[i]};
        memset(name[i], 'x', sizeof name[i]);
        snprintf(name[i] + i, sizeof name[i] - i, ".%u", i % 7);
        if (i % 50 == 49)
            name[i][0] = 0;
        uint64_t dim[] = {i % 5, 32};
        cr_assert(nz_tensor_shape(&t[i], i % 3 ? NZ_DT_Q4_0 : NZ_DT_F64, dim, i % 4 ? 2 : 0) ||
                  nz_tensor_shape(&t[i], NZ_DT_F64, dim, 0));
        t[i].at = at;
        at += t[i].bytes + i % 2 * 1000;
    }
    nz_directory d = reload(t, N, 100, at - 100, NZ_OK);
    cr_assert_eq(d.n, N);
    for (size_t i = 0; i < N; i++) {
        const nz_tensor *u = &d.tensor[i];
        cr_assert_str_eq(u->name, t[i].name);
        cr_assert(u->dtype == t[i].dtype && u->dims == t[i].dims && u->bytes == t[i].bytes);
        cr_assert_eq(u->at, t[i].at);
        cr_assert(!u->dims || !memcmp(u->dim, t[i].dim, u->dims * sizeof *u->dim));
    }
    nz_directory_free(&d);
    /* Of a part of the raw data what lies in it whole. */
    d = reload(t, N, t[11].at + 1, t[201].at - t[11].at - 1, NZ_OK);
    cr_assert_gt(d.n, 150);
    cr_assert_eq(d.tensor[0].at, t[12].at);
    cr_assert_leq(d.tensor[d.n - 1].at + d.tensor[d.n - 1].bytes, t[201].at);
    nz_directory_free(&d);
    d = reload(t, N, at + 1, 100000, NZ_OK);
    cr_assert_eq(d.n, 0);
}

/* Contents of one repeated byte: a few bytes that stand for millions of tensors. */
Test(access, directories_that_lie)
{
    static const uint8_t stored[] = "abcdefgh";
    uint8_t c[64];
    nz_options opt = QUICK;
    opt.memory = 64 << 20;
    for (uint64_t count = 1; count <= UINT64_C(1) << 34; count *= 4)
        for (uint64_t size = count; size <= 5 * count + 5; size += 2 * count + 1) {
            size_t n = nz_varint_store(c, count);
            n += nz_varint_store(c + n, size);
            c[n++] = 0; /* tables */
            c[n++] = 1; /* a plane that is filled */
            c[n++] = 0;
            bytes s = section_of(c, n), b = forged(NZ_METHOD_STORED, stored, 8, 8, s.p, s.n);
            nz_err err = use_all(&b, &opt, NULL);
            cr_assert(err != NZ_OK || count <= 8, "%llu", (unsigned long long)count);
            uint8_t raw[8];
            size_t got;
            err = nz_unpack(raw, 8, &got, b.p, b.n, &opt);
            cr_assert(err == NZ_E_CORRUPT || err == NZ_E_LIMIT || count <= 8);
            free(s.p);
            free(b.p);
        }
}

/* Every byte of the contents changed, the checks right again. */
Test(access, directories_of_any_bytes, .timeout = 300)
{
    size_t at[FEW_COUNT];
    bytes raw = checkpoint(FEW, FEW_COUNT, at);
    static const uint8_t stored[FEW_MAX];
    nz_tensor t[FEW_COUNT];
    for (size_t i = 0; i < FEW_COUNT; i++) {
        t[i] = (nz_tensor){.name = (char *)(uintptr_t)FEW[i].name};
        nz_tensor_bytes(&t[i], FEW[i].bytes);
        t[i].at = at[i];
    }
    nz_buf out = {0};
    cr_assert_eq(nz_directory_store(t, FEW_COUNT, 0, raw.n, &out), NZ_OK);
    const uint8_t *contents = out.p + 2;
    size_t n = out.n - 2 - 4;
    cr_assert_lt(n, 128);
    for (size_t i = 0; i < n; i++)
        for (unsigned v = 0; v < 256; v++) {
            bytes c = copy_of(contents, n);
            c.p[i] = (uint8_t)v;
            bytes s = section_of(c.p, n);
            bytes b = forged(NZ_METHOD_STORED, stored, FEW_MAX, FEW_MAX, s.p, s.n);
            use_all(&b, &QUICK, NULL);
            free(c.p);
            free(s.p);
            free(b.p);
        }
    nz_buf_free(&out);
    free(raw.p);
}

/* Payloads of weights frames with any byte changed, the header's check right again. */
Test(access, payloads_of_any_bytes, .timeout = 300)
{
    size_t at[FEW_COUNT];
    bytes raw = checkpoint(FEW, FEW_COUNT, at), whole = pack(&raw, &QUICK);
    nz_header h;
    const char *reason;
    cr_assert_eq(nz_header_load(&h, whole.p + NZ_HEAD_BYTES, whole.n - NZ_HEAD_BYTES, &reason),
                 NZ_OK);
    cr_assert_eq(h.method, NZ_METHOD_WEIGHTS);
    uint8_t *payload = whole.p + NZ_HEAD_BYTES + h.size;
    const uint8_t *section = payload + h.packed;
    cr_assert_eq(*section, NZ_TAG_DIRECTORY);
    size_t section_n = 2 + section[1] + 4;
    for (size_t i = 0; i < h.packed; i++)
        for (int k = 0; k < 4; k++) {
            uint8_t was = payload[i];
            payload[i] = (uint8_t)(k ? nz_hash32((uint32_t)i, (uint32_t)k) : was + 1u);
            bytes b =
                forged(NZ_METHOD_WEIGHTS, payload, (size_t)h.packed, h.raw, section, section_n);
            use_all(&b, &QUICK, NULL);
            free(b.p);
            payload[i] = was;
        }
    free(whole.p);
    free(raw.p);
}

static nz_err open_only(const uint8_t *p, size_t n, nz_fault *fault)
{
    nz_archive *a;
    nz_err err = nz_archive_open(&a, p, n, &QUICK, fault);
    nz_archive_free(a);
    return err;
}

Test(access, what_is_refused)
{
    nz_fault fault;
    cr_assert_eq(open_only((const uint8_t *)"text, and not an archive", 24, &fault), NZ_E_MAGIC);
    cr_assert_eq(open_only((const uint8_t *)"", 0, &fault), NZ_E_TRUNCATED);
    bytes raw = {(uint8_t *)"abcdefgh", 8}, b = pack(&raw, &QUICK);
    b.p = realloc(b.p, b.n + 30);
    memset(b.p + b.n, 0, 30);
    for (size_t more = 1; more <= 30; more++)
        cr_assert_eq(open_only(b.p, b.n + more, &fault), NZ_E_TRUNCATED);
    nz_archive *a;
    cr_assert_eq(nz_archive_open(&a, b.p, b.n, &(nz_options){.threads = -1}, &fault), NZ_E_ARG);
    cr_assert_eq(nz_archive_open(&a, b.p, b.n, NULL, NULL), NZ_OK);
    nz_archive_free(a);
    /* A right end of frames that are not there. */
    static const struct {
        uint64_t packed, raw, directory;
    } ends[] = {{22, 9, 0},
                {23, 8, 0},
                {1000, 8, 0},
                {22, 8, 1},
                {22, 8, 5000},
                {2, 8, 0},
                {22, (UINT64_C(1) << 30) + 1, 0},
                {UINT64_MAX, 8, 0},
                {22, 0, 0}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        nz_index x = {0};
        uint8_t *end, part[9];
        size_t n, old = 8 + 22;
        nz_index_add(&x, ends[i].packed, ends[i].raw);
        x.directory = ends[i].directory;
        cr_assert_eq(nz_index_store(&x, &end, &n), NZ_OK);
        bytes c = {malloc(old + n), old + n};
        memcpy(c.p, b.p, old);
        memcpy(c.p + old, end, n);
        nz_err err = nz_archive_open(&a, c.p, c.n, &QUICK, &fault);
        if (!err)
            err = nz_archive_read(a, 0, part, (size_t)ends[i].raw, &fault);
        cr_assert_eq(err, NZ_E_CORRUPT, "end %zu", i);
        nz_archive_free(err && a ? a : NULL);
        free(c.p);
        free(end);
        nz_index_reset(&x);
    }
    free(b.p);
}

Test(access, memory_limit)
{
    bytes raw = {malloc(100 * KIB), 100 * KIB};
    for (size_t i = 0; i < raw.n; i++)
        raw.p[i] = (uint8_t)(i / 3 % 50);
    bytes b = pack(&raw, &QUICK);
    nz_options opt = QUICK;
    opt.memory = 70 * KIB;
    nz_archive *a = open_bytes(&b, &opt);
    uint8_t part[10];
    nz_fault fault;
    cr_assert_eq(nz_archive_read(a, 5, part, 10, &fault), NZ_E_LIMIT);
    cr_assert_eq(fault.offset, NZ_HEAD_BYTES);
    nz_archive_free(a);
    free(b.p);
    free(raw.p);
}

/* The checksum of a frame finds what the end's cannot. */
Test(access, checksums)
{
    bytes raw = {malloc(200 * KIB), 200 * KIB};
    for (size_t i = 0; i < raw.n; i++)
        raw.p[i] = (uint8_t)(nz_hash32((uint32_t)i, 3) >> 24);
    bytes b = pack(&raw, &QUICK);
    b.p[70 * KIB] ^= 1; /* in the second frame, stored */
    nz_options opt = QUICK;
    uint8_t *part = malloc(raw.n);
    nz_fault fault;
    for (opt.threads = 1; opt.threads <= 4; opt.threads++) {
        nz_archive *a = open_bytes(&b, &opt);
        cr_assert_eq(nz_archive_read(a, 0, part, raw.n, &fault), NZ_E_CORRUPT);
        cr_assert(fault.offset > 64 * KIB && fault.offset < 70 * KIB);
        cr_assert_str_eq(fault.reason, "the frame's checksum does not match");
        cr_assert_eq(nz_archive_read(a, 0, part, 64 * KIB, &fault), NZ_OK);
        cr_assert_eq(nz_archive_read(a, 130 * KIB, part, 60 * KIB, &fault), NZ_OK);
        cr_assert_eq(nz_archive_read(a, 80 * KIB, part, KIB, &fault), NZ_OK, "not seen in a part");
        nz_archive_free(a);
    }
    opt.verify = 1;
    nz_archive *a = open_bytes(&b, &opt);
    cr_assert_eq(nz_archive_read(a, 80 * KIB, part, KIB, &fault), NZ_E_CORRUPT);
    cr_assert_eq(nz_archive_read(a, 130 * KIB, part, KIB, &fault), NZ_OK);
    nz_archive_free(a);
    free(part);
    free(b.p);
    free(raw.p);
}

/* ---- What the reader of streams makes of directories ---- */

Test(access, streams_with_directories)
{
    static const uint8_t stored[] = "abcdefgh";
    nz_tensor t = {.name = (char *)(uintptr_t) "name"};
    nz_tensor_bytes(&t, 5);
    nz_buf out = {0};
    cr_assert_eq(nz_directory_store(&t, 1, 0, 8, &out), NZ_OK);
    uint8_t twice[200], frame[NZ_HEADER_BYTES + 8], raw[16];
    size_t got, n = out.n;
    bytes b = forged(NZ_METHOD_STORED, stored, 8, 8, out.p, n);
    nz_archive *a = open_bytes(&b, &QUICK);
    cr_assert_eq(nz_tensor_find(a, "name"), 0);
    nz_archive_free(a);
    nz_header h;
    const char *reason;
    cr_assert_eq(nz_header_load(&h, b.p + NZ_HEAD_BYTES, 100, &reason), NZ_OK);
    h.hash = nz_hash(stored, 8);
    size_t header = nz_header_store(&h, frame);
    memcpy(b.p + NZ_HEAD_BYTES, frame, header);
    cr_assert_eq(nz_unpack(raw, 16, &got, b.p, b.n, &QUICK), NZ_OK);
    cr_assert_eq(got, 8);
    for (size_t i = 0; i < n; i++) {
        b.p[NZ_HEAD_BYTES + header + 8 + i] ^= 1;
        cr_assert_neq(nz_unpack(raw, 16, &got, b.p, b.n, &QUICK), NZ_OK, "byte %zu", i);
        b.p[NZ_HEAD_BYTES + header + 8 + i] ^= 1;
    }
    free(b.p);
    memcpy(twice, out.p, n);
    memcpy(twice + n, out.p, n);
    b = forged(NZ_METHOD_STORED, stored, 8, 8, twice, 2 * n);
    cr_assert_eq(nz_unpack(raw, 16, &got, b.p, b.n, &QUICK), NZ_E_CORRUPT, "a second one");
    cr_assert_eq(use_all(&b, &QUICK, NULL), NZ_E_CORRUPT);
    free(b.p);
    memcpy(twice + n, frame, header);
    memcpy(twice + n + header, stored, 8);
    b = forged(NZ_METHOD_STORED, stored, 8, 8, twice, n + header + 8);
    cr_assert_eq(nz_unpack(raw, 16, &got, b.p, b.n, &QUICK), NZ_E_CORRUPT, "a frame behind it");
    free(b.p);
    t.at = 4;
    out.n = 0;
    cr_assert_eq(nz_directory_store(&t, 1, 0, 9, &out), NZ_OK);
    b = forged(NZ_METHOD_STORED, stored, 8, 8, out.p, out.n);
    cr_assert_eq(nz_unpack(raw, 16, &got, b.p, b.n, &QUICK), NZ_E_CORRUPT, "beyond the raw data");
    cr_assert_eq(use_all(&b, &QUICK, NULL), NZ_E_CORRUPT);
    free(b.p);
    nz_buf_free(&out);
}

/* ---- Bases ---- */

static const sample FIRST[] = {
    {"small", "F32", "20", 80}, {"wte", "BF16", "500,256", 256000}, {"ids", "I64", "2000", 16000}};
/* Another name, and two of the same size that are not the same. */
static const sample SECOND[] = {{"h.weight", "BF16", "500,256", 256000},
                                {"head", "BF16", "500,256", 256000},
                                {"g.weight", "BF16", "500,256", 256000}};
enum { THREE = 3 };

static bytes second_checkpoint(size_t at[THREE])
{
    bytes b = checkpoint(SECOND, THREE, at);
    for (uint32_t i = 0; i < THREE; i++)
        fill_sample(b.p + at[i], &SECOND[i], 100 + i);
    return b;
}

/* No archive can name it: what was packed against it could not be read. */
Test(access, empty_base)
{
    nz_base *base;
    cr_assert_eq(nz_base_new(&base, "", 0), NZ_E_ARG);
    cr_assert_null(base);
}

Test(access, bases_by_contents)
{
    size_t at[THREE], second_at[THREE];
    bytes first = checkpoint(FIRST, THREE, at), second = second_checkpoint(second_at);
    bytes alone = pack(&second, &QUICK);
    for (size_t k = 0; k < 2; k++) { /* all of it, then all but one number in the middle */
        memcpy(second.p + second_at[1], first.p + at[1], FIRST[1].bytes);
        second.p[second_at[1] + FIRST[1].bytes / 2] ^= (uint8_t)k;
        nz_options with = QUICK;
        nz_base *base;
        unsigned char hash[NZ_BASE_HASH], needs[NZ_BASE_HASH];
        cr_assert_eq(nz_base_new(&base, first.p, first.n), NZ_OK);
        cr_assert_eq(nz_base_about(base, hash), first.n);
        with.base = base;
        bytes b = pack(&second, &with);
        nz_archive *a = open_bytes(&b, &with);
        nz_tensor_packed p[THREE];
        cr_assert_eq(nz_tensor_measure(a, p, NULL), NZ_OK);
        cr_assert_str_neq(p[0].form, "delta");
        cr_assert_str_eq(p[1].form, k ? "mixed" : "delta");
        cr_assert_lt(p[1].packed, k ? p[0].packed / 2 : 1000);
        cr_assert_lt(b.n, alone.n * 9 / 10);
        cr_assert_eq(nz_archive_base(a, needs), first.n);
        cr_assert(!memcmp(needs, hash, NZ_BASE_HASH));
        uint8_t *back = malloc(second.n);
        size_t n;
        cr_assert_eq(nz_unpack(back, second.n, &n, b.p, b.n, &with), NZ_OK);
        cr_assert(n == second.n && !memcmp(back, second.p, n));
        cr_assert_eq(nz_unpack(back, second.n, &n, b.p, b.n, &QUICK), NZ_E_BASE);
        nz_archive_free(a);
        a = open_bytes(&alone, &QUICK);
        cr_assert_eq(nz_archive_base(a, needs), 0);
        nz_archive_free(a);
        nz_base_free(base);
        free(back);
        free(b.p);
    }
    free(alone.p);
    free(first.p);
    free(second.p);
}

/* What is told of a file that is added next. */
static nz_shared add(nz_shards *s, const bytes *b)
{
    nz_shared shared;
    cr_assert_eq(nz_shards_add(s, b->p, b->n, &shared), NZ_OK);
    return shared;
}

Test(access, shards)
{
    size_t at[THREE], second_at[THREE];
    bytes first = checkpoint(FIRST, THREE, at), second = second_checkpoint(second_at);
    bytes other = copy_of(second.p, second.n),
          text = copy_of((const uint8_t *)"text, no model", 14);
    nz_shards *s;
    cr_assert_eq(nz_shards_new(&s), NZ_OK);
    cr_assert_eq(add(s, &text).own, 0);
    nz_shared r = add(s, &first);
    cr_assert(r.own == THREE && r.tensors == 0);
    r = add(s, &other); /* nothing in common: itself one that may be a base */
    cr_assert(r.own == THREE && r.tensors == 0);
    memcpy(second.p + second_at[1], first.p + at[1], FIRST[1].bytes);
    r = add(s, &second); /* one with the first, two with the other */
    cr_assert(r.tensors == 2 && r.file == 2 && r.bytes == 2 * FIRST[1].bytes);
    r = add(s, &second); /* no chain: again the other, though the one before is the same */
    cr_assert(r.tensors == 2 && r.file == 2);
    second.p[second_at[0] + 9999] ^= 1; /* where no key looks */
    r = add(s, &second);
    cr_assert(r.tensors == 1 && r.bytes == FIRST[1].bytes);
    bytes cut = copy_of(first.p, at[1] + FIRST[1].bytes - 1);
    r = add(s, &cut); /* a tensor that is not all there is none, the rest is too little */
    cr_assert(r.own == 1 && r.tensors == 0);
    nz_shards_free(s);
    free(first.p);
    free(second.p);
    free(other.p);
    free(text.p);
    free(cut.p);
}

/* Nothing shrinks, and the names come on top. */
Test(access, the_bound_holds)
{
    enum { N = 400 };
    static char names[N][100];
    sample s[N];
    size_t at[N];
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < 90; k++)
            names[i][k] = (char)('a' + nz_hash32((uint32_t)i, (uint32_t)k) % 26);
        s[i] = (sample){names[i], "U8", "40", 40};
    }
    bytes raw = checkpoint(s, N, at);
    for (size_t k = 0; k < raw.n; k += k < at[0] ? 1 : 7)
        raw.p[k] ^= k < at[0] ? 0 : 1;
    size_t n, cap = (size_t)nz_bound(raw.n);
    uint8_t *p = malloc(cap);
    for (int w = NZ_WEIGHTS_OFF; w <= NZ_WEIGHTS_MAX; w++)
        cr_assert_eq(nz_pack(p, cap, &n, raw.p, raw.n,
                             &(nz_options){.level = 1, .weights = (nz_weights_option)w}),
                     NZ_OK);
    free(p);
    free(raw.p);
}

/* ---- Beyond 4 GiB ---- */

/* Stored frames of zeros, as large as can be, in a file that is mostly a hole: nothing of 5 GiB is
 * written or decoded, but for the few bytes that are read. */
Test(access, files_over_4_gib)
{
    enum { FRAMES = 5 };
    const uint64_t raw = UINT64_C(1) << 30;
    if (sizeof(size_t) < 8)
        return;
    FILE *f = tmpfile();
    uint8_t bytes[NZ_HEADER_BYTES], *end;
    nz_index x = {0};
    size_t n;
    nz_head_store(bytes);
    cr_assert_eq(fwrite(bytes, 1, NZ_HEAD_BYTES, f), NZ_HEAD_BYTES);
    for (int i = 0; i < FRAMES; i++) {
        nz_header h = {.method = NZ_METHOD_STORED, .raw = raw, .packed = raw};
        n = nz_header_store(&h, bytes);
        cr_assert_eq(fwrite(bytes, 1, n, f), n);
        cr_assert(!fseeko(f, (off_t)raw - 6, SEEK_CUR));
        cr_assert_eq(fwrite("frame", 1, 6, f), 6);
        cr_assert_eq(nz_index_add(&x, n + raw, raw), NZ_OK);
    }
    cr_assert_eq(nz_index_store(&x, &end, &n), NZ_OK);
    cr_assert_eq(fwrite(end, 1, n, f), n);
    cr_assert(!fflush(f));
    free(end);
    nz_index_reset(&x);

    nz_archive *a;
    nz_fault fault;
    char part[8];
    cr_assert_eq(nz_archive_open_file(&a, f, NULL, &fault), NZ_OK);
    cr_assert_eq(nz_archive_raw(a), FRAMES * raw);
    for (int i = 1; i <= FRAMES; i++) {
        cr_assert_eq(nz_archive_read(a, (uint64_t)i * raw - 6, part, 6, &fault), NZ_OK);
        cr_assert_str_eq(part, "frame");
    }
    nz_archive_free(a);

    nz_reader *r;
    nz_frame frame;
    int more, frames = 0;
    rewind(f);
    cr_assert_eq(nz_reader_new(&r, NULL, f), NZ_OK);
    while (!nz_reader_frame(r, &frame, &more) && more)
        cr_assert_eq(frame.offset, NZ_HEAD_BYTES + (uint64_t)frames++ * frame.packed);
    cr_assert_eq(frames, FRAMES);
    cr_assert_gt(nz_reader_packed(r), FRAMES * raw);
    nz_reader_free(r);

    nz_salvage *s;
    cr_assert_eq(nz_salvage_open_file(&s, f, NULL, NULL, NULL), NZ_OK, "headers alone are read");
    nz_salvage_free(s);
    fclose(f);
}
