//===- HalfFunctions.h - f16 and bf16 as float ------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// 16-bit floats are computed in wider ones and rounded once at the end. Where
// the wider result is not exact it is rounded to odd (its last bit is set if
// anything was cut off), after which rounding to fewer bits gives what rounding
// the exact result would (Boldo and Melquiond, "When double rounding is odd").
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_HALFFUNCTIONS_H
#define CTC_LIB_PTXMACHINE_FAMILIES_HALFFUNCTIONS_H

#include "Families/Lanes.h"

namespace ctc::ptx::CTC_PTX_LEVEL {

constexpr uint16_t kHalfNan = 0x7fff; ///< Of f16 and bf16.

CTC_SCALAR float toFloat(Half value) {
  // The exponent is corrected by a product, which also makes subnormals right.
  uint32_t magnitude = (value.bits & 0x7fffu) << 13;
  float scaled = __builtin_bit_cast(float, magnitude) * 0x1p112f;
  uint32_t bits = __builtin_bit_cast(uint32_t, scaled);
  bits = magnitude >= 0x0f800000u ? magnitude | 0x7f800000u : bits;
  return __builtin_bit_cast(float, bits | (value.bits & 0x8000u) << 16);
}

CTC_SCALAR float toFloat(BHalf value) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(value.bits) << 16);
}

/// Round to nearest even.
CTC_SCALAR Half toHalf(float value) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  const uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  // Normal results: rebase the exponent, round by adding below the last bit.
  const uint32_t normal =
      (magnitude - (112u << 23) + 0xfffu + (magnitude >> 13 & 1)) >> 13;
  // Subnormal ones: an addition aligns and rounds the significand.
  const float aligned = __builtin_bit_cast(float, magnitude) + 0.5f;
  const uint32_t subnormal =
      __builtin_bit_cast(uint32_t, aligned) - 0x3f000000u;
  uint32_t result = magnitude < 0x38800000u ? subnormal : normal;
  result = magnitude >= 0x47800000u ? 0x7c00u : result;
  result = magnitude > 0x7f800000u ? kHalfNan : result | sign;
  return {static_cast<uint16_t>(result)};
}

CTC_SCALAR BHalf toBHalf(float value) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
  const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
  return {static_cast<uint16_t>(nan ? kHalfNan : rounded)};
}

template <class H> CTC_SCALAR H fromFloat(float value) {
  if constexpr (std::is_same_v<H, Half>)
    return toHalf(value);
  else
    return toBHalf(value);
}

/// `value` rounded to odd.
CTC_SCALAR float oddFloat(double value) {
  const float near = static_cast<float>(value);
  const uint32_t bits = __builtin_bit_cast(uint32_t, near);
  const double back = near;
  const bool isFinite = (bits & 0x7f800000u) != 0x7f800000u;
  const bool away = __builtin_fabs(back) > __builtin_fabs(value);
  const bool adjust = isFinite & (back != value) & !(bits & 1);
  const uint32_t odd = away ? bits - 1 : bits + 1;
  return __builtin_bit_cast(float, adjust ? odd : bits);
}

/// a + b rounded to odd; the error of a sum is itself a number (Knuth, TwoSum).
CTC_SCALAR double oddSum(double a, double b) {
  const double sum = a + b;
  const double part = sum - a;
  const double error = (a - (sum - part)) + (b - part);
  const uint64_t bits = __builtin_bit_cast(uint64_t, sum);
  const bool adjust = (error < 0.0 || error > 0.0) & !(bits & 1) & (sum != 0);
  const bool outward = (error > 0.0) == (sum > 0.0);
  const uint64_t odd = outward ? bits + 1 : bits - 1;
  return __builtin_bit_cast(double, adjust ? odd : bits);
}

template <class H> CTC_SCALAR H fromDouble(double value) {
  return fromFloat<H>(oddFloat(value));
}

/// A subnormal number as the zero of its sign; the exponent field is E bits.
template <class H> CTC_SCALAR H flushHalf(H value) {
  constexpr unsigned exponent = std::is_same_v<H, Half> ? 0x7c00 : 0x7f80;
  const unsigned bits = value.bits;
  return {static_cast<uint16_t>(bits & exponent ? bits : bits & 0x8000u)};
}

} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_HALFFUNCTIONS_H
