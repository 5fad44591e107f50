//===- Move.cpp - mov, selp, slct, clocks ---------------------------------===//
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

#include "Families.h"
#include "FloatFunctions.h"

#include <chrono>

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

/// r[0] = the concatenation of op.count elements of op.mode bits.
template <class Whole>
CTC_LANES bool pack(Warp &warp, const Op &op, LaneMask mask) {
  Whole *d = rowOf<Whole>(warp, op.r[0]);
  for (unsigned i = 0; i < kWarpSize; ++i) {
    Whole value = 0;
    for (unsigned k = 0; k < op.count; ++k) {
      const uint32_t *s = rowOf<uint32_t>(warp, op.r[1 + k]);
      value |= static_cast<Whole>(s[i]) << (k * op.mode);
    }
    d[i] = isActive(mask, i) ? value : d[i];
  }
  return true;
}

/// The elements r[0], r[1], ... of op.mode bits from the row behind them.
template <class Whole>
CTC_LANES bool unpack(Warp &warp, const Op &op, LaneMask mask) {
  const Whole *s = rowOf<Whole>(warp, op.r[op.count]);
  const auto low = static_cast<uint32_t>((uint64_t(1) << op.mode) - 1);
  for (unsigned i = 0; i < kWarpSize; ++i) {
    const Whole value = s[i]; // An element may share its row with the source.
    for (unsigned k = 0; k < op.count; ++k) {
      uint32_t *d = rowOf<uint32_t>(warp, op.r[k]);
      auto element = static_cast<uint32_t>(value >> (k * op.mode)) & low;
      d[i] = isActive(mask, i) ? element : d[i];
    }
  }
  return true;
}

Decode decodePack(OpBuilder &b, Type type, bool unpacks) {
  const Operand &vector = b.operand(unpacks ? 0 : 1);
  size_t count = vector.elements.size();
  if (count == 0 || count > 4 || type.bits % count ||
      (type.bits / count != 8 && type.bits / count != 16 &&
       type.bits / count != 32))
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
  bool wide = type.bits == 64;
  Handler run = unpacks ? wide ? unpack<uint64_t> : unpack<uint32_t>
                : wide  ? pack<uint64_t>
                        : pack<uint32_t>;
  Op &op = b.emit({run, run}, slots);
  op.count = static_cast<uint16_t>(count);
  op.mode = element.bits;
  return Decode::Done;
}

//===----------------------------------------------------------------------===//
// Clocks
//===----------------------------------------------------------------------===//

/// %clock, %clock64 and %globaltimer: the host's nanoseconds.
struct Clock {
  template <class T> static T read() {
    return static_cast<T>(
        std::chrono::steady_clock::now().time_since_epoch().count());
  }
};

template <class T> bool readClock(Warp &warp, const Op &op, LaneMask mask) {
  T now = Clock::read<T>();
  T *d = rowOf<T>(warp, op.r[0]);
  for (unsigned i = 0; i < kWarpSize; ++i)
    d[i] = isActive(mask, i) ? now : d[i];
  return true;
}

bool isClock(const Operand &operand) {
  return operand.kind == Operand::Kind::Special &&
         (operand.name == "%clock" || operand.name == "%clock_hi" ||
          operand.name == "%clock64" || operand.name == "%globaltimer" ||
          operand.name == "%globaltimer_lo" ||
          operand.name == "%globaltimer_hi");
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
  if (isClock(b.operand(1))) {
    Handler run = type->bits == 64 ? readClock<uint64_t> : readClock<uint32_t>;
    b.emit({run, run}, {b.def(0, *type)});
    return Decode::Done;
  }
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
