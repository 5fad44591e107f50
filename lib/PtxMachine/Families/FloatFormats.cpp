//===- FloatFormats.cpp - Rounding to any float format --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Families/FloatFormats.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ctc::ptx {

/// Whether the kept part grows by one unit: `rest` is what is cut off, `half`
/// half a unit.
static bool roundsUp(Rounding rounding, bool negative, bool odd, uint64_t rest,
                     uint64_t half) {
  switch (rounding) {
  case Rounding::Nearest:
    return rest > half || (rest == half && odd);
  case Rounding::NearestAway:
    return rest >= half;
  case Rounding::Zero:
    return false;
  case Rounding::Down:
    return negative && rest;
  case Rounding::Up:
    return !negative && rest;
  }
  return false;
}

uint64_t encodeMagnitude(bool negative, uint64_t magnitude, int exponent,
                         FloatFormat format, Rounding rounding) {
  const int exponentBits =
      std::bit_width(static_cast<unsigned>(format.maxExponent)) + 1;
  const int width = format.fraction + exponentBits + format.lowZeros;
  const uint64_t sign = uint64_t(negative) << width;
  if (!magnitude)
    return sign;
  // Normalise: bit 63 set, with the value magnitude * 2^exponent unchanged.
  int lead = std::countl_zero(magnitude);
  magnitude <<= lead;
  exponent -= lead;
  // The weight of the result's last bit.
  int last = std::max(exponent + 63, format.minExponent) - format.fraction;
  int shift = last - exponent;           // At least 63 - 52.
  uint64_t kept = 0, rest = 1, half = 2; // All is below half a unit.
  if (shift == 64) {
    rest = magnitude;
    half = uint64_t(1) << 63;
  } else if (shift < 64) {
    kept = magnitude >> shift;
    rest = magnitude & ((uint64_t(1) << shift) - 1);
    half = uint64_t(1) << (shift - 1);
  }
  kept += roundsUp(rounding, negative, kept & 1, rest, half);
  // A carry out of the significand runs into the exponent field, as it must.
  int field = last + format.fraction - format.minExponent;
  uint64_t bits = (static_cast<uint64_t>(field) << format.fraction) + kept;
  const uint64_t infinity = ((uint64_t(1) << exponentBits) - 1)
                            << format.fraction;
  if (bits >= infinity) {
    bool toInfinity = rounding == Rounding::Nearest ||
                      rounding == Rounding::NearestAway ||
                      (rounding == Rounding::Up && !negative) ||
                      (rounding == Rounding::Down && negative);
    bits = toInfinity ? infinity : infinity - 1;
  }
  return sign | bits << format.lowZeros;
}

uint64_t encodeFloat(double value, FloatFormat format, Rounding rounding) {
  const auto bits = std::bit_cast<uint64_t>(value);
  const bool negative = bits >> 63;
  if (std::isnan(value))
    return format.nan;
  if (std::isinf(value)) {
    const int exponentBits =
        std::bit_width(static_cast<unsigned>(format.maxExponent)) + 1;
    uint64_t infinity = ((uint64_t(1) << exponentBits) - 1)
                        << (format.fraction + format.lowZeros);
    return infinity | uint64_t(negative)
                          << (format.fraction + exponentBits + format.lowZeros);
  }
  const int field = static_cast<int>(bits >> 52 & 0x7ff);
  uint64_t magnitude = bits & ((uint64_t(1) << 52) - 1);
  if (field)
    magnitude |= uint64_t(1) << 52;
  return encodeMagnitude(negative, magnitude, std::max(field, 1) - 1075, format,
                         rounding);
}

uint64_t encodeInteger(uint64_t bits, bool isSigned, FloatFormat format,
                       Rounding rounding) {
  const bool negative = isSigned && bits >> 63;
  return encodeMagnitude(negative, negative ? 0 - bits : bits, 0, format,
                         rounding);
}

double largestFinite(FloatFormat format) {
  return std::ldexp(2 - std::ldexp(1.0, -format.fraction), format.maxExponent);
}

double roundToInteger(double value, Rounding rounding) {
  switch (rounding) {
  case Rounding::Nearest: {
    // Ties to even, without the host's rounding mode.
    double below = std::floor(value), rest = value - below;
    bool up = rest > 0.5 || (rest == 0.5 && std::fmod(below, 2.0) != 0);
    return std::copysign(up ? below + 1 : below, value);
  }
  case Rounding::NearestAway:
    return std::round(value);
  case Rounding::Zero:
    return std::trunc(value);
  case Rounding::Down:
    return std::floor(value);
  case Rounding::Up:
    return std::ceil(value);
  }
  return value;
}

} // namespace ctc::ptx
