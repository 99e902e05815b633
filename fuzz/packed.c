/* Any bytes may come in: as a file they come back; as a stream, a description or a recipe they end
 * in bounds. What a stream's bytes and description make is that stream. */
#include "packed/describe.h"
#include "packed/inflate.h"
#include "packed/pieces.h"

#include <stdlib.h>

#define ROOM ((size_t)1 << 18)

static void check(bool good)
{
    if (!good)
        abort();
}

static void use_file(const uint8_t *in, size_t n)
{
    nz_pieces s;
    nz_buf again = {0};
    check(!nz_split(&s, in, n, n + ROOM) && s.contents.n <= n + ROOM);
    check(!nz_join(&again, s.contents.p, s.contents.n, s.recipe.p, s.recipe.n, n));
    check(again.n == n && (!n || !memcmp(again.p, in, n)));
    nz_pieces_reset(&s);
    nz_buf_free(&again);
}

static void use_stream(const uint8_t *in, size_t n)
{
    nz_buf raw = {0}, description = {0}, again = {0};
    size_t used;
    if (!nz_inflate_all(&raw, &used, in, n, ROOM)) {
        check(raw.n <= ROOM && used <= n);
        if (!nz_describe(&description, in, used, raw.p, raw.n, used + 1000)) {
            check(!nz_rebuild(&again, raw.p, raw.n, description.p, description.n, used));
            check(again.n == used && !memcmp(again.p, in, used));
        }
    }
    nz_buf_free(&raw);
    nz_buf_free(&description);
    nz_buf_free(&again);
}

/* The first byte says where the first of two parts ends. */
static void use_parts(const uint8_t *in, size_t n)
{
    nz_buf out = {0};
    size_t cut = n * in[0] / 256;
    if (!nz_rebuild(&out, in + cut, n - cut, in, cut, ROOM))
        check(out.n <= ROOM);
    nz_buf_free(&out);
    if (!nz_join(&out, in + cut, n - cut, in, cut, ROOM))
        check(out.n <= ROOM);
    nz_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    if (n == 0)
        return 0;
    use_file(in, n);
    use_stream(in, n);
    use_parts(in, n);
    return 0;
}
