#include "archive/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a damaged disk gives or refuses at once, which is also read after a jump; and what is read
 * where one part follows the other. */
enum { SECTOR = 4096, STRIDE = 256 << 10 };

nz_err nz_window_file(nz_window *w, FILE *file)
{
    struct stat st;
    *w = (nz_window){.fd = fileno(file)};
    if (fstat(w->fd, &st))
        return NZ_E_READ;
    errno = ESPIPE;
    if (!S_ISREG(st.st_mode))
        return NZ_E_READ;
    w->size = (uint64_t)st.st_size;
    return NZ_OK;
}

void nz_window_memory(nz_window *w, const void *p, size_t n)
{
    *w = (nz_window){.bytes = p, .size = n};
}

void nz_window_close(nz_window *w)
{
    free(w->part);
    *w = (nz_window){0};
}

bool nz_window_read(const nz_window *w, uint64_t at, void *to, size_t n)
{
    if (at > w->size || n > w->size - at)
        return false;
    if (w->bytes && n)
        memcpy(to, w->bytes + at, n);
    for (size_t got = 0; !w->bytes && got < n;) {
        ssize_t more = pread(w->fd, (uint8_t *)to + got, n - got, (off_t)(at + got));
        if (more == 0 || (more < 0 && errno != EINTR))
            return false;
        got += more > 0 ? (size_t)more : 0;
    }
    return true;
}

static bool make_room(nz_window *w, size_t n)
{
    if (n <= w->cap)
        return true;
    uint8_t *more = realloc(w->part, n);
    if (!more)
        return false;
    w->part = more;
    w->cap = n;
    return true;
}

/* All of it at once where that works, else whatever sectors can be read. */
static void fill(nz_window *w, uint64_t at, size_t n)
{
    w->at = at;
    w->n = n;
    if (nz_window_read(w, at, w->part, n))
        return;
    for (size_t i = 0; i < n; i += SECTOR) {
        size_t sector = n - i < SECTOR ? n - i : SECTOR;
        if (!nz_window_read(w, at + i, w->part + i, sector))
            memset(w->part + i, 0, sector);
    }
}

const uint8_t *nz_window_see(nz_window *w, uint64_t at, size_t least, size_t *n)
{
    static const uint8_t nothing;
    uint64_t left = at < w->size ? w->size - at : 0;
    if (least > left)
        least = (size_t)left;
    *n = 0;
    if (left == 0)
        return &nothing;
    if (w->bytes) {
        *n = (size_t)left;
        return w->bytes + at;
    }
    bool near = at >= w->at && at - w->at <= w->n;
    if (!near || least > w->n - (size_t)(at - w->at)) {
        size_t want = near ? STRIDE : SECTOR;
        want = want > least ? want : least;
        want = want < left ? want : (size_t)left;
        if (!make_room(w, want))
            return NULL;
        fill(w, at, want);
    }
    *n = w->n - (size_t)(at - w->at);
    return w->part + (at - w->at);
}
