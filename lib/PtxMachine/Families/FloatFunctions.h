//===- FloatFunctions.h - Subnormals, saturation, NaN -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_FLOATFUNCTIONS_H
#define CTC_LIB_PTXMACHINE_FAMILIES_FLOATFUNCTIONS_H

#include "Families/Lanes.h"

namespace ctc::ptx::CTC_PTX_LEVEL {

template <class T> CTC_SCALAR constexpr T smallestNormal() {
  return sizeof(T) == 4 ? T(0x1p-126) : T(0x1p-1022);
}

/// The NaN that f32 instructions make; f64 ones make the quiet NaN.
template <class T> CTC_SCALAR T canonicalNan() {
  if constexpr (sizeof(T) == 4)
    return __builtin_bit_cast(float, 0x7fffffffu);
  else
    return __builtin_bit_cast(double, uint64_t(0x7ff8) << 48);
}

/// .ftz: a subnormal number becomes the zero of its sign. Only f32 has it.
template <bool Ftz, class T> CTC_SCALAR T flush(T value) {
  if constexpr (Ftz && sizeof(T) == 4) {
    uint32_t bits = __builtin_bit_cast(uint32_t, value);
    bits = bits & 0x7f800000u ? bits : bits & 0x80000000u;
    return __builtin_bit_cast(float, bits);
  }
  return value;
}

/// What stands at the end of an arithmetic instruction.
template <bool Ftz, bool Sat, class T> CTC_SCALAR T finish(T value) {
  value = flush<Ftz>(value);
  if constexpr (Sat) {
    // A NaN fails the first comparison and becomes +0, as -0 does.
    value = value > T(0) ? value : T(0);
    return value < T(1) ? value : T(1);
  }
  if constexpr (sizeof(T) == 4) {
    // In integers: to the compiler one NaN is as good as another.
    const uint32_t bits = __builtin_bit_cast(uint32_t, value);
    const bool isNan = (bits & 0x7fffffffu) > 0x7f800000u;
    return __builtin_bit_cast(float, isNan ? 0x7fffffffu : bits);
  }
  return value;
}

} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_FLOATFUNCTIONS_H
