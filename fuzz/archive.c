/* Any bytes as an archive: whatever way it is read, all ways agree on whether it is one and on what
 * it holds. */
#include "lib/archive.h"

#include <stdio.h>
#include <unistd.h>

static uint8_t whole[FUZZ_ROOM], again[FUZZ_ROOM + 1];

/* By frames' headers alone; the bytes they unpack to. */
static nz_err list(FILE *from, uint64_t *raw, uint64_t n)
{
    nz_reader *r;
    nz_frame f;
    int more = 1;
    nz_err err = nz_reader_new(&r, &fuzz_options, from);
    for (*raw = 0; !err && more; *raw += more ? f.raw : 0) {
        err = nz_reader_frame(r, &f, &more);
        check(!more || (f.method && f.kinds <= NZ_FRAME_KINDS && f.offset < n));
    }
    check(err || nz_reader_packed(r) == n);
    nz_reader_free(r);
    return err;
}

/* As a stream, in pieces of odd sizes. */
static nz_err read_pieces(FILE *from, size_t n, size_t *raw)
{
    nz_reader *r;
    size_t got = 1;
    nz_err err = nz_reader_new(&r, &fuzz_options, from);
    for (*raw = 0; !err && got && *raw < sizeof again; *raw += got) {
        size_t left = sizeof again - *raw, piece = 1 + *raw * 7 % 4099;
        err = nz_reader_get(r, again + *raw, piece < left ? piece : left, &got);
        check(nz_reader_fault(r).err == err && nz_reader_packed(r) <= n);
    }
    nz_reader_free(r);
    return err;
}

static void use_tensors(const nz_archive *a, bool sound, size_t raw)
{
    size_t count = nz_tensor_count(a);
    nz_fault fault;
    nz_tensor_info t;
    check(nz_tensor_about(a, count, &t) == NZ_E_ARG);
    for (size_t i = 0; i < count && i < 16; i++) {
        check(!nz_tensor_about(a, i, &t) && nz_tensor_find(a, t.name) <= i);
        size_t n = t.bytes < FUZZ_ROOM ? (size_t)t.bytes : FUZZ_ROOM, from = n / 3;
        nz_err err = nz_tensor_read(a, i, from, again, n - from, &fault);
        check(fault.err == err);
        if (!err && sound && t.at + n <= raw)
            check(!memcmp(again, whole + t.at + from, n - from));
    }
}

/* Costs come without gaps, and none is less than nothing. */
static int tell(void *arg, const nz_cost *c)
{
    uint64_t *at = arg;
    check(c->at == *at && c->n && c->sum >= 0);
    *at += c->n;
    return 0;
}

static void use_costs(const nz_archive *a)
{
    nz_cost_sum sum;
    nz_fault fault;
    uint64_t at = 0;
    nz_err err = nz_archive_explain(a, tell, &at, &sum, &fault);
    check(fault.err == err && sum.kinds <= NZ_COST_KINDS);
}

/* In memory, or as a file with all frames verified. */
static nz_err open_archive(nz_archive **a, const uint8_t *in, size_t n, nz_fault *fault)
{
    static FILE *file;
    nz_options opt = fuzz_options;
    if (in[n / 2] % 4)
        return nz_archive_open(a, in, n, &opt, fault);
    if (!file)
        file = tmpfile();
    check(file && !ftruncate(fileno(file), 0));
    rewind(file);
    check(fwrite(in, 1, n, file) == n && !fflush(file));
    opt.verify = 1;
    return nz_archive_open_file(a, file, &opt, fault);
}

/* From its end. */
static nz_err use_parts(const uint8_t *in, size_t n, bool sound, size_t raw)
{
    nz_archive *a;
    nz_fault fault;
    nz_err err = open_archive(&a, in, n, &fault);
    check(fault.err == err && fault.offset <= n);
    if (err)
        return err;
    check(!sound || nz_archive_raw(a) == raw);
    if (sound && raw) {
        size_t from = in[n / 2] * raw / 256;
        check(!nz_archive_read(a, from, again, raw - from, &fault));
        check_same(again, raw - from, whole + from, raw - from);
    }
    use_tensors(a, sound, raw);
    use_costs(a);
    nz_archive_free(a);
    return NZ_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    size_t raw = 0, raw_again;
    uint64_t listed;
    FILE *file = n && n <= FUZZ_ROOM ? fmemopen((void *)(uintptr_t)in, n, "rb") : NULL;
    if (!file)
        return 0;
    nz_err err = nz_unpack(whole, sizeof whole, &raw, in, n, &fuzz_options);
    nz_err pieces = read_pieces(file, n, &raw_again);
    check(err == NZ_E_FULL || !pieces == !err);
    if (!err)
        check_same(again, raw_again, whole, raw);
    rewind(file);
    nz_err listing = list(file, &listed, n);
    nz_err parts = use_parts(in, n, !err, raw);
    check(err || (!listing && listed == raw && !parts));
    fclose(file);
    return 0;
}
