//===- FloatFormats.h - Rounding to any float format ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// IEEE 754 rounding of an exact value to a binary format, in integers: right
// for every rounding mode whatever mode the host is in.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_FLOATFORMATS_H
#define CTC_LIB_PTXMACHINE_FAMILIES_FLOATFORMATS_H

#include <cstdint>

namespace ctc::ptx {

enum class Rounding : uint8_t {
  Nearest, ///< Ties to even.
  Zero,
  Down,
  Up,
  NearestAway, ///< Ties away from zero.
};

struct FloatFormat {
  int fraction;    ///< Stored bits of the significand.
  int minExponent; ///< Of the smallest normal number.
  int maxExponent;
  int lowZeros = 0; ///< Bits kept below the fraction, always zero (tf32).
  uint64_t nan = 0;
};

constexpr FloatFormat kF16{10, -14, 15, 0, 0x7fff};
constexpr FloatFormat kBF16{7, -126, 127, 0, 0x7fff};
constexpr FloatFormat kTF32{10, -126, 127, 13, 0x7fffffff};
constexpr FloatFormat kF32{23, -126, 127, 0, 0x7fffffff};
constexpr FloatFormat kF64{52, -1022, 1023, 0, uint64_t(0x7ff8) << 48};

/// The bits of (-1)^negative * magnitude * 2^exponent, rounded to `format`.
uint64_t encodeMagnitude(bool negative, uint64_t magnitude, int exponent,
                         FloatFormat format, Rounding rounding);
uint64_t encodeFloat(double value, FloatFormat format, Rounding rounding);
uint64_t encodeInteger(uint64_t bits, bool isSigned, FloatFormat format,
                       Rounding rounding);
double largestFinite(FloatFormat format);
double roundToInteger(double value, Rounding rounding);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_FAMILIES_FLOATFORMATS_H
