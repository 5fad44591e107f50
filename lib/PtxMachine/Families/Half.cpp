//===- Half.cpp - Arithmetic of f16, f16x2, bf16, bf16x2 ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Half Precision Floating Point Instructions" and "Half Precision
// Comparison Instructions". Results are rounded once, to nearest even; packed
// forms do both halves by themselves. A NaN result is 0x7fff. Subnormals are
// kept; .ftz makes them zero, .sat clamps to [0, 1], .relu makes what is
// negative 0.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/HalfArithmetic.h"

#include <cmath>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

using namespace half;

//===----------------------------------------------------------------------===//
// More functions of one half
//===----------------------------------------------------------------------===//

/// Approximations are computed in f64 and rounded.
struct Exp2 {
  template <class H> static H apply(H a) {
    return fromDouble<H>(std::exp2(double(toFloat(a))));
  }
};
struct Tanh {
  template <class H> static H apply(H a) {
    return fromDouble<H>(std::tanh(double(toFloat(a))));
  }
};

/// Fn with .ftz around it.
template <class Fn> struct Flushing {
  template <class H, class... S>
    requires(sizeof(H) == 2)
  static CTC_SCALAR H apply(H a, S... s) {
    return flushHalf(Fn::apply(flushHalf(a), flushHalf(s)...));
  }
};
/// .sat: clamped to [0, 1], NaN to +0. Done by an operation of its own.
struct Saturate {
  template <class H> static CTC_SCALAR H apply(H a) {
    const float f = toFloat(a);
    return fromFloat<H>(f > 0.0f ? (f < 1.0f ? f : 1.0f) : 0.0f);
  }
};
/// .relu: a negative result is +0, NaN stays. Done by an operation of its own.
struct Relu {
  template <class H> static CTC_SCALAR H apply(H a) {
    const float f = toFloat(a);
    return f > 0.0f || f != f ? a : H{0};
  }
};

//===----------------------------------------------------------------------===//
// Decoders
//===----------------------------------------------------------------------===//

template <class Fn, class H, size_t Sources> Handlers pickForm(bool packed) {
  using Both = InHalves<Fn, H>;
  if constexpr (Sources == 1)
    return packed ? Map<Both, uint32_t, uint32_t>::handlers
                  : Map<Fn, H, H>::handlers;
  else if constexpr (Sources == 2)
    return packed ? Map<Both, uint32_t, uint32_t, uint32_t>::handlers
                  : Map<Fn, H, H, H>::handlers;
  else
    return packed ? Map<Both, uint32_t, uint32_t, uint32_t, uint32_t>::handlers
                  : Map<Fn, H, H, H, H>::handlers;
}

template <class Fn, size_t Sources> Handlers pickKind(Type type) {
  return type.kind == TypeKind::BFloat
             ? pickForm<Fn, BHalf, Sources>(type.packed)
             : pickForm<Fn, Half, Sources>(type.packed);
}

template <class Fn, size_t Sources> Handlers pickFlushing(Type type, bool ftz) {
  return ftz ? pickKind<Flushing<Fn>, Sources>(type)
             : pickKind<Fn, Sources>(type);
}

/// The 16-bit float type of the instruction, all modifiers being known.
std::optional<Type> takeHalfType(OpBuilder &b, size_t operands) {
  auto type = b.takeType();
  if (!type || !type->isHalf() || !b.allTaken() || b.operandCount() != operands)
    return std::nullopt;
  return type;
}

Decode emitFor(OpBuilder &b, Type type, Handlers run, size_t sources) {
  std::vector<Slot> slots = {b.def(0, type)};
  for (size_t i = 1; i <= sources; ++i)
    slots.push_back(b.use(i, type));
  b.emit(run, slots);
  return Decode::Done;
}

template <class Fn, size_t Sources> Decode decodeArithmetic(OpBuilder &b) {
  b.take("rn");
  bool ftz = b.take("ftz"), sat = b.take("sat"), relu = b.take("relu");
  auto type = takeHalfType(b, Sources + 1);
  if (!type)
    return Decode::NotMine;
  emitFor(b, *type, pickFlushing<Fn, Sources>(*type, ftz), Sources);
  if (sat || relu)
    b.emit(sat ? pickKind<Saturate, 1>(*type) : pickKind<Relu, 1>(*type),
           {b.def(0, *type), b.use(0, *type)});
  return Decode::Done;
}

/// neg and abs: the sign bit, whatever the value.
template <class Fn> Decode decodeSign(OpBuilder &b) {
  bool ftz = b.take("ftz");
  auto type = takeHalfType(b, 2);
  if (!type)
    return Decode::NotMine;
  return emitFor(b, *type, pickFlushing<Fn, 1>(*type, ftz), 1);
}

/// Functions of libm are called lane by lane, and only for active lanes.
template <class Fn, class H, bool Ftz>
bool callEachLane(Warp &warp, const Op &op, LaneMask mask) {
  uint32_t *d = rowOf<uint32_t>(warp, op.r[0]);
  const uint32_t *s = rowOf<uint32_t>(warp, op.r[1]);
  for (LaneMask left = mask; left; left &= left - 1) {
    unsigned i = lowestLane(left);
    uint32_t result = 0;
    for (unsigned k = 0; k < op.count; ++k) {
      H value{static_cast<uint16_t>(s[i] >> (16 * k))};
      value = Ftz ? flushHalf(Fn::apply(flushHalf(value))) : Fn::apply(value);
      result |= static_cast<uint32_t>(value.bits) << (16 * k);
    }
    d[i] = result;
  }
  return true;
}

template <class Fn> Decode decodeApproximate(OpBuilder &b) {
  if (!b.take("approx"))
    return Decode::NotMine;
  bool ftz = b.take("ftz");
  auto type = takeHalfType(b, 2);
  if (!type)
    return Decode::NotMine;
  Handler run =
      type->kind == TypeKind::BFloat
          ? ftz ? callEachLane<Fn, BHalf, true> : callEachLane<Fn, BHalf, false>
      : ftz ? callEachLane<Fn, Half, true>
            : callEachLane<Fn, Half, false>;
  Op &op = b.emit({run, run}, {b.def(0, *type), b.use(1, *type)});
  op.count = type->packed ? 2 : 1;
  return Decode::Done;
}

template <bool Max> Decode decodeExtreme(OpBuilder &b) {
  bool ftz = b.take("ftz"), nan = b.take("NaN");
  bool xorSign = b.take("xorsign") && b.take("abs");
  auto type = takeHalfType(b, 3);
  if (!type)
    return Decode::NotMine;
  Handlers run =
      nan ? xorSign ? pickFlushing<Extreme<Max, true, true>, 2>(*type, ftz)
                    : pickFlushing<Extreme<Max, true, false>, 2>(*type, ftz)
      : xorSign ? pickFlushing<Extreme<Max, false, true>, 2>(*type, ftz)
                : pickFlushing<Extreme<Max, false, false>, 2>(*type, ftz);
  return emitFor(b, *type, run, 2);
}

} // namespace

void addHalf(DecoderTable &table) {
  table.insert({"add", decodeArithmetic<Add, 2>});
  table.insert({"sub", decodeArithmetic<Sub, 2>});
  table.insert({"mul", decodeArithmetic<Mul, 2>});
  table.insert({"fma", decodeArithmetic<Fma, 3>});
  table.insert({"neg", decodeSign<Neg>});
  table.insert({"abs", decodeSign<Abs>});
  table.insert({"min", decodeExtreme<false>});
  table.insert({"max", decodeExtreme<true>});
  table.insert({"ex2", decodeApproximate<Exp2>});
  table.insert({"tanh", decodeApproximate<Tanh>});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
