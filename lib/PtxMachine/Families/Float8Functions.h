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

#include "HalfFunctions.h"

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

} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_FLOAT8FUNCTIONS_H
