/* What a header makes the library allocate is what it says, and no more than the caller allows,
 * whatever the payload holds. Every allocation of this program is counted. From the top of the
 * tree.
 */
#define _GNU_SOURCE
#include "archive/format.h"
#include "base/base.h"
#include "lib/bytes.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || !defined(__x86_64__) || !defined(__GLIBC__)
/* Allocations are others' there. */
#else

/* ---- Counting ---- */

/* Below zero where what is given back was taken by other functions than these. */
static _Atomic ptrdiff_t held, most;

static void took(size_t n)
{
    ptrdiff_t all = atomic_fetch_add(&held, (ptrdiff_t)n) + (ptrdiff_t)n, seen = most;
    while (all > seen && !atomic_compare_exchange_weak(&most, &seen, all))
        ;
}

static void *counted(void *p)
{
    took(p ? malloc_usable_size(p) : 0);
    return p;
}

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

void *malloc(size_t n)
{
    return counted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
    return counted(__libc_calloc(n, size));
}

/* Old and new at once: they are, while one is copied to the other. */
void *realloc(void *p, size_t n)
{
    ptrdiff_t old = p ? (ptrdiff_t)malloc_usable_size(p) : 0;
    void *q = counted(__libc_realloc(p, n));
    if (q || n == 0)
        held -= old;
    return q;
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return counted(__libc_memalign(alignment, n));
}

void free(void *p)
{
    held -= p ? (ptrdiff_t)malloc_usable_size(p) : 0;
    __libc_free(p);
}

/* Big tables are mapped with a huge page more than they need, whose two ends are given back at
 * once: it is not counted. The size is 0 where nothing is mapped. */
#define HUGE_PAGE ((size_t)2 << 20)
enum { MAPPINGS = 256 };
static struct {
    uint8_t *table;
    size_t n;
} mapping[MAPPINGS];

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    uint8_t *p = (uint8_t *)syscall(SYS_mmap, at, n, protection, flags, fd, offset);
    int i = 0;
    if (p == MAP_FAILED || !(flags & MAP_ANONYMOUS) || n <= HUGE_PAGE)
        return p;
    while (mapping[i].n)
        cr_assert_lt(++i, MAPPINGS);
    mapping[i].table = p + (-(uintptr_t)p & (HUGE_PAGE - 1));
    mapping[i].n = n - HUGE_PAGE;
    took(n - HUGE_PAGE);
    return p;
}

int munmap(void *p, size_t n)
{
    int failed = (int)syscall(SYS_munmap, p, n);
    for (int i = 0; i < MAPPINGS && !failed; i++)
        if (mapping[i].n == n && mapping[i].table == p) {
            held -= (ptrdiff_t)n;
            mapping[i].n = 0;
        }
    return failed;
}

/* ---- Unpacking ---- */

/* Beside the frames: readers, stdio, tables of constants. */
enum { SLACK = 256 << 10 };

/* The most that was held while it was unpacked. */
static size_t unpack(bytes b, uint64_t memory, nz_err *err)
{
    static uint8_t part[1 << 16];
    const nz_options opt = {.threads = 1, .memory = memory};
    nz_reader *r;
    ptrdiff_t before = held;
    size_t n;
    most = before;
    FILE *f = fmemopen(b.p, b.n, "rb");
    *err = nz_reader_new(&r, &opt, f);
    if (!*err) {
        while (!(*err = nz_reader_get(r, part, sizeof part, &n)) && n)
            ;
        nz_reader_free(r);
    }
    fclose(f);
    return (size_t)(most - before);
}

/* What the frames' headers say. `first`: of the first alone. */
static uint64_t declared(bytes b, uint64_t *first)
{
    nz_reader *r;
    nz_frame frame;
    int n;
    uint64_t memory = *first = 0;
    FILE *f = fmemopen(b.p, b.n, "rb");
    cr_assert_eq(nz_reader_new(&r, &(nz_options){.threads = 1}, f), NZ_OK);
    while (!nz_reader_frame(r, &frame, &n) && n) {
        memory = frame.memory > memory ? frame.memory : memory;
        *first = *first ? *first : frame.memory;
    }
    nz_reader_free(r);
    fclose(f);
    return memory;
}

typedef void each_fn(const char *name, bytes b);

static void each_golden(each_fn *use)
{
    DIR *d = opendir("tests/golden");
    struct dirent *e;
    int n = 0;
    cr_assert(d);
    while ((e = readdir(d))) {
        char path[300];
        if (strncmp(e->d_name, "good-", 5) || !strstr(e->d_name, ".nz"))
            continue;
        if (!strncmp(e->d_name, "good-primed-", 12) && e->d_name[12] > '1')
            continue; /* priors take long */
        if (!strncmp(e->d_name, "good-delta-", 11))
            continue; /* needs its base */
        snprintf(path, sizeof path, "tests/golden/%s", e->d_name);
        bytes b = load(path);
        use(e->d_name, b);
        free(b.p);
        n++;
    }
    closedir(d);
    cr_assert_gt(n, 30);
}

static void within_what_is_declared(const char *name, bytes b)
{
    nz_err err;
    uint64_t first, memory = declared(b, &first);
    size_t held_most = unpack(b, memory ? memory : 1, &err);
    cr_expect_eq(err, NZ_OK, "%s", name);
    cr_expect_leq(held_most, memory + SLACK, "%s: %zu, not %zu", name, held_most, (size_t)memory);
    if (memory < 2)
        return;
    held_most = unpack(b, memory - 1, &err);
    cr_expect_eq(err, NZ_E_LIMIT, "%s", name);
    cr_expect_leq(held_most, (first < memory ? memory : 0) + SLACK,
                  "%s: refused before memory is taken", name);
}

Test(limits, frames_take_what_their_headers_say)
{
    each_golden(within_what_is_declared);
}

/* Headers are checked, payloads are not: what they count is anybody's. */
static void within_whatever_it_holds(const char *name, bytes b)
{
    nz_err err;
    uint64_t first, memory = declared(b, &first);
    int rounds = getenv("NZ_SHORT") ? 5 : 60;
    if (!memory || name[strlen(name) - 4] > '3' || !strncmp(name, "good-primed", 11))
        return;
    for (int i = 0; i < rounds; i++) {
        uint32_t r = nz_hash32((uint32_t)i, 1);
        bytes bad = {malloc(b.n), b.n};
        memcpy(bad.p, b.p, b.n);
        /* Counts are at a payload's front. */
        size_t front = NZ_HEAD_BYTES + NZ_HEADER_BYTES - 20, size = i & 1 ? 60 : b.n - front;
        size_t at = front + r % (size < b.n - front ? size : b.n - front);
        for (unsigned k = 0; k < 1 + r % 3 && at + k < b.n; k++)
            bad.p[at + k] = (uint8_t)(nz_hash32((uint32_t)i, 2 + k) >> 24);
        size_t held_most = unpack(bad, memory, &err);
        cr_expect_leq(held_most, memory + SLACK, "%s: byte %zu: %zu, not %zu", name, at, held_most,
                      (size_t)memory);
        free(bad.p);
    }
}

Test(limits, payloads_cannot_make_them_take_more)
{
    each_golden(within_whatever_it_holds);
}

/* A header that says too little; its check is right. */
static void within_the_limit(const char *name, bytes b)
{
    nz_header h;
    const char *reason;
    nz_err err;
    if (nz_header_load(&h, b.p + NZ_HEAD_BYTES, b.n - NZ_HEAD_BYTES, &reason) ||
        (h.method != NZ_METHOD_WEIGHTS && h.method != NZ_METHOD_MIXED))
        return;
    memset(h.params + 4, 0, 4);
    nz_header_store(&h, b.p + NZ_HEAD_BYTES);
    uint64_t first, memory = declared(b, &first);
    size_t held_most = unpack(b, memory, &err);
    cr_expect_leq(held_most, memory + SLACK, "%s: %zu, not %zu", name, held_most, (size_t)memory);
}

Test(limits, headers_that_say_too_little)
{
    each_golden(within_the_limit);
}

/* Large enough for what grows with a frame to show. */
static bytes array(int level, size_t n)
{
    uint8_t *raw = malloc(n);
    bytes b = {malloc(2 * n), 0};
    for (size_t i = 0; i < n; i += 4) {
        uint32_t r = nz_hash32((uint32_t)i, 3);
        nz_store32(raw + i, 0x3c000000 + (r & 0x80ffffff));
    }
    const nz_options opt = {.level = level, .threads = 1, .dtype = "F32", .row = 256};
    cr_assert_eq(nz_pack(b.p, 2 * n, &b.n, raw, n, &opt), NZ_OK);
    free(raw);
    return b;
}

Test(limits, arrays)
{
    static const char *const names[] = {[1] = "turbo", [3] = "fast", [7] = "max"};
    for (int level = 1; level <= 7; level += level == 1 ? 2 : 4) {
        bytes b = array(level, level == 7 ? 100000 : 6 << 20);
        within_what_is_declared(names[level], b);
        within_the_limit(names[level], b);
        free(b.p);
    }
}
#endif
