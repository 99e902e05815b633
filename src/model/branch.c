#include "branch.h"

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
static void convert(nz_machine machine, uint8_t *raw, size_t n, bool back)
{
    nz_x86 x = {.wide = machine == NZ_MACHINE_X86_64};
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

void nz_branch_absolute(nz_machine machine, uint8_t *raw, size_t n)
{
    convert(machine, raw, n, false);
}

void nz_branch_relative(nz_machine machine, uint8_t *raw, size_t n)
{
    convert(machine, raw, n, true);
}

/* Code is told by long runs of instructions that compilers use, 64-bit code by its REX prefixes. */
nz_machine nz_machine_of(const uint8_t *raw, size_t n)
{
    enum { SAMPLES = 16, SAMPLE = 4096 };
    size_t seen = 0, instructions = 0, rex = 0, distances = 0, near = 0;
    uint32_t after;
    for (size_t k = 0; k < SAMPLES; k++) {
        size_t from = n > SAMPLES * SAMPLE ? (n - SAMPLE) / (SAMPLES - 1) * k : 0;
        size_t to = n > SAMPLES * SAMPLE ? from + SAMPLE : n;
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
        if (to == n)
            break;
    }
    if (near < 8 || near * 2000 < seen || near * 4 < distances * 3)
        return NZ_MACHINE_NONE;
    return rex * 8 > instructions ? NZ_MACHINE_X86_64 : NZ_MACHINE_X86;
}
