#include "weights/value.h"

const nz_value *nz_value_of(nz_dtype dtype)
{
    static const nz_value e4m3 = {8, 4, 3}, e5m2 = {8, 5, 2}, f16 = {16, 5, 10}, bf16 = {16, 8, 7};
    static const nz_value f32 = {32, 8, 23}, f64 = {64, 11, 52};
    static const nz_value i8 = {8, 0, 0}, i16 = {16, 0, 0}, i32 = {32, 0, 0}, i64 = {64, 0, 0};
    switch (dtype) {
    case NZ_DT_F8_E4M3: return &e4m3;
    case NZ_DT_F8_E5M2: return &e5m2;
    case NZ_DT_F16: return &f16;
    case NZ_DT_BF16: return &bf16;
    case NZ_DT_F32: return &f32;
    case NZ_DT_F64: return &f64;
    case NZ_DT_I8: return &i8;
    case NZ_DT_I16: return &i16;
    case NZ_DT_I32: return &i32;
    case NZ_DT_I64: return &i64;
    default: return NULL;
    }
}
