/* Is there anything to gain? Random and packed data are told apart cheaply: their bytes are even
 * in every plane of every block, nothing repeats, and a short trial of the engine gains nothing. */
#include "bytes.h"
#include "fast.h"

#include <stdlib.h>

enum {
    BLOCK = 65536,
    PLANES = 24, /* strides 1, 2, 3, 4, 6, 8, 12 all divide it */
    SMALL = 4096,
    PATCH = 16384, /* the trial codes TRIALS of these */
    TRIALS = 4,
};

/* Far from even: sum of squares of the counts above what chance gives. The excess tolerated costs
 * .036 bits a byte and is six standard deviations for the smallest plane. */
static bool uneven(const uint32_t *count, size_t n)
{
    uint64_t squares = 0;
    for (int i = 0; i < 256; i++)
        squares += (uint64_t)count[i] * count[i];
    return 256 * squares > (uint64_t)n * n + n * n / 20 + 255 * (uint64_t)n;
}

static bool block_uneven(const uint8_t *raw, size_t n)
{
    static const uint8_t strides[] = {1, 2, 3, 4, 8};
    uint32_t count[PLANES][256] = {0};
    size_t i = 0;
    for (; i + PLANES <= n; i += PLANES)
        for (int p = 0; p < PLANES; p++)
            count[p][raw[i + (size_t)p]]++;
    for (size_t k = 0; k < sizeof strides; k++) {
        for (int first = 0; first < strides[k]; first++) {
            uint32_t sum[256] = {0};
            for (int p = first; p < PLANES; p += strides[k])
                for (int c = 0; c < 256; c++)
                    sum[c] += count[p][c];
            if (uneven(sum, i / strides[k]))
                return true;
        }
    }
    return false;
}

/* Strings of 8 bytes seen before, looked up at one position in 32, chosen by content. */
static nz_err repeats(bool *yes, const uint8_t *raw, size_t n)
{
    enum { ENOUGH = 8 };
    int bits = 10;
    while (bits < 22 && n >> bits >> 5)
        bits++;
    uint32_t *seen = nz_big_new((size_t)4 << bits);
    if (!seen)
        return NZ_E_MEM;
    int found = 0;
    for (size_t i = 0; i + 8 <= n && found < ENOUGH; i++) {
        uint64_t h = nz_load64(raw + i) * UINT64_C(0x9E3779B97F4A7C15);
        if (h >> 59)
            continue;
        uint32_t *at = &seen[h << 5 >> (64 - bits)];
        found += *at && !memcmp(raw + *at - 1, raw + i, 8);
        *at = (uint32_t)i + 1;
    }
    nz_big_free(seen, (size_t)4 << bits);
    *yes = found >= ENOUGH;
    return NZ_OK;
}

static nz_err gains(bool *yes, const uint8_t *raw, size_t n)
{
    size_t patch = n < PATCH * TRIALS ? n / TRIALS : PATCH, size = patch * TRIALS, packed;
    uint8_t *sample = malloc(2 * size);
    if (!sample)
        return NZ_E_MEM;
    for (size_t k = 0; k < TRIALS; k++)
        memcpy(sample + k * patch, raw + (n - patch) / (TRIALS - 1) * k, patch);
    nz_shape s;
    nz_shape_for(&s, NZ_LEVEL_MIN, &(nz_content){.kind = NZ_KIND_BINARY}, size);
    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    nz_run run = {.kern = &kern};
    nz_err err = nz_fast_encode(&s, &run, sample, size, sample + size, size - size / 200, &packed);
    free(sample);
    *yes = !err;
    return err == NZ_E_FULL ? NZ_OK : err;
}

nz_err nz_bytes_hopeless(bool *hopeless, const uint8_t *raw, size_t n)
{
    bool worth = n < SMALL;
    nz_err err = NZ_OK;
    for (size_t i = 0; i + SMALL <= n && !worth; i += BLOCK)
        worth = block_uneven(raw + i, n - i < BLOCK ? n - i : BLOCK);
    if (!worth)
        err = repeats(&worth, raw, n);
    if (!err && !worth)
        err = gains(&worth, raw, n);
    *hopeless = !worth;
    return err;
}
