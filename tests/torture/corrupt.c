/* Damages archives in every way that one byte, one cut or one frame can be damaged, and reads them
 * in every way there is: each is refused, or gives the very same bytes.
 *
 * corrupt [-e EVERY] [-j WORKERS] ARCHIVE.nz... (beside each its contents, ARCHIVE.raw) */
#include "files.h"
#include "nz.h"

#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_MOST = 60, FRAMES_MOST = 64 };

/* ---- What is done to an archive ---- */

typedef enum damage {
    DAMAGE_BYTE,   /* one takes another value */
    DAMAGE_CUT,    /* the rest is not there */
    DAMAGE_DELETE, /* one byte is not there */
    DAMAGE_INSERT, /* one byte is there twice, or with one bit changed */
    DAMAGE_FRAMES, /* two frames change places, one is there twice or not at all */
    DAMAGE_BEHIND, /* bytes behind the archive, another archive cut short */
    DAMAGES
} damage;

static const char *const DAMAGE_NAME[DAMAGES] = {"byte",   "cut",    "delete",
                                                 "insert", "frames", "behind"};

typedef struct archive {
    const char *path;
    char *group; /* what its name says about its method and level */
    blob packed, raw;
    size_t frame[FRAMES_MOST + 1]; /* offsets, and where the last one ends */
    size_t frames;
    size_t payload; /* bytes that only decoding can tell good or bad */
    bool cheap;     /* to decode: all values of all bytes */
} archive;

static void look_into(archive *a)
{
    nz_reader *r;
    nz_frame f;
    int n = 0;
    FILE *from = fopen(a->path, "rb");
    if (!from || nz_reader_new(&r, NULL, from))
        exit(2);
    a->cheap = true;
    while (!nz_reader_frame(r, &f, &n) && n && a->frames < FRAMES_MOST) {
        a->frame[a->frames++] = (size_t)f.offset;
        a->frame[a->frames] = (size_t)(f.offset + f.packed);
        a->payload += (size_t)f.packed;
        a->cheap &=
            strcmp(f.method, "stored") == 0 || strcmp(f.method, "weights") == 0 || f.level == 1;
    }
    nz_reader_free(r);
    fclose(from);
}

static archive archive_open(const char *path)
{
    archive a = {.path = path};
    const char *slash = strrchr(path, '/');
    a.group = text("%s", slash ? slash + 1 : path);
    a.group[strlen(a.group) - 3] = 0;
    a.packed = blob_read(path);
    char *raw = text("%.*s.raw", (int)strlen(path) - 3, path);
    a.raw = blob_read(raw);
    free(raw);
    if (!a.packed.p || !a.raw.p)
        exit(2);
    look_into(&a);
    /* Slow to decode: max has a model that learns. */
    a.cheap &= !strstr(path, "weights-7") && !strstr(path, "blocks-7") && !strstr(path, "primed");
    return a;
}

static bool in_payload(const archive *a, size_t at)
{
    enum { HEADER = 50 };
    for (size_t i = 0; i < a->frames; i++)
        if (at >= a->frame[i] + HEADER && at < a->frame[i + 1])
            return true;
    return false;
}

static void join(blob *to, blob b, size_t from, size_t end)
{
    memcpy(to->p + to->n, b.p + from, end - from);
    to->n += end - from;
}

/* Of a byte: all values, or where each costs a long decoding its bits, and all of them at once. */
static size_t values(const archive *a, size_t at)
{
    return a->cheap || !in_payload(a, at) ? 255 : 9;
}

static unsigned value(const archive *a, size_t at, size_t which)
{
    unsigned old = a->packed.p[at];
    if (values(a, at) == 255)
        return old ^ (unsigned)(which + 1);
    return old ^ (which < 8 ? 1U << which : 255);
}

/* Frames i and j change places, j once more behind i, or without i. */
static blob frames(const archive *a, size_t i, size_t j, size_t how)
{
    const size_t *at = a->frame;
    blob b = {malloc(2 * a->packed.n), 0};
    join(&b, a->packed, 0, at[i]);
    if (how == 0) {
        join(&b, a->packed, at[j], at[j + 1]);
        join(&b, a->packed, at[i + 1], at[j]);
        join(&b, a->packed, at[i], at[i + 1]);
        join(&b, a->packed, at[j + 1], a->packed.n);
    } else if (how == 1) {
        join(&b, a->packed, at[j], at[j + 1]);
        join(&b, a->packed, at[i], a->packed.n);
    } else {
        join(&b, a->packed, at[i + 1], a->packed.n);
    }
    return b;
}

static blob behind(const archive *a, size_t n)
{
    static const char *const TAIL[] = {"\n", "garbage", "PK\3\4", "\xce\x4e\x5a\x0a"};
    blob b = {malloc(2 * a->packed.n + 600), 0};
    join(&b, a->packed, 0, a->packed.n);
    if (n < 4) {
        memcpy(b.p + b.n, TAIL[n], strlen(TAIL[n]));
        b.n += strlen(TAIL[n]);
    } else if (n < 6) {
        memset(b.p + b.n, 0, 512);
        b.n += n == 4 ? 1 : 512;
    } else {
        join(&b, a->packed, 0, n - 5 < a->packed.n ? n - 5 : a->packed.n - 1);
    }
    return b;
}

/* How many cases of a kind there are. */
static size_t cases(const archive *a, damage d)
{
    size_t n = 0;
    switch (d) {
    case DAMAGE_BYTE:
        for (size_t i = 0; i < a->packed.n; i++)
            n += values(a, i);
        return n;
    case DAMAGE_CUT:
    case DAMAGE_DELETE: return a->packed.n;
    case DAMAGE_INSERT: return 2 * (a->packed.n + 1);
    case DAMAGE_FRAMES: return 3 * a->frames * a->frames;
    case DAMAGE_BEHIND: return 5 + a->packed.n;
    default: return 0;
    }
}

/* No p: it would be no damage. */
static blob damaged(const archive *a, damage d, size_t n)
{
    const blob *p = &a->packed;
    blob b = {0};
    size_t at = 0;
    if (d == DAMAGE_FRAMES) {
        size_t i = n / 3 / a->frames, j = n / 3 % a->frames;
        return i < j || (i == j && n % 3) ? frames(a, i, j, n % 3) : b;
    }
    if (d == DAMAGE_BEHIND)
        return behind(a, n);
    b = (blob){malloc(p->n + 1), 0};
    switch (d) {
    case DAMAGE_BYTE:
        while (n >= values(a, at))
            n -= values(a, at++);
        join(&b, *p, 0, p->n);
        b.p[at] = (unsigned char)value(a, at, n);
        break;
    case DAMAGE_CUT: join(&b, *p, 0, n); break;
    case DAMAGE_DELETE:
        join(&b, *p, 0, n);
        join(&b, *p, n + 1, p->n);
        break;
    default:
        at = n / 2;
        join(&b, *p, 0, at);
        b.p[b.n++] = (unsigned char)(p->p[at < p->n ? at : 0] ^ (n & 1));
        join(&b, *p, at, p->n);
    }
    return b;
}

/* ---- What comes of it ---- */

typedef enum result { DETECTED, HARMLESS, LOST, CRASHED, HUNG, RESULTS } result;

static const char *const RESULT_NAME[RESULTS] = {"detected", "harmless", "LOST", "CRASHED", "HUNG"};

static const nz_options ONE = {.threads = 1, .memory = UINT64_C(2) << 30};

static result unpack(const archive *a, blob b, unsigned char *to)
{
    size_t n;
    if (nz_unpack(to, a->raw.n + 1, &n, b.p, b.n, &ONE))
        return DETECTED;
    return n == a->raw.n && !memcmp(to, a->raw.p, n) ? HARMLESS : LOST;
}

/* Opened from its end, in parts; a listing and what the tensors take must only end. */
static result read_parts(const archive *a, blob b, unsigned char *to)
{
    nz_archive *z;
    nz_options opt = ONE;
    opt.verify = 1;
    if (nz_archive_open(&z, b.p, b.n, &opt, NULL))
        return DETECTED;
    result r = HARMLESS;
    uint64_t n = nz_archive_raw(z), third = n / 3;
    size_t count = nz_tensor_count(z);
    if (n > a->raw.n || nz_archive_read(z, 0, to, (size_t)third, NULL) ||
        nz_archive_read(z, third, to + third, (size_t)(n - third), NULL))
        r = DETECTED;
    else if (n != a->raw.n || memcmp(to, a->raw.p, a->raw.n))
        r = LOST;
    nz_tensor_packed *packed = calloc(count + 1, sizeof *packed);
    nz_tensor_parts *parts = calloc(count + 1, sizeof *parts);
    if (count && packed && parts && !nz_tensor_measure(z, packed, NULL))
        nz_tensor_explain(z, parts, NULL);
    free(packed);
    free(parts);
    nz_archive_free(z);
    return r;
}

/* Headers alone: what they say is as it was, or there is an error. */
static result list(const archive *a, blob b)
{
    nz_reader *r;
    nz_frame f;
    uint64_t raw = 0;
    int n = 0;
    FILE *from = b.n ? fmemopen(b.p, b.n, "rb") : fopen("/dev/null", "rb");
    nz_err err = from ? nz_reader_new(&r, &ONE, from) : NZ_E_MEM;
    bool open = !err;
    while (!err && !(err = nz_reader_frame(r, &f, &n)) && n)
        raw += f.raw;
    if (open)
        nz_reader_free(r);
    if (from)
        fclose(from);
    return err ? DETECTED : raw == a->raw.n ? HARMLESS : LOST;
}

static result judge(const archive *a, damage d, size_t n)
{
    blob b = damaged(a, d, n);
    if (!b.p)
        return RESULTS;
    /* Exactly as large as it is, for the sanitizers. */
    blob exact = {malloc(b.n ? b.n : 1), b.n};
    memcpy(exact.p, b.p, b.n);
    unsigned char *to = malloc(a->raw.n + 1);
    result front = unpack(a, exact, to), back = read_parts(a, exact, to), headers = list(a, exact);
    /* A frame that changed places with an equal one. */
    result all = blob_same(b, a->packed) ? RESULTS : front;
    if (front == LOST || back == LOST || headers == LOST)
        all = LOST;
    free(to);
    blob_free(&exact);
    blob_free(&b);
    return all;
}

/* ---- Workers ---- */

enum { ARCHIVES_MOST = 128, WORKERS_MOST = 64 };

typedef struct position {
    _Atomic size_t archive, damage, at;
} position;

typedef struct shared {
    _Atomic size_t next; /* archive and kind of damage */
    _Atomic unsigned count[ARCHIVES_MOST][RESULTS], tried[DAMAGES];
    position now[WORKERS_MOST];
} shared;

static shared *all;

static void say(const archive *a, damage d, size_t n, result r)
{
    printf("%s: %s: %s, case %zu\n", RESULT_NAME[r], a->path, DAMAGE_NAME[d], n);
    fflush(stdout);
}

static void work_on(const archive *a, size_t archive, damage d, size_t from, size_t every,
                    position *now)
{
    for (size_t n = from; n < cases(a, d); n += every) {
        now->archive = archive;
        now->damage = (size_t)d;
        now->at = n;
        alarm(SECONDS_MOST);
        result r = judge(a, d, n);
        alarm(0);
        if (r == RESULTS)
            continue;
        all->tried[d]++;
        all->count[archive][r]++;
        if (r > HARMLESS)
            say(a, d, n, r);
    }
}

/* Begins behind the case that ended the worker before, if one did. */
static void work(const archive *a, size_t count, size_t every, position *now)
{
    if (now->at != SIZE_MAX)
        work_on(&a[now->archive], now->archive, (damage)now->damage, now->at + every, every, now);
    for (size_t i; (i = all->next++) < count * DAMAGES;)
        work_on(&a[i / DAMAGES], i / DAMAGES, (damage)(i % DAMAGES), i % every, every, now);
    exit(0);
}

static pid_t start(const archive *a, size_t count, size_t every, position *now)
{
    fflush(stdout);
    pid_t pid = fork();
    if (!pid)
        work(a, count, every, now);
    return pid;
}

static void run(const archive *a, size_t count, size_t every, unsigned workers)
{
    pid_t pid[WORKERS_MOST];
    for (unsigned i = 0; i < workers; i++) {
        all->now[i].at = SIZE_MAX;
        pid[i] = start(a, count, every, &all->now[i]);
    }
    int status;
    for (pid_t who; (who = wait(&status)) > 0;)
        for (unsigned i = 0; i < workers && (!WIFEXITED(status) || WEXITSTATUS(status)); i++) {
            position *now = &all->now[i];
            if (pid[i] != who)
                continue;
            result r = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? HUNG : CRASHED;
            all->count[now->archive][r]++;
            all->tried[now->damage]++;
            say(&a[now->archive], (damage)now->damage, now->at, r);
            pid[i] = start(a, count, every, now);
        }
}

/* Returns how many cases ended badly. */
static unsigned print_table(const archive *a, size_t count)
{
    unsigned total[RESULTS] = {0}, tried = 0;
    printf("%-18s %8s", "archives changed", "tried");
    for (result r = 0; r < RESULTS; r++)
        printf(" %8s", RESULT_NAME[r]);
    putchar('\n');
    for (size_t i = 0; i < count; i++) {
        unsigned n = 0;
        for (result r = 0; r < RESULTS; r++)
            n += all->count[i][r];
        printf("%-18s %8u", a[i].group, n);
        for (result r = 0; r < RESULTS; r++) {
            printf(" %8u", all->count[i][r]);
            total[r] += all->count[i][r];
        }
        putchar('\n');
        tried += n;
    }
    for (damage d = 0; d < DAMAGES; d++)
        printf("%s%s: %u", d ? ", " : "", DAMAGE_NAME[d], all->tried[d]);
    printf("\n%u changed, %u detected, %u harmless, %u LOST, %u CRASHED, %u HUNG\n", tried,
           total[DETECTED], total[HARMLESS], total[LOST], total[CRASHED], total[HUNG]);
    return total[LOST] + total[CRASHED] + total[HUNG] + !tried;
}

int main(int argc, char **argv)
{
    static archive archives[ARCHIVES_MOST];
    size_t every = 1, count = 0;
    unsigned workers = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    for (int c; (c = getopt(argc, argv, "e:j:")) >= 0;)
        if (c == 'e')
            every = (size_t)atol(optarg);
        else if (c == 'j')
            workers = (unsigned)atoi(optarg);
        else
            return 2;
    for (int i = optind; i < argc && count < ARCHIVES_MOST; i++)
        archives[count++] = archive_open(argv[i]);
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || !count || !every || !workers || workers > WORKERS_MOST)
        return 2;
    run(archives, count, every, workers);
    return print_table(archives, count) != 0;
}
