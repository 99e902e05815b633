/* What every part needs: little-endian loads and stores, hashing, big zeroed tables. */
#ifndef NZ_BASE_H
#define NZ_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NZ_LIKELY(x)   __builtin_expect(!!(x), 1)
#define NZ_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NZ_INLINE      static inline __attribute__((always_inline))
/* The compiler forgets what it knows of the integer x. */
#define NZ_OPAQUE(x) __asm__("" : "+r"(x))

NZ_INLINE uint16_t nz_load16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

NZ_INLINE uint32_t nz_load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

NZ_INLINE uint64_t nz_load64(const uint8_t *p)
{
    return nz_load32(p) | (uint64_t)nz_load32(p + 4) << 32;
}

NZ_INLINE void nz_store16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

NZ_INLINE void nz_store32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

NZ_INLINE void nz_store64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Of 1 to 8 bytes. */
NZ_INLINE uint64_t nz_load(const uint8_t *p, unsigned bytes)
{
    switch (bytes) {
    case 1: return *p;
    case 2: return nz_load16(p);
    case 4: return nz_load32(p);
    case 8: return nz_load64(p);
    }
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

NZ_INLINE void nz_store(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* 32 well-mixed bits of two 32-bit values. */
NZ_INLINE uint32_t nz_hash32(uint32_t a, uint32_t b)
{
    uint64_t x = a * UINT64_C(0x9E3779B97F4A7C15) ^
                 (b + UINT64_C(0x7F4A7C15)) * UINT64_C(0xD6E8FEB86659FD93);
    x ^= x >> 29;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    return (uint32_t)(x >> 32);
}

/* Zeroed memory, aligned to 64 bytes (to 2 MiB with huge pages asked for when large), touched only
 * when used. NULL when the system has none. Give it back with the same size. */
void *nz_big_new(size_t bytes);
void nz_big_free(void *p, size_t bytes);
/* Asks for huge pages where memory is about to be written, if it is large; anybody's memory. */
void nz_big_ask(void *p, size_t bytes);

#endif
