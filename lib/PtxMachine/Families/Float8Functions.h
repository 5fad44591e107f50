//===- Float8Functions.h - e4m3 and e5m2 as float ---------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Alternate Floating-Point Data Formats". e4m3 has a bias of 7, no
// infinities, and one NaN of each sign (0x7f and 0xff); its largest number is
// 448. e5m2 is the upper half of an f16, with infinities and NaN.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_FLOAT8FUNCTIONS_H
#define CTC_LIB_PTXMACHINE_FAMILIES_FLOAT8FUNCTIONS_H

#include "Families/HalfFunctions.h"

namespace ctc::ptx::CTC_PTX_LEVEL {

/// 8-bit floats travel as their bits.
struct E4M3 {
  uint8_t bits;
};
struct E5M2 {
  uint8_t bits;
};

/// Exact.
CTC_SCALAR float toFloat(E4M3 value) {
  // As for f16: a product corrects the exponent, of subnormals too.
  const uint32_t magnitude = value.bits & 0x7fu;
  const float scaled = __builtin_bit_cast(float, magnitude << 20) * 0x1p120f;
  uint32_t bits = __builtin_bit_cast(uint32_t, scaled);
  bits = magnitude == 0x7fu ? 0x7fffffffu : bits;
  return __builtin_bit_cast(float, bits | (value.bits & 0x80u) << 24);
}

/// Exact.
CTC_SCALAR float toFloat(E5M2 value) {
  return toFloat(Half{static_cast<uint16_t>(value.bits << 8)});
}

/// Rounded to nearest even to a format of `Fraction` bits below the leading one
/// and this bias, as the magnitude's bits; `magnitude` is that of an f32 that
/// is not NaN. What is too large gives bits above those of the format.
template <int Fraction, int Bias>
CTC_SCALAR uint32_t roundTo8Bits(uint32_t magnitude) {
  constexpr uint32_t kCut = 23 - Fraction;
  constexpr uint32_t kRebase = (127 - Bias) << 23;
  constexpr uint32_t kBelowHalf = (1u << (kCut - 1)) - 1;
  const uint32_t normal =
      (magnitude - kRebase + kBelowHalf + (magnitude >> kCut & 1)) >> kCut;
  // Subnormal results: an addition aligns and rounds the significand. The last
  // bit of the addend is worth one unit of the format.
  constexpr uint32_t kAddend = (127 + 1 - Bias - Fraction + 23) << 23;
  const float aligned =
      __builtin_bit_cast(float, magnitude) + __builtin_bit_cast(float, kAddend);
  const uint32_t subnormal = __builtin_bit_cast(uint32_t, aligned) - kAddend;
  return magnitude < kRebase + (1u << 23) ? subnormal : normal;
}

/// Rounded to nearest even; what is too large, and infinity, becomes the
/// largest finite number of its sign (.satfinite). NaN gives 0x7f.
template <class F> CTC_SCALAR F toFloat8(float value) {
  constexpr bool isE4M3 = std::is_same_v<F, E4M3>;
  constexpr uint32_t kLargest = isE4M3 ? 0x7e : 0x7b;
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t result =
      isE4M3 ? roundTo8Bits<3, 7>(magnitude) : roundTo8Bits<2, 15>(magnitude);
  result = result > kLargest ? kLargest : result;
  result |= bits >> 24 & 0x80u;
  return {static_cast<uint8_t>(magnitude > 0x7f800000u ? 0x7fu : result)};
}

} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_FLOAT8FUNCTIONS_H
