//===- Float.h - Rounding to the types a layer may have ---------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Binary floating-point formats as data and the roundings into them. Every
// rounding starts from a double and happens once: going through f32 on the way
// to f16 would round twice.
//
// tf32 has the range of f32 and 10 fraction bits. ctc rounds to it as
// cvt.rna.tf32.f32 does (PTX ISA, "cvt"): to nearest, ties away from zero.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_SUPPORT_FLOAT_H
#define CTC_SUPPORT_FLOAT_H

#include "ctc/Support/Problem.h"

#include <bit>
#include <cmath>
#include <limits>

namespace ctc {

/// A binary format in the style of IEEE 754, with subnormals, infinities, NaN.
struct FloatFormat {
  int precision; ///< Significant bits, the implicit one included.
  int exponentBits;
  int minExponent; ///< Of the smallest normal number.
  int maxExponent; ///< Of the largest finite number.
};

inline constexpr FloatFormat kF32{24, 8, -126, 127};
inline constexpr FloatFormat kF16{11, 5, -14, 15};
inline constexpr FloatFormat kBF16{8, 8, -126, 127};
inline constexpr FloatFormat kTF32{11, 8, -126, 127};

constexpr FloatFormat formatOf(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return kF32;
  case ElementType::F16:
    return kF16;
  case ElementType::BF16:
    return kBF16;
  }
  return kF32;
}

enum class Rounding : uint8_t { NearestEven, NearestAway, TowardZero };

namespace detail {
/// 2^exponent for a normal double.
constexpr double powerOfTwo(int exponent) {
  return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
}

/// Floor of log2|value|; -1023 for zero and subnormal doubles, which lie below
/// every format here.
constexpr int exponentOf(double value) {
  return static_cast<int>((std::bit_cast<uint64_t>(value) >> 52) & 0x7ff) -
         1023;
}

/// log2 of the distance between neighbours of the format around `value`.
constexpr int quantumExponent(double value, FloatFormat format) {
  const int exponent = exponentOf(value);
  return (exponent < format.minExponent ? format.minExponent : exponent) -
         (format.precision - 1);
}
} // namespace detail

/// Distance between neighbouring numbers of the format at |value|.
constexpr double ulpOf(double value, FloatFormat format) {
  return detail::powerOfTwo(detail::quantumExponent(value, format));
}

constexpr double largestFinite(FloatFormat format) {
  return (2 - detail::powerOfTwo(1 - format.precision)) *
         detail::powerOfTwo(format.maxExponent);
}

/// `value` rounded once into the format. NaN and infinities stay; what rounds
/// past the largest finite number becomes infinite, except towards zero.
inline double roundTo(double value, FloatFormat format,
                      Rounding rounding = Rounding::NearestEven) {
  if (!std::isfinite(value))
    return value;
  const int quantum = detail::quantumExponent(value, format);
  const double scaled = std::fabs(value) * detail::powerOfTwo(-quantum);
  // scaled < 2^24, so adding 2^52 rounds to an integer, ties to even.
  double integer = (scaled + 0x1p52) - 0x1p52;
  if (rounding == Rounding::NearestAway)
    integer = std::floor(scaled + 0.5);
  else if (rounding == Rounding::TowardZero)
    integer = std::floor(scaled);
  double result = integer * detail::powerOfTwo(quantum);
  if (result > largestFinite(format))
    result = rounding == Rounding::TowardZero
                 ? largestFinite(format)
                 : std::numeric_limits<double>::infinity();
  return std::copysign(result, value);
}

inline double roundTo(double value, ElementType type) {
  return roundTo(value, formatOf(type));
}

/// A finite or infinite f32 rounded to tf32 to nearest, ties away from zero.
inline float roundToTF32(float value) {
  return static_cast<float>(roundTo(value, kTF32, Rounding::NearestAway));
}

/// The bits of `value` rounded once, to nearest even, into the format. NaN
/// becomes the quiet NaN with only its first fraction bit set.
uint32_t encode(double value, FloatFormat format);
/// The value of the bits of a format no wider than f32.
double decode(uint32_t bits, FloatFormat format);

} // namespace ctc

#endif // CTC_SUPPORT_FLOAT_H
