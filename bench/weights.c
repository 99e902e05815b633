/* Speed of nz_pack() and nz_unpack() on one file in memory, or of reading one tensor: the best of
 * some rounds by CPU time (all threads) and by the clock, as a CSV row. With -s it is one of
 * several contestants that bench/weights.sh lets run in turn: a line in, one round, a row out. */
#include "nz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEADER                                                                  \
    "suite,input,mode,backend,threads,memory,raw,packed,pack_MBps,unpack_MBps," \
    "pack_wall_MBps,unpack_wall_MBps"

typedef struct task {
    const char *path, *mode;
    nz_options opt;
    int rounds;
    bool steps;  /* a round for every line read */
    bool tensor; /* one tensor is read instead */
    bool fresh;  /* results go to memory never touched before, unlike that of the round before */
    uint8_t *raw, *packed, *back;
    size_t n, cap, size; /* raw bytes, room for an archive, its size */
    size_t bytes;        /* raw bytes of a round's result */
} task;

typedef struct seconds {
    double cpu, wall;
} seconds;

typedef struct lap {
    seconds pack, unpack;
} lap;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "weights: %s: %s\n", what, why);
    exit(1);
}

static void *get(size_t n)
{
    void *p = malloc(n + !n);
    if (!p)
        die("memory", "not enough");
    return p;
}

static double clock_of(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static seconds now(void)
{
    return (seconds){clock_of(CLOCK_PROCESS_CPUTIME_ID), clock_of(CLOCK_MONOTONIC)};
}

static seconds since(seconds start)
{
    seconds end = now();
    return (seconds){end.cpu - start.cpu, end.wall - start.wall};
}

static nz_weights_option mode_of(const char *name)
{
    static const char *const names[] = {"auto", "off", "turbo", "fast", "max"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return (nz_weights_option)i;
    die(name, "not auto, off, turbo, fast or max");
    return NZ_WEIGHTS_AUTO;
}

static void read_file(task *t)
{
    FILE *f = fopen(t->path, "rb");
    if (!f || fseek(f, 0, SEEK_END))
        die(t->path, "cannot be read");
    long n = ftell(f);
    rewind(f);
    t->n = n > 0 ? (size_t)n : 0;
    t->raw = get(t->n);
    if (n < 0 || fread(t->raw, 1, t->n, f) != t->n)
        die(t->path, "cannot be read");
    fclose(f);
    t->cap = (size_t)nz_bound(t->n);
}

static void take_buffers(task *t)
{
    t->packed = get(t->cap);
    t->back = get(t->n);
}

static void drop_buffers(task *t)
{
    free(t->packed);
    free(t->back);
}

static lap one_lap(task *t)
{
    lap r;
    size_t got = 0;
    t->bytes = t->n;
    if (t->fresh)
        take_buffers(t);
    seconds start = now();
    nz_err err = nz_pack(t->packed, t->cap, &t->size, t->raw, t->n, &t->opt);
    r.pack = since(start);
    if (err)
        die(t->path, nz_err_text(err));
    start = now();
    err = nz_unpack(t->back, t->n, &got, t->packed, t->size, &t->opt);
    r.unpack = since(start);
    if (err || got != t->n || memcmp(t->back, t->raw, t->n))
        die(t->path, err ? nz_err_text(err) : "DIFFERENT after unpacking");
    if (t->fresh)
        drop_buffers(t);
    return r;
}

#ifdef NZ_TENSOR_DIMS

/* The largest tensor that is no more than a 32nd of the file: a matrix of one layer. */
static nz_tensor_info choose_tensor(const task *t, const nz_archive *a)
{
    nz_tensor_info best = {0}, info;
    for (size_t i = 0; i < nz_tensor_count(a); i++)
        if (!nz_tensor_about(a, i, &info) && info.bytes <= t->n / 32 && info.bytes > best.bytes)
            best = info;
    if (!best.name)
        die(t->path, "no tensor to read");
    return best;
}

/* From an archive in memory: opening it, finding the tensor, reading it. */
static lap tensor_lap(task *t)
{
    nz_archive *a;
    nz_err err = NZ_OK;
    if (!t->size)
        err = nz_pack(t->packed, t->cap, &t->size, t->raw, t->n, &t->opt);
    if (err || (err = nz_archive_open(&a, t->packed, t->size, &t->opt, NULL)))
        die(t->path, nz_err_text(err));
    nz_tensor_info info = choose_tensor(t, a);
    char *name = strdup(info.name);
    nz_archive_free(a);
    t->bytes = info.bytes;
    uint8_t *to = t->fresh ? get(t->bytes) : t->back;

    lap r = {0};
    seconds start = now();
    err = nz_archive_open(&a, t->packed, t->size, &t->opt, NULL);
    if (!err) {
        err = nz_tensor_read(a, nz_tensor_find(a, name), 0, to, t->bytes, NULL);
        nz_archive_free(a);
    }
    r.unpack = since(start);
    if (err || memcmp(to, t->raw + info.at, t->bytes))
        die(name, err ? nz_err_text(err) : "DIFFERENT after reading");
    if (t->fresh)
        free(to);
    free(name);
    return r;
}

#else /* a library without access to tensors */

static lap tensor_lap(task *t)
{
    die(t->path, "this library reads no single tensors");
    return (lap){0};
}

#endif

static lap next_lap(task *t)
{
    return (t->tensor ? tensor_lap : one_lap)(t);
}

static double less(double a, double b)
{
    return a < b ? a : b;
}

static seconds best_of(seconds a, seconds b)
{
    return (seconds){less(a.cpu, b.cpu), less(a.wall, b.wall)};
}

static double speed(const task *t, double s)
{
    return s > 0 ? 1e-6 * (double)t->bytes / s : 0;
}

static void print_row(const task *t, const lap *r)
{
    const char *slash = strrchr(t->path, '/');
    printf("%s,%s,%s,%s,%d,%s,%zu,%zu,%.1f,%.1f,%.1f,%.1f\n", t->tensor ? "nzip-tensor" : "nzip",
           slash ? slash + 1 : t->path, t->mode, nz_backend(), t->opt.threads,
           t->fresh ? "fresh" : "warm", t->bytes, t->size, speed(t, r->pack.cpu),
           speed(t, r->unpack.cpu), speed(t, r->pack.wall), speed(t, r->unpack.wall));
    fflush(stdout);
}

static void run_steps(task *t)
{
    char line[16];
    while (fgets(line, sizeof line, stdin)) {
        lap r = next_lap(t);
        print_row(t, &r);
    }
}

static void run_rounds(task *t)
{
    next_lap(t); /* warms up */
    lap best = next_lap(t);
    for (int i = 1; i < t->rounds; i++) {
        lap r = next_lap(t);
        best = (lap){best_of(best.pack, r.pack), best_of(best.unpack, r.unpack)};
    }
    puts(HEADER);
    print_row(t, &best);
}

int main(int argc, char **argv)
{
    task t = {.mode = "fast", .opt.threads = 1, .rounds = 5};
    for (int c; (c = getopt(argc, argv, "m:T:r:fst")) != -1;)
        switch (c) {
        case 'm': t.mode = optarg; break;
        case 'T': t.opt.threads = atoi(optarg); break;
        case 'r': t.rounds = atoi(optarg); break;
        case 'f': t.fresh = true; break;
        case 't': t.tensor = true; break;
        case 's': t.steps = true; break;
        default: optind = argc + 1;
        }
    if (optind != argc - 1) {
        fputs("usage: weights [-m MODE] [-T THREADS] [-r ROUNDS] [-f] [-s] [-t] FILE\n"
              "-m  turbo, fast or max   -f  fresh memory in every round   -s  a round a line\n"
              "-t  read one tensor of the archive\n",
              stderr);
        return 2;
    }
    t.path = argv[optind];
    t.opt.weights = mode_of(t.mode);
    read_file(&t);
    if (!t.fresh || t.tensor)
        take_buffers(&t);
    (t.steps ? run_steps : run_rounds)(&t);
    if (!t.fresh || t.tensor)
        drop_buffers(&t);
    free(t.raw);
    return 0;
}
