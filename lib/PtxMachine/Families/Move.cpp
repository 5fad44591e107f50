//===- Move.cpp - mov, selp, slct -----------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "mov": copies a register, a literal, a special register or the
// address of a variable (in the variable's own space), or packs and unpacks
// the elements of a vector, the first one into the lowest bits. And "selp",
// "slct" of "Comparison and Selection Instructions".
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/FloatFunctions.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

struct Copy {
  template <class T> static CTC_SCALAR T apply(T a) { return a; }
};

bool copyPredicate(Warp &warp, const Op &op, LaneMask mask) {
  LaneMask &d = warp.predicates[op.r[0]];
  d = (d & ~mask) | (warp.predicates[op.r[1]] & mask);
  return true;
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

/// r[0] = the concatenation of `Count` elements of op.mode bits.
template <class Whole, unsigned Count>
CTC_LANES bool pack(Warp &warp, const Op &op, LaneMask mask) {
  constexpr unsigned bits = sizeof(Whole) * 8 / Count;
  Whole *d = rowOf<Whole>(warp, op.r[0]);
  const uint32_t *s[Count];
  for (unsigned k = 0; k < Count; ++k)
    s[k] = rowOf<uint32_t>(warp, op.r[1 + k]);
  CTC_EACH_LANE(i) {
    Whole value = 0;
    for (unsigned k = 0; k < Count; ++k)
      value |= static_cast<Whole>(s[k][i]) << (k * bits);
    d[i] = isActive(mask, i) ? value : d[i];
  }
  return true;
}

/// The elements r[0], r[1], ... from the row behind them, which one of them may
/// share: a lane is read before it is written.
template <class Whole, unsigned Count>
CTC_LANES bool unpack(Warp &warp, const Op &op, LaneMask mask) {
  constexpr unsigned bits = sizeof(Whole) * 8 / Count;
  constexpr auto low = static_cast<uint32_t>((uint64_t(1) << bits) - 1);
  const Whole *s = rowOf<Whole>(warp, op.r[Count]);
  uint32_t *d[Count];
  for (unsigned k = 0; k < Count; ++k)
    d[k] = rowOf<uint32_t>(warp, op.r[k]);
  CTC_EACH_LANE(i) {
    const Whole value = s[i];
    for (unsigned k = 0; k < Count; ++k) {
      auto element = static_cast<uint32_t>(value >> (k * bits)) & low;
      d[k][i] = isActive(mask, i) ? element : d[k][i];
    }
  }
  return true;
}

template <class Whole> Handler pickPack(bool unpacks, size_t count) {
  if (count == 2)
    return unpacks ? unpack<Whole, 2> : pack<Whole, 2>;
  if (count == 4)
    return unpacks ? unpack<Whole, 4> : pack<Whole, 4>;
  return nullptr;
}

Decode decodePack(OpBuilder &b, Type type, bool unpacks) {
  const Operand &vector = b.operand(unpacks ? 0 : 1);
  size_t count = vector.elements.size();
  bool wide = type.bits == 64;
  Handler run = wide              ? pickPack<uint64_t>(unpacks, count)
                : type.bits == 32 ? pickPack<uint32_t>(unpacks, count)
                                  : nullptr;
  if (!run) // Bytes in 16 bits would need 8-bit registers.
    return Decode::NotMine;
  Type element{TypeKind::Bits, static_cast<uint8_t>(type.bits / count)};
  std::vector<Slot> slots;
  if (!unpacks)
    slots.push_back(b.def(0, type));
  for (const Operand &operand : vector.elements)
    slots.push_back(unpacks ? b.def(operand, element)
                            : b.use(operand, element));
  if (unpacks)
    slots.push_back(b.use(1, type));
  b.emit({run, run}, slots);
  return Decode::Done;
}

Decode decodeMove(OpBuilder &b) {
  auto type = b.takeType();
  if (!type || !b.allTaken() || b.operandCount() != 2 || type->bits > 64)
    return Decode::NotMine;
  if (type->isPredicate()) {
    b.emit({copyPredicate, copyPredicate},
           {b.defPredicate(b.operand(0)), b.usePredicate(b.operand(1))});
    return Decode::Done;
  }
  if (b.operand(0).kind == Operand::Kind::Vector)
    return decodePack(b, *type, /*unpacks=*/true);
  if (b.operand(1).kind == Operand::Kind::Vector)
    return decodePack(b, *type, /*unpacks=*/false);
  b.emit(type->bits == 64 ? Map<Copy, uint64_t, uint64_t>::handlers
                          : Map<Copy, uint32_t, uint32_t>::handlers,
         {b.def(0, *type), b.use(1, *type)});
  return Decode::Done;
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

/// selp d, a, b, p: a where p holds, else b.
template <class T>
CTC_LANES bool select(Warp &warp, const Op &op, LaneMask mask) {
  T *d = rowOf<T>(warp, op.r[0]);
  const T *a = rowOf<T>(warp, op.r[1]), *b = rowOf<T>(warp, op.r[2]);
  const LaneMask holds = warp.predicates[op.r[3]];
  CTC_EACH_LANE(i) {
    T value = isActive(holds, i) ? a[i] : b[i];
    d[i] = isActive(mask, i) ? value : d[i];
  }
  return true;
}

Decode decodeSelect(OpBuilder &b) {
  auto type = b.takeType();
  if (!type || !b.allTaken() || b.operandCount() != 4 || type->bits > 64)
    return Decode::NotMine;
  if (type->isPredicate())
    return Decode::NotMine;
  Handler run = type->bits == 64 ? select<uint64_t> : select<uint32_t>;
  b.emit({run, run}, {b.def(0, *type), b.use(1, *type), b.use(2, *type),
                      b.usePredicate(b.operand(3))});
  return Decode::Done;
}

/// slct d, a, b, c: a where c >= 0, else b; a NaN selects b, and .ftz takes a
/// subnormal c for zero.
template <class C, bool Ftz> struct SelectBySign {
  template <class T> static CTC_SCALAR T apply(T a, T b, C c) {
    return flush<Ftz>(c) >= C(0) ? a : b;
  }
};

template <class T> Handlers pickSelectBySign(Type by, bool ftz) {
  if (by.isFloat(32))
    return ftz ? Map<SelectBySign<float, true>, T, T, T, float>::handlers
               : Map<SelectBySign<float, false>, T, T, T, float>::handlers;
  return Map<SelectBySign<int32_t, false>, T, T, T, int32_t>::handlers;
}

Decode decodeSelectBySign(OpBuilder &b) {
  bool ftz = b.take("ftz");
  auto type = b.takeType(), by = b.takeType();
  if (!type || !by || !b.allTaken() || by->bits != 32 || b.operandCount() != 4)
    return Decode::NotMine;
  b.emit(type->bits == 64 ? pickSelectBySign<uint64_t>(*by, ftz)
                          : pickSelectBySign<uint32_t>(*by, ftz),
         {b.def(0, *type), b.use(1, *type), b.use(2, *type), b.use(3, *by)});
  return Decode::Done;
}

} // namespace

void addMove(DecoderTable &table) {
  table.insert({"mov", decodeMove});
  table.insert({"selp", decodeSelect});
  table.insert({"slct", decodeSelectBySign});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
