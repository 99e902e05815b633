/* The writer behind nz_writer and nz_pack. */
#ifndef NZ_ARCHIVE_WRITER_H
#define NZ_ARCHIVE_WRITER_H

#include "archive/stream.h"

nz_err nz_writer_open(nz_writer **out, const nz_options *opt, const nz_sink *to);
/* All of the raw data at once, which must last until the call returns: nz_writer_put() without a
 * copy and nz_writer_end(). */
nz_err nz_writer_all(nz_writer *w, const void *data, size_t n);

#endif
