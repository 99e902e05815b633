/* Filters: whatever they are told the bytes are, these come back. */
#include "packed/filter.h"
#include "lib/fuzz.h"
#include "model/content.h"

enum { MOST = 1 << 15, TAIL = 12 };

static void use_content(const nz_content *c, const uint8_t *in, size_t n)
{
    uint8_t *p = room_for(n);
    memcpy(p, in, n);
    nz_content_turn(c, p, n, false);
    nz_content_turn(c, p, n, true);
    check_same(p, n, in, n);
    free(p);
}

static void use_machines(const uint8_t *in, size_t n)
{
    for (nz_machine m = NZ_MACHINE_X86; m < NZ_MACHINES; m++)
        use_content(&(nz_content){.kind = NZ_KIND_CODE, .machine = m}, in, n);
}

/* Any that a header may tell of. */
static void use_kinds(nz_span *from, const uint8_t *in, size_t n)
{
    uint8_t said[NZ_CONTENT_BYTES];
    for (int i = 0; i < NZ_CONTENT_BYTES; i++)
        said[i] = (uint8_t)choose(from, 256);
    for (nz_kind k = NZ_KIND_TEXT; k < NZ_KINDS; k++) {
        nz_content c = {.kind = k};
        if (nz_content_load(&c, said))
            use_content(&c, in, n);
    }
}

static void use_rows(nz_span *from, const uint8_t *in, size_t n)
{
    size_t row = 1 + choose(from, 300), pixel = 1 + choose(from, 8), rows = n / (row + 1);
    uint8_t *pixels = room_for(rows * row), *types = room_for(rows), *again = room_for(n);
    if (nz_png_unfilter(pixels, types, in, rows, row, pixel)) {
        check(nz_png_filter(again, pixels, types, rows, row, pixel));
        check_same(again, rows * (row + 1), in, rows * (row + 1));
    }
    free(again);
    free(types);
    free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    nz_span from = choices_of(in, &n, TAIL);
    if (n > MOST)
        return 0;
    use_machines(in, n);
    use_kinds(&from, in, n);
    use_rows(&from, in, n);
    return 0;
}
