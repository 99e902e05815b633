#include "find.h"
#include "sums.h"

static uint32_t load32_big(const uint8_t *p)
{
    return __builtin_bswap32(nz_load32(p));
}

/* ---- gzip, RFC 1952 ---- */

enum { TEXT_MOST = 4096 /* bytes */ };
enum { GZIP_HEAD = 10, GZIP_CRC = 2, GZIP_EXTRA = 4, GZIP_NAME = 8, GZIP_COMMENT = 16 };

static bool text_skip(nz_span *s)
{
    size_t n = nz_span_left(s);
    const uint8_t *end = memchr(s->at, 0, n < TEXT_MOST ? n : TEXT_MOST);
    return end && nz_span_cut(s, (size_t)(end - s->at) + 1).at;
}

static bool gzip(nz_found *found, const uint8_t *p, size_t n)
{
    nz_span s = nz_span_of(p, n);
    if (n < GZIP_HEAD || memcmp(p, "\x1f\x8b\x08", 3) != 0 || p[3] > 31)
        return false;
    nz_span_cut(&s, GZIP_HEAD);
    if (p[3] & GZIP_EXTRA) {
        nz_span size = nz_span_cut(&s, 2);
        nz_span_cut(&s, size.bad ? 0 : nz_load16(size.at));
    }
    if ((p[3] & GZIP_NAME && !text_skip(&s)) || (p[3] & GZIP_COMMENT && !text_skip(&s)))
        return false;
    if (p[3] & GZIP_CRC)
        nz_span_cut(&s, 2);
    *found = (nz_found){.wrap = NZ_WRAP_GZIP, .at = (size_t)(s.at - p)};
    return !s.bad;
}

/* ---- Members of zip archives ---- */

static bool zip(nz_found *found, const uint8_t *p, size_t n)
{
    enum { HEAD = 30, METHOD = 8, NAME = 26, EXTRA = 28, DEFLATED = 8 };
    if (n < HEAD || memcmp(p, "PK\3\4", 4) != 0 || nz_load16(p + METHOD) != DEFLATED)
        return false;
    size_t at = HEAD + nz_load16(p + NAME) + (size_t)nz_load16(p + EXTRA);
    *found = (nz_found){.wrap = NZ_WRAP_NONE, .at = at};
    return at < n;
}

/* ---- PNG ---- */

bool nz_png_data(nz_span *data, const uint8_t *p, size_t n)
{
    if (n < NZ_PNG_FRAME || memcmp(p + 4, "IDAT", 4) != 0)
        return false;
    size_t size = load32_big(p);
    if (size > n - NZ_PNG_FRAME || nz_crc32(0, p + 4, size + 4) != load32_big(p + 8 + size))
        return false;
    *data = nz_span_of(p + 8, size);
    return true;
}

void nz_png_waste(uint64_t *waste, const uint8_t *p, size_t n)
{
    size_t size = n < NZ_PNG_FRAME || memcmp(p + 4, "IDAT", 4) != 0 ? 0 : load32_big(p);
    if (size <= n)
        *waste -= size < *waste ? size : *waste;
}

void nz_png_put(nz_buf *to, const uint8_t *p, size_t n)
{
    uint8_t *q = nz_buf_room(to, n + NZ_PNG_FRAME);
    if (!q)
        return;
    nz_store32(q, __builtin_bswap32((uint32_t)n));
    memcpy(q + 4, "IDAT", 4);
    if (n)
        memcpy(q + 8, p, n);
    nz_store32(q + 8 + n, __builtin_bswap32(nz_crc32(0, q + 4, n + 4)));
    to->n += n + NZ_PNG_FRAME;
}

static bool png(nz_found *found, const uint8_t *p, size_t n, uint64_t *waste)
{
    enum { HEAD = 33, CHUNKS = 256 /* at most before the first with pixels */ };
    static const uint8_t CHANNELS[7] = {1, 0, 3, 1, 2, 0, 4}; /* by type of colour */
    nz_span data;
    if (n < HEAD || memcmp(p, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16) != 0)
        return false;
    unsigned bits = p[25] < 7 ? p[24] * (unsigned)CHANNELS[p[25]] : 0;
    uint64_t row = ((uint64_t)load32_big(p + 16) * bits + 7) / 8 + 1;
    *found = (nz_found){.wrap = NZ_WRAP_PNG,
                        .row = row > UINT32_MAX || p[28] ? 0 : (unsigned)row,
                        .pixel = (bits + 7) / 8,
                        .depth = p[24]};
    size_t at = HEAD;
    for (int chunk = 0; chunk < CHUNKS && n - at >= NZ_PNG_FRAME; chunk++) {
        size_t size = load32_big(p + at);
        if (nz_png_data(&data, p + at, n - at)) {
            found->at = at;
            return true;
        }
        if (size > n - at - NZ_PNG_FRAME)
            break;
        nz_png_waste(waste, p + at, n - at);
        at += size + NZ_PNG_FRAME;
    }
    return false;
}

/* ---- zlib, RFC 1950 ---- */

/* Any header where PDF has one; elsewhere only those that zlib writes, of the usual window. */
static bool zlib(nz_found *found, const uint8_t *all, size_t at, size_t n)
{
    const uint8_t *p = all + at;
    if (n - at < 2 || (p[0] & 15) != 8 || p[0] > 0x78 || p[1] & 32 || (p[0] << 8 | p[1]) % 31)
        return false;
    bool pdf =
        (at >= 7 && !memcmp(p - 7, "stream\n", 7)) || (at >= 8 && !memcmp(p - 8, "stream\r\n", 8));
    *found = (nz_found){.wrap = NZ_WRAP_ZLIB, .at = 2};
    return pdf || p[0] == 0x78;
}

bool nz_find(nz_found *found, const uint8_t *p, size_t n, size_t from, uint64_t *waste)
{
    for (size_t at = from; at < n && *waste; at++) {
        bool good = false;
        switch (p[at]) {
        case 0x1f: good = gzip(found, p + at, n - at); break;
        case 0x89: good = png(found, p + at, n - at, waste); break;
        case 'P': good = zip(found, p + at, n - at); break;
        default: good = zlib(found, p, at, n);
        }
        if (good) {
            found->from = at;
            found->at += at;
            return true;
        }
    }
    return false;
}
