/* Machine code: where instructions end, and addresses for distances and back. */
#include "model/branch.h"
#include "model/bytes.h"
#include "ngram/arm64.h"
#include "ngram/x86.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Bytes read until the next one begins an instruction. */
static size_t length(bool wide, const char *code, size_t n)
{
    nz_x86 x = {.wide = wide};
    for (size_t i = 0; i < n; i++) {
        nz_x86_next(&x, (uint8_t)code[i]);
        if (!x.length)
            return i + 1;
    }
    return 0;
}

#define LENGTH(wide, code) length(wide, code "\x90\x90\x90", sizeof code - 1 + 3)
#define WHOLE(wide, code)  cr_expect_eq(LENGTH(wide, code), sizeof code - 1, "%s", #code)

Test(x86, instructions_of_both_modes_end_where_they_should)
{
    WHOLE(true, "\xc3");                                     /* ret */
    WHOLE(true, "\x48\x89\xe5");                             /* mov rbp, rsp */
    WHOLE(true, "\x48\x8b\x05\x01\x02\x03\x04");             /* mov rax, [rip + disp32] */
    WHOLE(true, "\x48\x8b\x44\x24\x08");                     /* mov rax, [rsp + 8] */
    WHOLE(true, "\x8b\x04\x25\x01\x02\x03\x04");             /* mov eax, [disp32] */
    WHOLE(true, "\x66\xc7\x45\xf0\x01\x02");                 /* mov word [rbp - 16], imm16 */
    WHOLE(true, "\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08"); /* mov rax, imm64 */
    WHOLE(true, "\xf6\x05\x01\x02\x03\x04\x01");             /* test byte [rip + d], imm8 */
    WHOLE(true, "\xf7\xd8");                                 /* neg eax */
    WHOLE(true, "\x0f\x84\x01\x02\x03\x04");                 /* je rel32 */
    WHOLE(true, "\xf3\x0f\x1e\xfa");                         /* endbr64 */
    WHOLE(true, "\x66\x0f\x3a\x0f\xc1\x08");                 /* palignr xmm0, xmm1, 8 */
    WHOLE(true, "\xc5\xf9\x6f\x07");                         /* vmovdqa xmm0, [rdi] */
    WHOLE(true, "\xc4\xe3\x7d\x39\xc1\x01");                 /* vextracti128 xmm1, ymm0, 1 */
    WHOLE(true, "\x62\xf1\xfe\x48\x6f\x07");                 /* vmovdqu64 zmm0, [rdi] */
    WHOLE(false, "\x40");                                    /* inc eax */
    WHOLE(false, "\xa1\x01\x02\x03\x04");                    /* mov eax, [disp32] */
    WHOLE(false, "\xc4\x07");                                /* les eax, [edi] */
    WHOLE(false, "\x9a\x01\x02\x03\x04\x05\x06");            /* call far */
}

static void there_and_back(nz_machine machine, uint8_t *raw, size_t n)
{
    uint8_t *code = malloc(n + 1);
    memcpy(code, raw, n);
    nz_branch_absolute(machine, code, n);
    nz_branch_relative(machine, code, n);
    cr_assert_eq(memcmp(code, raw, n), 0, "machine %d, %zu bytes", machine, n);
    free(code);
}

/* Calls among moves, near and far, up to the very end. */
Test(branch, any_bytes_come_back)
{
    enum { N = 1000 };
    uint8_t raw[N];
    srand(1);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < N; i++)
            raw[i] = round & 1 ? (uint8_t)(rand() >> 8) : 0x90;
        for (int i = rand() % 40; i + 5 <= N; i += 1 + rand() % 40) {
            raw[i] = 0xe8;
            nz_store32(raw + i + 1, (uint32_t)rand() << (round % 3));
            raw[i + 4] = (uint8_t)(rand() % 3 - 1);
        }
        there_and_back(NZ_MACHINE_X86, raw, N - round % 7);
        there_and_back(NZ_MACHINE_X86_64, raw, N - round % 7);
    }
}

/* bl, adrp, add, mov, ldr and ret by lot, or anything. */
Test(branch, any_words_come_back)
{
    static const uint32_t words[] = {0x94000000, 0x90000000, 0x91000000,
                                     0xaa0003e0, 0xf9400000, 0xd65f03c0};
    enum { N = 1000 };
    uint8_t raw[N], code[N];
    int turned = 0;
    srand(2);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < N; i += 4) {
            uint32_t any = (uint32_t)rand() << 1, kind = (uint32_t)rand() % 6;
            uint32_t field = kind < 2 ? 0x63ffffff : kind < 5 ? 0x3ff : 0;
            bool data = i / 100 % 3 == round % 3;
            nz_store32(raw + i, data ? any : words[kind] | (any & field));
        }
        there_and_back(NZ_MACHINE_ARM64, raw, N - round % 7);
        memcpy(code, raw, N);
        nz_branch_absolute(NZ_MACHINE_ARM64, code, N);
        turned += memcmp(code, raw, N) != 0;
    }
    cr_assert_eq(turned, 200);
}

Test(branch, arm64_names_places)
{
    enum { WORDS = 64 };
    uint8_t code[4 * WORDS];
    for (uint32_t i = 0; i < WORDS; i++)
        nz_store32(code + 4 * i, 0x91000400); /* add x0, x0, 1 */
    nz_store32(code + 4 * 20, 0x94000000 | ((10 - 20) & 0x3ffffff));
    nz_store32(code + 4 * 30, 0x94000000 | ((10 - 30) & 0x3ffffff));
    nz_store32(code + 4 * 40, 0xb0000001); /* adrp x1, the page behind this one */
    nz_branch_absolute(NZ_MACHINE_ARM64, code, sizeof code);
    cr_assert_eq(memcmp(code + 4 * 6, "\0\4\0\x91", 4), 0, "before there is trust");
    cr_assert_eq(memcmp(code + 4 * 15, "\x91\0\4\0", 4), 0);
    cr_assert_eq(memcmp(code + 4 * 20, "\x94\0\0\x0a", 4), 0);
    cr_assert_eq(memcmp(code + 4 * 30, "\x94\0\0\x0a", 4), 0);
    cr_assert_eq(memcmp(code + 4 * 40, "\xb0\0\0\1", 4), 0);
}

Test(arm64, words_are_read_as_instructions)
{
    nz_arm64 a = {0};
    nz_arm64_start(&a);
    static const uint8_t code[] = "\x94\0\0\x0a\xf9\x40\x07\xe0\x91\0";
    for (size_t i = 0; i < sizeof code - 1; i++)
        nz_arm64_next(&a, code[i]);
    cr_assert_eq(a.place, 2);
    cr_assert_eq(a.now, 0x19100);
    cr_assert_eq(a.word[0], 0xf94007e0);
    cr_assert_eq(a.word[1], 0x9400000a);
    cr_assert_eq(a.call[0], 0x9400000a);
    cr_assert_eq(a.stack, 0xf94007e0); /* ldr x0, [sp, 8] */
    cr_assert_eq(a.op[1], nz_arm64_op(0x97fffff0));
    cr_assert_neq(a.op[0], nz_arm64_op(0xb94007e0));
}

Test(branch, calls_of_one_place_look_the_same)
{
    uint8_t code[256];
    memset(code, 0x90, sizeof code);
    for (uint32_t at = 100; at < 200; at += 50) {
        code[at] = 0xe8;
        nz_store32(code + at + 1, 16 - (at + 5));
    }
    nz_branch_absolute(NZ_MACHINE_X86_64, code, sizeof code);
    for (uint32_t at = 100; at < 200; at += 50)
        cr_assert_eq(memcmp(code + at, "\xe8\0\0\0\x10", 5), 0);
}

Test(branch, machines_are_told_from_code)
{
    static const char piece[] = "\x48\x8b\x45\xf8\x48\x89\xc7\xe8\x10\x02\x00\x00\x85\xc0";
    uint8_t raw[7000];
    for (size_t i = 0; i < sizeof raw; i++)
        raw[i] = (uint8_t)piece[i % (sizeof piece - 1)];
    cr_assert_eq(nz_machine_of(raw, sizeof raw), NZ_MACHINE_X86_64);
    for (size_t i = 0; i < sizeof raw; i++)
        if (raw[i] == 0x48)
            raw[i] = 0x50;
    cr_assert_eq(nz_machine_of(raw, sizeof raw), NZ_MACHINE_X86);
    for (size_t i = 0; i < sizeof raw; i++)
        raw[i] = (uint8_t)(i * i >> 3);
    cr_assert_eq(nz_machine_of(raw, sizeof raw), NZ_MACHINE_NONE);
    for (size_t i = 0; i < 20; i++)
        nz_store32(raw + 300 * i,
                   i & 1 ? 0xd65f03c0 : 0xa9be7bfd); /* ret; stp x29, x30, [sp, -32]! */
    cr_assert_eq(nz_machine_of(raw, sizeof raw), NZ_MACHINE_ARM64);
    cr_assert_eq(nz_machine_of(raw, 0), NZ_MACHINE_NONE);
}

Test(branch, a_shape_has_a_machine_for_code_alone)
{
    nz_shape s;
    uint8_t raw[100] = {0}, stored[NZ_SHAPE_BYTES];
    nz_shape_choose(&s, 5, raw, sizeof raw);
    s.content.kind = NZ_KIND_CODE;
    for (int machine = 0; machine < NZ_MACHINES + 2; machine++) {
        s.content.machine = (nz_machine)machine;
        nz_shape_store(&s, stored);
        bool known = machine > NZ_MACHINE_NONE && machine < NZ_MACHINES;
        cr_assert_eq(nz_shape_load(&s, stored), known ? NZ_OK : NZ_E_CORRUPT);
    }
    s.content = (nz_content){.kind = NZ_KIND_BINARY};
    nz_shape_store(&s, stored);
    stored[NZ_SHAPE_BYTES - NZ_CONTENT_BYTES] = NZ_MACHINE_X86;
    cr_assert_eq(nz_shape_load(&s, stored), NZ_E_CORRUPT);
}
