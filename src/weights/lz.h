/* Repeats (LZ77): bytes told as copies of bytes before them, in streams that weights/plane.h codes
 * like any other bytes. Our own, in integers only: the streams are a function of the bytes.
 *
 * A chunk of n bytes is a sequence of steps and a tail:
 *
 *   run     so many literals are taken, 0 or more
 *   offset  how far back to copy from, at least 1, at most what has been written
 *   length  so many bytes are copied, at least NZ_LZ_MATCH, one after the other, so that a copy
 *           may reach into what it writes itself
 *   ...     the next step
 *   tail    all literals left, after the last step
 *
 * Runs, lengths and offsets are numbers v, each a symbol in a stream of its own and extra bits in
 * the one they share:
 *
 *   v < 16   symbol v, no extra bits
 *   else     with e = floor(log2 v): symbol 16 + 2 (e - 4) + bit e - 1 of v, then the e - 1 bits
 *            below that one
 *
 *   run      v = run
 *   length   v = length - NZ_LZ_MATCH
 *   offset   v = 0, 1, 2: the last offset, the one before, the one before that; else
 *            v = offset + 2. The offset used becomes the last; what was in front of its place
 *            moves back by one, and a new offset pushes the oldest out. They start as 1, 2, 4.
 *
 * Extra bits of a step come as those of its run, its offset, its length; numbers and bytes fill
 * from their lowest bit on, and the last byte is filled up with zeros. A reader refuses symbols
 * above 53, offsets that reach before the chunk, steps that reach behind it, and streams that are
 * not used up. */
#ifndef NZ_WEIGHTS_LZ_H
#define NZ_WEIGHTS_LZ_H

#include "base/buf.h"
#include "nz.h"

#define NZ_LZ_MATCH      2         /* bytes, the shortest copy */
#define NZ_LZ_MOST       (1 << 22) /* bytes a chunk */
#define NZ_LZ_EXTRA_MOST 8         /* bytes of extra bits a step */

enum {
    NZ_LZ_LITERALS,
    NZ_LZ_RUNS, /* a symbol a step, as the next two */
    NZ_LZ_OFFSETS,
    NZ_LZ_LENGTHS,
    NZ_LZ_EXTRA,
    NZ_LZ_STREAMS
};

/* Are there repeats within chunks that may pay? From a small sample, so that bytes without cost
 * next to nothing. In 1/16 bit: what bytes cost otherwise on average, at most 128, and what each of
 * them does. */
bool nz_lz_likely(const uint8_t *bytes, size_t n, size_t chunk, unsigned price,
                  const uint8_t prices[256]);

/* Appends the streams of n bytes, 1 to NZ_LZ_MOST, literals of which cost `price`, at most 128.
 * NZ_E_MEM. */
nz_err nz_lz_parse(nz_buf to[NZ_LZ_STREAMS], const uint8_t *bytes, size_t n, unsigned price);
/* The n bytes again; any streams are safe. NZ_E_CORRUPT. */
nz_err nz_lz_expand(uint8_t *to, size_t n, const nz_span from[NZ_LZ_STREAMS]);

#endif
