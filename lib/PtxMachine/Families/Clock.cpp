//===- Clock.cpp - mov from clocks and timers -----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Special Registers": %clock, %clock_hi, %clock64 and %globaltimer
// with its halves. They are read when the mov is executed. A clock is the
// number of instructions the warp has issued in this launch, on whatever path:
// it never goes back, a later instruction of the same path reads more, and the
// same launch reads the same values again. Clocks of different warps are not
// comparable. %globaltimer counts the same, as if each instruction took a
// nanosecond.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/Lanes.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

struct ClockName {
  std::string_view name;
  unsigned bits;
  bool upperHalf;
};
constexpr ClockName kClocks[] = {
    {"%clock", 32, false},          {"%clock_hi", 32, true},
    {"%clock64", 64, false},        {"%globaltimer", 64, false},
    {"%globaltimer_lo", 32, false}, {"%globaltimer_hi", 32, true},
};

const ClockName *findClock(const Operand &operand) {
  if (operand.kind == Operand::Kind::Special)
    for (const ClockName &clock : kClocks)
      if (clock.name == operand.name)
        return &clock;
  return nullptr;
}

/// op.immediate is the instruction's position in its basic block, op.mode
/// whether the upper half is read.
template <class T> bool readClock(Warp &warp, const Op &op, LaneMask mask) {
  const uint64_t now = warp.issued + static_cast<uint64_t>(op.immediate);
  T *d = rowOf<T>(warp, op.r[0]);
  for (unsigned i = 0; i < kWarpSize; ++i)
    d[i] = isActive(mask, i) ? static_cast<T>(op.mode ? now >> 32 : now) : d[i];
  return true;
}

Decode decodeClock(OpBuilder &b) {
  auto type = b.takeType();
  const ClockName *clock = findClock(b.operand(1));
  if (!type || !b.allTaken() || b.operandCount() != 2 || !clock)
    return Decode::NotMine;
  if (type->bits != clock->bits)
    b.malformed("'" + std::string(clock->name) + "' has " +
                std::to_string(clock->bits) + " bits");
  Handler run = type->bits == 64 ? readClock<uint64_t> : readClock<uint32_t>;
  Op &op = b.emit({run, run}, {b.def(0, *type)});
  op.immediate = b.program.blocks.back().instructions;
  op.mode = clock->upperHalf;
  return Decode::Done;
}

} // namespace

void addClock(DecoderTable &table) { table.insert({"mov", decodeClock}); }

} // namespace ctc::ptx::CTC_PTX_LEVEL
