/* Sources and sinks. A signal that interrupts a system call is no error: what is left is tried
 * again.
 *
 * Writing goes past stdio: when a write fails stdio drops what it holds, even if only a signal
 * came, and nothing is left to try again. */
#include "archive/stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void nz_source_file(nz_source *s, FILE *file)
{
    /* A pipe refuses to tell where it is. */
    *s = (nz_source){.file = file, .seeks = ftello(file) >= 0};
}

void nz_source_memory(nz_source *s, const void *p, size_t n)
{
    *s = (nz_source){.bytes = p, .left = n};
}

static size_t file_read(nz_source *s, uint8_t *p, size_t n)
{
    size_t got = 0;
    while (got < n) {
        errno = 0;
        got += fread(p + got, 1, n - got, s->file);
        if (got == n || feof(s->file))
            break;
        if (ferror(s->file) && errno != EINTR) {
            s->failed = true;
            s->error = errno;
            break;
        }
        clearerr(s->file);
    }
    return got;
}

size_t nz_source_read(nz_source *s, void *p, size_t n)
{
    if (s->file) {
        n = file_read(s, p, n);
    } else {
        if (n > s->left)
            n = s->left;
        if (n)
            memcpy(p, s->bytes, n);
        s->bytes += n;
        s->left -= n;
    }
    s->at += n;
    return n;
}

const uint8_t *nz_source_take(nz_source *s, size_t n)
{
    if (s->file || n > s->left)
        return NULL;
    const uint8_t *p = s->bytes;
    s->bytes += n;
    s->left -= n;
    s->at += n;
    return p;
}

bool nz_source_skip(nz_source *s, uint64_t n)
{
    if (s->seeks && n <= INT64_MAX && !fseeko(s->file, (off_t)n, SEEK_CUR)) {
        s->at += n;
        return true;
    }
    uint8_t waste[4096];
    while (n) {
        size_t want = n < sizeof waste ? (size_t)n : sizeof waste;
        if (nz_source_read(s, waste, want) < want)
            return false;
        n -= want;
    }
    return true;
}

void nz_sink_file(nz_sink *s, FILE *file)
{
    *s = (nz_sink){.file = file, .fd = fileno(file)};
}

void nz_sink_memory(nz_sink *s, void *p, size_t n)
{
    *s = (nz_sink){.bytes = p, .left = n};
}

static size_t memory_write(nz_sink *s, const uint8_t *p, size_t n)
{
    if (n > s->left)
        return 0;
    if (n)
        memcpy(s->bytes, p, n);
    s->bytes += n;
    s->left -= n;
    return n;
}

static size_t file_write(nz_sink *s, const uint8_t *p, size_t n)
{
    size_t put = 0;
    if (s->fd < 0)
        return fwrite(p, 1, n, s->file);
    if (!s->begun && fflush(s->file))
        return 0;
    s->begun = true;
    while (put < n) {
        ssize_t got = write(s->fd, p + put, n - put);
        if (got > 0)
            put += (size_t)got;
        else if (got == 0 || errno != EINTR)
            break;
    }
    return put;
}

nz_err nz_sink_write(nz_sink *s, const void *p, size_t n)
{
    size_t put = s->file ? file_write(s, p, n) : memory_write(s, p, n);
    s->at += put;
    return put == n ? NZ_OK : s->file ? NZ_E_WRITE : NZ_E_FULL;
}

nz_err nz_sink_flush(nz_sink *s)
{
    if (!s->file)
        return NZ_OK;
    off_t at = s->fd < 0 ? -1 : lseek(s->fd, 0, SEEK_CUR);
    if (fflush(s->file) || (at >= 0 && fseeko(s->file, at, SEEK_SET)))
        return NZ_E_WRITE;
    return NZ_OK;
}
