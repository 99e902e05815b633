/* Archives stay archives while they are changed: one is taken apart, a part of it changed, and all
 * put together again with sizes, checks and hashes that are right, so that what is broken is met by
 * what decodes it and not by a checksum. Now and then bytes change as they are.
 *
 * The corpus and all findings are .nz files that the command reads. */
#ifndef NZ_FUZZ_ARCHIVE_H
#define NZ_FUZZ_ARCHIVE_H

#include "archive/base.h"
#include "archive/directory.h"
#include "archive/format.h"
#include "archive/params.h"
#include "fuzz.h"

enum {
    FUZZ_ROOM = 1 << 16, /* bytes of an archive, and of what it is unpacked to here */
    FUZZ_FRAMES = 16
};

/* What all fast levels take, and no prior: reading one takes too long. */
#define FUZZ_MEMORY ((uint64_t)13800 << 10)

static const nz_options fuzz_options = {.threads = 1, .memory = FUZZ_MEMORY};

typedef struct taken {
    nz_header header[FUZZ_FRAMES];
    nz_span payload[FUZZ_FRAMES];
    unsigned frames;
    nz_span base;     /* the section whole; empty: none */
    nz_span contents; /* of the directory; empty: none */
} taken;

/* False: it is not one archive alone, or a check is wrong. */
static bool take_apart(taken *t, const uint8_t *in, size_t n)
{
    const char *reason;
    nz_span s = nz_span_of(in, n);
    *t = (taken){0};
    if (nz_head_load(in, n, &reason))
        return false;
    nz_span_cut(&s, NZ_HEAD_BYTES);
    if (nz_span_left(&s) && *s.at == NZ_TAG_BASE)
        t->base = nz_span_cut(&s, NZ_BASE_BYTES);
    while (nz_span_left(&s) && (*s.at & 0xf0) == NZ_TAG_FRAME && t->frames < FUZZ_FRAMES) {
        nz_header *h = &t->header[t->frames];
        nz_err err = nz_header_load(h, s.at, nz_span_left(&s), &reason);
        if (err && err != NZ_E_METHOD)
            return false;
        nz_span_cut(&s, h->size);
        t->payload[t->frames++] = nz_span_cut(&s, h->packed);
    }
    if (nz_span_left(&s) && *s.at == NZ_TAG_DIRECTORY) {
        nz_span_byte(&s);
        t->contents = nz_span_cut(&s, nz_span_varint(&s));
        nz_span_cut(&s, 4);
    }
    return !s.bad && nz_span_left(&s) && *s.at == NZ_TAG_END;
}

/* What decodes gets the hash of what it decodes to. The deep engine takes too long to do it twice.
 */
static void hash_right(nz_header *h, const uint8_t *payload)
{
    static uint8_t raw[FUZZ_ROOM];
    nz_params p;
    nz_kern kern;
    const char *reason;
    nz_kern_init(&kern, nz_cpu());
    if (h->method == NZ_METHOD_STORED)
        h->hash = nz_hash(payload, (size_t)h->raw);
    if (h->method == NZ_METHOD_STORED || h->raw > sizeof raw || nz_params_load(&p, h, &reason) ||
        p.shape.engine == NZ_ENGINE_DEEP || p.mixed.level > NZ_FAST_LEVEL_MAX ||
        nz_params_memory(&p, h) > FUZZ_MEMORY)
        return;
    if (!nz_params_decode(&p, h, &(nz_run){.kern = &kern}, &(nz_weights_base){0}, payload, raw, 0,
                          (size_t)h->raw))
        h->hash = nz_hash(raw, (size_t)h->raw);
}

static void base_put(nz_buf *to, nz_span base)
{
    uint8_t section[NZ_BASE_BYTES] = {0};
    size_t n = nz_span_left(&base);
    memcpy(section, base.at, n < sizeof section ? n : sizeof section);
    section[0] = NZ_TAG_BASE;
    nz_store32(section + NZ_BASE_BYTES - 4, nz_check32(section, NZ_BASE_BYTES - 4));
    nz_buf_put(to, section, sizeof section);
}

static size_t directory_put(nz_buf *to, nz_span contents)
{
    size_t start = to->n;
    uint8_t sum[4];
    nz_buf_byte(to, NZ_TAG_DIRECTORY);
    nz_buf_varint(to, nz_span_left(&contents));
    nz_buf_put(to, contents.at, nz_span_left(&contents));
    nz_store32(sum, nz_check32(to->p + start, to->n - start));
    nz_buf_put(to, sum, 4);
    return to->n - start;
}

/* Into an empty buffer. */
static void put_together(nz_buf *to, taken *t)
{
    uint8_t header[NZ_HEADER_BYTES], head[NZ_HEAD_BYTES], *end;
    size_t end_n;
    nz_index x = {0};
    nz_head_store(head);
    nz_buf_put(to, head, sizeof head);
    if (nz_span_left(&t->base))
        base_put(to, t->base);
    for (unsigned i = 0; i < t->frames; i++) {
        nz_header *h = &t->header[i];
        h->packed = nz_span_left(&t->payload[i]);
        if (h->method == NZ_METHOD_STORED)
            h->raw = h->packed;
        hash_right(h, t->payload[i].at);
        size_t n = nz_header_store(h, header);
        nz_buf_put(to, header, n);
        nz_buf_put(to, t->payload[i].at, (size_t)h->packed);
        check(!nz_index_add(&x, n + h->packed, h->raw));
    }
    if (nz_span_left(&t->contents))
        x.directory = directory_put(to, t->contents);
    check(!nz_index_store(&x, &end, &end_n));
    nz_buf_put(to, end, end_n);
    check(!to->failed);
    free(end);
    nz_index_reset(&x);
}

/* ---- Changes ---- */

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed);

/* In a copy, which `room` is for. */
static void span_change(nz_span *s, uint8_t *room, size_t most)
{
    size_t n = nz_span_left(s) < most ? nz_span_left(s) : most;
    if (n)
        memcpy(room, s->at, n);
    *s = nz_span_of(room, LLVMFuzzerMutate(room, n, most));
}

static void header_change(nz_header *h, unsigned seed)
{
    uint8_t v[4];
    nz_store32(v, (uint32_t)h->raw);
    if (seed % 4) {
        LLVMFuzzerMutate(h->params, sizeof h->params, sizeof h->params);
    } else if (seed / 4 % 4) {
        LLVMFuzzerMutate(v, sizeof v, sizeof v);
        h->raw = nz_load32(v);
    } else {
        h->method = (nz_method)(seed / 16 % 16);
    }
}

static void frames_change(taken *t, unsigned seed)
{
    if (seed % 3 == 0 && t->frames > 1) {
        t->frames--;
    } else if (seed % 3 == 1 && t->frames && t->frames < FUZZ_FRAMES) {
        t->header[t->frames] = t->header[seed / 3 % t->frames];
        t->payload[t->frames] = t->payload[seed / 3 % t->frames];
        t->frames++;
    } else {
        t->contents = (nz_span){0};
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    static uint8_t copy[FUZZ_ROOM], room[FUZZ_ROOM];
    taken t;
    unsigned what = seed % 32, which = seed / 32;
    if (n > sizeof copy || what == 0)
        return LLVMFuzzerMutate(data, n, most);
    memcpy(copy, data, n);
    if (!take_apart(&t, copy, n))
        return LLVMFuzzerMutate(data, n, most);
    size_t spare = (most < sizeof room ? most : sizeof room) - n;
    unsigned frame = t.frames ? which % t.frames : 0;
    if (what == 1)
        frames_change(&t, which);
    else if (what == 2)
        span_change(&t.base, room, NZ_BASE_BYTES);
    else if (what < 8 && (!t.frames || nz_span_left(&t.contents)))
        span_change(&t.contents, room, nz_span_left(&t.contents) + spare / 2);
    else if (what < 12 && t.frames)
        header_change(&t.header[frame], which / t.frames);
    else if (t.frames)
        span_change(&t.payload[frame], room, nz_span_left(&t.payload[frame]) + spare / 2);
    nz_buf all = {0};
    put_together(&all, &t);
    if (all.n <= most) {
        memcpy(data, all.p, all.n);
        n = all.n;
    }
    nz_buf_free(&all);
    return n;
}

#endif
