#include "sums.h"

uint32_t nz_crc32(uint32_t sum, const uint8_t *p, size_t n)
{
    static const uint32_t HALF[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                      0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                      0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                      0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    sum = ~sum;
    for (size_t i = 0; i < n; i++) {
        sum ^= p[i];
        sum = sum >> 4 ^ HALF[sum & 15];
        sum = sum >> 4 ^ HALF[sum & 15];
    }
    return ~sum;
}

uint32_t nz_adler32(uint32_t sum, const uint8_t *p, size_t n)
{
    enum { PRIME = 65521, SAFE = 5552 /* bytes until 32 bits might not do */ };
    uint32_t a = sum & 65535, b = sum >> 16;
    while (n) {
        size_t part = n < SAFE ? n : SAFE;
        for (size_t i = 0; i < part; i++)
            b += a += p[i];
        a %= PRIME;
        b %= PRIME;
        p += part;
        n -= part;
    }
    return b << 16 | a;
}
