//===- FloatPacked.cpp - add, sub, mul, fma of f32x2 ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Floating Point Instructions", .f32x2 (sm_100 and up): the two f32
// of a 64-bit register, each by itself, as in the scalar instruction.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/FloatArithmetic.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

/// A 64-bit row is 64 floats, two for each lane.
constexpr unsigned kPairs = 2 * kWarpSize;

template <class Fn, unsigned Sources> struct InPairs {
  template <bool Full>
  CTC_LANES static bool run(Warp &warp, const Op &op, LaneMask mask) {
    uint32_t *d = rowOf<uint32_t>(warp, op.r[0]);
    const uint32_t *a = rowOf<uint32_t>(warp, op.r[1]);
    const uint32_t *b = rowOf<uint32_t>(warp, op.r[2]);
    const uint32_t *c = Sources == 3 ? rowOf<uint32_t>(warp, op.r[3]) : b;
#ifdef __clang__
#pragma clang loop vectorize(assume_safety)
#endif
    for (unsigned i = 0; i < kPairs; ++i) {
      const float x = Cell<float>::load(a[i]), y = Cell<float>::load(b[i]);
      uint32_t value;
      if constexpr (Sources == 3)
        value = Cell<float>::store(Fn::apply(x, y, Cell<float>::load(c[i])));
      else
        value = Cell<float>::store(Fn::apply(x, y));
      d[i] = Full || isActive(mask, i / 2) ? value : d[i];
    }
    return true;
  }
  static constexpr Handlers handlers{run<true>, run<false>};
};

template <class Fn, unsigned Sources, bool Ftz>
Handlers pickPairs(bool directed) {
  using Near = InPairs<Arithmetic<Fn, Ftz, false>, Sources>;
  return directed ? Directed<Near>::handlers : Near::handlers;
}

template <class Fn, unsigned Sources> Decode decodePairs(OpBuilder &b) {
  int rounding = b.takeOneOf({"rn", "rz", "rm", "rp"});
  bool ftz = b.take("ftz");
  auto type = b.takeType();
  if (!type || !type->packed || type->kind != TypeKind::Float ||
      type->bits != 64 || !b.allTaken() || b.operandCount() != Sources + 1)
    return Decode::NotMine;
  std::vector<Slot> slots = {b.def(0, *type)};
  for (size_t i = 1; i <= Sources; ++i)
    slots.push_back(b.use(i, *type));
  Op &op = b.emit(ftz ? pickPairs<Fn, Sources, true>(rounding > 0)
                      : pickPairs<Fn, Sources, false>(rounding > 0),
                  slots);
  op.mode = static_cast<uint16_t>(rounding > 0 ? rounding : 0);
  return Decode::Done;
}

} // namespace

void addFloatPacked(DecoderTable &table) {
  table.insert({"add", decodePairs<Add, 2>});
  table.insert({"sub", decodePairs<Sub, 2>});
  table.insert({"mul", decodePairs<Mul, 2>});
  table.insert({"fma", decodePairs<Fma, 3>});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
