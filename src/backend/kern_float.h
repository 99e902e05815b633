/* Float arithmetic of our own, in one stated order: what the kernels and the network share.
 * Only + - * / on binary32 and integer operations on its bits, so every machine agrees. */
#ifndef NZ_BACKEND_KERN_FLOAT_H
#define NZ_BACKEND_KERN_FLOAT_H

#include "base/base.h"
#include <float.h>

#if FLT_EVAL_METHOD != 0
#error "binary32 arithmetic must round to binary32: build with SSE2 or NEON floats"
#endif

/* Adding 1.5 * 2^23 leaves the nearest integer (ties to even) in the low bits of the sum. */
#define NZ_ROUND      12582912.0f
#define NZ_ROUND_BITS 0x4b400000

/* Inputs of the exponential stay within +-80, so that results stay normal numbers. */
#define NZ_EXP_MAX    80.0f
#define NZ_LOG2E      1.44269504f
#define NZ_LN2_HIGH   0.693359375f /* few bits: times an integer it is exact */
#define NZ_LN2_LOW    -2.12194440e-4f
#define NZ_EXP_C2     0.5f /* Taylor to x^6: 1.2e-7 for |x| <= ln(2) / 2 */
#define NZ_EXP_C3     0.166666667f
#define NZ_EXP_C4     0.0416666667f
#define NZ_EXP_C5     0.00833333333f
#define NZ_EXP_C6     0.00138888889f
#define NZ_RSQRT_BITS 0x5f3759df

/* The limits that keep every intermediate finite whatever the weights have become. */
#define NZ_CELL_MAX 64.0f      /* inputs of the recurrence */
#define NZ_GRAD_MAX 1048576.0f /* gradients between layers */
#define NZ_ROW_MAX  32767.0f   /* embeddings, in their fixed point */

#define NZ_NORM_TINY     1e-5f
#define NZ_SOFTMAX_FLOOR 1e-6f

NZ_INLINE int32_t nz_float_bits(float x)
{
    int32_t i;
    memcpy(&i, &x, sizeof i);
    return i;
}

NZ_INLINE float nz_float_of(int32_t i)
{
    float x;
    memcpy(&x, &i, sizeof x);
    return x;
}

NZ_INLINE float nz_float_limit(float x, float max)
{
    x = x < max ? x : max;
    return x > -max ? x : -max;
}

NZ_INLINE float nz_float_exp(float x)
{
    x = nz_float_limit(x, NZ_EXP_MAX);
    float m = x * NZ_LOG2E + NZ_ROUND;
    int32_t k = nz_float_bits(m) - NZ_ROUND_BITS;
    m -= NZ_ROUND;
    x = x - m * NZ_LN2_HIGH;
    x = x - m * NZ_LN2_LOW;
    float p = NZ_EXP_C6;
    p = p * x + NZ_EXP_C5;
    p = p * x + NZ_EXP_C4;
    p = p * x + NZ_EXP_C3;
    p = p * x + NZ_EXP_C2;
    p = p * (x * x) + x;
    p = p + 1.0f;
    return nz_float_of(nz_float_bits(p) + k * (1 << 23));
}

NZ_INLINE float nz_float_sigmoid(float x)
{
    return 1.0f / (1.0f + nz_float_exp(-x));
}

/* 1 / sqrt(x) for normal x > 0, to 0.2 %: enough for the size of a learning step, and a third of
 * the time of a square root and a division. */
NZ_INLINE float nz_float_rsqrt_rough(float x)
{
    float y = nz_float_of(NZ_RSQRT_BITS - (nz_float_bits(x) >> 1));
    return y * (1.5f - 0.5f * x * y * y);
}

/* The same to about 5e-6. */
NZ_INLINE float nz_float_rsqrt(float x)
{
    float y = nz_float_rsqrt_rough(x);
    return y * (1.5f - 0.5f * x * y * y);
}

/* Natural logarithm of a normal x > 0, to about 1e-6. */
NZ_INLINE float nz_float_log(float x)
{
    int32_t b = nz_float_bits(x) - nz_float_bits(0.70710678f);
    int32_t e = b >> 23;
    float m = nz_float_of(nz_float_bits(x) - e * (1 << 23)); /* in [sqrt(1/2), sqrt(2)) */
    float s = (m - 1.0f) / (m + 1.0f), q = s * s;
    float p = q * 0.142857143f + 0.2f;
    p = p * q + 0.333333333f;
    p = p * q + 1.0f;
    return (float)e * 0.693147181f + 2.0f * s * p;
}

#endif
