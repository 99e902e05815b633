/* nzip: lossless neural compression. The public interface of libnzip.
 *
 * Same input, options and format version give the same archive on every backend, compiler, thread
 * count and machine. The library never prints, never exits and keeps nothing between calls but
 * constant tables and texts, made when first needed; an object is used from one thread at a time
 * (an nz_archive from any number), different objects from as many as you like.
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
#ifdef __GNUC__
#pragma GCC visibility push(default) /* the library's own names are hidden */
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

/* How tensors of model checkpoints are packed, and arrays of floats that are in no container;
 * everything else in a file is not affected. */
typedef enum nz_weights_option {
    NZ_WEIGHTS_AUTO = 0, /* by level: 1 turbo, 2-6 fast, 7-9 max */
    NZ_WEIGHTS_OFF,      /* as any other bytes */
    NZ_WEIGHTS_TURBO,    /* at several GB/s a core when unpacking */
    NZ_WEIGHTS_FAST,     /* at memory speed */
    NZ_WEIGHTS_MAX       /* smallest, at half to one MB/s */
} nz_weights_option;

/* Text that a frame's model reads before the frame, so that it need not learn from the frame what
 * all data of a kind has in common. The library holds them; unpacking reads the same. */
typedef enum nz_prior_option {
    NZ_PRIOR_AUTO = 0, /* by content: the one that helps, or none */
    NZ_PRIOR_OFF,
    NZ_PRIOR_PROSE,  /* English */
    NZ_PRIOR_MARKUP, /* wiki and web pages */
    NZ_PRIOR_CODE,   /* programs */
    NZ_PRIOR_DATA    /* JSON, tables, logs */
} nz_prior_option;

/* A file that another is packed against: a fine-tuned checkpoint against the one it came from, one
 * checkpoint of a run against an earlier. Tensors with the same name and as many elements, or whose
 * bytes are the same, are told by their difference where that is smaller. Unpacking needs the very
 * same file again. */
typedef struct nz_base nz_base; /* may be used from several threads */

#define NZ_BASE_HASH 16 /* bytes: XXH3-128 of the file, in canonical (big-endian) order */

/* p, n bytes, stays the caller's and must last as long as the base. Reads all of it once. NZ_E_ARG:
 * it is empty. */
nz_err nz_base_new(nz_base **out, const void *p, size_t n);
/* Its size, and its hash in hash[]. */
uint64_t nz_base_about(const nz_base *b, unsigned char hash[NZ_BASE_HASH]);
void nz_base_free(nz_base *b); /* NULL is fine */

/* Zero means "the default" for every member, so `(nz_options){0}` is valid. */
typedef struct nz_options {
    int level;       /* 1 fastest .. 9 smallest; 0: NZ_LEVEL_DEFAULT */
    int threads;     /* cores to use; 0: all. Never changes the archive. */
    uint64_t memory; /* most bytes to allocate; 0: half of the machine's memory */
    uint64_t frame;  /* raw bytes a frame; 0: the level's own size. Changes the archive. */
    nz_weights_option weights;
    nz_prior_option prior;
    const nz_base *base; /* NULL: none. Stays the caller's. */
    const char
        *dtype;   /* the data is an array of "BF16", "F32", "Q8_0" ..., no container; or NULL */
    uint64_t row; /* elements a row of that array; 0: not known */
    int verify;   /* nz_archive: 1: of a frame that is needed in part, all is decoded and checked */
    nz_progress_fn progress;
    void *progress_arg;
} nz_options;

/* Memory that packing n bytes (UINT64_MAX: unknown) at opt's level and threads will take at most,
 * be they tensors or not; what they hold packed is unpacked and takes more.
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

/* On success the caller owns *out and returns it with nz_writer_free(). `to` stays the caller's;
 * what he left in its buffer is written first, and the archive goes past that buffer. */
nz_err nz_writer_new(nz_writer **out, const nz_options *opt, FILE *to);
nz_err nz_writer_put(nz_writer *w, const void *data, size_t n);
nz_err nz_writer_end(nz_writer *w);            /* the archive is complete only after NZ_OK */
uint64_t nz_writer_packed(const nz_writer *w); /* archive bytes written so far */
nz_fault nz_writer_fault(const nz_writer *w);
void nz_writer_free(nz_writer *w); /* NULL is fine */

/* ---- Files that share tensors ---- */

/* Which of several files, to be packed one after the other, hold tensors that an earlier one holds
 * too: shards of a model that repeat one, checkpoints of a run with layers that were frozen. */
typedef struct nz_shards nz_shards;

typedef struct nz_shared {
    size_t own;              /* tensors of the file itself */
    size_t file;             /* the earlier one that is worth being its base, from 0 on */
    uint64_t tensors, bytes; /* that both hold, whatever their names; 0: there is no such file */
} nz_shared;

nz_err nz_shards_new(nz_shards **out);
/* The next file, n bytes at p, which must last as long as the shards unless it has no tensors of
 * its own. One that has a base will be nobody's. */
nz_err nz_shards_add(nz_shards *s, const void *p, size_t n, nz_shared *shared);
void nz_shards_free(nz_shards *s); /* NULL is fine */

/* ---- Unpacking ---- */

typedef struct nz_reader nz_reader; /* one file or stream of one or more archives */

#define NZ_FRAME_KINDS 64

/* Bytes of one kind of data in a frame that holds several, or packed data; there they count
 * unpacked. */
typedef struct nz_frame_kind {
    const char *name; /* "text", "binary", "code", "image" ... */
    uint64_t raw, packed;
} nz_frame_kind;

typedef struct nz_frame {
    uint64_t offset;    /* of the frame header in the file */
    uint64_t raw;       /* bytes it unpacks to */
    uint64_t packed;    /* bytes it takes in the file, header included */
    uint64_t check;     /* XXH3-64 of the raw bytes */
    uint64_t memory;    /* bytes that unpacking it allocates */
    const char *method; /* "stored", "bytes", "weights", "mixed" */
    int level;          /* 0 where the method has none */
    const char *prior;  /* read before it: "prose", "markup", "code", "data"; NULL: none */
    unsigned kinds;     /* of a mixed frame; what else it takes tells how they make the frame */
    nz_frame_kind kind[NZ_FRAME_KINDS];
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

/* ---- What is left of a damaged archive ---- */

/* A file or buffer of one or more archives of which parts are damaged, missing, or behind or
 * between bytes that do not belong to them. Every frame that is undamaged comes out, checked. Where
 * the size of what is lost is known, zeros stand for it, so that everything behind it keeps its
 * offset; it is where an archive's end, or the frame's header, is intact. */
typedef struct nz_salvage nz_salvage;

/* A stretch of the file that gave nothing. */
typedef struct nz_lost {
    uint64_t offset, packed; /* in the file; 0 bytes: here something is missing */
    uint64_t at;             /* where in what is handed out it would have been */
    uint64_t raw;            /* bytes that it would have been; zeros stand for them */
    int sized;  /* 1: no more than that; 0: how many is unknown, none stand for them (raw is 0) */
    int exact;  /* 1: `at` is the offset in the original too, no unknown sizes lie before it */
    nz_err err; /* NZ_E_CORRUPT, NZ_E_TRUNCATED, NZ_E_READ; what keeps this call from unpacking
                 * an undamaged frame: NZ_E_LIMIT, NZ_E_BASE, NZ_E_METHOD, NZ_E_VERSION */
    const char *reason; /* static text */
} nz_lost;

/* Called in order, before what follows the stretch is handed out. */
typedef void (*nz_lost_fn)(void *arg, const nz_lost *lost);

/* `p` must stay as it is until nz_salvage_free(). Of the options threads, memory, base and progress
 * count; of a base other than the one that is needed, or none, only what needs it is lost. `lost`
 * may be NULL. Reads all headers. NZ_E_MAGIC: there is nothing of an archive; NZ_E_READ: the file
 * is no regular one; errno says why; NZ_E_LIMIT: its headers take more than opt->memory. */
nz_err nz_salvage_open(nz_salvage **out, const void *p, size_t n, const nz_options *opt,
                       nz_lost_fn lost, void *arg);
/* The same of a whole file; it must stay open until nz_salvage_free(). Its position is not used. */
nz_err nz_salvage_open_file(nz_salvage **out, FILE *from, const nz_options *opt, nz_lost_fn lost,
                            void *arg);
/* Up to cap bytes; *n == 0 with NZ_OK is the end. Errors: NZ_E_MEM, NZ_E_STOPPED. */
nz_err nz_salvage_get(nz_salvage *s, void *data, size_t cap, size_t *n);
/* The base that the first archive with one needs, as nz_reader_base() tells it. */
uint64_t nz_salvage_base(const nz_salvage *s, unsigned char hash[NZ_BASE_HASH]);

/* All that was found and lost so far. */
typedef struct nz_salvaged {
    uint64_t file;           /* bytes that were read */
    uint64_t frames, raw;    /* that came out, and their bytes */
    uint64_t lost, lost_raw; /* frames known to be lost, and bytes that zeros stand for */
    int damaged;             /* something was not as it should be; perhaps nothing is lost */
    int whole;               /* nothing is lost */
    int exact;               /* the size of all that is lost is known */
} nz_salvaged;

nz_salvaged nz_salvage_sum(const nz_salvage *s);
void nz_salvage_free(nz_salvage *s); /* NULL is fine */

/* ---- Any part of an archive ---- */

/* A file or buffer of one or more archives, opened by its end: any bytes of the raw data, any
 * tensor of a model checkpoint, without unpacking the rest. It never changes once it is open: any
 * number of threads may read from one at a time.
 *
 * `fault`, everywhere here, may be NULL; else it is set, when the call fails to where in the
 * archive and why. */
typedef struct nz_archive nz_archive;

/* Reads the ends and the directories of tensors, no frame. Of the options threads, memory, base,
 * verify and progress count. On success the caller owns *out and returns it with nz_archive_free();
 * until then `p` must stay as it is. NZ_E_TRUNCATED: no archive ends with the last byte. */
nz_err nz_archive_open(nz_archive **out, const void *p, size_t n, const nz_options *opt,
                       nz_fault *fault);
/* The same of a whole file, from its first byte on, wherever `from` stands; it may be closed at
 * once but not cut short or written to before nz_archive_free(). NZ_E_READ when it is no regular
 * file. */
nz_err nz_archive_open_file(nz_archive **out, FILE *from, const nz_options *opt, nz_fault *fault);
void nz_archive_free(nz_archive *a); /* NULL is fine */

uint64_t nz_archive_raw(const nz_archive *a); /* bytes of the raw data */
/* The base that its first frame of those with one needs, as nz_reader_base() tells it. */
uint64_t nz_archive_base(const nz_archive *a, unsigned char hash[NZ_BASE_HASH]);
/* Raw bytes from..from + n into `to`, by several threads when they lie in several frames; NZ_E_ARG
 * when there are not that many. Every frame that is decoded whole is checked. Of one needed in part
 * the bytes engine decodes all; of a weights frame or a stored one only that part is decoded, which
 * its checksum cannot confirm, unless nz_options.verify says otherwise. After an error the contents
 * of `to` mean nothing. */
nz_err nz_archive_read(const nz_archive *a, uint64_t from, void *to, size_t n, nz_fault *fault);

#define NZ_TENSOR_DIMS 8

typedef struct nz_tensor_info {
    const char *name;  /* as the container spells it, any bytes but zero; the archive's own */
    const char *dtype; /* "BF16", "Q4_K"; "BYTES": unknown */
    unsigned dims;     /* 0 for a single number */
    uint64_t dim[NZ_TENSOR_DIMS]; /* slowest first: elements along the last lie side by side */
    uint64_t at, bytes;           /* its data in the raw data */
} nz_tensor_info;

/* Tensors have numbers from 0 on, in the order of their data. */
size_t nz_tensor_count(const nz_archive *a);
nz_err nz_tensor_about(const nz_archive *a, size_t tensor, nz_tensor_info *info); /* NZ_E_ARG */
/* The first of that name; nz_tensor_count() when there is none. */
size_t nz_tensor_find(const nz_archive *a, const char *name);
/* Bytes from..from + n of its data, as nz_archive_read() reads them. */
nz_err nz_tensor_read(const nz_archive *a, size_t tensor, uint64_t from, void *to, size_t n,
                      nz_fault *fault);

/* How a tensor is packed. */
typedef struct nz_tensor_packed {
    uint64_t packed;  /* bytes of the archive that hold it alone */
    uint64_t rest;    /* its bytes that are coded together with what is no tensor */
    const char *form; /* "numbers", "stored", "mixed" ...; NULL: all of it is in `rest` */
} nz_tensor_packed;

/* Of all tensors, into all[nz_tensor_count()]. Reads the frames' headers and decodes nothing. */
nz_err nz_tensor_measure(const nz_archive *a, nz_tensor_packed *all, nz_fault *fault);

/* What the bits of a tensor are spent on. */
typedef enum nz_part {
    NZ_PART_SIGN, /* of numbers with an exponent */
    NZ_PART_EXPONENT,
    NZ_PART_MANTISSA,
    NZ_PART_VALUE,  /* integers, and all that has no parts */
    NZ_PART_SCALES, /* of blocks of quants */
    NZ_PART_MINIMA,
    NZ_PART_QUANTS,
    NZ_PART_DIFFERENCE, /* from the base's tensor: all parts of a number at once */
    NZ_PART_SIDE,       /* of no number: scales of rows and columns, sizes, the choice of tables */
    NZ_PARTS
} nz_part;

/* "sign", "exponent" ...; NULL: no such part. */
const char *nz_part_name(nz_part part);

/* In bits: raw, of all its bytes that are not coded with the rest; packed, exactly those of
 * nz_tensor_packed.packed. Parts that are coded together share their code as information does: the
 * exponent costs what it is worth under the table or model in use, the mantissa what is left once
 * the exponent is known, the sign what is left then. */
typedef struct nz_tensor_parts {
    uint64_t raw[NZ_PARTS], packed[NZ_PARTS];
} nz_tensor_parts;

/* Of all tensors, into all[nz_tensor_count()]. Decodes what it must, at the speed of reading; it
 * alone calls the progress function that the archive was opened with. A tensor that follows one
 * told by a difference needs the base file. */
nz_err nz_tensor_explain(const nz_archive *a, nz_tensor_parts *all, nz_fault *fault);

/* ---- What bytes cost ---- */

/* Models of one kind, as far as nz_archive_explain() tells them apart. */
typedef enum nz_model {
    NZ_MODEL_ORDERS,   /* the last bytes, one to eight */
    NZ_MODEL_SPARSE,   /* some of them, or some of their bits */
    NZ_MODEL_WORDS,    /* words, parts of them, the words before */
    NZ_MODEL_LAYOUT,   /* lines, columns, cells, brackets, tags */
    NZ_MODEL_INDIRECT, /* what came after the same the last times */
    NZ_MODEL_RECORDS,  /* fields of records, rows, numbers that go on */
    NZ_MODEL_CODE,     /* machine instructions */
    NZ_MODEL_SIGNAL,   /* samples of images and sound */
    NZ_MODEL_MATCH,    /* the longest match so far */
    NZ_MODEL_NETWORK,
    NZ_MODEL_SSE, /* the stages behind the mixers: by what happened after similar predictions */
    NZ_MODELS
} nz_model;

/* "orders", "words" ...; NULL: no such model. */
const char *nz_model_name(nz_model model);

/* A stretch of one kind of data, as it is coded: packed data unpacked, its place counted in such
 * bytes. */
typedef struct nz_cost {
    const char *kind; /* "text", "image" ...; "stored", "tensors"; "rest": between tensors */
    uint64_t at;      /* of its first byte */
    size_t n;         /* its bytes */
    const unsigned char *raw; /* [n]; NULL for "tensors" and "rest" */
    const float *bits;        /* [n], of each byte; NULL: as many for each */
    double sum;               /* bits, of all */
} nz_cost;

/* A non-zero return stops the work with NZ_E_STOPPED. */
typedef int (*nz_cost_fn)(void *arg, const nz_cost *cost);

#define NZ_COST_KINDS 9

/* All of a kind. Guessing costs 8 bits a byte; what is spared was earned by the models, each by
 * how much of the mixed prediction is its own: of the sum of stretched probabilities that the mixer
 * makes, the gain shared out in proportion (Aumann-Shapley), so the parts add up to 8 * bytes -
 * bits. Less than nothing: it misled. Zero for what no models code. */
typedef struct nz_cost_kind {
    const char *kind;
    uint64_t bytes;
    double bits;
    double earned[NZ_MODELS];
} nz_cost_kind;

typedef struct nz_cost_sum {
    unsigned kinds;
    nz_cost_kind kind[NZ_COST_KINDS];
    double other; /* bits of no byte: headers, maps, the index */
} nz_cost_sum;

/* Decodes the archive, all but its tensors, and tells what its bytes cost: `show` is called for one
 * stretch after the other, from first to last, and *sum set; what a stretch points to lasts until
 * `show` returns. Calls the progress function that the archive was opened with. Takes 4 bytes a
 * byte of the largest frame beside what decoding takes. After an error what was told means nothing.
 */
nz_err nz_archive_explain(const nz_archive *a, nz_cost_fn show, void *arg, nz_cost_sum *sum,
                          nz_fault *fault);

/* ---- Whole buffers ---- */

/* The largest archive that n bytes can become with the default frame sizes. */
uint64_t nz_bound(uint64_t n);
/* NZ_E_FULL when cap is too small. *packed / *raw is the size of the result. */
nz_err nz_pack(void *dst, size_t cap, size_t *packed, const void *src, size_t n,
               const nz_options *opt);
nz_err nz_unpack(void *dst, size_t cap, size_t *raw, const void *src, size_t n,
                 const nz_options *opt);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
