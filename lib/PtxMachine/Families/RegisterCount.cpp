//===- RegisterCount.cpp - setmaxnreg -------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "setmaxnreg": a warpgroup gives registers to its block's pool, or
// takes some and waits until there are enough. The machine has no use for the
// registers, but counts them as a GPU does, so that a kernel that would wait
// forever, or asks for what is undefined, does not pass.
//
// A thread starts with as many registers as the kernel's directives say
// (registersAtLaunch); if they do not, the instruction has no effect, which the
// ISA allows.
//
//===----------------------------------------------------------------------===//

#include "Execution/Observer.h"
#include "Families/Families.h"
#include "Families/Wgmma.h"

#include <string>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

void setCount(Warp &warp, const Op &op, uint32_t count) {
  warp.registersPerThread = count;
  if (warp.block->observer)
    warp.block->observer->registerCount(warp, op, count);
}

/// op.immediate is the count of registers.
bool release(Warp &warp, const Op &op, LaneMask mask) {
  const auto wanted = static_cast<uint32_t>(op.immediate);
  const uint32_t have = warp.registersPerThread;
  if (!checkWarpgroup(warp, mask) || !issueTogether(warp, {op.source, 0, 0}))
    return false;
  if (!have)
    return true;
  if (wanted > have)
    return describeFault(
        warp, 0,
        "it releases registers, but the warp's " + std::to_string(have) +
            " per thread are less than " + std::to_string(wanted));
  warp.block->freeRegisters += have - wanted;
  ++warp.block->cluster->events;
  setCount(warp, op, wanted);
  return true;
}

bool request(Warp &warp, const Op &op, LaneMask mask) {
  const auto wanted = static_cast<uint32_t>(op.immediate);
  const uint32_t have = warp.registersPerThread;
  if (!checkWarpgroup(warp, mask))
    return false;
  if (have && wanted > have && wanted - have > warp.block->freeRegisters) {
    warp.wouldWait = true; // It never times out.
    return true;
  }
  if (!issueTogether(warp, {op.source, 0, 0}))
    return false;
  if (!have)
    return true;
  if (wanted < have)
    return describeFault(
        warp, 0,
        "it requests registers, but the warp's " + std::to_string(have) +
            " per thread are more than " + std::to_string(wanted));
  warp.block->freeRegisters -= wanted - have;
  setCount(warp, op, wanted);
  return true;
}

/// setmaxnreg.{inc,dec}.sync.aligned.u32 count
Decode decodeRegisterCount(OpBuilder &b) {
  const int action = b.takeOneOf({"inc", "dec"});
  if (action < 0 || !b.take("sync") || !b.take("aligned") ||
      b.takeType() != kU32 || !b.allTaken() || b.operandCount() != 1)
    return Decode::NotMine;
  auto count = b.literal(b.operand(0));
  if (!count || *count < 24 || *count > 256 || *count % 8) {
    b.malformed("the count of registers must be a multiple of 8 from 24 to "
                "256");
    return Decode::Done;
  }
  Op &op = action == 0 ? b.emitPolling({request, request}, {})
                       : b.emit({release, release}, {});
  op.immediate = *count;
  return Decode::Done;
}

} // namespace

void addRegisterCount(DecoderTable &table) {
  table.insert({"setmaxnreg", decodeRegisterCount});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
