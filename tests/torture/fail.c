/* Linked into the command under test: every allocation of our own code comes by here (the linker's
 * --wrap), is counted, and fails when it is the one that was asked for.
 *
 * NZ_FAIL=N: the N-th fails, counted from 0; NZ_FAIL=N+: all later ones too. NZ_FAIL_FD=FD: a word
 * is written there for each call: a hash of where it comes from, 0 for one that failed. NZ_TRACED:
 * stops before main() for whoever traces it, so that loading libraries is not traced. */
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAMES 10 /* of the stack, that tell one call from another */

static bool counting, later;
static unsigned long bad = ~0UL;
static int log_fd = -1;
static _Atomic unsigned long calls;

__attribute__((constructor)) static void begin(void)
{
    const char *n = getenv("NZ_FAIL"), *fd = getenv("NZ_FAIL_FD");
    if (n) {
        bad = strtoul(n, NULL, 10);
        later = strchr(n, '+');
    }
    if (fd)
        log_fd = atoi(fd);
    counting = n || fd;
    if (getenv("NZ_TRACED"))
        raise(SIGSTOP);
}

static uint64_t where(void)
{
    void *frame[FRAMES];
    uint64_t hash = 1;
    int n = backtrace(frame, FRAMES);
    for (int i = 0; i < n; i++)
        hash = (hash ^ (uint64_t)(uintptr_t)frame[i]) * UINT64_C(0x9E3779B97F4A7C15) + 1;
    return hash | 1;
}

static bool fails(int error)
{
    if (!counting)
        return false;
    unsigned long now = atomic_fetch_add(&calls, 1);
    bool it = now == bad || (later && now > bad);
    int saved = errno;
    uint64_t word = it || bad != ~0UL ? 0 : where();
    if (log_fd >= 0 && (it || word))
        (void)!write(log_fd, &word, sizeof word);
    errno = it ? error : saved;
    return it;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
void *__real_mmap(void *p, size_t n, int prot, int flags, int fd, off_t at);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
FILE *__real_fdopen(int fd, const char *mode);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg);

void *__wrap_malloc(size_t n)
{
    return fails(ENOMEM) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails(ENOMEM) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails(ENOMEM) ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
    return fails(ENOMEM) ? NULL : __real_aligned_alloc(align, n);
}

void *__wrap_mmap(void *p, size_t n, int prot, int flags, int fd, off_t at)
{
    return fails(ENOMEM) ? MAP_FAILED : __real_mmap(p, n, prot, flags, fd, at);
}

char *__wrap_strdup(const char *s)
{
    return fails(ENOMEM) ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return fails(ENOMEM) ? NULL : __real_strndup(s, n);
}

FILE *__wrap_fdopen(int fd, const char *mode)
{
    return fails(ENOMEM) ? NULL : __real_fdopen(fd, mode);
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg)
{
    return fails(0) ? EAGAIN : __real_pthread_create(t, a, f, arg);
}
