/* Number formats of tensors, from plain floats to the block formats of ggml. */
#ifndef NZ_CONTAINERS_DTYPE_H
#define NZ_CONTAINERS_DTYPE_H

#include <stddef.h>

/* The numbers are written to disk: new ones may come, none is ever changed or used again. */
typedef enum nz_dtype {
    NZ_DT_BYTES = 0, /* raw bytes, format unknown */

    NZ_DT_U8 = 1,
    NZ_DT_I8 = 2,
    NZ_DT_BOOL = 3,
    NZ_DT_U16 = 4,
    NZ_DT_I16 = 5,
    NZ_DT_U32 = 6,
    NZ_DT_I32 = 7,
    NZ_DT_U64 = 8,
    NZ_DT_I64 = 9,
    NZ_DT_F16 = 16,
    NZ_DT_BF16 = 17,
    NZ_DT_F32 = 18,
    NZ_DT_F64 = 19,
    NZ_DT_C64 = 20, /* two F32 */
    NZ_DT_C128 = 21,
    NZ_DT_F8_E4M3 = 32, /* no infinities: torch and ONNX write E4M3FN */
    NZ_DT_F8_E5M2 = 33,
    NZ_DT_F8_E4M3FNUZ = 34,
    NZ_DT_F8_E5M2FNUZ = 35,
    NZ_DT_F8_E8M0 = 36,
    NZ_DT_F4 = 37,      /* E2M1, two in a byte */
    NZ_DT_F6_E2M3 = 38, /* four in three bytes */
    NZ_DT_F6_E3M2 = 39,
    NZ_DT_U4 = 40, /* two in a byte */
    NZ_DT_I4 = 41,

    /* Blocks of ggml: 64 and its own number. */
    NZ_DT_GGML = 64,
    NZ_DT_Q4_0 = NZ_DT_GGML + 2,
    NZ_DT_Q4_1 = NZ_DT_GGML + 3,
    NZ_DT_Q5_0 = NZ_DT_GGML + 6,
    NZ_DT_Q5_1 = NZ_DT_GGML + 7,
    NZ_DT_Q8_0 = NZ_DT_GGML + 8,
    NZ_DT_Q8_1 = NZ_DT_GGML + 9,
    NZ_DT_Q2_K = NZ_DT_GGML + 10,
    NZ_DT_Q3_K = NZ_DT_GGML + 11,
    NZ_DT_Q4_K = NZ_DT_GGML + 12,
    NZ_DT_Q5_K = NZ_DT_GGML + 13,
    NZ_DT_Q6_K = NZ_DT_GGML + 14,
    NZ_DT_Q8_K = NZ_DT_GGML + 15,
    NZ_DT_IQ2_XXS = NZ_DT_GGML + 16,
    NZ_DT_IQ2_XS = NZ_DT_GGML + 17,
    NZ_DT_IQ3_XXS = NZ_DT_GGML + 18,
    NZ_DT_IQ1_S = NZ_DT_GGML + 19,
    NZ_DT_IQ4_NL = NZ_DT_GGML + 20,
    NZ_DT_IQ3_S = NZ_DT_GGML + 21,
    NZ_DT_IQ2_S = NZ_DT_GGML + 22,
    NZ_DT_IQ4_XS = NZ_DT_GGML + 23,
    NZ_DT_IQ1_M = NZ_DT_GGML + 29,
    NZ_DT_TQ1_0 = NZ_DT_GGML + 34,
    NZ_DT_TQ2_0 = NZ_DT_GGML + 35,
    NZ_DT_MXFP4 = NZ_DT_GGML + 39,
    NZ_DT_NVFP4 = NZ_DT_GGML + 40,
    NZ_DT_Q1_0 = NZ_DT_GGML + 41,
    NZ_DT_Q2_0 = NZ_DT_GGML + 42,
    NZ_DT_END
} nz_dtype;

typedef struct nz_dtype_info {
    const char *name;  /* "BF16", "Q4_K"; those of safetensors where it has the format */
    unsigned bytes;    /* of a block */
    unsigned elements; /* of a block, 1 for plain numbers */
} nz_dtype_info;

/* NULL: no such number. NZ_DT_BYTES counts as blocks of one byte. */
const nz_dtype_info *nz_dtype_about(unsigned dtype);
/* By name, n bytes long; NZ_DT_BYTES when there is none. */
nz_dtype nz_dtype_find(const char *name, size_t n);

#endif
