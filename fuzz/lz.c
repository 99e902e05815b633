/* Repeats: any bytes come back from their streams, any streams end in bounds. */
#include "weights/lz.h"
#include "lib/fuzz.h"

enum { MOST = 1 << 15, TAIL = 12 };

static void use_bytes(const uint8_t *in, size_t n, unsigned price)
{
    nz_buf to[NZ_LZ_STREAMS] = {{0}};
    nz_span from[NZ_LZ_STREAMS];
    uint8_t *again = room_for(n);
    check(!nz_lz_parse(to, in, n, price));
    for (int k = 0; k < NZ_LZ_STREAMS; k++)
        from[k] = nz_span_of(to[k].p, to[k].n);
    check(!nz_lz_expand(again, n, from));
    check_same(again, n, in, n);
    for (int k = 0; k < NZ_LZ_STREAMS; k++)
        nz_buf_free(&to[k]);
    free(again);
}

/* As many runs, offsets and lengths; extra bits and literals share the rest. */
static void use_streams(nz_span *from, const uint8_t *in, size_t n)
{
    size_t steps = choose(from, (unsigned)(n / 3) + 1), raw = choose(from, 4096);
    nz_span all = nz_span_of(in, n), stream[NZ_LZ_STREAMS];
    stream[NZ_LZ_RUNS] = nz_span_cut(&all, steps);
    stream[NZ_LZ_OFFSETS] = nz_span_cut(&all, steps);
    stream[NZ_LZ_LENGTHS] = nz_span_cut(&all, steps);
    stream[NZ_LZ_EXTRA] = choose_bytes(&all, choose(from, 256));
    stream[NZ_LZ_LITERALS] = choose_bytes(&all, choose(from, 65536));
    uint8_t *to = room_for(raw);
    nz_lz_expand(to, raw, stream);
    free(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    nz_span from = choices_of(in, &n, TAIL);
    if (!n || n > MOST)
        return 0;
    use_bytes(in, n, choose(&from, 129));
    use_streams(&from, in, n);
    return 0;
}
