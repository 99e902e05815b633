#include "raster.h"

/* What is looked at in the row above reaches up to four pixels to the right. */
enum { ROW_MIN = 8, PIXELS_MIN = 5, BITS_ROW_MIN = 16, ROWS_MIN = 8, REST = 4 };

/* Headers are looked for at every byte: one that goes on for ever must not be read to its end. */
enum { PNM_HEADER_MOST = 1024 /* bytes, comments among them */, TIFF_ENTRIES_MOST = 512 };

bool nz_raster_valid(const nz_raster *r)
{
    const uint32_t bytes = nz_sample_bytes(r->sample);
    if (r->first >= r->row || r->sample >= NZ_SAMPLES || r->row % bytes || r->pixel % bytes)
        return false;
    if (!r->pixel)
        return r->sample == NZ_SAMPLE_8 && r->row >= BITS_ROW_MIN;
    return r->pixel / bytes <= NZ_PLANES_MAX && r->row >= ROW_MIN &&
           r->row / r->pixel >= PIXELS_MIN;
}

/* At least ROWS_MIN rows of so many bytes, from `first` on. */
static bool set(nz_picture *p, size_t n, uint64_t row, uint64_t rows, uint64_t first,
                uint32_t pixel, nz_sample sample)
{
    if (row > UINT16_MAX || row < ROW_MIN || first + ROWS_MIN * row > n || rows < ROWS_MIN)
        return false;
    uint64_t whole = (n - first) / row;
    p->raster =
        (nz_raster){(uint16_t)row, (uint16_t)(first % row), (uint8_t)pixel, (uint8_t)sample};
    p->from = (size_t)first;
    p->bytes = (size_t)((rows < whole ? rows : whole) * row);
    return nz_raster_valid(&p->raster);
}

/* The next number of a PNM header, 0 for none. */
static uint32_t number(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    uint32_t v = 0;
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t' || *p == '#')) {
        if (*p == '#')
            while (p < end && *p != '\n')
                p++;
        else
            p++;
    }
    for (; p < end && *p >= '0' && *p <= '9' && v < 1u << 24; p++)
        v = 10 * v + *p - '0';
    *at = p;
    return v;
}

static bool pnm(nz_picture *p, const uint8_t *raw, size_t n)
{
    if (raw[0] != 'P' || raw[1] < '4' || raw[1] > '6')
        return false;
    const uint8_t *at = raw + 2, *end = raw + (n < PNM_HEADER_MOST ? n : PNM_HEADER_MOST);
    uint32_t width = number(&at, end), height = number(&at, end);
    if (raw[1] == '4')
        return set(p, n, (width + 7) / 8, height, (size_t)(at - raw) + 1, 0, NZ_SAMPLE_8);
    uint32_t most = number(&at, end);
    nz_sample sample = most < 256 ? NZ_SAMPLE_8 : NZ_SAMPLE_16;
    uint32_t pixel = (raw[1] == '5' ? 1 : 3) * nz_sample_bytes(sample);
    return most > 0 && most < 65536 &&
           set(p, n, (uint64_t)width * pixel, height, (size_t)(at - raw) + 1, pixel, sample);
}

/* Rows of a BMP are multiples of 4 bytes. */
static bool bmp(nz_picture *p, const uint8_t *raw, size_t n)
{
    if (raw[0] != 'B' || raw[1] != 'M' || nz_load32(raw + 14) < 40 || nz_load16(raw + 26) != 1)
        return false;
    uint32_t height = nz_load32(raw + 22); /* below zero: from the top down */
    uint32_t first = nz_load32(raw + 10), width = nz_load32(raw + 18), bits = nz_load16(raw + 28);
    if (nz_load32(raw + 30) != 0 && nz_load32(raw + 30) != 3)
        return false; /* compressed */
    uint64_t row = ((uint64_t)width * bits + 31) / 32 * 4;
    return (bits == 1 || bits == 8 || bits == 24 || bits == 32) &&
           set(p, n, row, height >> 31 ? -height : height, first, bits / 8, NZ_SAMPLE_8);
}

typedef struct tiff {
    const uint8_t *raw;
    size_t n;
    bool big; /* big-endian */
} tiff;

static uint32_t tiff16(const tiff *t, uint64_t at)
{
    if (at + 2 > t->n)
        return 0;
    uint32_t v = nz_load16(t->raw + at);
    return t->big ? (v >> 8 | v << 8) & 0xffff : v;
}

static uint32_t tiff32(const tiff *t, uint64_t at)
{
    uint32_t a = tiff16(t, at), b = tiff16(t, at + 2);
    return t->big ? a << 16 | b : b << 16 | a;
}

/* The first value of a field in the first directory; `missing` when there is no such field. */
static uint32_t field(const tiff *t, uint32_t tag, uint32_t missing)
{
    enum { ENTRY = 12, SHORT = 3, LONG = 4 };
    uint64_t at = tiff32(t, 4);
    uint32_t entries = tiff16(t, at);
    if (entries > TIFF_ENTRIES_MOST)
        return missing;
    for (at += 2; entries-- > 0 && at < t->n; at += ENTRY) {
        if (tiff16(t, at) != tag)
            continue;
        uint32_t type = tiff16(t, at + 2), size = type == SHORT ? 2 : 4;
        uint64_t value = (uint64_t)tiff32(t, at + 4) * size > 4 ? tiff32(t, at + 8) : at + 8;
        return type == SHORT ? tiff16(t, value) : type == LONG ? tiff32(t, value) : missing;
    }
    return missing;
}

static bool tif(nz_picture *p, const uint8_t *raw, size_t n)
{
    enum {
        WIDTH = 256,
        HEIGHT = 257,
        BITS = 258,
        COMPRESSION = 259,
        STRIPS = 273,
        SAMPLES = 277,
        PLANAR = 284
    };
    if (memcmp(raw, "II*\0", 4) != 0 && memcmp(raw, "MM\0*", 4) != 0)
        return false;
    tiff t = {raw, n, raw[0] == 'M'};
    uint32_t planes = field(&t, SAMPLES, 1), bits = field(&t, BITS, 1);
    uint64_t width = field(&t, WIDTH, 0), height = field(&t, HEIGHT, 0);
    uint64_t first = field(&t, STRIPS, 0);
    if (field(&t, COMPRESSION, 1) != 1 || field(&t, PLANAR, 1) != 1 || planes < 1 ||
        planes > NZ_PLANES_MAX)
        return false;
    if (bits == 1 && planes == 1)
        return set(p, n, (width + 7) / 8, height, first, 0, NZ_SAMPLE_8);
    nz_sample sample = bits == 8 ? NZ_SAMPLE_8 : t.big ? NZ_SAMPLE_16 : NZ_SAMPLE_16_LITTLE;
    uint32_t pixel = planes * nz_sample_bytes(sample);
    return (bits == 8 || bits == 16) && set(p, n, width * pixel, height, first, pixel, sample);
}

bool nz_picture_find(nz_picture *p, const uint8_t *raw, size_t n)
{
    enum { HEADER_MIN = 64 };
    return n > HEADER_MIN && (pnm(p, raw, n) || bmp(p, raw, n) || tif(p, raw, n));
}

bool nz_raster_find(nz_raster *r, const uint8_t *raw, size_t n)
{
    nz_picture p;
    if (!nz_picture_find(&p, raw, n) || n - p.bytes > n / REST)
        return false;
    *r = p.raster;
    return true;
}
