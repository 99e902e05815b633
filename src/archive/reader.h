/* The reader behind nz_reader and nz_unpack. */
#ifndef NZ_ARCHIVE_READER_H
#define NZ_ARCHIVE_READER_H

#include "archive/stream.h"

/* `room`: a frame that would take the raw bytes above it is NZ_E_FULL before it is decoded. `into`,
 * unless NULL: room bytes that frames are unpacked into, one behind the other, before they are
 * checked; nz_reader_get() must then be asked for them in place. */
nz_err nz_reader_open(nz_reader **out, const nz_options *opt, const nz_source *from, uint8_t *into,
                      uint64_t room);

#endif
