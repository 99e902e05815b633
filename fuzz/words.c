/* Words as codes: a text comes back, and whatever words are read and bytes follow, what they stand
 * for stays in its place. */
#include "model/words.h"
#include "lib/fuzz.h"

enum { MOST = 1 << 12, TEXT = 132 << 10, HEAD = 4096 };

static void check_written(const nz_words *w)
{
    uint8_t head[HEAD];
    nz_words again;
    nz_arith a;
    nz_arith_write(&a, head, sizeof head);
    nz_words_write(w, &a);
    check(!nz_arith_flush(&a));
    nz_arith_read(&a, head, (size_t)(a.at - head));
    check(nz_words_read(&again, &a) && again.n == w->n);
    for (unsigned i = 0; i < w->n; i++) {
        const nz_word *x = &w->word[i], *y = &again.word[i];
        check(x->code == y->code);
        check_same(x->letter, x->length, y->letter, y->length);
    }
}

/* The same again and again, a letter another each time. */
static void use_text(const uint8_t *in, size_t n)
{
    uint8_t *text = room_for(TEXT), *codes = room_for(TEXT), *again = room_for(TEXT);
    nz_words w;
    for (size_t i = 0; i < TEXT; i++)
        text[i] = i % n == i / n % n ? 'a' + i / n % 26 : in[i % n];
    check(nz_words_choose(&w, text, TEXT));
    check_written(&w);
    size_t size = nz_words_shrink(&w, codes, text, TEXT);
    check(size <= TEXT && nz_words_expand(&w, again, TEXT, codes, size));
    check_same(again, TEXT, text, TEXT);
    free(again);
    free(codes);
    free(text);
}

/* Of the coder's bits, then codes behind the place for what they stand for. */
static void use_codes(const uint8_t *in, size_t n, size_t more)
{
    nz_words w;
    nz_arith a;
    nz_arith_read(&a, in, n);
    if (!nz_words_read(&w, &a))
        return;
    check_written(&w);
    size_t size = (size_t)(a.end - a.at), room = size + more;
    uint8_t *raw = room_for(room);
    if (size)
        memcpy(raw + more, a.at, size);
    nz_words_expand(&w, raw, room, raw + more, size);
    free(raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    nz_span from = choices_of(in, &n, 3);
    if (!n || n > MOST)
        return 0;
    if (choose(&from, 8) == 0)
        use_text(in, n);
    use_codes(in, n, choose(&from, 65536));
    return 0;
}
