/* Sources and sinks. A signal that interrupts stdio is no error: what is left is tried again. */
#include "archive/stream.h"

#include <errno.h>
#include <string.h>

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
    *s = (nz_sink){.file = file};
}

void nz_sink_memory(nz_sink *s, void *p, size_t n)
{
    *s = (nz_sink){.bytes = p, .left = n};
}

nz_err nz_sink_write(nz_sink *s, const void *p, size_t n)
{
    if (!s->file) {
        if (n > s->left)
            return NZ_E_FULL;
        if (n)
            memcpy(s->bytes, p, n);
        s->bytes += n;
        s->left -= n;
        s->at += n;
        return NZ_OK;
    }
    for (size_t put = 0; put < n;) {
        errno = 0;
        size_t got = fwrite((const uint8_t *)p + put, 1, n - put, s->file);
        put += got;
        s->at += got;
        if (put == n)
            break;
        if (errno != EINTR)
            return NZ_E_WRITE;
        clearerr(s->file);
    }
    return NZ_OK;
}

nz_err nz_sink_flush(nz_sink *s)
{
    while (s->file && fflush(s->file)) {
        if (errno != EINTR)
            return NZ_E_WRITE;
        clearerr(s->file);
    }
    return NZ_OK;
}
