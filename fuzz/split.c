/* Any file in pieces comes back, and any recipe ends in bounds. */
#include "lib/fuzz.h"
#include "packed/pieces.h"

enum { MOST = 1 << 16, ROOM = 1 << 18 };

static void use_file(const uint8_t *in, size_t n)
{
    nz_pieces s;
    nz_buf again = {0};
    size_t bytes = 0;
    check(!nz_split(&s, in, n, n + ROOM) && s.contents.n <= n + ROOM);
    for (size_t i = 0; i < s.pieces; i++)
        bytes += s.piece[i].bytes;
    check(bytes == s.contents.n);
    check(!nz_join(&again, s.contents.p, s.contents.n, s.recipe.p, s.recipe.n, n));
    check_same(again.p, again.n, in, n);
    nz_pieces_reset(&s);
    nz_buf_free(&again);
}

/* The last byte says where the recipe ends and the contents begin. */
static void use_recipe(const uint8_t *in, size_t n)
{
    nz_buf out = {0};
    size_t cut = n * in[n - 1] / 256;
    if (!nz_join(&out, in + cut, n - cut, in, cut, ROOM))
        check(out.n <= ROOM);
    nz_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    if (!n || n > MOST)
        return 0;
    use_file(in, n);
    use_recipe(in, n);
    return 0;
}
