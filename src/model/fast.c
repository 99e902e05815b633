#include "fast.h"
#include "fast_ledger.h"
#include "ngram/row.h"
#include "prior.h"
#include "words.h"

#include <stdlib.h>

static const fast_plan plans[4] = {FAST_PLAN1, FAST_PLAN2, FAST_PLAN3, FAST_PLAN4};

/* Rows of each weight set: one for each value that the loop's `pick` can have. */
static const uint32_t set_rows[FAST_SETS] = {256, 1024, 1024, 512, 1024, 256, 512, 256};

/* Where each part lies, in bytes from the start of one allocation. */
typedef struct layout {
    size_t table, order1, matches[2], after2, sse[3], cells, weights[FAST_SETS], end;
} layout;

static size_t place(size_t *end, size_t bytes)
{
    size_t at = *end;
    *end = (at + bytes + 63) & ~(size_t)63;
    return at;
}

static size_t cells_of(const fast_plan *plan)
{
    return 256 * ((size_t)plan->contexts + 1) + 256 + 2 * 64 + 128;
}

static layout lay_out(const nz_shape *s)
{
    const fast_plan *plan = &plans[s->level - 1];
    layout l = {0};
    l.table = place(&l.end, (size_t)1 << s->table_bits);
    l.order1 = place(&l.end, FAST_ORDER1);
    for (int i = 0; i < plan->matches; i++)
        l.matches[i] = place(&l.end, sizeof(uint32_t) << s->match_bits);
    l.after2 = place(&l.end, FAST_AFTER * sizeof(uint32_t));
    for (int i = 0; i < plan->refine; i++)
        l.sse[i] = place(&l.end, FAST_SSE_ROWS * FAST_SSE_STEPS * sizeof(uint16_t));
    l.cells = place(&l.end, cells_of(plan) * sizeof(fast_cell));
    for (int i = 0; i < FAST_SETS; i++)
        l.weights[i] =
            place(&l.end, set_rows[i] * sizeof(int32_t) * (size_t)plan->groups * FAST_LANES);
    return l;
}

uint64_t nz_fast_memory(const nz_shape *s)
{
    return lay_out(s).end;
}

static int32_t input_of(const nz_numeric *num, uint32_t p16)
{
    return num->stretch[p16 >> 4] * 65536;
}

/* Histories start as their counts suggest, matches by their length. */
static void start_cells(nz_fast *f)
{
    fast_cell *c = f->cells, *matched = c + 256 * (f->plan.contexts + 2);
    for (int s = 0; s < 256; s++) {
        uint32_t a = f->hist->n0[s] * 15u + 4, b = f->hist->n1[s] * 15u + 4;
        c[s].stretch = input_of(f->num, 65535 * b / (a + b));
        for (int y = 0; y < 2; y++)
            c[s].next[y] = f->hist->next[y][s];
    }
    for (int i = 1; i <= f->plan.contexts; i++)
        memcpy(c + 256 * i, c, 256 * sizeof *c);
    for (int i = 0; i < 2; i++, matched += 64) {
        for (uint32_t len = 1; len < 32; len++) {
            uint32_t p = 65535 - 655350 / (len * 15 + 22);
            matched[len * 2].stretch = input_of(f->num, 65535 - p);
            matched[len * 2 + 1].stretch = input_of(f->num, p);
        }
    }
}

static void start_weights(nz_fast *f)
{
    enum { ONE = 1 << 29, START = ONE / 10 * 3 };
    const fast_plan *plan = &f->plan;
    int32_t start = (plan->groups > 1 ? START * 2 / 3 : START) / FAST_SETS;
    for (int s = 0; s < FAST_SETS; s++)
        for (size_t i = 0; i < set_rows[s] * (size_t)plan->groups * FAST_LANES; i++)
            f->weights[s][i] = start;
    for (int i = 0; i < FAST_SSE_STEPS; i++) {
        int d = i * 4096 / FAST_SSE_SCALE - NZ_STRETCH_MAX - 1;
        f->sse_start[i] = (uint16_t)nz_squash(f->num, nz_stretch_clamp(d));
    }
}

static nz_err start(nz_fast *f, const nz_shape *s, uint8_t **memory)
{
    layout l = lay_out(s);
    uint8_t *at = nz_big_new(l.end);
    if (!at)
        return NZ_E_MEM;
    *memory = at;
    *f = (nz_fast){
        .num = nz_numeric_get(),
        .hist = nz_history_get(),
        .table = at + l.table,
        .order1 = at + l.order1,
        .after2 = (uint32_t *)(at + l.after2),
        .cells = (fast_cell *)(at + l.cells),
        .table_shift = 32 - (s->table_bits - 7),
        .match_shift = 32 - s->match_bits,
        .binary = s->content.kind != NZ_KIND_TEXT,
        .plan = plans[s->level - 1],
    };
    for (int i = 0; i < f->plan.matches; i++)
        f->matches[i] = (uint32_t *)(at + l.matches[i]);
    for (int i = 0; i < f->plan.refine; i++)
        f->sse[i] = (uint16_t *)(at + l.sse[i]);
    for (int i = 0; i < FAST_SETS; i++)
        f->weights[i] = (int32_t *)(at + l.weights[i]);
    start_cells(f);
    start_weights(f);
    return NZ_OK;
}

/* A text is to be coded: what came after what stays known, where it was does not. */
static void begin(nz_fast *f, const uint8_t *raw)
{
    fast_past past = {.raw = raw, .row = NZ_ROW_MIN, .after2 = f->after2};
    memcpy(past.after1, f->past.after1, sizeof past.after1);
    f->past = past;
    for (int i = 0; i < f->plan.matches; i++)
        memset(f->matches[i], 0, sizeof(uint32_t) << (32 - f->match_shift));
}

/* Codes the prior to nowhere, in the frame's own words. */
static nz_err prime(nz_fast *f, fast_frame *pack, const nz_shape *s, const nz_run *run,
                    const nz_words *words, size_t n)
{
    nz_prime p;
    nz_arith nowhere;
    nz_run quiet = {.kern = run->kern, .stop = run->stop};
    nz_err err = nz_prime_get(&p, s, n);
    if (err)
        return err;
    uint8_t *codes = malloc(p.size.read);
    if (!codes)
        return NZ_E_MEM;
    size_t size = nz_words_shrink(words, codes, p.text, p.size.read);
    nz_arith_write(&nowhere, NULL, 0);
    begin(f, codes);
    err = pack(f, &quiet, &nowhere, codes, size);
    free(codes);
    return err;
}

static nz_err code(const nz_shape *s, const nz_run *run, int decode, const nz_words *words,
                   nz_arith *coder, uint8_t *raw, size_t n)
{
    nz_fast f;
    uint8_t *memory;
    nz_err err = start(&f, s, &memory);
    if (err)
        return err;
    const fast_frames *frames = &nz_fast_frames_c;
#if defined(__x86_64__)
    if (run->kern->cpu & NZ_CPU_AVX2)
        frames = &nz_fast_frames_avx2;
#elif defined(__aarch64__)
    if (run->kern->cpu & NZ_CPU_NEON)
        frames = &nz_fast_frames_neon;
#endif
    if (s->prior)
        err = prime(&f, (*frames)[s->level - 1][0], s, run, words, n);
    if (!err) {
        begin(&f, raw);
        fast_frame *frame = (*frames)[s->level - 1][decode];
        err = (run->ledger ? nz_fast_explained[s->level - 1] : frame)(&f, run, coder, raw, n);
    }
    nz_big_free(memory, nz_fast_memory(s));
    return err;
}

/* Text begins with its list of words and, if there are any, the bytes it takes in their codes. */
static nz_err encode_words(const nz_words *words, const nz_run *run, nz_arith *coder,
                           const nz_shape *s, const uint8_t *raw, size_t n)
{
    uint8_t *codes = malloc(n);
    if (!codes)
        return NZ_E_MEM;
    size_t size = nz_words_shrink(words, codes, raw, n);
    for (int shift = 24; shift >= 0; shift -= 8)
        nz_arith_encode_even(coder, size >> shift & 255, 8);
    nz_err err = code(s, run, 0, words, coder, codes, size);
    if (!err && run->done)
        atomic_fetch_add_explicit(run->done, n - size, memory_order_relaxed);
    free(codes);
    return err;
}

static nz_err encode(const nz_shape *s, const nz_run *run, nz_arith *coder, const uint8_t *raw,
                     size_t n)
{
    nz_words words = {0};
    if (!n)
        return NZ_OK;
    if (s->content.kind == NZ_KIND_TEXT) {
        if (!nz_words_choose(&words, raw, n))
            return NZ_E_MEM;
        nz_words_write(&words, coder);
    }
    if (words.n)
        return encode_words(&words, run, coder, s, raw, n);
    /* The packing loop reads raw and never writes it. */
    return code(s, run, 0, &words, coder, (uint8_t *)(uintptr_t)raw, n);
}

nz_err nz_fast_encode(const nz_shape *s, const nz_run *run, const uint8_t *raw, size_t n,
                      uint8_t *out, size_t cap, size_t *packed)
{
    nz_arith coder;
    nz_arith_write(&coder, out, cap);
    nz_err err = encode(s, run, &coder, raw, n);
    if (!err && nz_arith_flush(&coder))
        err = NZ_E_FULL;
    if (!err)
        *packed = (size_t)(coder.at - out);
    return err;
}

static nz_err decode(const nz_shape *s, const nz_run *run, nz_arith *coder, uint8_t *raw, size_t n)
{
    nz_words words = {0};
    if (!n)
        return NZ_OK;
    if (s->content.kind == NZ_KIND_TEXT && !nz_words_read(&words, coder))
        return NZ_E_CORRUPT;
    if (!words.n)
        return code(s, run, 1, &words, coder, raw, n);
    size_t size = 0;
    for (int i = 0; i < 4; i++)
        size = size << 8 | nz_arith_decode_even(coder, 8);
    if (!size || size > n)
        return NZ_E_CORRUPT;
    nz_err err = code(s, run, 1, &words, coder, raw + n - size, size);
    if (err)
        return err;
    if (run->done)
        atomic_fetch_add_explicit(run->done, n - size, memory_order_relaxed);
    if (run->ledger)
        nz_fast_enter_words(run->ledger, &words, raw + n - size, size, n);
    return nz_words_expand(&words, raw, n, raw + n - size, size) ? NZ_OK : NZ_E_CORRUPT;
}

nz_err nz_fast_decode(const nz_shape *s, const nz_run *run, const uint8_t *in, size_t packed,
                      uint8_t *raw, size_t n)
{
    nz_arith coder;
    nz_arith_read(&coder, in, packed);
    nz_err err = decode(s, run, &coder, raw, n);
    return !err && nz_arith_check(&coder) ? NZ_E_CORRUPT : err;
}
