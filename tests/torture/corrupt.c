/* Damages archives in every way that one byte, one cut or one frame can be damaged, and reads them
 * in every way there is: each is refused, or gives the very same bytes.
 *
 * corrupt [-e EVERY] [-j WORKERS] EFFORT=ARCHIVE.nz... (beside each its contents, ARCHIVE.raw)
 *
 * Effort is for payloads, which take long to decode: 3 tries all values of every byte, 2 each of
 * its bits and all at once, 1 one of the bits, 0 one bit of every 16th byte. */
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
    nz_frame frame[FRAMES_MOST];
    size_t frames;
    int effort;
} archive;

static void look_into(archive *a)
{
    nz_reader *r;
    nz_frame f;
    int n = 0;
    FILE *from = fopen(a->path, "rb");
    if (!from || nz_reader_new(&r, NULL, from))
        exit(2);
    while (!nz_reader_frame(r, &f, &n) && n && a->frames < FRAMES_MOST)
        a->frame[a->frames++] = f;
    nz_reader_free(r);
    fclose(from);
}

static archive archive_open(const char *argument)
{
    const char *path = strchr(argument, '=') + 1;
    archive a = {.path = path, .effort = argument[0] - '0'};
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
    return a;
}

static size_t end_of(const nz_frame *f)
{
    return (size_t)(f->offset + f->packed);
}

static bool in_payload(const archive *a, size_t at)
{
    enum { HEADER = 50 };
    for (size_t i = 0; i < a->frames; i++)
        if (at >= a->frame[i].offset + HEADER && at < end_of(&a->frame[i]))
            return true;
    return false;
}

static void join(blob *to, blob b, size_t from, size_t end)
{
    memcpy(to->p + to->n, b.p + from, end - from);
    to->n += end - from;
}

/* How many other values of that byte are tried. */
static size_t values(const archive *a, size_t at)
{
    if (!in_payload(a, at))
        return 255;
    switch (a->effort) {
    case 3: return 255;
    case 2: return 9;
    case 1: return 1;
    default: return at % 16 == 0;
    }
}

static unsigned value(const archive *a, size_t at, size_t which)
{
    unsigned old = a->packed.p[at];
    switch (values(a, at)) {
    case 255: return old ^ (unsigned)(which + 1);
    case 9: return old ^ (which < 8 ? 1U << which : 255);
    default: return old ^ 1U << (at / 16 + at) % 8;
    }
}

/* Of the other damages, each of which may cost a decoding: how many bytes apart. */
static size_t step(const archive *a)
{
    return a->effort >= 2 ? 1 : a->effort == 1 ? 16 : 64;
}

/* Frames i and j change places, j comes once more before i, or i is gone. No p: two frames of the
 * same sizes, of whose places the format does not tell; or none. */
static blob frames(const archive *a, size_t i, size_t j, size_t how)
{
    const nz_frame *x = &a->frame[i], *y = &a->frame[j];
    size_t at = (size_t)x->offset, to = (size_t)y->offset, n = a->packed.n;
    if (i > j || (how == 0 && x->raw == y->raw && x->packed == y->packed))
        return (blob){0};
    blob b = {malloc(2 * n), 0};
    join(&b, a->packed, 0, at);
    if (how < 2)
        join(&b, a->packed, to, end_of(y));
    if (how == 0) {
        join(&b, a->packed, end_of(x), to);
        join(&b, a->packed, at, end_of(x));
        join(&b, a->packed, end_of(y), n);
    } else {
        join(&b, a->packed, how == 1 ? at : end_of(x), n);
    }
    return b;
}

/* One archive of several ends there: what is in front of it is whole. */
static bool ends_there(const archive *a, size_t at)
{
    return at + 4 <= a->packed.n && !memcmp(a->packed.p + at, "\xce\x4e\x5a\x0a", 4);
}

/* No p: another archive. */
static blob behind(const archive *a, size_t n)
{
    static const char *const TAIL[] = {"\n", "garbage", "PK\3\4", "\xce\x4e\x5a\x0a"};
    size_t more = n < 6 ? 0 : (n - 6) * step(a) + 1;
    if (more && ends_there(a, more))
        return (blob){0};
    blob b = {malloc(2 * a->packed.n + 600), 0};
    join(&b, a->packed, 0, a->packed.n);
    if (n < 4) {
        memcpy(b.p + b.n, TAIL[n], strlen(TAIL[n]));
        b.n += strlen(TAIL[n]);
    } else if (n < 6) {
        memset(b.p + b.n, 0, 512);
        b.n += n == 4 ? 1 : 512;
    } else {
        join(&b, a->packed, 0, more);
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
    case DAMAGE_CUT: return a->packed.n;
    case DAMAGE_DELETE: return (a->packed.n - 1) / step(a) + 1;
    case DAMAGE_INSERT: return 2 * (a->packed.n / step(a) + 1);
    case DAMAGE_FRAMES: return 3 * a->frames * a->frames;
    case DAMAGE_BEHIND: return 6 + (a->packed.n - 2) / step(a) + 1;
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
        return frames(a, i, j, n % 3);
    }
    if (d == DAMAGE_BEHIND)
        return behind(a, n);
    if (d == DAMAGE_CUT && n && ends_there(a, n))
        return b;
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
        at = n * step(a);
        join(&b, *p, 0, at);
        join(&b, *p, at + 1, p->n);
        break;
    default:
        at = n / 2 * step(a);
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

/* Opened from its end; a listing and what the tensors take must only end. Whether all is read: of a
 * broken payload it would say what unpacking said. */
static result read_any(const archive *a, blob b, unsigned char *to, bool all)
{
    nz_archive *z;
    nz_options opt = ONE;
    opt.verify = 1;
    if (nz_archive_open(&z, b.p, b.n, &opt, NULL))
        return DETECTED;
    result r = HARMLESS;
    uint64_t n = nz_archive_raw(z);
    size_t count = nz_tensor_count(z);
    if (!all || n > a->raw.n || nz_archive_read(z, 0, to, (size_t)n, NULL))
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

/* The bytes differ first in a payload, and the end is as it was. */
static bool is_in_payload(const archive *a, blob b)
{
    size_t at = 0;
    while (at < b.n && at < a->packed.n && b.p[at] == a->packed.p[at])
        at++;
    return b.n == a->packed.n && in_payload(a, at);
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
    result front = unpack(a, exact, to), headers = list(a, exact);
    result back = read_any(a, exact, to, front == HARMLESS || !is_in_payload(a, b));
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
    _Atomic size_t piece, at;
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

/* Piece i of the work: one archive, one kind of damage, cases from `from` on; of frames all of
 * them, as they are few. */
static void work_on(const archive *archives, size_t i, size_t from, size_t every, position *now)
{
    const archive *a = &archives[i / DAMAGES];
    damage d = (damage)(i % DAMAGES);
    size_t by = d == DAMAGE_FRAMES ? 1 : every;
    for (size_t n = i % by; n < cases(a, d); n += by) {
        if (n < from)
            continue;
        now->piece = i;
        now->at = n;
        alarm(SECONDS_MOST);
        result r = judge(a, d, n);
        alarm(0);
        if (r == RESULTS)
            continue;
        all->tried[d]++;
        all->count[i / DAMAGES][r]++;
        if (r > HARMLESS)
            say(a, d, n, r);
    }
}

/* Begins behind the case that ended the worker before, if one did. */
static void work(const archive *a, size_t count, size_t every, position *now)
{
    if (now->at != SIZE_MAX)
        work_on(a, now->piece, now->at + 1, every, now);
    for (size_t i; (i = all->next++) < count * DAMAGES;)
        work_on(a, i, 0, every, now);
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
            all->count[now->piece / DAMAGES][r]++;
            all->tried[now->piece % DAMAGES]++;
            say(&a[now->piece / DAMAGES], (damage)(now->piece % DAMAGES), now->at, r);
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
        if (strchr(argv[i], '='))
            archives[count++] = archive_open(argv[i]);
        else
            return 2;
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || !count || !every || !workers || workers > WORKERS_MOST)
        return 2;
    run(archives, count, every, workers);
    return print_table(archives, count) != 0;
}
