#include "cli/rivals.h"

#include <string.h>

#ifdef NZ_ZSTD
#include <zstd.h>

enum { ULTRA = 22 };

static size_t zstd_bound(size_t n)
{
    return ZSTD_compressBound(n);
}

/* The strongest looks back over all of the input, as --ultra -22 --long=31 does. */
static void zstd_set(ZSTD_CCtx *c, int level, size_t n)
{
    int most = ZSTD_cParam_getBounds(ZSTD_c_windowLog).upperBound, window = 10;
    while (window < most && ((uint64_t)1 << window) < n)
        window++;
    ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    if (level == ULTRA) {
        ZSTD_CCtx_setParameter(c, ZSTD_c_enableLongDistanceMatching, 1);
        ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window);
    }
}

static bool zstd_pack(int level, void *to, size_t room, size_t *packed, const void *from, size_t n,
                      uint64_t *memory)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    if (!c)
        return false;
    zstd_set(c, level, n);
    *packed = ZSTD_compress2(c, to, room, from, n);
    *memory = ZSTD_sizeof_CCtx(c);
    ZSTD_freeCCtx(c);
    return !ZSTD_isError(*packed);
}

static bool zstd_unpack(int level, void *to, size_t n, const void *from, size_t packed,
                        uint64_t *memory)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    (void)level;
    if (!d)
        return false;
    size_t got = ZSTD_decompressDCtx(d, to, n, from, packed);
    *memory = ZSTD_sizeof_DCtx(d);
    ZSTD_freeDCtx(d);
    return got == n;
}
#endif

#ifdef NZ_LZMA
#include <lzma.h>

static size_t xz_bound(size_t n)
{
    return lzma_stream_buffer_bound(n);
}

/* 9 stands for -9e. */
static uint32_t xz_preset(int level)
{
    return (uint32_t)level | (level == 9 ? LZMA_PRESET_EXTREME : 0);
}

static bool xz_pack(int level, void *to, size_t room, size_t *packed, const void *from, size_t n,
                    uint64_t *memory)
{
    *packed = 0;
    *memory = lzma_easy_encoder_memusage(xz_preset(level));
    return lzma_easy_buffer_encode(xz_preset(level), LZMA_CHECK_CRC64, NULL, from, n, to, packed,
                                   room) == LZMA_OK;
}

static bool xz_unpack(int level, void *to, size_t n, const void *from, size_t packed,
                      uint64_t *memory)
{
    uint64_t limit = UINT64_MAX;
    size_t in = 0, out = 0;
    *memory = lzma_easy_decoder_memusage(xz_preset(level));
    return lzma_stream_buffer_decode(&limit, 0, NULL, from, &in, packed, to, &out, n) == LZMA_OK &&
           in == packed && out == n;
}
#endif

static const rival ALL[] = {
#ifdef NZ_ZSTD
    {"zstd", "-3", "-3", 3, zstd_bound, zstd_pack, zstd_unpack},
    {"zstd", "-19", "-19", 19, zstd_bound, zstd_pack, zstd_unpack},
    {"zstd", "--ultra -22 --long", "-22", ULTRA, zstd_bound, zstd_pack, zstd_unpack},
#endif
#ifdef NZ_LZMA
    {"xz", "-6", "-6", 6, xz_bound, xz_pack, xz_unpack},
    {"xz", "-9e", "-9e", 9, xz_bound, xz_pack, xz_unpack},
#endif
    {0}};

const rival *rival_get(unsigned i)
{
    return ALL[i].codec ? &ALL[i] : NULL;
}

bool rival_there(const char *codec)
{
    for (unsigned i = 0; rival_get(i); i++)
        if (!strcmp(rival_get(i)->codec, codec))
            return true;
    return false;
}
