#define _GNU_SOURCE
/* A signal that interrupts a system call changes no byte: a program may have handlers of its own.
 */
#include "base/base.h"
#include "nz.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RAW = 200000, ROOM = RAW + 2000, PART = 3000 };

/* Small frames: many writes of a few bytes, which stdio would keep. */
static const nz_options QUICK = {.level = 1, .threads = 1, .frame = 65536};

/* The other end of a pipe: moves a few bytes at a time and interrupts the thread that waits for it.
 */
typedef struct other_end {
    pthread_t waits;
    int fd;
    uint8_t *p;
    size_t n;
} other_end;

static void ignore(int number)
{
    (void)number;
}

static void interrupt(const other_end *e)
{
    nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    pthread_kill(e->waits, SIGUSR1);
    nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

static void *take(void *arg)
{
    other_end *e = arg;
    ssize_t got;
    do {
        interrupt(e);
        got = read(e->fd, e->p + e->n, ROOM - e->n < PART ? ROOM - e->n : PART);
        e->n += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    return NULL;
}

static void *give(void *arg)
{
    other_end *e = arg;
    for (size_t at = 0; at < e->n; at += PART) {
        interrupt(e);
        cr_assert(write(e->fd, e->p + at, e->n - at < PART ? e->n - at : PART) > 0);
    }
    close(e->fd);
    return NULL;
}

static void handle_signal(void)
{
    struct sigaction act = {.sa_handler = ignore}; /* no SA_RESTART */
    sigaction(SIGUSR1, &act, NULL);
}

/* That holds little: whoever writes has to wait. */
static void open_pipe(int end[2])
{
    cr_assert(!pipe(end) && fcntl(end[1], F_SETPIPE_SZ, 4096) > 0);
}

/* Does not shrink. */
static void fill(uint8_t *p)
{
    for (size_t i = 0; i < RAW; i++)
        p[i] = (uint8_t)(nz_hash32((uint32_t)i, 1) >> 24);
}

Test(interrupt, writing)
{
    static uint8_t raw[RAW], want[ROOM], got[ROOM];
    size_t n;
    int end[2];
    nz_writer *w;
    pthread_t reader;
    fill(raw);
    handle_signal();
    cr_assert(!nz_pack(want, ROOM, &n, raw, RAW, &QUICK));
    open_pipe(end);
    other_end e = {pthread_self(), end[0], got, 0};
    FILE *to = fdopen(end[1], "wb");
    cr_assert(!pthread_create(&reader, NULL, take, &e));
    cr_assert_eq(nz_writer_new(&w, &QUICK, to), NZ_OK);
    cr_assert_eq(nz_writer_put(w, raw, RAW), NZ_OK);
    cr_assert_eq(nz_writer_end(w), NZ_OK);
    nz_writer_free(w);
    fclose(to);
    pthread_join(reader, NULL);
    cr_assert_eq(e.n, n, "%zu bytes, not %zu", e.n, n);
    cr_assert(!memcmp(got, want, n));
}

Test(interrupt, reading)
{
    static uint8_t raw[RAW], packed[ROOM], got[RAW];
    size_t n, part, at = 0;
    int end[2];
    nz_reader *r;
    pthread_t writer;
    fill(raw);
    handle_signal();
    cr_assert(!nz_pack(packed, ROOM, &n, raw, RAW, &QUICK));
    open_pipe(end);
    other_end e = {pthread_self(), end[1], packed, n};
    FILE *from = fdopen(end[0], "rb");
    cr_assert(!pthread_create(&writer, NULL, give, &e));
    cr_assert_eq(nz_reader_new(&r, &QUICK, from), NZ_OK);
    do {
        cr_assert_eq(nz_reader_get(r, got + at, RAW - at ? RAW - at : 1, &part), NZ_OK);
        at += part;
    } while (part);
    nz_reader_free(r);
    fclose(from);
    pthread_join(writer, NULL);
    cr_assert(at == RAW && !memcmp(got, raw, RAW));
}

/* What the caller wrote before the archive stays in front of it, and what he writes then follows.
 */
Test(interrupt, writing_between)
{
    static uint8_t want[ROOM], got[ROOM];
    size_t n;
    nz_writer *w;
    FILE *to = tmpfile();
    cr_assert(!nz_pack(want, ROOM, &n, "abc", 3, &QUICK));
    fputs("before", to);
    cr_assert_eq(nz_writer_new(&w, &QUICK, to), NZ_OK);
    cr_assert_eq(nz_writer_put(w, "abc", 3), NZ_OK);
    cr_assert_eq(nz_writer_end(w), NZ_OK);
    nz_writer_free(w);
    cr_assert_eq(ftell(to), 6 + (long)n);
    fputs("behind", to);
    rewind(to);
    cr_assert_eq(fread(got, 1, ROOM, to), 12 + n);
    cr_assert(!memcmp(got, "before", 6) && !memcmp(got + 6, want, n) &&
              !memcmp(got + 6 + n, "behind", 6));
    fclose(to);
}
