/* Files of parts of all kinds, under any options: they come back, whole, in pieces and in parts,
 * and the archive does not depend on how the bytes came in or on threads. */
#include "lib/parts.h"
#include "nz.h"

enum { MOST = 1 << 12, FRAME = 64 << 10, DEEP_MOST = 1500 };

typedef struct packed {
    char *p;
    size_t n;
} packed;

/* In pieces of `piece` bytes. */
static packed pack_pieces(const nz_buf *file, size_t piece, const nz_options *opt)
{
    packed out = {0};
    nz_writer *w;
    FILE *to = open_memstream(&out.p, &out.n);
    check(to && !nz_writer_new(&w, opt, to));
    for (size_t at = 0; at < file->n; at += piece)
        check(!nz_writer_put(w, file->p + at, file->n - at < piece ? file->n - at : piece));
    check(!nz_writer_end(w));
    check(!fflush(to) && nz_writer_packed(w) == out.n);
    nz_writer_free(w);
    fclose(to);
    return out;
}

static void use_archive(const uint8_t *in, size_t n, const nz_buf *file, const nz_options *opt,
                        nz_span *from)
{
    nz_archive *a;
    nz_fault fault;
    uint8_t *to = room_for(file->n);
    check(!nz_archive_open(&a, in, n, opt, &fault) && nz_archive_raw(a) == file->n);
    for (size_t i = 0; i < nz_tensor_count(a); i++) {
        nz_tensor_info t;
        check(!nz_tensor_about(a, i, &t) && t.at <= file->n && t.bytes <= file->n - t.at);
        check(!nz_tensor_read(a, i, 0, to, (size_t)t.bytes, &fault));
        check_same(to, (size_t)t.bytes, file->p + t.at, (size_t)t.bytes);
    }
    size_t at = file->n ? choose(from, 65536) % file->n : 0;
    check(!nz_archive_read(a, at, to, file->n - at, &fault));
    check_same(to, file->n - at, file->p + at, file->n - at);
    nz_archive_free(a);
    free(to);
}

static void use(const nz_buf *file, nz_options *opt, nz_span *from)
{
    size_t cap = (size_t)nz_bound(file->n) + file->n / 64 + 4096, n, raw;
    uint8_t *out = room_for(cap), *again = room_for(file->n);
    check(!nz_pack(out, cap, &n, file->p, file->n, opt));
    check(!nz_unpack(again, file->n, &raw, out, n, opt));
    check_same(again, raw, file->p, file->n);
    use_archive(out, n, file, opt, from);
    if (choose(from, 2)) {
        opt->threads = 1 + (int)choose(from, 2);
        packed p = pack_pieces(file, 1 + choose(from, 5000), opt);
        check_same(p.p, p.n, out, n);
        free(p.p);
    }
    free(again);
    free(out);
}

/* The deep levels and priors take so long that they are few, and never both. */
static nz_options options_from(nz_span *from)
{
    bool deep = choose(from, 8) == 0, prior = !deep && choose(from, 32) == 0;
    nz_options opt = {.level = deep ? 5 + (int)choose(from, 5) : 1 + (int)choose(from, 4),
                      .threads = 1,
                      .memory = (uint64_t)1 << 30,
                      .frame = FRAME << choose(from, 3),
                      .weights = (nz_weights_option)choose(from, NZ_WEIGHTS_MAX + 1),
                      .prior = prior ? (nz_prior_option)choose(from, 6) : NZ_PRIOR_OFF};
    if (choose(from, 16) == 0) {
        nz_dtype dtype = dtype_from(from);
        opt.dtype = dtype ? nz_dtype_about(dtype)->name : NULL;
        opt.row = dtype ? (uint64_t)nz_dtype_about(dtype)->elements * choose(from, 64) : 0;
    }
    return opt;
}

/* Now and then more than a frame holds. */
static void stretch(nz_buf *file, nz_span *from)
{
    size_t n = file->n;
    for (unsigned times = choose(from, 16) ? 0 : choose(from, 32); times; times--)
        if (file->n + n < 3 * FRAME && nz_buf_room(file, n))
            nz_buf_put(file, file->p, n);
    check(!file->failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    nz_buf file = {0}, other = {0};
    nz_base *base = NULL;
    nz_span from = nz_span_of(in, n);
    if (n > MOST)
        return 0;
    nz_options opt = options_from(&from);
    bool against = choose(&from, 4) == 0, itself = choose(&from, 2);
    put_file(&file, &from);
    nz_buf_room(&file, 1); /* so that it is somewhere */
    if (opt.level <= 4)
        stretch(&file, &from);
    else if (file.n > DEEP_MOST)
        file.n = DEEP_MOST;
    if (against) {
        put_file(&other, &from);
        nz_buf *b = itself ? &file : &other;
        check(nz_base_new(&base, b->p, b->n) == (b->n ? NZ_OK : NZ_E_ARG));
        opt.base = base;
    }
    use(&file, &opt, &from);
    nz_base_free(base);
    nz_buf_free(&other);
    nz_buf_free(&file);
    return 0;
}
