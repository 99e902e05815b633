#include "branch.h"

#include "base/stretch.h"
#include "ngram/arm64.h"
#include "ngram/x86.h"

enum {
    REACH = 1 << 24, /* distances taken for such are below it: their highest byte is 00 or ff */
    TRUST = 8,       /* of a distance in code */
};

/* A sum modulo 2 * REACH, with the sign in the highest byte. */
static uint32_t turn(uint32_t v, uint32_t by)
{
    if (v + REACH >= 2 * REACH)
        return v;
    return ((v + by + REACH) & (2 * REACH - 1)) - REACH;
}

/* Addresses are kept with the highest byte first: it is the easiest to tell. */
static void convert_x86(bool wide, uint8_t *raw, size_t n, bool back)
{
    nz_x86 x = {.wide = wide};
    for (size_t i = 0; i < n;) {
        uint32_t after;
        if (x.trust < TRUST || n - i < 4 || !nz_x86_distance(&x, &after)) {
            nz_x86_next(&x, raw[i++]);
            continue;
        }
        uint32_t at = (uint32_t)i + 4 + after, v = nz_load32(raw + i);
        uint32_t to = back ? turn(__builtin_bswap32(v), -at) : __builtin_bswap32(turn(v, at));
        nz_store32(raw + i, to);
        i += 4;
        nz_x86_skip(&x, 4);
    }
}

/* An instruction at `at` with an address for its distance, or back. */
static uint32_t turn_arm64(uint32_t word, uint32_t at, bool back)
{
    uint32_t words = back ? -(at >> 2) : at >> 2, pages = back ? -(at >> 12) : at >> 12;
    if (nz_arm64_is_call(word))
        return (word & 0xfc000000) | ((word + words) & 0x3ffffff);
    if (!nz_arm64_is_page(word))
        return word;
    uint32_t page = ((word >> 3 & 0x1ffffc) | (word >> 29 & 3)) + pages;
    return (word & 0x9f00001f) | (page & 0x1ffffc) << 3 | (page & 3) << 29;
}

/* What is like code is kept with the highest byte, the operation, first. */
static void convert_arm64(uint8_t *raw, size_t n, bool back)
{
    uint32_t trust = 0;
    for (size_t i = 0; n - i >= 4; i += 4) {
        uint32_t word = nz_load32(raw + i), at = (uint32_t)i;
        if (trust < NZ_ARM64_TRUST) {
            trust = nz_arm64_trust(trust, word);
            continue;
        }
        uint32_t turned = back ? turn_arm64(__builtin_bswap32(word), at, true)
                               : __builtin_bswap32(turn_arm64(word, at, false));
        nz_store32(raw + i, turned);
        trust = nz_arm64_trust(trust, back ? turned : word);
    }
}

static void convert(nz_machine machine, uint8_t *raw, size_t n, bool back)
{
    if (machine == NZ_MACHINE_ARM64)
        convert_arm64(raw, n, back);
    else
        convert_x86(machine == NZ_MACHINE_X86_64, raw, n, back);
}

void nz_branch_absolute(nz_machine machine, uint8_t *raw, size_t n)
{
    convert(machine, raw, n, false);
}

void nz_branch_relative(nz_machine machine, uint8_t *raw, size_t n)
{
    convert(machine, raw, n, true);
}

/* Code returns, and keeps its frame pointer and the address to return to side by side. */
static bool is_arm64(const uint8_t *raw, size_t n)
{
    size_t from, to, seen = 0, sure = 0;
    for (unsigned k = 0; nz_stretch_of(&from, &to, n, k); k++) {
        for (size_t i = from & ~(size_t)3; i + 4 <= to; i += 4, seen++) {
            uint32_t word = nz_load32(raw + i);
            sure += word == 0xd65f03c0 || (word & 0xff007fff) == 0xa9007bfd ||
                    (word & 0xff007fff) == 0xa8007bfd;
        }
    }
    return sure >= 8 && sure * 1000 >= seen;
}

/* Code is told by long runs of instructions that compilers use, 64-bit code by its REX prefixes. */
static nz_machine x86_of(const uint8_t *raw, size_t n)
{
    size_t from, to, seen = 0, instructions = 0, rex = 0, distances = 0, near = 0;
    uint32_t after;
    for (unsigned k = 0; nz_stretch_of(&from, &to, n, k); k++) {
        nz_x86 x = {.wide = true};
        for (size_t i = from; i < to; i++, seen++) {
            nz_x86_next(&x, raw[i]);
            if (x.trust < NZ_X86_TRUST_MAX)
                continue;
            instructions += !x.length;
            rex += x.length == 1 && x.rex;
            if (nz_x86_distance(&x, &after) && to - i > 4) {
                distances++;
                near += nz_load32(raw + i + 1) + REACH < 2 * REACH;
            }
        }
    }
    if (near < 8 || near * 2000 < seen || near * 4 < distances * 3)
        return NZ_MACHINE_NONE;
    return rex * 8 > instructions ? NZ_MACHINE_X86_64 : NZ_MACHINE_X86;
}

nz_machine nz_machine_of(const uint8_t *raw, size_t n)
{
    return is_arm64(raw, n) ? NZ_MACHINE_ARM64 : x86_of(raw, n);
}
