//===- Float.cpp - Rounding to the types a layer may have -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/Float.h"

using namespace ctc;

uint32_t ctc::encode(double value, FloatFormat format) {
  const int fractionBits = format.precision - 1;
  const uint32_t infinity = ((uint32_t{1} << format.exponentBits) - 1)
                            << fractionBits;
  const uint32_t sign =
      std::signbit(value) ? uint32_t{1} << (fractionBits + format.exponentBits)
                          : 0;
  if (std::isnan(value))
    return sign | infinity | uint32_t{1} << (fractionBits - 1);
  const double rounded = std::fabs(roundTo(value, format));
  if (std::isinf(rounded))
    return sign | infinity;
  // The integer significand carries its leading bit into the exponent field,
  // so normal and subnormal numbers need no distinction.
  const int quantum = detail::quantumExponent(rounded, format);
  const auto significand =
      static_cast<uint32_t>(rounded * detail::powerOfTwo(-quantum));
  const auto steps =
      static_cast<uint32_t>(quantum + fractionBits - format.minExponent);
  return sign | ((steps << fractionBits) + significand);
}

double ctc::decode(uint32_t bits, FloatFormat format) {
  const int fractionBits = format.precision - 1;
  const uint32_t fraction = bits & ((uint32_t{1} << fractionBits) - 1);
  const uint32_t maxField = (uint32_t{1} << format.exponentBits) - 1;
  const uint32_t field = (bits >> fractionBits) & maxField;
  const bool negative = (bits >> (fractionBits + format.exponentBits)) & 1;
  double magnitude;
  if (field == maxField)
    magnitude = fraction ? std::numeric_limits<double>::quiet_NaN()
                         : std::numeric_limits<double>::infinity();
  else {
    const uint32_t leading = field ? uint32_t{1} << fractionBits : 0;
    const int exponent =
        format.minExponent + (field ? static_cast<int>(field) - 1 : 0);
    magnitude = static_cast<double>(leading | fraction) *
                detail::powerOfTwo(exponent - fractionBits);
  }
  return negative ? -magnitude : magnitude;
}
