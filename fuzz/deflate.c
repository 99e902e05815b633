/* Deflate streams: of any bytes, reading ends in bounds; of any choices, they hold what they were
 * made of, and their description makes them again, to the bit. */
#include "lib/deflated.h"
#include "packed/describe.h"
#include "packed/inflate.h"

enum { MOST = 1 << 14, ROOM = 1 << 18 };

static void use_stream(const uint8_t *in, size_t n, const nz_buf *want)
{
    nz_buf raw = {0}, description = {0}, again = {0};
    size_t used;
    nz_err err = nz_inflate_all(&raw, &used, in, n, ROOM);
    check(raw.n <= ROOM && used <= n);
    if (want) {
        check(!err || want->n > ROOM);
        check(err || used == n);
        check(err || raw.n == want->n);
        if (!err)
            check_same(raw.p, raw.n, want->p, want->n);
    }
    if (!err && !nz_describe(&description, in, used, raw.p, raw.n, used + 1000)) {
        check(!nz_rebuild(&again, raw.p, raw.n, description.p, description.n, used));
        check_same(again.p, again.n, in, used);
    }
    nz_buf_free(&raw);
    nz_buf_free(&description);
    nz_buf_free(&again);
}

static void use_choices(nz_span from)
{
    nz_buf stream = {0}, raw = {0};
    deflate_from(&stream, &raw, &from);
    use_stream(stream.p, stream.n, &raw);
    nz_buf_free(&stream);
    nz_buf_free(&raw);
}

/* The first byte says where the description ends and the bytes begin. */
static void use_description(const uint8_t *in, size_t n)
{
    nz_buf out = {0};
    size_t cut = n * in[0] / 256;
    if (!nz_rebuild(&out, in + cut, n - cut, in, cut, ROOM))
        check(out.n <= ROOM);
    nz_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    if (!n || n > MOST)
        return 0;
    use_stream(in, n, NULL);
    use_choices(nz_span_of(in, n));
    use_description(in, n);
    return 0;
}
