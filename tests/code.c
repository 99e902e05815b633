/* Machine code: where instructions end, and addresses for distances and back. */
#include "model/branch.h"
#include "model/bytes.h"
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
    cr_assert_eq(nz_machine_of(raw, 0), NZ_MACHINE_NONE);
}

Test(branch, a_shape_has_a_machine_for_code_alone)
{
    nz_shape s;
    uint8_t raw[100] = {0}, stored[NZ_SHAPE_BYTES];
    nz_shape_choose(&s, 5, raw, sizeof raw);
    s.content.kind = NZ_KIND_CODE;
    for (int machine = 0; machine < 4; machine++) {
        s.content.machine = (nz_machine)machine;
        nz_shape_store(&s, stored);
        bool known = machine == NZ_MACHINE_X86 || machine == NZ_MACHINE_X86_64;
        cr_assert_eq(nz_shape_load(&s, stored), known ? NZ_OK : NZ_E_CORRUPT);
    }
    s.content = (nz_content){.kind = NZ_KIND_BINARY};
    nz_shape_store(&s, stored);
    stored[NZ_SHAPE_BYTES - NZ_CONTENT_BYTES] = NZ_MACHINE_X86;
    cr_assert_eq(nz_shape_load(&s, stored), NZ_E_CORRUPT);
}
