/* Which kernels this CPU can run, and the table filled from plain C upwards. */
#include "kern.h"

#include <stdlib.h>
#include <string.h>

void nz_kern_c(nz_kern *k);
void nz_kern_number_c(nz_kern *k);
void nz_kern_number_avx2(nz_kern *k);
void nz_kern_rans_c(nz_kern *k);
void nz_kern_rans_avx2(nz_kern *k);
void nz_kern_turbo_c(nz_kern *k);
void nz_kern_turbo_avx2(nz_kern *k);

unsigned nz_cpu(void)
{
    unsigned has = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        has |= NZ_CPU_AVX2;
#elif defined(__aarch64__)
    has |= NZ_CPU_NEON;
#endif
    const char *only = getenv("NZ_BACKEND");
    if (!only || !*only)
        return has;
    if (!strcmp(only, "avx2"))
        return has & NZ_CPU_AVX2;
    if (!strcmp(only, "neon"))
        return has & NZ_CPU_NEON;
    return 0;
}

void nz_kern_init(nz_kern *k, unsigned cpu)
{
    memset(k, 0, sizeof *k);
    nz_kern_c(k);
    nz_kern_number_c(k);
    nz_kern_rans_c(k);
    nz_kern_turbo_c(k);
    if (cpu & NZ_CPU_AVX2) {
        nz_kern_avx2(k);
        nz_kern_number_avx2(k);
        nz_kern_rans_avx2(k);
        nz_kern_turbo_avx2(k);
    }
    if (cpu & NZ_CPU_NEON)
        nz_kern_neon(k);
    k->cpu = cpu;
}
