#include "dtype.h"

#include <string.h>

static const nz_dtype_info INFO[NZ_DT_END] = {
    [NZ_DT_BYTES] = {"BYTES", 1, 1},
    [NZ_DT_U8] = {"U8", 1, 1},
    [NZ_DT_I8] = {"I8", 1, 1},
    [NZ_DT_BOOL] = {"BOOL", 1, 1},
    [NZ_DT_U16] = {"U16", 2, 1},
    [NZ_DT_I16] = {"I16", 2, 1},
    [NZ_DT_U32] = {"U32", 4, 1},
    [NZ_DT_I32] = {"I32", 4, 1},
    [NZ_DT_U64] = {"U64", 8, 1},
    [NZ_DT_I64] = {"I64", 8, 1},
    [NZ_DT_F16] = {"F16", 2, 1},
    [NZ_DT_BF16] = {"BF16", 2, 1},
    [NZ_DT_F32] = {"F32", 4, 1},
    [NZ_DT_F64] = {"F64", 8, 1},
    [NZ_DT_C64] = {"C64", 8, 1},
    [NZ_DT_C128] = {"C128", 16, 1},
    [NZ_DT_F8_E4M3] = {"F8_E4M3", 1, 1},
    [NZ_DT_F8_E5M2] = {"F8_E5M2", 1, 1},
    [NZ_DT_F8_E4M3FNUZ] = {"F8_E4M3FNUZ", 1, 1},
    [NZ_DT_F8_E5M2FNUZ] = {"F8_E5M2FNUZ", 1, 1},
    [NZ_DT_F8_E8M0] = {"F8_E8M0", 1, 1},
    [NZ_DT_F4] = {"F4", 1, 2},
    [NZ_DT_F6_E2M3] = {"F6_E2M3", 3, 4},
    [NZ_DT_F6_E3M2] = {"F6_E3M2", 3, 4},
    [NZ_DT_U4] = {"U4", 1, 2},
    [NZ_DT_I4] = {"I4", 1, 2},
    [NZ_DT_Q4_0] = {"Q4_0", 18, 32},
    [NZ_DT_Q4_1] = {"Q4_1", 20, 32},
    [NZ_DT_Q5_0] = {"Q5_0", 22, 32},
    [NZ_DT_Q5_1] = {"Q5_1", 24, 32},
    [NZ_DT_Q8_0] = {"Q8_0", 34, 32},
    [NZ_DT_Q8_1] = {"Q8_1", 36, 32},
    [NZ_DT_Q2_K] = {"Q2_K", 84, 256},
    [NZ_DT_Q3_K] = {"Q3_K", 110, 256},
    [NZ_DT_Q4_K] = {"Q4_K", 144, 256},
    [NZ_DT_Q5_K] = {"Q5_K", 176, 256},
    [NZ_DT_Q6_K] = {"Q6_K", 210, 256},
    [NZ_DT_Q8_K] = {"Q8_K", 292, 256},
    [NZ_DT_IQ2_XXS] = {"IQ2_XXS", 66, 256},
    [NZ_DT_IQ2_XS] = {"IQ2_XS", 74, 256},
    [NZ_DT_IQ3_XXS] = {"IQ3_XXS", 98, 256},
    [NZ_DT_IQ1_S] = {"IQ1_S", 50, 256},
    [NZ_DT_IQ4_NL] = {"IQ4_NL", 18, 32},
    [NZ_DT_IQ3_S] = {"IQ3_S", 110, 256},
    [NZ_DT_IQ2_S] = {"IQ2_S", 82, 256},
    [NZ_DT_IQ4_XS] = {"IQ4_XS", 136, 256},
    [NZ_DT_IQ1_M] = {"IQ1_M", 56, 256},
    [NZ_DT_TQ1_0] = {"TQ1_0", 54, 256},
    [NZ_DT_TQ2_0] = {"TQ2_0", 66, 256},
    [NZ_DT_MXFP4] = {"MXFP4", 17, 32},
    [NZ_DT_NVFP4] = {"NVFP4", 36, 64},
    [NZ_DT_Q1_0] = {"Q1_0", 18, 128},
    [NZ_DT_Q2_0] = {"Q2_0", 18, 64},
};

const nz_dtype_info *nz_dtype_about(unsigned dtype)
{
    return dtype < NZ_DT_END && INFO[dtype].name ? &INFO[dtype] : NULL;
}

nz_dtype nz_dtype_find(const char *name, size_t n)
{
    for (unsigned i = 0; i < NZ_DT_END; i++)
        if (INFO[i].name && strlen(INFO[i].name) == n && !memcmp(INFO[i].name, name, n))
            return (nz_dtype)i;
    return NZ_DT_BYTES;
}
