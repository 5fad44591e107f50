//===- BlockBarriers.cpp - Barriers and faults of a block -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "bar, barrier". A warp arrives when all its live threads have come
// to the barrier. With .aligned (bar) they must come together, to the same
// instruction; otherwise they may come on different paths.
//
//===----------------------------------------------------------------------===//

#include "Execution/BlockExecutor.h"
#include "Execution/GlobalMemory.h"
#include "Program/SourceText.h"

#include <bit>

namespace ctc::ptx {

static uint32_t rowValue(const Warp &warp, uint32_t offset, LaneMask mask) {
  const auto *row = reinterpret_cast<const uint32_t *>(warp.registers + offset);
  return row[static_cast<unsigned>(std::countr_zero(mask))];
}

uint32_t BlockExecutor::barrierOf(const WarpExecutor &warp,
                                  const Path &path) const {
  const Op &op = program.ops[program.blocks[path.block].terminator.op];
  return rowValue(warp.warp, op.r[1], path.mask);
}

/// Called when no path of the warp can run on.
bool BlockExecutor::arriveAtBarriers(WarpExecutor &warp) {
  for (size_t i = 0; i < warp.paths.size(); ++i)
    if (warp.paths[i].wait == Path::Wait::Barrier && !warp.paths[i].arrived &&
        !arriveAtBarrier(warp, warp.paths[i]))
      return false;
  return true;
}

bool BlockExecutor::arriveAtBarrier(WarpExecutor &executor, Path &path) {
  const Terminator &end = program.blocks[path.block].terminator;
  const Op &op = program.ops[end.op];
  Warp &warp = executor.warp;
  BarrierMode mode = BarrierMode::decode(op.mode);
  uint32_t id = barrierOf(executor, path);
  uint32_t wanted = rowValue(warp, op.r[2], path.mask);
  executor.faultSource = end.source;
  warp.fault = {};
  warp.fault.lane = static_cast<unsigned>(std::countr_zero(path.mask));
  if (id >= kBarriers || wanted % kWarpSize) {
    warp.fault.kind = FaultKind::BadBarrier;
    warp.fault.address = id;
    warp.fault.bytes = wanted;
    return false;
  }
  LaneMask present = 0;
  for (const Path &other : executor.paths)
    if (other.wait == Path::Wait::Barrier && !other.arrived &&
        (&other == &path || !mode.aligned) && barrierOf(executor, other) == id)
      present |= other.mask;
  if (present != warp.live) {
    if (!mode.aligned)
      return true; // The others may still come; else it is a deadlock.
    warp.fault.kind = FaultKind::DivergentBarrier;
    warp.fault.address = present;
    warp.fault.bytes = warp.live;
    return false;
  }
  BarrierState &barrier = barriers[id];
  barrier.threads = wanted;
  ++barrier.arrivedWarps;
  if (state.observer)
    state.observer->arrive(warp, present, id, /*releases=*/true);
  for (Path &other : executor.paths) {
    if (!(present & other.mask))
      continue;
    other.arrived = true;
    const Op &its = program.ops[program.blocks[other.block].terminator.op];
    if (mode.kind == BarrierKind::Reduce) {
      LaneMask holds = warp.predicates[its.r[3]] & other.mask;
      barrier.count += static_cast<uint32_t>(std::popcount(holds));
      barrier.all &= holds == other.mask;
    }
    if (mode.kind == BarrierKind::Arrive) { // Does not wait.
      other.wait = Path::Wait::None;
      other.block = program.blocks[other.block].terminator.otherwise;
    }
  }
  warp.fault = {};
  return true;
}

/// Opens every barrier all of whose warps are there; whether any was.
bool BlockExecutor::completeBarriers() {
  bool any = false;
  uint32_t live = liveWarps();
  for (unsigned id = 0; id < kBarriers; ++id) {
    const BarrierState &barrier = barriers[id];
    uint32_t wanted = barrier.threads ? barrier.threads / kWarpSize : live;
    if (!barrier.arrivedWarps || barrier.arrivedWarps < wanted)
      continue;
    any = true;
    completeBarrier(id);
  }
  return any;
}

void BlockExecutor::completeBarrier(unsigned id) {
  BarrierState barrier = barriers[id];
  barriers[id] = {};
  if (state.observer)
    state.observer->barrierComplete(state, id);
  for (WarpExecutor &executor : warps)
    for (Path &path : executor.paths) {
      if (path.wait != Path::Wait::Barrier || !path.arrived ||
          barrierOf(executor, path) != id)
        continue;
      const Terminator &end = program.blocks[path.block].terminator;
      const Op &op = program.ops[end.op];
      Warp &warp = executor.warp;
      BarrierReduction reduction = BarrierMode::decode(op.mode).reduction;
      if (reduction == BarrierReduction::Count) {
        auto *row = reinterpret_cast<uint32_t *>(warp.registers + op.r[0]);
        for (unsigned lane = 0; lane < kWarpSize; ++lane)
          if (path.mask >> lane & 1)
            row[lane] = barrier.count;
      } else if (reduction != BarrierReduction::None) {
        bool holds = reduction == BarrierReduction::And ? barrier.all
                                                        : barrier.count != 0;
        LaneMask &predicate = warp.predicates[op.r[0]];
        predicate = (predicate & ~path.mask) | (holds ? path.mask : 0);
      }
      if (state.observer)
        state.observer->leave(warp, path.mask, id);
      path.wait = Path::Wait::None;
      path.arrived = false;
      path.block = end.otherwise;
    }
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

std::string BlockExecutor::faultMessage() const {
  const WarpExecutor &warp = warps[faultWarp];
  const Fault &fault = warp.warp.fault;
  const auto thread = static_cast<unsigned>(faultWarp) * kWarpSize + fault.lane;
  return "kernel '" + program.info.name + "', block " +
         describe(state.blockIndex) + ", thread " +
         describe(threadIndex(config.block, thread)) + ", " +
         describeSource(program, warp.faultSource) + ": " + explain(fault);
}

std::string BlockExecutor::describeWait(const WarpExecutor &warp,
                                        const Path &path) const {
  switch (path.wait) {
  case Path::Wait::Barrier:
    return " at barrier " + std::to_string(barrierOf(warp, path));
  case Path::Wait::Poll: {
    const Terminator &end = program.blocks[path.block].terminator;
    return " at '" + program.sources[end.source].text + "'";
  }
  default:
    return " for other lanes of its own";
  }
}

void BlockExecutor::describeWaiting(std::string &text) const {
  for (size_t i = 0; i < warps.size(); ++i) {
    if (warps[i].finished())
      continue;
    const Path &path = warps[i].paths.front();
    const Terminator &end = program.blocks[path.block].terminator;
    text += (text.empty() ? "warp " : ", warp ") + std::to_string(i) +
            (state.cluster->size > 1 ? " of block " + describe(state.blockIndex)
                                     : "") +
            describeWait(warps[i], path) + " (PTX line " +
            std::to_string(program.sources[end.source].line) + ")";
  }
}

void BlockExecutor::setDeadlock(const std::string &text) {
  faultWarp = 0;
  while (warps[faultWarp].finished())
    ++faultWarp;
  WarpExecutor &warp = warps[faultWarp];
  const Path &path = warp.paths.front();
  warp.faultSource = program.blocks[path.block].terminator.source;
  describeFault(warp.warp, static_cast<unsigned>(std::countr_zero(path.mask)),
                text);
}

bool describeFault(Warp &warp, unsigned lane, std::string description) {
  warp.fault = {};
  warp.fault.kind = FaultKind::Described;
  warp.fault.lane = lane;
  warp.fault.description = std::move(description);
  return false;
}

std::string BlockExecutor::explain(const Fault &fault) const {
  std::string access = std::string(fault.access) + " of " +
                       std::to_string(fault.bytes) + " bytes at " +
                       hexadecimal(fault.address);
  switch (fault.kind) {
  case FaultKind::Misaligned:
    return access + " is misaligned; the address must be a multiple of " +
           std::to_string(fault.bytes);
  case FaultKind::OutsideGlobal:
    return access + " is outside every allocation of global memory";
  case FaultKind::OutsideShared:
    return access + " is outside the block's " +
           std::to_string(state.sharedBytes) + " bytes of shared memory";
  case FaultKind::OutsideLocal:
    return access + " is outside the thread's " +
           std::to_string(program.localBytes) + " bytes of local memory";
  case FaultKind::OutsideParameters:
    return access + " is outside the kernel's " +
           std::to_string(state.parameterBytes) + " bytes of parameters";
  case FaultKind::Trap:
    return "the kernel trapped";
  case FaultKind::DivergentBarrier:
    return "an aligned barrier needs all live threads of the warp together; "
           "lanes " +
           hexadecimal(fault.address) + " of " + hexadecimal(fault.bytes) +
           " are here";
  case FaultKind::BadBarrier:
    return "barrier " + std::to_string(fault.address) + " with " +
           std::to_string(fault.bytes) +
           " threads; legal are barriers 0 to 15 and multiples of 32 threads";
  case FaultKind::BadCollective:
    return "the thread is not in the member mask it gives";
  case FaultKind::BadIndex:
    return "the index is past the end of the list of branch targets";
  case FaultKind::Described:
    return fault.description;
  case FaultKind::PartialWarp:
    return "an aligned instruction needs all 32 threads of the warp together; "
           "lanes " +
           hexadecimal(fault.address) + " are here, and " +
           hexadecimal(fault.bytes) + " have not exited";
  case FaultKind::None:
    break;
  }
  return "an unknown fault";
}

} // namespace ctc::ptx
