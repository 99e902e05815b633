/* What data is, told from any bytes: an answer that a header can carry, and cuts that leave nothing
 * out. */
#include "containers/sniff.h"
#include "lib/parts.h"
#include "mixed/cut.h"
#include "model/bytes.h"
#include "model/prior.h"

enum { MOST = 1 << 15 };

static void check_content(const nz_content *c)
{
    uint8_t stored[NZ_CONTENT_BYTES];
    nz_content again = {.kind = c->kind};
    nz_content_store(c, stored);
    check(nz_content_load(&again, stored) && nz_content_same(c, &again));
    check(nz_kind_name(c->kind));
}

static void use_headers(const uint8_t *in, size_t n)
{
    nz_picture picture;
    nz_raster raster;
    nz_sound sound;
    if (nz_picture_find(&picture, in, n)) {
        check(picture.from <= n && picture.bytes <= n - picture.from);
        check(nz_raster_valid(&picture.raster));
    }
    if (nz_raster_find(&raster, in, n) || nz_raster_guess(&raster, in, n))
        check(nz_raster_valid(&raster));
    if (nz_sound_find(&sound, in, n))
        check(nz_sound_valid(&sound));
}

static void use_cut(const uint8_t *in, size_t n, int level)
{
    nz_segments s = {0};
    nz_content all = nz_content_of(level, in, n);
    size_t bytes = 0;
    check_content(&all);
    nz_cut(&s, level, &all, in, n);
    check(!s.failed);
    for (size_t i = 0; i < s.n; i++) {
        check(s.at[i].bytes && !s.at[i].filtered);
        check_content(&s.at[i].content);
        bytes += s.at[i].bytes;
    }
    check(bytes == n);
    nz_segments_free(&s);
}

static void use_sniff(const uint8_t *in, size_t n, bool columns)
{
    nz_tensor t;
    check(!nz_sniff(&t, in, n, columns));
    if (!t.dims)
        return;
    nz_tensor again = t;
    check(t.at <= n && nz_tensor_shape(&again, t.dtype, t.dim, t.dims) && again.bytes == t.bytes);
}

static void use(const uint8_t *in, size_t n, int level, bool columns)
{
    bool hopeless;
    use_headers(in, n);
    use_cut(in, n, level);
    use_sniff(in, n, columns);
    check(!nz_bytes_hopeless(&hopeless, in, n));
    int prior = nz_prior_choose(in, n);
    check(!prior || nz_prior_name(prior));
}

/* Long stretches of numbers, pixels and text, as detectors want them. */
static void put_long(nz_buf *to, nz_span *from)
{
    for (unsigned n = 1 + choose(from, 4); n; n--) {
        size_t bytes = 4096 * (size_t)(1 + choose(from, 10)) + choose(from, 16);
        switch (choose(from, 4)) {
        case 0: put_numbers(to, from, bytes, 1u << choose(from, 4)); break;
        case 1: put_samples(to, from, bytes, 1 + choose(from, 2)); break;
        case 2: put_part(to, from, 0); break;
        default:
            for (size_t end = to->n + bytes; to->n < end;)
                put_text(to, "Text, and <i>text</i> again; ");
        }
    }
    check(!to->failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    nz_buf file = {0};
    nz_span from = choices_of(in, &n, 3), left = nz_span_of(in, n);
    if (!n || n > MOST)
        return 0;
    int level = 1 + (int)choose(&from, NZ_LEVEL_MAX);
    bool columns = choose(&from, 2);
    if (choose(&from, 2))
        put_long(&file, &left);
    use(file.n ? file.p : in, file.n ? file.n : n, level, columns);
    nz_buf_free(&file);
    return 0;
}
