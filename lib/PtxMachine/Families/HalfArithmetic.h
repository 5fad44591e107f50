//===- HalfArithmetic.h - Instructions of f16 and bf16 ----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Half Precision Floating Point Instructions", as functions of one
// half and of both halves of a packed operand.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_HALFARITHMETIC_H
#define CTC_LIB_PTXMACHINE_FAMILIES_HALFARITHMETIC_H

#include "Families/HalfFunctions.h"

namespace ctc::ptx::CTC_PTX_LEVEL::half {

struct Add {
  template <class H> static CTC_SCALAR H apply(H a, H b) {
    return fromDouble<H>(double(toFloat(a)) + double(toFloat(b)));
  }
};
struct Sub {
  template <class H> static CTC_SCALAR H apply(H a, H b) {
    return fromDouble<H>(double(toFloat(a)) - double(toFloat(b)));
  }
};
struct Mul {
  template <class H> static CTC_SCALAR H apply(H a, H b) {
    return fromDouble<H>(double(toFloat(a)) * double(toFloat(b)));
  }
};
struct Fma {
  template <class H> static CTC_SCALAR H apply(H a, H b, H c) {
    // The product is exact in f64; the sum need not be.
    return fromDouble<H>(
        oddSum(double(toFloat(a)) * double(toFloat(b)), double(toFloat(c))));
  }
};
/// Only the sign bit changes.
struct Neg {
  template <class H> static CTC_SCALAR H apply(H a) {
    return {static_cast<uint16_t>(a.bits ^ 0x8000u)};
  }
};
struct Abs {
  template <class H> static CTC_SCALAR H apply(H a) {
    return {static_cast<uint16_t>(a.bits & 0x7fffu)};
  }
};
/// -0 is below +0; a NaN loses against a number, except with .NaN.
template <bool Max, bool NaN, bool XorSign> struct Extreme {
  template <class H> static CTC_SCALAR H apply(H a, H b) {
    const unsigned signs = (a.bits ^ b.bits) & 0x8000u;
    if constexpr (XorSign) {
      a = Abs::apply(a);
      b = Abs::apply(b);
    }
    const float x = toFloat(a), y = toFloat(b);
    const unsigned same = Max ? a.bits & b.bits : a.bits | b.bits;
    unsigned bits = (Max ? x > y : x < y) ? a.bits : b.bits;
    bits = x == y ? same : bits;
    bits = x != x ? b.bits : y != y ? a.bits : bits;
    if constexpr (XorSign)
      bits |= signs;
    const bool isNan = NaN ? (x != x || y != y) : (x != x && y != y);
    return {static_cast<uint16_t>(isNan ? kHalfNan : bits)};
  }
};

/// Both halves of a packed operand.
template <class Fn, class H> struct InHalves {
  template <class... S>
    requires(sizeof...(S) > 0 && (std::is_same_v<S, uint32_t> && ...))
  static CTC_SCALAR uint32_t apply(S... s) {
    uint32_t low = Fn::apply(H{static_cast<uint16_t>(s)}...).bits;
    uint32_t high = Fn::apply(H{static_cast<uint16_t>(s >> 16)}...).bits;
    return low | high << 16;
  }
};

} // namespace ctc::ptx::CTC_PTX_LEVEL::half

#endif // CTC_LIB_PTXMACHINE_FAMILIES_HALFARITHMETIC_H
