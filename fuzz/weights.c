/* Weights frames of any payload: what is decoded in parts is what is decoded whole, and what tells
 * of them without unpacking agrees with itself. */
#include "lib/archive.h"

enum { BASE = 1 << 16 };

static nz_err decode(const nz_weights *w, const nz_header *h, const nz_kern *kern,
                     const nz_weights_base *base, nz_span payload, uint8_t *to, size_t from,
                     size_t n)
{
    return nz_weights_decode(w, &(nz_run){.kern = kern}, base, payload.at, nz_span_left(&payload),
                             to, (size_t)h->raw, from, n);
}

/* Thirds, which cut through numbers, blocks and chunks. */
static void use_frame(const nz_header *h, nz_span payload, const nz_weights_base *base)
{
    static uint8_t raw[FUZZ_ROOM];
    nz_weights w;
    nz_kern kern;
    size_t n = (size_t)h->raw, third = n / 3;
    if (h->method != NZ_METHOD_WEIGHTS || h->raw > sizeof raw || nz_weights_load(&w, h->params))
        return;
    nz_kern_init(&kern, nz_cpu());
    nz_err err = decode(&w, h, &kern, base, payload, raw, 0, n);
    for (size_t from = 0; !err && from < n; from += third + 1) {
        size_t part = n - from < third + 1 ? n - from : third + 1;
        uint8_t *to = room_for(part);
        check(!decode(&w, h, &kern, base, payload, to, from, part));
        check_same(to, part, raw + from, part);
        free(to);
    }
}

static uint64_t sum_of(const uint64_t of[NZ_PARTS])
{
    uint64_t sum = 0;
    for (int k = 0; k < NZ_PARTS; k++)
        sum += of[k];
    return sum;
}

static void use_tensors(const nz_archive *a)
{
    size_t count = nz_tensor_count(a);
    nz_fault fault;
    nz_tensor_packed *packed = (void *)room_for(count * sizeof *packed);
    nz_tensor_parts *parts = (void *)room_for(count * sizeof *parts);
    bool measured = !nz_tensor_measure(a, packed, &fault);
    bool explained = !nz_tensor_explain(a, parts, &fault);
    for (size_t i = 0; i < count && measured && explained; i++) {
        nz_tensor_info t;
        check(!nz_tensor_about(a, i, &t));
        check(sum_of(parts[i].packed) == 8 * packed[i].packed);
        check(sum_of(parts[i].raw) == 8 * (t.bytes - packed[i].rest));
    }
    free(parts);
    free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    static uint8_t bytes[BASE];
    const nz_options opt = {.threads = 1, .memory = (uint64_t)128 << 20}; /* the model's, too */
    taken t;
    nz_archive *a;
    if (n > FUZZ_ROOM || !take_apart(&t, in, n))
        return 0;
    for (size_t i = 0; i < BASE; i++)
        bytes[i] = (uint8_t)(i * i >> 5);
    nz_weights_base base = {bytes, nz_span_left(&t.base) ? BASE : 0};
    for (unsigned i = 0; i < t.frames; i++)
        use_frame(&t.header[i], t.payload[i], &base);
    if (!nz_archive_open(&a, in, n, &opt, NULL)) {
        use_tensors(a);
        nz_archive_free(a);
    }
    return 0;
}
