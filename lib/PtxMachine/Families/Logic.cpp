//===- Logic.cpp - and, or, xor, not, cnot, lop3, shifts ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Logic and Shift Instructions". Shift amounts are u32; shl and shr
// clamp them to the width: shl and shr.u give 0 there, shr.s the sign. shf
// takes them modulo 32 (.wrap) or clamps them to 32 (.clamp).
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/IntegerTypes.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

struct And {
  template <class T> static CTC_SCALAR T apply(T a, T b) { return a & b; }
};
struct Or {
  template <class T> static CTC_SCALAR T apply(T a, T b) { return a | b; }
};
struct Xor {
  template <class T> static CTC_SCALAR T apply(T a, T b) { return a ^ b; }
};
struct Not {
  template <class T> static CTC_SCALAR T apply(T a) {
    return static_cast<T>(~a);
  }
};
/// cnot: C's logical not.
struct LogicalNot {
  template <class T> static CTC_SCALAR T apply(T a) { return a == 0; }
};
struct ShiftLeft {
  template <class T> static CTC_SCALAR T apply(T a, uint32_t n) {
    constexpr uint32_t width = sizeof(T) * 8;
    return n >= width ? T(0) : static_cast<T>(unsignedOf(a) << n);
  }
};
struct ShiftRight {
  template <class T> static CTC_SCALAR T apply(T a, uint32_t n) {
    constexpr uint32_t width = sizeof(T) * 8;
    if constexpr (isSigned<T>)
      return static_cast<T>(a >> (n >= width ? width - 1 : n));
    return n >= width ? T(0) : static_cast<T>(a >> n);
  }
};

/// shf.l|r.wrap|clamp d, a, b, c: a is the low word of b:a. Left gives the high
/// word of the shifted pair, right the low one.
template <bool Left, bool Wrap> struct FunnelShift {
  static CTC_SCALAR uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    const uint32_t n = Wrap ? c & 31 : c < 32 ? c : 32;
    const uint64_t pair = uint64_t(b) << 32 | a;
    return static_cast<uint32_t>(Left ? (pair << n) >> 32 : pair >> n);
  }
};

/// lop3: bit k of the table is the result for a, b, c = the bits of k.
struct Lookup3 {
  static CTC_SCALAR uint32_t apply(const Op &op, uint32_t a, uint32_t b,
                                   uint32_t c) {
    const auto table = static_cast<uint32_t>(op.immediate);
    uint32_t result = 0;
    for (uint32_t k = 0; k < 8; ++k) {
      uint32_t term = (k & 4 ? a : ~a) & (k & 2 ? b : ~b) & (k & 1 ? c : ~c);
      result |= term & (0u - (table >> k & 1));
    }
    return result;
  }
};

template <class Fn, size_t Sources> struct Pick {
  template <class T> Handlers operator()() const {
    if constexpr (Sources == 1)
      return Map<Fn, T, T>::handlers;
    else
      return Map<Fn, T, T, T>::handlers;
  }
};
template <class Fn> struct PickShift {
  template <class T> Handlers operator()() const {
    return Map<Fn, T, T, uint32_t>::handlers;
  }
};

/// Predicates are lane masks, so the word instruction works on all at once.
template <class Fn> bool onPredicates(Warp &warp, const Op &op, LaneMask mask) {
  LaneMask &d = warp.predicates[op.r[0]];
  LaneMask value;
  if constexpr (std::is_same_v<Fn, Not>)
    value = Fn::apply(warp.predicates[op.r[1]]);
  else
    value = Fn::apply(warp.predicates[op.r[1]], warp.predicates[op.r[2]]);
  d = (d & ~mask) | (value & mask);
  return true;
}

template <class Fn, size_t Sources> Decode decodeLogic(OpBuilder &b) {
  auto type = b.takeType();
  if (!type || !b.allTaken() || b.operandCount() != Sources + 1)
    return Decode::NotMine;
  if (type->isPredicate()) {
    if constexpr (std::is_same_v<Fn, LogicalNot>)
      return Decode::NotMine;
    else {
      std::vector<Slot> slots = {b.defPredicate(b.operand(0))};
      for (size_t i = 1; i <= Sources; ++i)
        slots.push_back(b.usePredicate(b.operand(i)));
      b.emit({onPredicates<Fn>, onPredicates<Fn>}, slots);
      return Decode::Done;
    }
  }
  if (type->kind != TypeKind::Bits || type->bits < 16 || type->bits > 64)
    return Decode::NotMine;
  std::vector<Slot> slots = {b.def(0, *type)};
  for (size_t i = 1; i <= Sources; ++i)
    slots.push_back(b.use(i, *type));
  b.emit(pickInteger(*type, Pick<Fn, Sources>()), slots);
  return Decode::Done;
}

template <class Fn> Decode decodeShift(OpBuilder &b) {
  auto type = b.takeType();
  if (!type || !type->isInteger() || type->bits < 16 || type->bits > 64 ||
      !b.allTaken() || b.operandCount() != 3)
    return Decode::NotMine;
  b.emit(pickInteger(*type, PickShift<Fn>()),
         {b.def(0, *type), b.use(1, *type), b.use(2, kU32)});
  return Decode::Done;
}

template <bool Left, bool Wrap> Handlers funnel() {
  return Map<FunnelShift<Left, Wrap>, uint32_t, uint32_t, uint32_t,
             uint32_t>::handlers;
}

Decode decodeFunnelShift(OpBuilder &b) {
  int direction = b.takeOneOf({"l", "r"});
  int mode = b.takeOneOf({"wrap", "clamp"});
  auto type = b.takeType();
  if (direction < 0 || mode < 0 || type != kB32 || !b.allTaken())
    return Decode::NotMine;
  Handlers run = direction == 0
                     ? mode == 0 ? funnel<true, true>() : funnel<true, false>()
                 : mode == 0 ? funnel<false, true>()
                             : funnel<false, false>();
  b.emit(run, {b.def(0, kB32), b.use(1, kB32), b.use(2, kB32), b.use(3, kB32)});
  return Decode::Done;
}

/// Predicate r[0] = (row r[1] is not 0) Fn predicate r[2].
template <class Fn>
CTC_LANES bool combineNonZero(Warp &warp, const Op &op, LaneMask mask) {
  const uint32_t *row = rowOf<uint32_t>(warp, op.r[1]);
  LaneMask nonZero = 0;
  for (unsigned i = 0; i < kWarpSize; ++i)
    nonZero |= static_cast<LaneMask>(row[i] != 0) << i;
  LaneMask &p = warp.predicates[op.r[0]];
  p = (p & ~mask) | (Fn::apply(nonZero, warp.predicates[op.r[2]]) & mask);
  return true;
}

/// lop3.b32 d, a, b, c, table; lop3.{or,and}.b32 d|p, a, b, c, table, q
Decode decodeLookup3(OpBuilder &b) {
  const int combine = b.takeOneOf({"or", "and"});
  auto type = b.takeType();
  auto lut = b.literal(b.operand(4));
  const Operand &target = b.operand(0);
  const bool isPair = target.kind == Operand::Kind::Pair;
  if (type != kB32 || !b.allTaken() || isPair != (combine >= 0) ||
      b.operandCount() != (isPair ? 6u : 5u) || !lut || *lut < 0 || *lut > 255)
    return Decode::NotMine;
  Slot d = b.def(isPair ? target.elements[0] : target, kB32);
  Op &op =
      b.emit(Map<Lookup3, uint32_t, uint32_t, uint32_t, uint32_t>::handlers,
             {d, b.use(1, kB32), b.use(2, kB32), b.use(3, kB32)});
  op.immediate = *lut;
  if (!isPair)
    return Decode::Done;
  d.isDef = false;
  Slot q = b.usePredicate(b.operand(5));
  Handler run = combine == 0 ? combineNonZero<Or> : combineNonZero<And>;
  b.emit({run, run}, {b.defPredicate(target.elements[1]), d, q});
  return Decode::Done;
}

} // namespace

void addLogic(DecoderTable &table) {
  table.insert({"and", decodeLogic<And, 2>});
  table.insert({"or", decodeLogic<Or, 2>});
  table.insert({"xor", decodeLogic<Xor, 2>});
  table.insert({"not", decodeLogic<Not, 1>});
  table.insert({"cnot", decodeLogic<LogicalNot, 1>});
  table.insert({"shl", decodeShift<ShiftLeft>});
  table.insert({"shr", decodeShift<ShiftRight>});
  table.insert({"shf", decodeFunnelShift});
  table.insert({"lop3", decodeLookup3});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
