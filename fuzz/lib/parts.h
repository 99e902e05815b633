/* Files of parts that are of the kinds nzip knows, drawn from a few bytes: texts, records, code,
 * images, sound, what is packed, checkpoints, and tars of them. */
#ifndef NZ_FUZZ_PARTS_H
#define NZ_FUZZ_PARTS_H

#include "deflated.h"
#include "numbers.h"
#include "packed/describe.h"
#include "packed/find.h"
#include "packed/manner.h"
#include "packed/sums.h"

#include <stdio.h>

enum { PART_MOST = 3000, FILE_MOST = 12000, DEPTH_MOST = 3 };

static void put_part(nz_buf *to, nz_span *from, int depth);

static void put_text(nz_buf *to, const char *text)
{
    nz_buf_put(to, text, strlen(text));
}

static void put_big32(nz_buf *to, uint32_t v)
{
    uint8_t bytes[4];
    nz_store32(bytes, __builtin_bswap32(v));
    nz_buf_put(to, bytes, sizeof bytes);
}

static void put_little32(nz_buf *to, uint32_t v)
{
    uint8_t bytes[4];
    nz_store32(bytes, v);
    nz_buf_put(to, bytes, sizeof bytes);
}

static void put_little64(nz_buf *to, uint64_t v)
{
    put_little32(to, (uint32_t)v);
    put_little32(to, (uint32_t)(v >> 32));
}

static void put_words(nz_buf *to, nz_span *from)
{
    static const char *const words[] = {"the ",   "of ",    "and\n", "<b>", "</b>", "int ",
                                        "x = 1;", "\"a\":", "12",    ",",   ". It", " Is ",
                                        "été\t",  "WORD ",  "--",    "\r\n"};
    uint32_t s = 1 + choose(from, 65536);
    for (unsigned n = choose(from, 500); n; n--)
        put_text(to, words[next_random(&s) >> 9 & next_random(&s) >> 13 & 15]);
}

static void put_code(nz_buf *to, nz_span *from)
{
    static const uint8_t x86[] =
        "\x48\x89\xe5\x55\xe8\x10\x20\0\0\x0f\x84\x30\0\0\0\xc3\x48\x8b\x05";
    bool arm = choose(from, 2);
    uint32_t s = 1 + choose(from, 65536);
    for (unsigned n = choose(from, 400); n; n--) {
        uint32_t v = next_random(&s);
        if (!arm)
            nz_buf_put(to, x86 + v % 12, 1 + (v >> 8) % 7);
        else
            put_little32(to, v % 4 == 0   ? 0xd65f03c0
                             : v % 4 == 1 ? 0x94000000 | (v >> 8 & 0xfff)
                             : v % 4 == 2 ? 0x90000000 | (v >> 8 & 0xff) << 5
                                          : 0xa9bf7bfd);
    }
}

/* Samples that move little. */
static void put_samples(nz_buf *to, nz_span *from, size_t n, unsigned bytes)
{
    uint32_t s = 1 + choose(from, 65536), v = choose(from, 65536);
    unsigned noise = choose(from, 64);
    for (size_t i = 0; i < n; i++) {
        v += (next_random(&s) >> 16) % (2 * noise + 1) - noise;
        nz_buf_byte(to, (i % bytes + 1 == bytes ? v >> 8 : v) & 255);
    }
}

static void put_image(nz_buf *to, nz_span *from)
{
    char head[64];
    unsigned kind = 4 + choose(from, 3), wide = 8 + choose(from, 64), high = 8 + choose(from, 24);
    unsigned deep = choose(from, 4) ? 255 : 65535, planes = kind == 6 ? 3 : 1;
    unsigned bytes = deep > 255 ? 2 : 1;
    size_t row = kind == 4 ? (wide + 7) / 8 : (size_t)wide * planes * bytes;
    if (kind == 4)
        snprintf(head, sizeof head, "P4\n%u %u\n", wide, high);
    else
        snprintf(head, sizeof head, "P%u\n%u %u\n%u\n", kind, wide, high, deep);
    put_text(to, head);
    put_samples(to, from, row * high, bytes);
}

static void put_sound(nz_buf *to, nz_span *from)
{
    unsigned channels = 1 + choose(from, 4), width = 1 + choose(from, 3);
    unsigned n = choose(from, 600) * channels * width;
    put_text(to, "RIFF");
    put_little32(to, n + 36);
    put_text(to, "WAVEfmt ");
    put_little32(to, 16);
    put_little32(to, 1 | channels << 16);
    put_little32(to, 44100);
    put_little32(to, 44100 * channels * width);
    put_little32(to, channels * width | 8 * width << 16);
    put_text(to, "data");
    put_little32(to, n);
    put_samples(to, from, n, width);
}

/* ---- Packed ---- */

/* As zlib or gzip would, or as nobody would. Sets *raw, for the caller to free, to what it holds.
 */
static void put_stream(nz_buf *to, nz_buf *raw, nz_span *from)
{
    nz_manner m = {.level = 1 + choose(from, 9), .window = 15, .memory = 8};
    uint8_t manner[NZ_MANNER_BYTES];
    if (choose(from, 4) == 0) {
        nz_span choices = choose_bytes(from, 256);
        deflate_from(to, raw, &choices);
        return;
    }
    m.gzip = choose(from, 4) == 0;
    nz_manner_store(&m, manner);
    check(!nz_rebuild(to, raw->p, raw->n, manner, sizeof manner, 2 * raw->n + 1000));
}

static void put_gzip(nz_buf *to, nz_span *from, int depth)
{
    nz_buf raw = {0};
    put_part(&raw, from, depth);
    nz_buf_put(to, "\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
    put_stream(to, &raw, from);
    put_little32(to, nz_crc32(0, raw.p, raw.n));
    put_little32(to, (uint32_t)raw.n);
    nz_buf_free(&raw);
}

static void put_zip_member(nz_buf *to, nz_span *from, int depth)
{
    nz_buf raw = {0}, stream = {0};
    put_part(&raw, from, depth);
    put_stream(&stream, &raw, from);
    nz_buf_put(to, "PK\3\4\x14\0\0\0\x08\0\0\0\0\0", 14);
    put_little32(to, nz_crc32(0, raw.p, raw.n));
    put_little32(to, (uint32_t)stream.n);
    put_little32(to, (uint32_t)raw.n);
    put_little32(to, 1);
    nz_buf_put(to, "a", 1);
    nz_buf_put(to, stream.p, stream.n);
    nz_buf_free(&stream);
    nz_buf_free(&raw);
}

static void put_chunk(nz_buf *to, const char *type, const nz_buf *data)
{
    put_big32(to, (uint32_t)data->n);
    size_t start = to->n;
    put_text(to, type);
    nz_buf_put(to, data->p, data->n);
    put_big32(to, nz_crc32(0, to->p + start, to->n - start));
}

/* Rows behind their filters' types. */
static void put_rows(nz_buf *to, nz_span *from, unsigned rows, size_t row)
{
    for (; rows; rows--) {
        nz_buf_byte(to, choose(from, 16) ? choose(from, 5) : choose(from, 256));
        put_samples(to, from, row, 1);
    }
}

static void put_png(nz_buf *to, nz_span *from)
{
    static const uint8_t types[] = {0, 2, 3, 4, 6}, channels[] = {1, 3, 1, 2, 4};
    static const uint8_t depths[] = {1, 8, 8, 16};
    unsigned type = choose(from, 5), depth = depths[choose(from, 4)];
    unsigned wide = 1 + choose(from, 40), high = 1 + choose(from, 20);
    nz_buf head = {0}, rows = {0}, data = {0};
    put_big32(&head, wide);
    put_big32(&head, high);
    nz_buf_byte(&head, depth);
    nz_buf_byte(&head, types[type]);
    nz_buf_put(&head, "\0\0", 2);
    nz_buf_byte(&head, choose(from, 8) == 0);
    put_rows(&rows, from, high, ((size_t)wide * channels[type] * depth + 7) / 8);
    put_text(&data, "\x78\x9c");
    put_stream(&data, &rows, from);
    put_big32(&data, nz_adler32(1, rows.p, rows.n));
    nz_buf_put(to, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(to, "IHDR", &head);
    for (size_t at = 0, step = 64 + choose(from, 65536); at < data.n; at += step)
        nz_png_put(to, data.p + at, data.n - at < step ? data.n - at : step);
    put_chunk(to, "IEND", &(nz_buf){0});
    nz_buf_free(&head);
    nz_buf_free(&rows);
    nz_buf_free(&data);
}

/* ---- Checkpoints ---- */

static void put_safetensors(nz_buf *to, nz_span *from)
{
    nz_buf head = {0}, data = {0};
    char entry[160];
    unsigned n = 1 + choose(from, 4);
    nz_buf_byte(&head, '{');
    for (unsigned i = 0; i < n; i++) {
        nz_dtype dtype = dtype_from(from);
        const nz_dtype_info *info = nz_dtype_about(dtype);
        unsigned rows = 1 + choose(from, 16), blocks = 1 + choose(from, 64);
        size_t bytes = (size_t)rows * blocks * info->bytes, start = data.n;
        bytes = bytes < PART_MOST ? bytes : bytes % PART_MOST;
        snprintf(entry, sizeof entry,
                 "%s\"%c\":{\"dtype\":\"%s\",\"shape\":[%u,%u],\"data_offsets\":[%zu,%zu]}",
                 i ? "," : "", 'a' + i, info->name, rows, blocks * info->elements, start,
                 start + bytes);
        put_text(&head, entry);
        put_numbers(&data, from, bytes, info->bytes);
    }
    nz_buf_byte(&head, '}');
    put_little64(to, head.n);
    nz_buf_put(to, head.p, head.n);
    nz_buf_put(to, data.p, data.n);
    nz_buf_free(&head);
    nz_buf_free(&data);
}

static void put_gguf(nz_buf *to, nz_span *from)
{
    nz_dtype dtype = (nz_dtype)(NZ_DT_GGML + choose(from, NZ_DT_END - NZ_DT_GGML));
    const nz_dtype_info *info = nz_dtype_about(dtype);
    unsigned rows = 1 + choose(from, 16);
    put_text(to, "GGUF\3");
    nz_buf_put(to, "\0\0", 3);
    put_little64(to, 1);
    put_little64(to, 0);
    put_little64(to, 1);
    put_text(to, "t");
    put_little32(to, 2);
    put_little64(to, info ? info->elements : 32);
    put_little64(to, rows);
    put_little32(to, dtype - NZ_DT_GGML);
    put_little64(to, 0);
    while (to->n % 32 && !to->failed)
        nz_buf_byte(to, 0);
    put_numbers(to, from, (size_t)rows * (info ? info->bytes : 7), info ? info->bytes : 1);
}

/* In no container. */
static void put_array(nz_buf *to, nz_span *from)
{
    put_numbers(to, from, choose(from, 2) ? choose(from, PART_MOST) : 8192, 2u << choose(from, 3));
}

/* ---- All ---- */

static void put_tar(nz_buf *to, nz_span *from, int depth)
{
    for (unsigned n = 1 + choose(from, 3); n; n--) {
        char head[512] = "file.txt";
        nz_buf part = {0};
        put_part(&part, from, depth);
        snprintf(head + 124, 12, "%011zo", part.n);
        memcpy(head + 257, "ustar", 6);
        nz_buf_put(to, head, sizeof head);
        nz_buf_put(to, part.p, part.n);
        while (to->n % 512 && !to->failed)
            nz_buf_byte(to, 0);
        nz_buf_free(&part);
    }
}

static void put_part(nz_buf *to, nz_span *from, int depth)
{
    unsigned kind = choose(from, 13);
    if (depth == DEPTH_MOST && kind >= 10)
        kind -= 10;
    switch (kind) {
    case 0: put_words(to, from); break;
    case 1: put_again(to, from, choose(from, PART_MOST)); break;
    case 2: put_code(to, from); break;
    case 3: put_image(to, from); break;
    case 4: put_sound(to, from); break;
    case 5: put_png(to, from); break;
    case 6: put_safetensors(to, from); break;
    case 7: put_gguf(to, from); break;
    case 8: put_array(to, from); break;
    case 9: put_numbers(to, from, choose(from, PART_MOST), 0); break;
    case 10: put_gzip(to, from, depth + 1); break;
    case 11: put_zip_member(to, from, depth + 1); break;
    default: put_tar(to, from, depth + 1); break;
    }
    check(!to->failed);
}

static inline void put_file(nz_buf *to, nz_span *from)
{
    for (unsigned n = 1 + choose(from, 3); n && to->n < FILE_MOST; n--)
        put_part(to, from, 0);
}

#endif
