/* Behind nz_archive: where the frames and the tensors of an archive in memory are. */
#ifndef NZ_ARCHIVE_ACCESS_H
#define NZ_ARCHIVE_ACCESS_H

#include "archive/base.h"
#include "archive/by_name.h"
#include "archive/directory.h"
#include "archive/params.h"

/* A frame as the index has it. */
typedef struct nz_entry {
    uint64_t offset, packed; /* in the archive, header included */
    uint64_t at, raw;        /* in the raw data */
    const uint8_t *base;     /* the section of its archive that names a base; NULL: it needs none */
} nz_entry;

struct nz_archive {
    const uint8_t *bytes;
    size_t n;
    bool mapped; /* ours to unmap */
    nz_kern kern;
    int threads;
    uint64_t memory; /* the limit */
    bool verify;
    nz_progress_fn progress; /* may be NULL */
    void *progress_arg;
    const nz_base *base; /* the caller's */
    nz_entry *frame;     /* ascending, without gaps in the raw data */
    size_t frames, room;
    uint64_t raw;
    nz_directory directory;
    nz_by_name by_name;
};

/* A frame with its header read, ready to be decoded. */
typedef struct nz_opened {
    nz_header header;
    nz_params params;
    const uint8_t *payload;
} nz_opened;

/* Sets *fault, which may be NULL, and returns its err. */
nz_err nz_fault_set(nz_fault *fault, nz_err err, uint64_t offset, const char *reason);

/* Its header must be right and agree with the index. */
nz_err nz_entry_open(const nz_archive *a, const nz_entry *e, nz_opened *f, nz_fault *fault);
/* The base that a frame's archive names must be the one that was given. */
nz_err nz_entry_base(const nz_archive *a, const nz_entry *e, nz_weights_base *base,
                     nz_fault *fault);

#endif
