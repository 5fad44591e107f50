//===- FloatApprox.cpp - sin, cos, lg2, ex2, tanh, .approx, .full ---------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Floating Point Instructions": forms whose results are only bounded.
// Here they are computed in f64 and rounded once, which lies within every
// bound; special values are those of the ISA's tables. With .ftz subnormal
// inputs and results are zero.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/FloatFunctions.h"

#include <cmath>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

struct Sin {
  static float apply(float a) { return float(std::sin(double(a))); }
};
struct Cos {
  static float apply(float a) { return float(std::cos(double(a))); }
};
/// lg2 of -0 and +0 is -infinity, of a negative number NaN.
struct Log2 {
  static float apply(float a) { return float(std::log2(double(a))); }
};
struct Exp2 {
  static float apply(float a) { return float(std::exp2(double(a))); }
};
struct Tanh {
  static float apply(float a) { return float(std::tanh(double(a))); }
};
struct Rcp {
  static CTC_SCALAR float apply(float a) { return 1.0f / a; }
};
struct Sqrt {
  static CTC_SCALAR float apply(float a) { return __builtin_sqrtf(a); }
};
/// rsqrt of -0 is -infinity.
struct Rsqrt {
  static CTC_SCALAR float apply(float a) {
    return static_cast<float>(1.0 / __builtin_sqrt(static_cast<double>(a)));
  }
  static CTC_SCALAR double apply(double a) { return 1.0 / __builtin_sqrt(a); }
};
struct DivFull {
  static CTC_SCALAR float apply(float a, float b) { return a / b; }
};
/// a * (1 / b): for |b| over 2^126 the reciprocal is 0, so the quotient is 0,
/// or NaN for an infinite a.
struct DivApprox {
  static CTC_SCALAR float apply(float a, float b) {
    const float magnitude = __builtin_fabsf(b);
    const bool huge = (magnitude > 0x1p126f) & (magnitude < __builtin_inff());
    return huge ? a * (b > 0 ? 0.0f : -0.0f) : a / b;
  }
};
/// {rcp,rsqrt}.approx.ftz.f64 look at the upper 32 bits only and give as many:
/// 20 bits of fraction, subnormals are zero.
template <class Fn> struct UpperWord {
  static CTC_SCALAR double apply(double a) {
    constexpr uint64_t upper = 0xffffffff00000000u;
    uint64_t bits = __builtin_bit_cast(uint64_t, a) & upper;
    bits = bits & (uint64_t(0x7ff) << 52) ? bits : bits & uint64_t(1) << 63;
    double result = Fn::apply(__builtin_bit_cast(double, bits));
    bits = __builtin_bit_cast(uint64_t, result) & upper;
    bits = bits & (uint64_t(0x7ff) << 52) ? bits : bits & uint64_t(1) << 63;
    return result != result ? canonicalNan<double>()
                            : __builtin_bit_cast(double, bits);
  }
};
struct RcpDouble {
  static CTC_SCALAR double apply(double a) { return 1.0 / a; }
};

template <class Fn, bool Ftz> struct Flushing {
  static CTC_SCALAR float apply(float a) {
    return finish<Ftz, false>(Fn::apply(flush<Ftz>(a)));
  }
  static CTC_SCALAR float apply(float a, float b) {
    return finish<Ftz, false>(Fn::apply(flush<Ftz>(a), flush<Ftz>(b)));
  }
};

/// Functions of libm are called lane by lane, and only for active lanes.
template <class Fn, bool Ftz>
bool callEachLane(Warp &warp, const Op &op, LaneMask mask) {
  uint32_t *d = rowOf<float>(warp, op.r[0]);
  const uint32_t *s = rowOf<float>(warp, op.r[1]);
  for (LaneMask left = mask; left; left &= left - 1) {
    unsigned i = lowestLane(left);
    float a = flush<Ftz>(Cell<float>::load(s[i]));
    d[i] = Cell<float>::store(finish<Ftz, false>(Fn::apply(a)));
  }
  return true;
}

template <class Fn> Decode decodeFunction(OpBuilder &b) {
  if (!b.take("approx"))
    return Decode::NotMine;
  bool ftz = b.take("ftz");
  auto type = b.takeType();
  if (!type || !type->isFloat(32) || !b.allTaken() || b.operandCount() != 2)
    return Decode::NotMine;
  Handler run = ftz ? callEachLane<Fn, true> : callEachLane<Fn, false>;
  b.emit({run, run}, {b.def(0, *type), b.use(1, *type)});
  return Decode::Done;
}

/// rcp, sqrt, rsqrt of f32 and, for Double, of f64.
template <class Fn, class Double> Decode decodeRoot(OpBuilder &b) {
  if (!b.take("approx"))
    return Decode::NotMine;
  bool ftz = b.take("ftz");
  auto type = b.takeType();
  if (!type || !b.allTaken() || b.operandCount() != 2)
    return Decode::NotMine;
  Handlers run;
  if (type->isFloat(32))
    run = ftz ? Map<Flushing<Fn, true>, float, float>::handlers
              : Map<Flushing<Fn, false>, float, float>::handlers;
  if constexpr (!std::is_void_v<Double>)
    if (type->isFloat(64))
      run = ftz ? Map<UpperWord<Double>, double, double>::handlers
                : Map<Double, double, double>::handlers;
  if (!run.full)
    return Decode::NotMine;
  b.emit(run, {b.def(0, *type), b.use(1, *type)});
  return Decode::Done;
}

Decode decodeDivide(OpBuilder &b) {
  int form = b.takeOneOf({"full", "approx"});
  bool ftz = b.take("ftz");
  auto type = b.takeType();
  if (form < 0 || !type || !type->isFloat(32) || !b.allTaken() ||
      b.operandCount() != 3)
    return Decode::NotMine;
  auto pick = [ftz]<class Fn>() {
    return ftz ? Map<Flushing<Fn, true>, float, float, float>::handlers
               : Map<Flushing<Fn, false>, float, float, float>::handlers;
  };
  b.emit(form == 0 ? pick.template operator()<DivFull>()
                   : pick.template operator()<DivApprox>(),
         {b.def(0, *type), b.use(1, *type), b.use(2, *type)});
  return Decode::Done;
}

} // namespace

void addFloatApprox(DecoderTable &table) {
  table.insert({"sin", decodeFunction<Sin>});
  table.insert({"cos", decodeFunction<Cos>});
  table.insert({"lg2", decodeFunction<Log2>});
  table.insert({"ex2", decodeFunction<Exp2>});
  table.insert({"tanh", decodeFunction<Tanh>});
  table.insert({"rcp", decodeRoot<Rcp, RcpDouble>});
  table.insert({"sqrt", decodeRoot<Sqrt, void>});
  table.insert({"rsqrt", decodeRoot<Rsqrt, Rsqrt>});
  table.insert({"div", decodeDivide});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
