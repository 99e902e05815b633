/* Tensors in containers: real files are read right, however they are cut; hostile ones do no harm.
 *
 * tests/containers/make.py writes the fixtures with the formats' own libraries, and what must be
 * found in each beside it. */
#include "base/base.h"
#include "containers/scan.h"
#include "containers/sniff.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static const char *const FIXTURES[] = {
    "all.safetensors", "small.gguf", "aligned.gguf", "torch.pt",       "torch4.pt",
    "torch-old.pt",    "module.pt",  "plain.npy",    "big-endian.npy", "arrays.npz",
    "packed.npz",      "piped.npz",  "small.onnx",
};
enum { FIXTURE_COUNT = sizeof FIXTURES / sizeof *FIXTURES };

/* Bytes that grow as they are written. */
typedef struct bytes {
    uint8_t *p;
    size_t n, room;
} bytes;

static void put(bytes *b, const void *p, size_t n)
{
    if (b->n + n >= b->room)
        b->p = realloc(b->p, b->room = 2 * (b->n + n) + 64);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void put_text(bytes *b, const char *text)
{
    put(b, text, strlen(text));
}

static void put_many(bytes *b, const char *text, size_t times)
{
    while (times-- > 0)
        put_text(b, text);
}

/* Little-endian, so many bytes. */
static void put_number(bytes *b, uint64_t v, size_t size)
{
    uint8_t p[8];
    nz_store64(p, v);
    put(b, p, size);
}

static bytes load(const char *name, const char *suffix)
{
    char path[256];
    /* The folder is named as this file. */
    snprintf(path, sizeof path, "%.*s/%s%s", (int)strlen(__FILE__) - 2, __FILE__, name, suffix);
    FILE *f = fopen(path, "rb");
    cr_assert(f, "%s", path);
    bytes b = {0};
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        put(&b, piece, n);
    fclose(f);
    return b;
}

static nz_scan *scan_of(const void *p, size_t n, size_t piece)
{
    nz_scan *s;
    cr_assert_eq(nz_scan_new(&s), NZ_OK);
    for (size_t at = 0; at < n; at += piece)
        cr_assert_eq(nz_scan_put(s, (const uint8_t *)p + at, n - at < piece ? n - at : piece),
                     NZ_OK);
    return s;
}

/* As in the .txt files; offsets are counted from `base`. */
static bytes list(const nz_scan *s, uint64_t base)
{
    bytes b = {0};
    size_t n;
    const nz_tensor *t = nz_scan_tensors(s, &n);
    put_text(&b, nz_scan_container(s) ? nz_scan_container(s) : "none");
    put_text(&b, "\n");
    for (size_t i = 0; i < n; i++) {
        char text[64];
        put_text(&b, t[i].name);
        put_text(&b, "\t");
        put_text(&b, nz_dtype_about(t[i].dtype)->name);
        for (unsigned d = 0; d < t[i].dims; d++) {
            snprintf(text, sizeof text, "%c%llu", d ? ',' : '\t', (unsigned long long)t[i].dim[d]);
            put_text(&b, text);
        }
        snprintf(text, sizeof text, "%s\t%llu\t%llu\n", t[i].dims ? "" : "\t",
                 (unsigned long long)(t[i].at - base), (unsigned long long)t[i].bytes);
        put_text(&b, text);
    }
    put(&b, "", 0);
    b.p[b.n] = 0;
    return b;
}

static void holds(const nz_scan *s)
{
    size_t n;
    const nz_tensor *t = nz_scan_tensors(s, &n);
    uint64_t end = 0;
    for (size_t i = 0; i < n; i++) {
        cr_assert(t[i].name && strlen(t[i].name) <= 65536);
        cr_assert(nz_dtype_about(t[i].dtype));
        cr_assert_leq(t[i].dims, (unsigned)NZ_DIMS_MAX);
        cr_assert_geq(t[i].at, end, "sorted, not overlapping");
        end = t[i].at + t[i].bytes;
        cr_assert_geq(end, t[i].at);
        nz_tensor again = t[i];
        cr_assert(nz_tensor_shape(&again, t[i].dtype, t[i].dim, t[i].dims));
        cr_assert_eq(again.bytes, t[i].bytes, "%s", t[i].name);
    }
    cr_assert(n == 0 || nz_scan_container(s));
}

/* Scans it whole and byte by byte; both must find this, a list as in the .txt files. */
static void finds_from(bytes b, uint64_t base, const char *want)
{
    for (int i = 0; i < 2; i++) {
        nz_scan *s = scan_of(b.p, b.n, i ? 1 : SIZE_MAX);
        bytes got = list(s, base);
        holds(s);
        cr_assert_str_eq((char *)got.p, want);
        free(got.p);
        nz_scan_free(s);
    }
    free(b.p);
}

static void finds(bytes b, const char *want)
{
    finds_from(b, 0, want);
}

/* Where the first `text` ends in b. */
static uint64_t behind(bytes b, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= b.n; i++)
        if (!memcmp(b.p + i, text, n))
            return i + n;
    cr_assert(false, "%s", text);
    return 0;
}

static uint32_t next_random(uint32_t *state)
{
    *state = nz_hash32(*state, 1);
    return *state;
}

Test(containers, fixtures_are_read_right)
{
    for (int f = 0; f < FIXTURE_COUNT; f++) {
        bytes b = load(FIXTURES[f], ""), want = load(FIXTURES[f], ".txt");
        put(&want, "", 1);
        finds(b, (char *)want.p);
        free(want.p);
    }
}

Test(containers, pieces_do_not_matter)
{
    uint32_t random = 1;
    for (int f = 0; f < FIXTURE_COUNT; f++) {
        bytes b = load(FIXTURES[f], ""), want = load(FIXTURES[f], ".txt");
        put(&want, "", 1);
        for (int round = 0; round < 50; round++) {
            nz_scan *s;
            cr_assert_eq(nz_scan_new(&s), NZ_OK);
            uint32_t most = 1u << next_random(&random) % 13;
            for (size_t at = 0; at < b.n;) {
                size_t n = next_random(&random) % (most + 1);
                n = n < b.n - at ? n : b.n - at;
                /* A copy of its own: nothing may be read beyond, nor later. */
                uint8_t *piece = malloc(n + !n);
                memcpy(piece, b.p + at, n);
                cr_assert_eq(nz_scan_put(s, piece, n), NZ_OK);
                free(piece);
                at += n;
            }
            bytes got = list(s, 0);
            cr_assert_str_eq((char *)got.p, (char *)want.p);
            free(got.p);
            nz_scan_free(s);
        }
        free(want.p);
        free(b.p);
    }
}

/* Also the answer to every truncation: what a cut file tells is what was known there. */
Test(containers, a_tensor_is_known_before_it_begins)
{
    for (int f = 0; f < FIXTURE_COUNT; f++) {
        bytes b = load(FIXTURES[f], "");
        nz_scan *whole = scan_of(b.p, b.n, SIZE_MAX), *s;
        size_t all, n, begun = 0;
        const nz_tensor *want = nz_scan_tensors(whole, &all);
        cr_assert_eq(nz_scan_new(&s), NZ_OK);
        for (size_t x = 1; x <= b.n; x++) {
            cr_assert_eq(nz_scan_put(s, b.p + x - 1, 1), NZ_OK);
            const nz_tensor *got = nz_scan_tensors(s, &n);
            while (begun < all && want[begun].at < x)
                begun++;
            cr_assert(n >= begun && n <= all, "%s: %zu known at %zu", FIXTURES[f], n, x);
            for (size_t i = begun; i < n; i++)
                cr_assert(got[i].at == want[i].at && !strcmp(got[i].name, want[i].name));
        }
        nz_scan_free(whole);
        nz_scan_free(s);
        free(b.p);
    }
}

Test(containers, no_change_of_a_byte_does_harm)
{
    static const uint8_t FLIPS[] = {0xff, 0x80, 0x01, 0x20};
    int flips = getenv("NZ_SHORT") ? 1 : sizeof FLIPS;
    for (int f = 0; f < FIXTURE_COUNT; f++) {
        bytes b = load(FIXTURES[f], "");
        for (size_t at = 0; at < b.n; at++) {
            for (int i = 0; i < flips; i++) {
                b.p[at] ^= FLIPS[i];
                nz_scan *s = scan_of(b.p, b.n, SIZE_MAX);
                holds(s);
                nz_scan_free(s);
                b.p[at] ^= FLIPS[i];
            }
        }
        free(b.p);
    }
}

Test(containers, tensor_data_is_not_touched)
{
    /* The rest of the piece cannot even be read. */
    size_t page = 4096, n = (size_t)1 << 30;
    uint8_t *p =
        mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    cr_assert_neq(p, MAP_FAILED);
    char head[200];
    int len = snprintf(head, sizeof head,
                       "{\"a\":{\"dtype\":\"U8\",\"shape\":[%zu],\"data_offsets\":[0,%zu]}}",
                       n - 200, n - 200);
    nz_store64(p, (uint64_t)len);
    memcpy(p + 8, head, (size_t)len);
    cr_assert_eq(mprotect(p + page, n - page, PROT_NONE), 0);
    nz_scan *s = scan_of(p, n, SIZE_MAX);
    cr_assert_eq(nz_scan_tensors(s, &n)[0].bytes, ((size_t)1 << 30) - 200);
    cr_assert_eq(n, 1u);
    nz_scan_free(s);
    munmap(p, (size_t)1 << 30);
}

Test(containers, other_files_are_given_up_at_once)
{
    static const char *const OTHERS[] = {
        "#!/bin/sh\necho hello world\n",
        "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0>\0",
        "{\"a\": [1, 2, 3, 4]}",
        "\x1f\x8b\x08\0\0\0\0\0\0\3abcdefgh",
        "\x08\1\2\3\4\5\6\7\x08\x09\x0a\x0b",
        "GGUF\1\0\0\0\0\0\0\0\0\0\0\0",
        "\x08\x09\x0d\x0a tab, backspace",
        "PK\1\2 not a local header",
        "\x93NUMPX\1\0\x76\0{}",
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        nz_scan *s = scan_of(OTHERS[i], 20, 1);
        size_t n;
        nz_scan_tensors(s, &n);
        cr_assert(nz_scan_over(s) && n == 0 && !nz_scan_container(s), "%zu", i);
        nz_scan_free(s);
    }
}

/* dtypes and shapes */

Test(containers, dtypes_keep_their_numbers)
{
    cr_assert_eq(NZ_DT_BYTES, 0);
    cr_assert_eq(NZ_DT_BF16, 17);
    cr_assert_eq(NZ_DT_F8_E5M2, 33);
    cr_assert_eq(NZ_DT_Q4_K, 76);
    cr_assert_eq(NZ_DT_NVFP4, 104);
    cr_assert_null(nz_dtype_about(10));
    cr_assert_null(nz_dtype_about(NZ_DT_GGML + 4));
    cr_assert_null(nz_dtype_about(NZ_DT_END));
    for (unsigned i = 0; i < NZ_DT_END; i++)
        if (nz_dtype_about(i))
            cr_assert_eq(nz_dtype_find(nz_dtype_about(i)->name, strlen(nz_dtype_about(i)->name)),
                         i);
    cr_assert_eq(nz_dtype_find("F3", 2), NZ_DT_BYTES);
}

Test(containers, shapes_are_counted_without_overflow)
{
    nz_tensor t = {0};
    cr_assert(nz_tensor_shape(&t, NZ_DT_F32, NULL, 0));
    cr_assert(t.dims == 0 && t.bytes == 4);
    const uint64_t large[3] = {UINT64_C(1) << 32, UINT64_C(1) << 31, 1};
    cr_assert_not(nz_tensor_shape(&t, NZ_DT_F32, large, 3));
    cr_assert_eq(t.bytes, 4u, "left as it was");
    cr_assert(nz_tensor_shape(&t, NZ_DT_U8, large, 3));
    cr_assert_eq(t.bytes, UINT64_C(1) << 63);
    const uint64_t none[3] = {UINT64_MAX, UINT64_MAX, 0};
    cr_assert(nz_tensor_shape(&t, NZ_DT_F64, none, 3));
    cr_assert_eq(t.bytes, 0u);
    const uint64_t ten[10] = {2, 3, 5, 1, 1, 1, 1, 1, 1, 32};
    cr_assert(nz_tensor_shape(&t, NZ_DT_Q4_0, ten, 10));
    cr_assert(t.dims == 8 && t.dim[0] == 30 && t.dim[7] == 32 && t.bytes == 30 * 18);
    cr_assert_not(nz_tensor_shape(&t, NZ_DT_Q4_K, ten, 10), "rows hold whole blocks");
}

/* safetensors */

static bytes safetensors(const char *head)
{
    bytes b = {0};
    put_number(&b, strlen(head), 8);
    put_text(&b, head);
    put_many(&b, "0123456789abcdef", 4);
    return b;
}

/* Offsets are counted from the end of the header. */
static void finds_behind(const char *head, const char *want)
{
    finds_from(safetensors(head), 8 + strlen(head), want);
}

Test(safetensors, keeps_what_is_sane)
{
    finds_behind(
        "{\"late\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]},"
        "\"early\":{\"data_offsets\":[0,8],\"shape\":[2,2],\"more\":[{}],\"dtype\":\"F16\"},"
        "\"over\":{\"dtype\":\"I8\",\"shape\":[5],\"data_offsets\":[4,9]},"
        "\"wrong\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[8,16]},"
        "\"new\":{\"dtype\":\"F7\",\"shape\":[3],\"data_offsets\":[40,43]},"
        "\"far\":{\"dtype\":\"U8\",\"shape\":[1000],\"data_offsets\":[50,1050]}}   ",
        "safetensors\nearly\tF16\t2,2\t0\t8\nwrong\tBYTES\t8\t8\t8\nlate\tF32\t2\t24\t8\n"
        "new\tBYTES\t3\t40\t3\nfar\tU8\t1000\t50\t1000\n");
    finds_behind(
        "{\"\\u00e9\\ud83c\\udca1\\n\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},"
        "\"nul\\u0000\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[1,2]}}",
        "safetensors\n\xc3\xa9\xf0\x9f\x82\xa1\n\tU8\t\t0\t1\n");
    finds_behind("{ }", "safetensors\n");
}

Test(safetensors, refuses_ranges_that_are_none)
{
    finds_behind(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,8]},"
        "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[-1,0]},"
        "\"c\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1]},"
        "\"d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[18446744073709551616,0]},"
        "\"e\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[18446744073709551613,"
        "18446744073709551615]},"
        "\"f\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]},"
        "\"g\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]},\"h\":7,\"i\":{}}",
        "safetensors\nf\tBYTES\t0\t0\t0\n");
}

Test(safetensors, broken_json_is_no_header)
{
    static const char *const BROKEN[] = {
        "{\"a\":1",      "{\"a\":1}}",  "{\"a\" 1}",   "{\"a\":01}",
        "{\"a\":1.}",    "{\"a\":tru}", "{,}",         "{\"a\":}",
        "{\"a\":[1,]}",  "{\"a\":[1}}", "{\"\\x\":1}", "{\"\\ud800\":1}",
        "{\"\\u12\":1}", "{\"a\":1e}",  "{\"\n\":1}",  "{\"a\":1,}",
        "{\"a\":\"b}",
    };
    for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++)
        finds(safetensors(BROKEN[i]), "none\n");
    bytes deep = {0};
    put_number(&deep, 200005, 8);
    put_text(&deep, "{\"a\":");
    put_many(&deep, "[", 100000);
    put_many(&deep, "]", 100000);
    finds(deep, "none\n");
    /* A length field promises much; memory grows only with what comes. */
    bytes promise = {0};
    put_number(&promise, 100000000, 8);
    put_text(&promise, "{\"a");
    finds(promise, "none\n");
}

/* GGUF */

static void put_string(bytes *b, const char *text)
{
    put_number(b, strlen(text), 8);
    put_text(b, text);
}

static bytes gguf(uint32_t version, uint64_t tensors, uint64_t keys)
{
    bytes b = {0};
    put_text(&b, "GGUF");
    put_number(&b, version, 4);
    put_number(&b, tensors, 8);
    put_number(&b, keys, 8);
    return b;
}

static void put_info(bytes *b, const char *name, uint64_t fast, uint64_t slow, uint32_t type,
                     uint64_t at)
{
    put_string(b, name);
    put_number(b, 2, 4);
    put_number(b, fast, 8);
    put_number(b, slow, 8);
    put_number(b, type, 4);
    put_number(b, at, 8);
}

Test(gguf, odd_types_orders_and_alignments)
{
    bytes b = gguf(2, 4, 2);
    put_string(&b, "general.alignment");
    put_number(&b, 4, 4);
    put_number(&b, 64, 4);
    put_string(&b, "nested");
    put_number(&b, 9, 4); /* an array of two arrays: three bytes, two strings */
    put_number(&b, 9, 4);
    put_number(&b, 2, 8);
    put_number(&b, 0, 4);
    put_number(&b, 3, 8);
    put_text(&b, "xyz");
    put_number(&b, 8, 4);
    put_number(&b, 2, 8);
    put_string(&b, "one");
    put_string(&b, "");
    put_info(&b, "last", 32, 1, 2, 256);
    put_info(&b, "odd", 5, 7, 33, 64); /* a type that ggml took back */
    put_info(&b, "first", 4, 2, 0, 0);
    put_info(&b, "odd and last", 4, 2, 1000, 512);
    finds_from(b, (b.n + 63) & ~(uint64_t)63,
               "gguf\nfirst\tF32\t2,4\t0\t32\nodd\tBYTES\t192\t64\t192\n"
               "last\tQ4_0\t1,32\t256\t18\n");
}

Test(gguf, hostile_counts_and_lengths)
{
    finds(gguf(3, UINT64_MAX, 0), "none\n");
    finds(gguf(3, 1, UINT64_MAX), "gguf\n");
    finds(gguf(4, 0, 0), "none\n");
    bytes b = gguf(3, 1, 1);
    put_number(&b, UINT64_MAX, 8);
    finds(b, "gguf\n");
    b = gguf(3, 1, 1);
    put_string(&b, "key");
    put_number(&b, 8, 4);
    put_number(&b, UINT64_MAX - 7, 8);
    put_many(&b, "0123456789", 10);
    finds(b, "gguf\n");
    b = gguf(3, 1, 1);
    put_string(&b, "key");
    put_number(&b, 9, 4);
    put_number(&b, 12, 4);
    put_number(&b, UINT64_MAX / 8 + 1, 8);
    put_many(&b, "0123456789", 10);
    finds(b, "gguf\n");
    b = gguf(3, 1, 1);
    put_string(&b, "key");
    put_number(&b, 9, 4);
    for (int i = 0; i < 100000; i++) {
        put_number(&b, 9, 4);
        put_number(&b, UINT64_MAX, 8);
    }
    finds(b, "gguf\n");
    b = gguf(3, 1, 1);
    put_string(&b, "general.alignment");
    put_number(&b, 4, 4);
    put_number(&b, 0, 4);
    put_info(&b, "a", 1, 1, 0, 0);
    finds(b, "gguf\n");
    b = gguf(3, 3, 0);
    put_info(&b, "a", UINT64_MAX, UINT64_MAX, 0, 0);
    put_info(&b, "b", 1, 1, 0, UINT64_MAX - 3);
    put_info(&b, "c", 33, 1, 2, 32);
    finds(b, "gguf\na\tBYTES\t32\t160\t32\n");
}

/* NumPy */

static bytes npy(int version, const char *head)
{
    bytes b = {0};
    put(&b, "\x93NUMPY", 6);
    put_number(&b, (uint64_t)version, 2);
    put_number(&b, strlen(head), version == 1 ? 2 : 4);
    put_text(&b, head);
    return b;
}

/* Offsets are counted from the end of the header. */
static void finds_array(int version, const char *head, const char *want)
{
    bytes b = npy(version, head);
    finds_from(b, b.n, want);
}

Test(npy, headers)
{
    finds_array(1, "{'descr': '<f2', 'fortran_order': True, 'shape': (2, 3, 4), }   \n",
                "npy\n\tF16\t4,3,2\t0\t48\n");
    finds_array(3, "{'shape': (7,), 'fortran_order': False, 'descr': '|b1'}\n",
                "npy\n\tBOOL\t7\t0\t7\n");
    finds_array(2, "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (), }\n",
                "npy\n\tI64\t\t0\t8\n");
    finds_array(1, "{'descr': '>f8', 'fortran_order': False, 'shape': (3,), }\n",
                "npy\n\tBYTES\t24\t0\t24\n");
    finds_array(1, "{'descr': '<V2', 'fortran_order': False, 'shape': (3,), }\n",
                "npy\n\tBYTES\t6\t0\t6\n");
    static const char *const BROKEN[] = {
        "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }\n",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }\n",
        "{'descr': '<U4611686018427387904', 'fortran_order': False, 'shape': (3,), }\n",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (3,), }\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)",
        "{'descr': '<f4', 'fortran_order': False, }\n",
        "{'descr': '<f4, 'fortran_order': False, 'shape': (3,), }\n",
    };
    for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++)
        finds(npy(1, BROKEN[i]), "none\n");
}

/* zip and pickle */

static void put_member(bytes *b, const char *name, bytes member, unsigned flags, unsigned method)
{
    put(b, "PK\3\4\x14\0", 6);
    put_number(b, flags, 2);
    put_number(b, method, 2);
    put_number(b, 0, 8);
    put_number(b, flags & 8 ? 0 : member.n, 4);
    put_number(b, flags & 8 ? 0 : member.n, 4);
    put_number(b, strlen(name), 2);
    put_number(b, 0, 2);
    put_text(b, name);
    put(b, member.p, member.n);
    if (flags & 8) {
        put(b, "PK\7\10", 4);
        put_number(b, 0, 4);
        put_number(b, member.n, 4);
        put_number(b, member.n, 4);
    }
}

static bytes text_bytes(const char *text)
{
    bytes b = {0};
    put_text(&b, text);
    return b;
}

static bytes zeros(size_t n)
{
    bytes b = {0};
    while (n-- > 0)
        put(&b, "", 1);
    return b;
}

/* An archive of this pickle, a byte order and one storage "0" of so many bytes. */
static bytes archive(bytes pickle, const char *order, size_t storage, unsigned flags)
{
    bytes b = {0}, byteorder = text_bytes(order), data = zeros(storage);
    put_member(&b, "x/data.pkl", pickle, flags, 0);
    put_member(&b, "x/packed", byteorder, 0, 8);
    put_member(&b, "x/secret", byteorder, 1, 0);
    put_member(&b, "x/byteorder", byteorder, flags, 0);
    put_member(&b, "x/data/0", data, flags, 0);
    put_member(&b, "x/data/0", data, flags, 0);
    put_member(&b, "x/version", byteorder, flags, 0);
    put_text(&b, "PK\1\2");
    free(pickle.p);
    free(byteorder.p);
    free(data.p);
    return b;
}

/* Opcodes that push the storage "0" of 16 floats, and a tensor in it. */
static void put_storage(bytes *b)
{
    put_text(b, "(U\7storagectorch\nFloatStorage\nU\1"
                "0U\3cpuK\x10tQ");
}

static void put_tensor(bytes *b, uint8_t offset, uint8_t count, uint8_t stride)
{
    put_text(b, "ctorch._utils\n_rebuild_tensor_v2\n(");
    put_storage(b);
    put(b, (uint8_t[]){'K', offset, 'K', count, 0x85, 'K', stride, 0x85, 0x89, '}', 't', 'R'}, 12);
}

static bytes pickle(const char *text)
{
    bytes b = {0};
    put_text(&b, "\x80\2");
    put_text(&b, text);
    return b;
}

/* Offsets are counted from the storage's data. */
static void finds_in(bytes b, const char *want)
{
    finds_from(b, behind(b, "x/data/0"), want);
}

Test(pytorch, storages_are_covered_once)
{
    for (unsigned flags = 0; flags <= 8; flags += 8) {
        bytes b = pickle("}(U\1z");
        put_tensor(&b, 8, 4, 1);
        put_text(&b, "U\1a");
        put_tensor(&b, 6, 4, 1);
        put_text(&b, "U\1b"); /* past the end */
        put_tensor(&b, 12, 8, 1);
        put_text(&b, "U\1c"); /* with holes */
        put_tensor(&b, 12, 2, 2);
        put_text(&b, "u.");
        finds_in(archive(b, "little", 64, flags),
                 "pytorch\nx/data/0\tF32\t6\t0\t24\na\tF32\t4\t24\t16\nx/data/0\tF32\t6\t40\t24\n");
    }
    bytes b = pickle("}U\1z");
    put_tensor(&b, 1, 4, 1);
    put_text(&b, "s.");
    finds_in(archive(b, "big", 64, 0),
             "pytorch\nx/data/0\tBYTES\t4\t0\t4\nz\tBYTES\t16\t4\t16\nx/data/"
             "0\tBYTES\t44\t20\t44\n");
    /* The member is larger than the pickle says. */
    b = pickle("");
    put_storage(&b);
    put_text(&b, ".");
    finds_in(archive(b, "little", 66, 8), "pytorch\n\tF32\t16\t0\t64\n");
    b = pickle("");
    put_storage(&b);
    put_text(&b, ".");
    finds_in(archive(b, "little", 66, 0), "pytorch\n\tF32\t16\t0\t64\nx/data/0\tBYTES\t2\t64\t2\n");
}

Test(pytorch, names_follow_the_keys)
{
    /* {"d": {-1: [None, unknown(tensor)]}} and the same dict again below itself */
    bytes b = pickle("}q");
    put(&b, "\0", 1);
    put_text(&b, "(U\1d}J\xff\xff\xff\xff](Ncnot.a\nthing\n");
    put_tensor(&b, 0, 16, 1);
    put_text(&b, "\x85Resh");
    put(&b, "\0", 1);
    put_text(&b, "h");
    put(&b, "\0u.", 3);
    finds_in(archive(b, "little", 64, 0), "pytorch\nd.-1.1\tF32\t16\t0\t64\n");
}

/* Whatever the pickle, the storage is not found, and nothing else happens. */
static void finds_none(bytes pickle)
{
    bytes b = archive(pickle, "little", 64, 0);
    for (int i = 0; i < 2; i++) {
        nz_scan *s = scan_of(b.p, b.n, i ? 1000 : SIZE_MAX);
        size_t n;
        nz_scan_tensors(s, &n);
        cr_assert_eq(n, 0u);
        nz_scan_free(s);
    }
    free(b.p);
}

Test(pytorch, hostile_pickles)
{
    static const char *const BROKEN[] = {".",
                                         "0.",
                                         "1.",
                                         "2.",
                                         "R.",
                                         "b.",
                                         "s.",
                                         "u.",
                                         "e.",
                                         "a.",
                                         "t.",
                                         "d.",
                                         "Q.",
                                         "\x85.",
                                         "\x87.",
                                         "\x93.",
                                         "\x94.",
                                         "q\1.",
                                         "h\1.",
                                         "(a.",
                                         "(K\1d.",
                                         "NNR.",
                                         "NQ.",
                                         ")Q.",
                                         "]\x94(h\1e.",
                                         "K\1K\2\x93.",
                                         "r\xff\xff\xff\xff.",
                                         "N\x8a\x09"
                                         "123456789.",
                                         "X\xff\xff\xff\x7f",
                                         "c",
                                         "c\n\n.",
                                         "ctorch\n",
                                         "\xff",
                                         "(U\7storageNNNNtQ.",
                                         "(U\7storageU\1"
                                         "0U\1"
                                         "0NK\1tQ.",
                                         "U\1x)R.",
                                         "}]s.",
                                         "]]R.",
                                         "}(](((((((u."};
    for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++)
        finds_none(pickle(BROKEN[i]));
    static const char *const MANY[] = {"(",     "]",  ")",   "}",   "\x85", "](",
                                       "N\x94", "(t", "]2a", "N)R", "NQ"};
    for (size_t i = 0; i < sizeof MANY / sizeof *MANY; i++) {
        bytes b = pickle("NN");
        put_many(&b, MANY[i], 300000);
        put_text(&b, ".");
        finds_none(b);
    }
    /* Lists of lists, each twice in the next: 2^100 ways down. */
    bytes b = pickle("]q\1");
    put_many(&b, "](h\1h\1eq\1", 100);
    put_text(&b, ".");
    finds_none(b);
    /* Deeper than is looked at. */
    b = pickle("");
    put_many(&b, "](", 1000);
    put_storage(&b);
    put_many(&b, "e", 1000);
    put_text(&b, ".");
    finds_none(b);
}

Test(zip, hostile_archives)
{
    /* A directory, sizes that overflow, a member that ends before the array in it. */
    bytes b = {0}, member = npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n"),
          zip64 = {0};
    put(&member, "0123456789ab", 12);
    put_member(&b, "a.npy", member, 0, 0);
    put_member(&b, ".npy", member, 0, 8);
    b.p[18] -= 1;
    b.p[22] -= 1;
    finds(b, "zip\n");
    b = (bytes){0};
    put_member(&b, "folder/", zip64, 0, 0);
    put_member(&b, "empty/", zip64, 8, 0);
    b.n -= 16; /* no record behind an empty one */
    put_member(&b, "a.npy", member, 0, 0);
    put_member(&b, ".npy", member, 8, 0);
    put_member(&b, "b.npy", member, 8, 0);
    finds(b, "npz\na\tF32\t3\t176\t12\n\tF32\t3\t290\t12\nb\tF32\t3\t421\t12\n");
    put(&zip64, "PK\3\4\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 26);
    put_number(&zip64, 1, 2);
    put_number(&zip64, 20, 2);
    put_text(&zip64, "x");
    put_number(&zip64, 1, 2);
    put_number(&zip64, 16, 2);
    b = (bytes){0};
    put(&b, zip64.p, zip64.n);
    put_number(&b, UINT64_MAX - 3, 8);
    put_number(&b, UINT64_MAX - 3, 8);
    finds(b, "zip\n");
    put_number(&zip64, 3, 8);
    put_number(&zip64, 3, 8);
    put_text(&zip64, "abc");
    put_member(&zip64, "a.npy", member, 0, 0);
    finds(zip64, "npz\na\tF32\t3\t157\t12\n");
    free(member.p);
}

/* ONNX */

/* A field that holds b, which is freed; its length in four bytes. */
static bytes wrapped(unsigned number, bytes b)
{
    bytes out = {0};
    put_number(&out, number << 3 | 2, 1);
    for (int i = 0; i < 3; i++)
        put_number(&out, (b.n >> 7 * i & 127) | 128, 1);
    put_number(&out, b.n >> 21, 1);
    put(&out, b.p, b.n);
    free(b.p);
    return out;
}

static bytes onnx(bytes graph)
{
    bytes out = {0};
    put(&out, "\x08\x09\x12\x04test", 8);
    graph = wrapped(7, graph);
    put(&out, graph.p, graph.n);
    free(graph.p);
    return out;
}

Test(onnx, tensors_in_odd_forms)
{
    bytes t = {0};
    put(&t, "\x0a\2\2\3", 4); /* packed dims */
    put(&t, "\x10\1\x42\1n", 5);
    put(&t, "\xa2\6\1x", 4); /* field 100: unknown */
    put(&t,
        "\x4a\x18"
        "0123456789abcdefghijklmn",
        26);
    finds(onnx(wrapped(5, t)), "onnx\nn\tF32\t2,3\t33\t24\n");
    t = (bytes){0}; /* of this many dims it cannot say */
    put_many(&t, "\x08\1", 100);
    put(&t, "\x10\2\x4a\1x", 5);
    finds(onnx(wrapped(5, t)), "onnx\n\tBYTES\t1\t222\t1\n");
    t = (bytes){0}; /* a dim below 0 */
    put(&t, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\x10\1\x4a\4abcd", 19);
    finds(onnx(wrapped(5, t)), "onnx\n\tBYTES\t4\t33\t4\n");
}

Test(onnx, hostile_messages)
{
    /* A node with a graph with a node ...: what lies too deep is not looked at. */
    bytes b = text_bytes("\x10\2\x4a\1x");
    b = wrapped(5, b);
    for (int i = 0; i < 300; i++)
        b = wrapped(1, wrapped(5, wrapped(6, b)));
    finds(onnx(b), "onnx\n");
    b = text_bytes("\x10\2\x4a\1x");
    b = wrapped(5, b);
    for (int i = 0; i < 10; i++)
        b = wrapped(1, wrapped(5, wrapped(6, b)));
    b = onnx(b);
    finds_from(b, b.n - 1, "onnx\n\tU8\t\t0\t1\n");
    static const char *const OTHERS[] = {
        "\x08\1\x12\x80\x20 a long producer",
        "\x08\4\xa2\x1f\1xxxxxxx",
        "\x08\4\x52\1xxxxxxxxxxx",
        "\x08\4\xca\1\4\x3a\2xxxxxxx",
        "\x08\4\x3a\4\x0a\x20xxxxxxx",
        "\x08\4\x3a\4\x1a\2xxxxxxxx",
        "\x08\4\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\1",
        "\x08\4\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\2",
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        finds(text_bytes(OTHERS[i]), "none\n");
}

/* arrays in no container */

enum { ARRAY = 128 << 10 }; /* numbers */

/* About normal, even in the last bits, the same on every machine. */
static double normal(uint64_t *seed)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        sum += (double)(*seed >> 11) / (1LL << 53);
    }
    return sum * (1 + (double)(*seed >> 11) / (1LL << 62));
}

static void put_float(bytes *b, nz_dtype dtype, double v)
{
    float f = (float)v;
    uint64_t u = 0;
    memcpy(&u, dtype == NZ_DT_F64 ? (void *)&v : (void *)&f, dtype == NZ_DT_F64 ? 8 : 4);
    if (dtype == NZ_DT_BF16)
        u >>= 16;
    if (dtype == NZ_DT_F16) { /* normal numbers only, cut */
        uint32_t exponent = u >> 23 & 255;
        u = exponent < 113 ? 0 : (u >> 16 & 0x8000) | (exponent - 112) << 10 | (u >> 13 & 1023);
    }
    put_number(b, u, nz_dtype_about(dtype)->bytes);
}

static nz_tensor sniffed(bytes b, bool columns)
{
    nz_tensor t;
    cr_assert_eq(nz_sniff(&t, b.p, b.n, columns), NZ_OK);
    free(b.p);
    return t;
}

Test(sniff, weights_are_taken)
{
    static const nz_dtype DTYPES[] = {NZ_DT_BF16, NZ_DT_F16, NZ_DT_F32, NZ_DT_F64};
    static const size_t HEADERS[] = {0, 1, 7, 129, 1000, 5003};
    for (size_t d = 0; d < 4; d++) {
        for (size_t h = 0; h < 6; h++) {
            uint64_t seed = d;
            bytes b = {0};
            put_many(&b, "x", HEADERS[h]);
            for (int i = 0; i < ARRAY; i++)
                put_float(&b, DTYPES[d], .02 * normal(&seed));
            put_text(&b, "\n");
            nz_tensor t = sniffed(b, false);
            size_t size = nz_dtype_about(DTYPES[d])->bytes;
            cr_assert(t.dims == 2 && t.dtype == DTYPES[d], "%zu %zu", d, h);
            cr_assert(t.at <= HEADERS[h] && t.at + 2 * size > HEADERS[h], "%zu", (size_t)t.at);
            cr_assert_eq(t.at % size, HEADERS[h] % size);
            cr_assert_eq(t.bytes / size, (HEADERS[h] - t.at) / size + ARRAY);
        }
    }
}

Test(sniff, rows_are_found)
{
    enum { ROW = 384 };
    uint64_t seed = 1;
    double scale[ROW];
    for (int i = 0; i < ROW; i++)
        scale[i] = .02 * (1 + .5 * (normal(&seed) > 0));
    bytes b = {0};
    for (int i = 0; i < ARRAY; i++)
        put_float(&b, NZ_DT_BF16, normal(&seed) * scale[i % ROW]);
    nz_tensor t = sniffed(b, false);
    cr_assert_eq(t.dims, 2);
    cr_assert_eq(t.dim[1], ROW);
    cr_assert_eq(t.bytes, 2 * ARRAY);
}

/* Numbers of which something else is known, and what is no numbers at all. */
typedef enum kind {
    SMOOTH,
    NOISY,
    RECORDS,
    INTEGERS,
    PIXELS,
    SORTED,
    SPARSE,
    CHANNELS,
    REPEATED,
    SWAPPED,
    RANDOM,
    TEXT,
    SOUND,
    KINDS
} kind;

static double kind_number(kind k, int i, uint64_t *seed)
{
    enum { CHANNEL_COUNT = 40 };
    static double last[CHANNEL_COUNT];
    double *channel = &last[k == CHANNELS ? i % CHANNEL_COUNT : 0];
    if (i < CHANNEL_COUNT)
        last[i] = 0;
    switch (k) {
    case SMOOTH:
    case CHANNELS: return *channel += normal(seed);
    case NOISY: return (*channel = .9 * *channel + .3 * normal(seed)) + normal(seed);
    case RECORDS: return normal(seed) * (i % 5 == 0 ? 1000 : 1) + (i % 5 == 1 ? 7 : 0);
    case INTEGERS: return (int)(1000 * normal(seed));
    case PIXELS: return (int)(128 + 40 * normal(seed)) / 255.;
    case SORTED: return i * 1e-4 + 1e-5 * normal(seed);
    case SPARSE: return i % 3 ? normal(seed) : 0;
    default: return normal(seed);
    }
}

static bytes kind_bytes(kind k)
{
    uint64_t seed = (uint64_t)k;
    bytes b = {0};
    for (int i = 0; i < ARRAY && k < RANDOM; i++)
        put_float(&b, NZ_DT_F32, kind_number(k, k == REPEATED ? i % (ARRAY / 4) : i, &seed));
    if (k == REPEATED)
        memcpy(b.p + b.n / 2, b.p, b.n / 2);
    for (size_t i = 0; i < b.n && k == SWAPPED; i += 4)
        nz_store32(b.p + i, __builtin_bswap32(nz_load32(b.p + i)));
    double level = 0;
    for (int i = 0; i < ARRAY && k >= RANDOM; i++) {
        level = .98 * level + 300 * normal(&seed);
        if (k == RANDOM)
            put_number(&b, (seed = seed * UINT64_C(6364136223846793005) + 1) >> 32, 4);
        else if (k == TEXT)
            put_many(&b, "a word and some more" + (int)(8 + 2 * normal(&seed)), 1);
        else
            put_number(&b, (uint16_t)(int16_t)level, 2);
    }
    return b;
}

Test(sniff, others_are_not)
{
    for (kind k = 0; k < KINDS; k++)
        cr_assert_eq(sniffed(kind_bytes(k), false).dims, 0, "%d", (int)k);
    nz_tensor t = sniffed(kind_bytes(CHANNELS), true);
    cr_assert(t.dims == 2 && t.dim[1] == 40, "%d", (int)t.dim[1]);
    uint64_t seed = 0;
    bytes b = {0};
    for (int i = 0; i < 4 << 10; i++)
        put_float(&b, NZ_DT_F32, normal(&seed));
    cr_assert_eq(sniffed(b, false).dims, 0, "too short to say");
}

Test(sniff, anything)
{
    /* Pieces of arrays, others before and behind them: no read goes astray. */
    uint64_t seed = 5;
    for (int i = 0; i < 60; i++) {
        bytes b = {0}, parts[3] = {kind_bytes((kind)(i % KINDS)), kind_bytes(SWAPPED), {0}};
        for (int k = 0; k < ARRAY / 2; k++)
            put_float(&parts[2], i & 1 ? NZ_DT_BF16 : NZ_DT_F64, normal(&seed));
        for (int k = 0; k < 3; k++) {
            seed = seed * UINT64_C(6364136223846793005) + 1;
            put(&b, parts[(i + k) % 3].p, (size_t)(seed >> 33) % (parts[(i + k) % 3].n + 1));
        }
        size_t n = b.n;
        uint8_t *tight = malloc(n ? n : 1);
        memcpy(tight, b.p, n);
        nz_tensor t = sniffed((bytes){tight, n, n}, i & 2);
        cr_assert(!t.dims || (t.at <= n && t.bytes <= n - t.at));
        free(b.p);
        for (int k = 0; k < 3; k++)
            free(parts[k].p);
    }
}
