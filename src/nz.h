/* nzip: lossless neural compression. The public interface of libnzip.
 *
 * Same input, options and format version give the same archive on every backend, compiler, thread
 * count and machine. The library never prints, never exits and keeps no global state; an object is
 * used from one thread at a time, different objects from as many as you like.
 *
 * The bytes are described in formats/archive.md. Sizes and offsets are in bytes throughout. */
#ifndef NZ_H
#define NZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NZ_LEVEL_MIN     1
#define NZ_LEVEL_DEFAULT 5
#define NZ_LEVEL_MAX     9

typedef enum nz_err {
    NZ_OK = 0,
    NZ_E_MEM,       /* the system gave no memory */
    NZ_E_ARG,       /* an option or argument is out of range */
    NZ_E_READ,      /* reading the source failed; errno says why */
    NZ_E_WRITE,     /* writing the sink failed; errno says why */
    NZ_E_MAGIC,     /* not an nzip archive */
    NZ_E_VERSION,   /* made by a format or arithmetic version this build does not know */
    NZ_E_METHOD,    /* a frame uses a method this build does not know */
    NZ_E_CORRUPT,   /* a header or checksum does not match */
    NZ_E_TRUNCATED, /* the archive ends too early */
    NZ_E_LIMIT,     /* would need more memory than nz_options.memory allows */
    NZ_E_FULL,      /* the caller's buffer is too small */
    NZ_E_STOPPED,   /* the progress callback asked to stop */
    NZ_E_BASE       /* needs the base file it was packed with, which was not given */
} nz_err;

/* A short sentence in English, static, never NULL. */
const char *nz_err_text(nz_err err);

/* "nzip 0.1.0"; the kernels in use on this machine: "c", "avx2" or "neon". */
const char *nz_version(void);
const char *nz_backend(void);

/* Called now and then from the thread that called us, with the raw bytes finished so far.
 * A non-zero return stops the work with NZ_E_STOPPED. */
typedef int (*nz_progress_fn)(void *arg, uint64_t raw_done);

/* How tensors of model checkpoints are packed; everything else in a file is not affected. */
typedef enum nz_weights_option {
    NZ_WEIGHTS_AUTO = 0, /* by level: 1 turbo, 2-6 fast, 7-9 max */
    NZ_WEIGHTS_OFF,      /* as any other bytes */
    NZ_WEIGHTS_TURBO,    /* at several GB/s a core when unpacking */
    NZ_WEIGHTS_FAST,     /* at memory speed */
    NZ_WEIGHTS_MAX       /* smallest, about 1 MB/s */
} nz_weights_option;

/* A file that another is packed against: a fine-tuned checkpoint against the one it came from, one
 * checkpoint of a run against an earlier. Tensors with the same name and as many elements are told
 * by their difference where that is smaller. Unpacking needs the very same file again. */
typedef struct nz_base nz_base; /* may be used from several threads */

#define NZ_BASE_HASH 16 /* bytes: XXH3-128 of the file, in canonical (big-endian) order */

/* p, n bytes, stays the caller's and must last as long as the base. Reads all of it once. */
nz_err nz_base_new(nz_base **out, const void *p, size_t n);
void nz_base_free(nz_base *b); /* NULL is fine */

/* Zero means "the default" for every member, so `(nz_options){0}` is valid. */
typedef struct nz_options {
    int level;       /* 1 fastest .. 9 smallest; 0: NZ_LEVEL_DEFAULT */
    int threads;     /* cores to use; 0: all. Never changes the archive. */
    uint64_t memory; /* most bytes to allocate; 0: half of the machine's memory */
    uint64_t frame;  /* raw bytes a frame; 0: the level's own size. Changes the archive. */
    nz_weights_option weights;
    const nz_base *base; /* NULL: none. Stays the caller's. */
    nz_progress_fn progress;
    void *progress_arg;
} nz_options;

/* Memory that packing n bytes (UINT64_MAX: unknown) at opt's level and threads will take.
 * Frames in flight are reduced to fit opt->memory; if one frame does not fit the call that would
 * start it fails with NZ_E_LIMIT. */
uint64_t nz_pack_memory(const nz_options *opt, uint64_t n);

/* What went wrong, for a message. `offset` is in the archive when unpacking, in the raw data when
 * packing. `reason` is static text. */
typedef struct nz_fault {
    nz_err err;
    uint64_t offset;
    const char *reason;
} nz_fault;

/* ---- Packing ---- */

typedef struct nz_writer nz_writer; /* one archive */

/* On success the caller owns *out and returns it with nz_writer_free(). `to` stays the caller's. */
nz_err nz_writer_new(nz_writer **out, const nz_options *opt, FILE *to);
nz_err nz_writer_put(nz_writer *w, const void *data, size_t n);
nz_err nz_writer_end(nz_writer *w);            /* the archive is complete only after NZ_OK */
uint64_t nz_writer_packed(const nz_writer *w); /* archive bytes written so far */
nz_fault nz_writer_fault(const nz_writer *w);
void nz_writer_free(nz_writer *w); /* NULL is fine */

/* ---- Unpacking ---- */

typedef struct nz_reader nz_reader; /* one file or stream of one or more archives */

typedef struct nz_frame {
    uint64_t offset;    /* of the frame header in the file */
    uint64_t raw;       /* bytes it unpacks to */
    uint64_t packed;    /* bytes it takes in the file, header included */
    uint64_t check;     /* XXH3-64 of the raw bytes */
    uint64_t memory;    /* bytes that unpacking it allocates */
    const char *method; /* "stored", "bytes" */
    int level;          /* 0 where the method has none */
} nz_frame;

/* Reads the first header: NZ_E_MAGIC for a file that is not an archive. `from` need not be
 * seekable and stays the caller's. */
nz_err nz_reader_new(nz_reader **out, const nz_options *opt, FILE *from);
/* Up to cap bytes of checked raw data; *n == 0 with NZ_OK is the end. Bytes of a frame are handed
 * out only after its checksum was verified. */
nz_err nz_reader_get(nz_reader *r, void *data, size_t cap, size_t *n);
/* The next frame's header, without decoding it; *n == 0 is the end, else 1. Use either this or
 * nz_reader_get() on one reader. */
nz_err nz_reader_frame(nz_reader *r, nz_frame *frame, int *n);
/* The base that the archive read last needs: its size, and its hash in hash[]; 0: it needs none. */
uint64_t nz_reader_base(const nz_reader *r, unsigned char hash[NZ_BASE_HASH]);
uint64_t nz_reader_packed(const nz_reader *r); /* archive bytes consumed so far */
nz_fault nz_reader_fault(const nz_reader *r);
void nz_reader_free(nz_reader *r); /* NULL is fine */

/* ---- Whole buffers ---- */

/* The largest archive that n bytes can become with the default frame sizes. */
uint64_t nz_bound(uint64_t n);
/* NZ_E_FULL when cap is too small. *packed / *raw is the size of the result. */
nz_err nz_pack(void *dst, size_t cap, size_t *packed, const void *src, size_t n,
               const nz_options *opt);
nz_err nz_unpack(void *dst, size_t cap, size_t *raw, const void *src, size_t n,
                 const nz_options *opt);

#ifdef __cplusplus
}
#endif
#endif
