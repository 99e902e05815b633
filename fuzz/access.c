/* Any bytes as an archive, as a weights frame's payload or as a directory, the checks around the
 * last two right: opening, telling, measuring, explaining and reading stay in bounds, and what is
 * read in parts is what is read whole. */
#include "archive/directory.h"
#include "archive/format.h"
#include "base/base.h"
#include "weights/weights.h"

#include <stdlib.h>

#define ROOM 65536

static void check(bool good)
{
    if (!good)
        abort();
}

static void use(const uint8_t *p, size_t n)
{
    static uint8_t all[ROOM], part[ROOM];
    nz_options opt = {.threads = 1, .memory = (uint64_t)24 << 20};
    nz_archive *a;
    nz_fault fault;
    nz_err err = nz_archive_open(&a, p, n, &opt, &fault);
    check(fault.err == err && fault.offset <= n);
    if (err)
        return;
    size_t raw = nz_archive_raw(a) < ROOM ? (size_t)nz_archive_raw(a) : ROOM;
    bool whole = !nz_archive_read(a, 0, all, raw, &fault);
    size_t count = nz_tensor_count(a);
    nz_tensor_packed *packed = calloc(count + 1, sizeof *packed);
    check(packed);
    nz_tensor_parts *parts = calloc(count + 1, sizeof *parts);
    check(parts);
    bool measured = !nz_tensor_measure(a, packed, &fault);
    bool explained = !nz_tensor_explain(a, parts, &fault);
    for (size_t i = 0; i < count && measured && explained; i++) {
        uint64_t bits = 0;
        for (int k = 0; k < NZ_PARTS; k++)
            bits += parts[i].packed[k];
        check(bits == 8 * packed[i].packed);
    }
    free(parts);
    free(packed);
    for (size_t i = 0; i < count && i < 16; i++) {
        nz_tensor_info t;
        check(!nz_tensor_about(a, i, &t) && nz_tensor_find(a, t.name) <= i);
        size_t m = t.bytes < ROOM ? (size_t)t.bytes : ROOM, from = m / 3;
        err = nz_tensor_read(a, i, from, part, m - from, &fault);
        check(fault.err == err);
        if (!err && whole && t.at + m <= raw)
            check(!memcmp(part, all + t.at + from, m - from));
    }
    nz_archive_free(a);
}

static size_t frame_put(uint8_t *to, nz_method method, const uint8_t *payload, size_t n, size_t raw)
{
    nz_header h = {.method = method, .raw = raw, .packed = n, .hash = nz_hash(payload, n)};
    nz_weights w = {.numerics = NZ_WEIGHTS_NUMERICS, .memory = 1 << 13};
    nz_weights_store(&w, h.params);
    size_t at = nz_header_store(&h, to);
    memcpy(to + at, payload, n);
    return at + n;
}

static size_t section_put(uint8_t *to, const uint8_t *contents, size_t n)
{
    size_t at = 1 + nz_varint_store(to + 1, n);
    to[0] = NZ_TAG_DIRECTORY;
    memcpy(to + at, contents, n);
    at += n;
    nz_store32(to + at, (uint32_t)nz_hash(to, at));
    return at + 4;
}

/* A frame, perhaps a directory, and the end that belongs to them. */
static void use_around(const uint8_t *in, size_t n, bool directory)
{
    static const uint8_t zeros[1024];
    static uint8_t archive[NZ_HEAD_BYTES + NZ_HEADER_BYTES + ROOM + 4096];
    size_t raw = n < 2 ? 1 : nz_load16(in) + 1u, at = NZ_HEAD_BYTES;
    if (n < 2 || n > ROOM || (!directory && n - 2 >= raw))
        return;
    in += 2;
    n -= 2;
    nz_head_store(archive);
    if (directory)
        at += frame_put(archive + at, NZ_METHOD_STORED, zeros, raw = sizeof zeros, sizeof zeros);
    else
        at += frame_put(archive + at, NZ_METHOD_WEIGHTS, in, n, raw);
    nz_index x = {0};
    check(!nz_index_add(&x, at - NZ_HEAD_BYTES, raw));
    if (directory)
        at += x.directory = section_put(archive + at, in, n);
    uint8_t *end;
    size_t size;
    check(!nz_index_store(&x, &end, &size));
    memcpy(archive + at, end, size);
    use(archive, at + size);
    free(end);
    nz_index_reset(&x);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    if (n == 0 || n > ROOM)
        return 0;
    use(in, n);
    use_around(in + 1, n - 1, in[0] & 1);
    return 0;
}
