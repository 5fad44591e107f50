//===- FloatArithmetic.h - The operations that round ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_FLOATARITHMETIC_H
#define CTC_LIB_PTXMACHINE_FAMILIES_FLOATARITHMETIC_H

#include "Families/FloatFunctions.h"

#include <cfenv>

namespace ctc::ptx::CTC_PTX_LEVEL {
// Each family has its own Add, Mul, ...
namespace {

struct Add {
  template <class T> static CTC_SCALAR T apply(T a, T b) { return a + b; }
};
struct Sub {
  template <class T> static CTC_SCALAR T apply(T a, T b) { return a - b; }
};
struct Mul {
  template <class T> static CTC_SCALAR T apply(T a, T b) { return a * b; }
};
struct Div {
  template <class T> static CTC_SCALAR T apply(T a, T b) { return a / b; }
};
struct Fma {
  static CTC_SCALAR float apply(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
  }
  static CTC_SCALAR double apply(double a, double b, double c) {
    return __builtin_fma(a, b, c);
  }
};
struct Rcp {
  template <class T> static CTC_SCALAR T apply(T a) { return T(1) / a; }
};
struct Sqrt {
  static CTC_SCALAR float apply(float a) { return __builtin_sqrtf(a); }
  static CTC_SCALAR double apply(double a) { return __builtin_sqrt(a); }
};

/// Fn with .ftz, .sat and the canonical NaN around it.
template <class Fn, bool Ftz, bool Sat> struct Arithmetic {
  template <class T, class... S>
    requires std::is_floating_point_v<T>
  static CTC_SCALAR T apply(T a, S... s) {
    return finish<Ftz, Sat>(Fn::apply(flush<Ftz>(a), flush<Ftz>(s)...));
  }
};

/// Runs H's handlers in the host's rounding mode of op.mode. The registers are
/// memory that fesetround may change for all the compiler knows, so nothing
/// moves across it.
template <class H> struct Directed {
  template <bool Full>
  CTC_LANES static bool run(Warp &warp, const Op &op, LaneMask mask) {
    static constexpr int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD,
                                     FE_UPWARD};
    std::fesetround(kModes[op.mode & 3]);
    H::template run<Full>(warp, op, mask);
    std::fesetround(FE_TONEAREST);
    return true;
  }
  static constexpr Handlers handlers{run<true>, run<false>};
};

template <class Fn, class T, bool Ftz, bool Sat, class... S>
Handlers pickRounding(bool directed) {
  using Near = Map<Arithmetic<Fn, Ftz, Sat>, T, S...>;
  return directed ? Directed<Near>::handlers : Near::handlers;
}

template <class Fn, class T, class... S>
Handlers pickArithmetic(bool ftz, bool sat, bool directed) {
  if constexpr (sizeof(T) == 4) {
    if (ftz)
      return sat ? pickRounding<Fn, T, true, true, S...>(directed)
                 : pickRounding<Fn, T, true, false, S...>(directed);
    return sat ? pickRounding<Fn, T, false, true, S...>(directed)
               : pickRounding<Fn, T, false, false, S...>(directed);
  } else {
    return pickRounding<Fn, T, false, false, S...>(directed);
  }
}

} // namespace
} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_FLOATARITHMETIC_H
