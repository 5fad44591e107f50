//===- IntegerMath.h - Division towards either side -------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_SUPPORT_INTEGERMATH_H
#define CTC_SUPPORT_INTEGERMATH_H

#include <cstdint>

namespace ctc {

/// Quotient rounded towards minus infinity; the divisor must be positive.
constexpr int64_t floorDiv(int64_t value, int64_t divisor) {
  return value / divisor - (value % divisor < 0);
}

/// Quotient rounded towards plus infinity; the divisor must be positive.
constexpr int64_t ceilDiv(int64_t value, int64_t divisor) {
  return value / divisor + (value % divisor > 0);
}

/// Remainder in [0, divisor); the divisor must be positive.
constexpr int64_t floorMod(int64_t value, int64_t divisor) {
  const int64_t remainder = value % divisor;
  return remainder < 0 ? remainder + divisor : remainder;
}

constexpr int64_t roundUp(int64_t value, int64_t multiple) {
  return ceilDiv(value, multiple) * multiple;
}

} // namespace ctc

#endif // CTC_SUPPORT_INTEGERMATH_H
