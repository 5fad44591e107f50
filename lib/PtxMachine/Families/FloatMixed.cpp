//===- FloatMixed.cpp - add, sub, fma of f32 with 16-bit factors ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Mixed Precision Floating Point Instructions" (sm_100 and up):
//
//   add{.rnd}{.sat}.f32.{f16,bf16} d, a, c       d = a + c, c and d in f32
//   sub{.rnd}{.sat}.f32.{f16,bf16} d, a, c       d = a - c
//   fma.rnd{.sat}.f32.{f16,bf16}   d, a, b, c    d = a * b + c
//
// The 16-bit operands are widened, which is exact, by operations of their own.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/FloatArithmetic.h"
#include "Families/HalfFunctions.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

struct Widen {
  template <class H> static CTC_SCALAR float apply(H a) { return toFloat(a); }
};

template <class Fn, unsigned Narrow, unsigned Sources>
Decode decodeMixed(OpBuilder &b) {
  int rounding = b.takeOneOf({"rn", "rz", "rm", "rp"});
  bool sat = b.take("sat");
  auto type = b.takeType(), narrow = b.takeType();
  if (!type || !narrow || !type->isFloat(32) || !narrow->isHalf() ||
      narrow->packed || !b.allTaken() || b.operandCount() != Sources + 1)
    return Decode::NotMine;
  std::vector<Slot> slots = {b.def(0, *type)};
  for (size_t i = 1; i <= Sources; ++i) {
    if (i > Narrow) {
      slots.push_back(b.use(i, *type));
      continue;
    }
    Slot source = b.use(i, *narrow), wide = b.temporary(32);
    b.emit(narrow->kind == TypeKind::BFloat ? Map<Widen, float, BHalf>::handlers
                                            : Map<Widen, float, Half>::handlers,
           {wide, source});
    wide.isDef = false;
    slots.push_back(wide);
  }
  Handlers run;
  if constexpr (Sources == 3)
    run = pickArithmetic<Fn, float, float, float, float>(false, sat,
                                                         rounding > 0);
  else
    run = pickArithmetic<Fn, float, float, float>(false, sat, rounding > 0);
  Op &op = b.emit(run, slots);
  op.mode = static_cast<uint16_t>(rounding > 0 ? rounding : 0);
  return Decode::Done;
}

} // namespace

void addFloatMixed(DecoderTable &table) {
  table.insert({"add", decodeMixed<Add, 1, 2>});
  table.insert({"sub", decodeMixed<Sub, 1, 2>});
  table.insert({"fma", decodeMixed<Fma, 2, 3>});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
