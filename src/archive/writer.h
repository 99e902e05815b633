/* The writer behind nz_writer and nz_pack. */
#ifndef NZ_ARCHIVE_WRITER_H
#define NZ_ARCHIVE_WRITER_H

#include "archive/stream.h"

nz_err nz_writer_open(nz_writer **out, const nz_options *opt, const nz_sink *to);

#endif
