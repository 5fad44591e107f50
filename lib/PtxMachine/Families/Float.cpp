//===- Float.cpp - add, sub, mul, fma, div, rcp, sqrt, min, max, ... ------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Floating Point Instructions", f32 and f64.
//
//  * Rounding .rn, .rz, .rm, .rp; fma rounds once.
//  * f32 with .ftz reads and writes subnormal numbers as zeros of their sign;
//    otherwise they are kept, and f64 keeps them always.
//  * .sat clamps to [0, 1], NaN becomes +0.
//  * A NaN result of f32 is 0x7fffffff.
//  * min and max order -0 below +0 and return the other operand for a NaN;
//    with .NaN they return NaN.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/FloatArithmetic.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

/// Emits Fn on `Sources` operands of the instruction's type.
template <class Fn, class T, class... S>
Decode emitArithmetic(OpBuilder &b, Type type, bool ftz, bool sat,
                      int rounding) {
  std::vector<Slot> slots = {b.def(0, type)};
  for (size_t i = 1; i <= sizeof...(S); ++i)
    slots.push_back(b.use(i, type));
  Op &op = b.emit(pickArithmetic<Fn, T, S...>(ftz, sat, rounding > 0), slots);
  op.mode = static_cast<uint16_t>(rounding > 0 ? rounding : 0);
  return Decode::Done;
}

/// Two sources.
template <class Fn, class T> struct EmitBinary {
  static Decode emit(OpBuilder &b, Type t, bool ftz, bool sat, int rounding) {
    return emitArithmetic<Fn, T, T, T>(b, t, ftz, sat, rounding);
  }
};
template <class Fn, class T> struct EmitUnary {
  static Decode emit(OpBuilder &b, Type t, bool ftz, bool sat, int rounding) {
    return emitArithmetic<Fn, T, T>(b, t, ftz, sat, rounding);
  }
};
template <class Fn, class T> struct EmitTernary {
  static Decode emit(OpBuilder &b, Type t, bool ftz, bool sat, int rounding) {
    return emitArithmetic<Fn, T, T, T, T>(b, t, ftz, sat, rounding);
  }
};

/// {.rnd}{.ftz}{.sat}.f32 and {.rnd}.f64. Approximate forms are another
/// family's.
template <template <class, class> class Emit, class Fn>
Decode decodeArithmetic(OpBuilder &b) {
  int rounding = b.takeOneOf({"rn", "rz", "rm", "rp"});
  bool ftz = b.take("ftz"), sat = b.take("sat");
  auto type = b.takeType();
  if (!type || !b.allTaken())
    return Decode::NotMine;
  if (type->isFloat(32))
    return Emit<Fn, float>::emit(b, *type, ftz, sat, rounding);
  if (type->isFloat(64) && !ftz && !sat)
    return Emit<Fn, double>::emit(b, *type, false, false, rounding);
  return Decode::NotMine;
}

//===----------------------------------------------------------------------===//
// Signs, minimum and maximum
//===----------------------------------------------------------------------===//

/// Sign operations keep the payload of a NaN, except with .ftz.
struct Neg {
  template <class T> static CTC_SCALAR T apply(T a) { return -a; }
};
struct Abs {
  static CTC_SCALAR float apply(float a) { return __builtin_fabsf(a); }
  static CTC_SCALAR double apply(double a) { return __builtin_fabs(a); }
};
template <class Fn, bool Ftz> struct SignOnly {
  template <class T> static CTC_SCALAR T apply(T a) {
    return Fn::apply(flush<Ftz>(a));
  }
};
/// copysign d, a, b: the sign of a with the magnitude of b.
struct CopySign {
  static CTC_SCALAR float apply(float a, float b) {
    return __builtin_copysignf(b, a);
  }
  static CTC_SCALAR double apply(double a, double b) {
    return __builtin_copysign(b, a);
  }
};

template <bool Max, bool Ftz, bool NaN, bool XorSign> struct Extreme {
  template <class T> static CTC_SCALAR T apply(T a, T b) {
    a = flush<Ftz>(a);
    b = flush<Ftz>(b);
    using Bits = Storage<T>;
    constexpr Bits sign = Bits(1) << (sizeof(T) * 8 - 1);
    const Bits signs = (Cell<T>::store(a) ^ Cell<T>::store(b)) & sign;
    if constexpr (XorSign) {
      a = Abs::apply(a);
      b = Abs::apply(b);
    }
    // Equal operands differ at most in the sign of zero.
    const Bits bitsA = Cell<T>::store(a), bitsB = Cell<T>::store(b);
    const T same = Cell<T>::load(Max ? bitsA & bitsB : bitsA | bitsB);
    T result = a == b ? same : (Max ? a > b : a < b) ? a : b;
    result = a != a ? b : b != b ? a : result;
    const bool isNan = NaN ? (a != a || b != b) : (a != a && b != b);
    result = isNan ? canonicalNan<T>() : result;
    if constexpr (XorSign) {
      Bits magnitude = Cell<T>::store(result);
      return isNan ? result : Cell<T>::load(magnitude | signs);
    }
    return result;
  }
};

template <bool Max, bool Ftz> Handlers pickExtreme(bool nan, bool xorSign) {
  if (nan)
    return xorSign ? Map<Extreme<Max, Ftz, true, true>, float, float,
                         float>::handlers
                   : Map<Extreme<Max, Ftz, true, false>, float, float,
                         float>::handlers;
  return xorSign ? Map<Extreme<Max, Ftz, false, true>, float, float,
                       float>::handlers
                 : Map<Extreme<Max, Ftz, false, false>, float, float,
                       float>::handlers;
}

/// min/max{.ftz}{.NaN}{.xorsign.abs}.f32 d, a, b {, c}; .f64 d, a, b
template <bool Max> Decode decodeExtreme(OpBuilder &b) {
  bool ftz = b.take("ftz"), nan = b.take("NaN");
  bool xorSign = b.take("xorsign") && b.take("abs");
  auto type = b.takeType();
  if (!type || !b.allTaken() || b.operandCount() < 3 || b.operandCount() > 4)
    return Decode::NotMine;
  if (type->isFloat(64) && !ftz && !nan && !xorSign && b.operandCount() == 3) {
    b.emit(Map<Extreme<Max, false, false, false>, double, double,
               double>::handlers,
           {b.def(0, *type), b.use(1, *type), b.use(2, *type)});
    return Decode::Done;
  }
  if (!type->isFloat(32))
    return Decode::NotMine;
  Handlers run = ftz ? pickExtreme<Max, true>(nan, xorSign)
                     : pickExtreme<Max, false>(nan, xorSign);
  if (b.operandCount() == 3) {
    b.emit(run, {b.def(0, *type), b.use(1, *type), b.use(2, *type)});
    return Decode::Done;
  }
  Slot first = b.temporary(32);
  b.emit(run, {first, b.use(1, *type), b.use(2, *type)});
  first.isDef = false;
  b.emit(run, {b.def(0, *type), first, b.use(3, *type)});
  return Decode::Done;
}

template <class Fn> Decode decodeSign(OpBuilder &b) {
  bool ftz = b.take("ftz");
  auto type = b.takeType();
  if (!type || !b.allTaken())
    return Decode::NotMine;
  Handlers run;
  if (type->isFloat(32))
    run = ftz ? Map<SignOnly<Fn, true>, float, float>::handlers
              : Map<SignOnly<Fn, false>, float, float>::handlers;
  else if (type->isFloat(64) && !ftz)
    run = Map<SignOnly<Fn, false>, double, double>::handlers;
  else
    return Decode::NotMine;
  b.emit(run, {b.def(0, *type), b.use(1, *type)});
  return Decode::Done;
}

Decode decodeCopySign(OpBuilder &b) {
  auto type = b.takeType();
  if (!type || !b.allTaken() || !(type->isFloat(32) || type->isFloat(64)))
    return Decode::NotMine;
  b.emit(type->isFloat(32) ? Map<CopySign, float, float, float>::handlers
                           : Map<CopySign, double, double, double>::handlers,
         {b.def(0, *type), b.use(1, *type), b.use(2, *type)});
  return Decode::Done;
}

//===----------------------------------------------------------------------===//
// testp
//===----------------------------------------------------------------------===//

enum class Property { Finite, Infinite, Number, NotANumber, Normal, Subnormal };

template <class T>
CTC_LANES bool testProperty(Warp &warp, const Op &op, LaneMask mask) {
  const Storage<T> *s = rowOf<T>(warp, op.r[1]);
  LaneMask result = 0;
  for (unsigned i = 0; i < kWarpSize; ++i) {
    T value = Abs::apply(Cell<T>::load(s[i]));
    bool nan = value != value, infinite = value == T(__builtin_inf());
    bool subnormal = !nan && value < smallestNormal<T>() && value != 0;
    bool holds = false;
    switch (static_cast<Property>(op.mode)) {
    case Property::Finite:
      holds = !nan && !infinite;
      break;
    case Property::Infinite:
      holds = infinite;
      break;
    case Property::Number:
      holds = !nan;
      break;
    case Property::NotANumber:
      holds = nan;
      break;
    case Property::Normal:
      holds = !nan && !infinite && !subnormal; // Zeros are, says the ISA.
      break;
    case Property::Subnormal:
      holds = subnormal;
      break;
    }
    result |= static_cast<LaneMask>(holds) << i;
  }
  LaneMask &predicate = warp.predicates[op.r[0]];
  predicate = (predicate & ~mask) | (result & mask);
  return true;
}

Decode decodeTestProperty(OpBuilder &b) {
  int property = b.takeOneOf(
      {"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  auto type = b.takeType();
  if (property < 0 || !type || !b.allTaken() ||
      !(type->isFloat(32) || type->isFloat(64)))
    return Decode::NotMine;
  Handler run = type->isFloat(32) ? testProperty<float> : testProperty<double>;
  Op &op = b.emit({run, run}, {b.defPredicate(b.operand(0)), b.use(1, *type)});
  op.mode = static_cast<uint16_t>(property);
  return Decode::Done;
}

} // namespace

void addFloat(DecoderTable &table) {
  table.insert({"add", decodeArithmetic<EmitBinary, Add>});
  table.insert({"sub", decodeArithmetic<EmitBinary, Sub>});
  table.insert({"mul", decodeArithmetic<EmitBinary, Mul>});
  table.insert({"div", decodeArithmetic<EmitBinary, Div>});
  table.insert({"fma", decodeArithmetic<EmitTernary, Fma>});
  table.insert({"mad", decodeArithmetic<EmitTernary, Fma>});
  table.insert({"rcp", decodeArithmetic<EmitUnary, Rcp>});
  table.insert({"sqrt", decodeArithmetic<EmitUnary, Sqrt>});
  table.insert({"min", decodeExtreme<false>});
  table.insert({"max", decodeExtreme<true>});
  table.insert({"neg", decodeSign<Neg>});
  table.insert({"abs", decodeSign<Abs>});
  table.insert({"copysign", decodeCopySign});
  table.insert({"testp", decodeTestProperty});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
