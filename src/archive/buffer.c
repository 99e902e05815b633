/* Whole buffers: the writer and the reader on the caller's memory. */
#include "archive/directory.h"
#include "archive/format.h"
#include "archive/reader.h"
#include "archive/writer.h"
#include "base/base.h"

nz_err nz_pack(void *dst, size_t cap, size_t *packed, const void *src, size_t n,
               const nz_options *opt)
{
    *packed = 0;
    nz_sink sink;
    nz_sink_memory(&sink, dst, cap);
    nz_writer *w;
    nz_err err = nz_writer_open(&w, opt, &sink);
    if (err)
        return err;
    err = nz_writer_all(w, src, n);
    if (!err)
        *packed = (size_t)nz_writer_packed(w);
    nz_writer_free(w);
    return err;
}

nz_err nz_unpack(void *dst, size_t cap, size_t *raw, const void *src, size_t n,
                 const nz_options *opt)
{
    *raw = 0;
    nz_source source;
    nz_source_memory(&source, src, n);
    nz_reader *r;
    nz_err err = nz_reader_open(&r, opt, &source, cap ? dst : NULL, cap);
    if (err)
        return err;
    nz_big_ask(dst, cap);
    uint8_t *to = dst, none;
    size_t got, at = 0;
    do {
        /* With the buffer full only the end or an error is left: the reader knows the room. */
        err =
            at < cap ? nz_reader_get(r, to + at, cap - at, &got) : nz_reader_get(r, &none, 1, &got);
        at += got;
    } while (!err && got);
    *raw = at;
    nz_reader_free(r);
    return err;
}

uint64_t nz_bound(uint64_t n)
{
    uint64_t frame = NZ_FRAME_MAX;
    for (int level = NZ_LEVEL_MIN; level <= NZ_LEVEL_MAX; level++)
        if (nz_level_frame(level) < frame)
            frame = nz_level_frame(level);
    /* A frame that ends early, where a tensor does, is followed by one that does not. Every frame
     * stored: its header (a tag, a size of 5 bytes, hash, check), two sizes in the index; for every
     * archive its head, a directory, and an end with three longest varints. */
    uint64_t frames = 2 * (n / frame + 1), archives = frames / NZ_INDEX_FRAMES + 1;
    return n + frames * (1 + 5 + 8 + 4 + 5 + 5) + nz_directory_most(n) +
           archives * (NZ_HEAD_BYTES + nz_directory_most(0) + 1 + 3 * NZ_VARINT_BYTES + 8);
}
