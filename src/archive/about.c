/* What the library says of itself: its errors, its version, its kernels. */
#include "backend/kern.h"
#include "nz.h"

#define NZ_VERSION "0.1.0"

const char *nz_err_text(nz_err err)
{
    switch (err) {
    case NZ_OK: return "no error";
    case NZ_E_MEM: return "out of memory";
    case NZ_E_ARG: return "an option is out of range";
    case NZ_E_READ: return "cannot read the input";
    case NZ_E_WRITE: return "cannot write the output";
    case NZ_E_MAGIC: return "not an nzip archive";
    case NZ_E_VERSION: return "made by a version of nzip that this build does not know";
    case NZ_E_METHOD: return "uses a method that this build does not support";
    case NZ_E_CORRUPT: return "the archive is corrupt";
    case NZ_E_TRUNCATED: return "the archive ends too early";
    case NZ_E_LIMIT: return "needs more memory than the limit allows";
    case NZ_E_FULL: return "the output buffer is too small";
    case NZ_E_STOPPED: return "stopped";
    case NZ_E_BASE: return "needs the base file that it was packed with";
    }
    return "an unknown error";
}

const char *nz_version(void)
{
    return "nzip " NZ_VERSION;
}

const char *nz_backend(void)
{
    unsigned cpu = nz_cpu();
    return cpu & NZ_CPU_AVX2 ? "avx2" : cpu & NZ_CPU_NEON ? "neon" : "c";
}
