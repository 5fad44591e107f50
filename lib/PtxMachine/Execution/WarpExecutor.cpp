//===- WarpExecutor.cpp - Runs the paths of one warp ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Execution/WarpExecutor.h"

#include "Execution/Observer.h"
#include "Execution/WarpgroupLedger.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ctc::ptx {

/// Basic blocks a warp may run before the others of its block get their turn.
static constexpr uint64_t kBudget = 1 << 20;
/// Basic blocks a diverged path may run before its warp's other paths do.
static constexpr uint64_t kPathBudget = 1 << 14;

void WarpExecutor::start(LaneMask lanes) {
  warp.live = lanes;
  warp.issued = 0;
  warp.fault = {};
  std::fill_n(warp.clusterArrivals, kWarpSize, 0);
  paths.clear();
  joins.clear();
  Path path;
  path.block = program.entryBlock;
  path.mask = lanes;
  paths.push_back(path);
}

bool WarpExecutor::hasReadyPath() const {
  for (const Path &path : paths)
    if (path.wait == Path::Wait::None)
      return true;
  return false;
}

bool WarpExecutor::run(uint64_t limit) {
  uint64_t budget = std::min(kBudget, limit);
  while (budget) {
    // The youngest ready path first: the innermost divergence is resolved
    // before what surrounds it.
    size_t index = paths.size();
    while (index > 0 && paths[index - 1].wait != Path::Wait::None)
      --index;
    if (index == 0)
      return true;
    const Path path = paths[index - 1];
    if (warp.issued > limit) [[unlikely]]
      return overLimit(limit, path);
    if (!runPath(index - 1, budget))
      return false;
  }
  return true;
}

bool WarpExecutor::overLimit(uint64_t limit, const Path &path) {
  faultSource = program.blocks[path.block].terminator.source;
  return describeFault(warp, static_cast<unsigned>(std::countr_zero(path.mask)),
                       "the warp has issued more than the " +
                           std::to_string(limit) +
                           " instructions it may; does it end?");
}

bool WarpExecutor::runOperations(const BasicBlock &block, LaneMask mask) {
  const Op *op = program.ops.data() + block.first;
  const Op *end = program.ops.data() + block.end;
  for (; op != end; ++op) {
    LaneMask lanes = mask;
    if (op->guard) [[unlikely]] {
      LaneMask guard = warp.predicates[op->guard >> 1];
      lanes &= op->guard & 1 ? ~guard : guard;
      if (!lanes)
        continue;
    }
    Handler run = lanes == kAllLanes ? op->run.full : op->run.masked;
    if (!run(warp, *op, lanes)) [[unlikely]] {
      faultSource = op->source;
      return false;
    }
  }
  return true;
}

void WarpExecutor::observeRegisters(uint32_t op, LaneMask lanes) {
  if ((program.opFlags[op] & kTouchesWgmma) && warp.block->observer)
    warp.block->observer->registers(warp, program.ops[op], lanes);
}

/// The same while somebody watches.
bool WarpExecutor::runObserved(uint32_t blockIndex, LaneMask mask) {
  const BasicBlock &block = program.blocks[blockIndex];
  warp.block->observer->block(warp, blockIndex, mask);
  for (uint32_t index = block.first; index < block.end; ++index) {
    const Op &op = program.ops[index];
    LaneMask guard = warp.predicates[op.guard >> 1];
    LaneMask lanes = mask & (op.guard & 1 ? ~guard : guard);
    if (!lanes)
      continue;
    observeRegisters(index, lanes);
    Handler run = lanes == kAllLanes ? op.run.full : op.run.masked;
    if (!run(warp, op, lanes)) {
      faultSource = op.source;
      return false;
    }
  }
  return true;
}

/// Runs a path until it waits, meets its join, ends, or used its budget.
bool WarpExecutor::runPath(size_t index, uint64_t &budget) {
  Path path = paths[index];
  paths.erase(paths.begin() + static_cast<std::ptrdiff_t>(index));
  uint64_t own = paths.empty() ? budget : std::min(budget, kPathBudget);
  for (bool stopped = false; !stopped;) {
    if (path.join != kNoJoin &&
        joins[static_cast<size_t>(path.join)].block == path.block)
      return arrive(path);
    if (own == 0) {
      // Oldest, so that the others come first.
      paths.insert(paths.begin(), path);
      return true;
    }
    --own;
    --budget;
    const BasicBlock &block = program.blocks[path.block];
    warp.active = path.mask;
    if (path.resumes) [[unlikely]] {
      path.resumes = false;
      if (!terminate(path, block, stopped))
        return false;
      continue;
    }
    statistics.warpInstructions += block.instructions;
    statistics.threadInstructions +=
        uint64_t(block.instructions) *
        static_cast<unsigned>(std::popcount(path.mask));
    bool good = warp.block->observer ? runObserved(path.block, path.mask)
                                     : runOperations(block, path.mask);
    warp.issued += block.instructions;
    if (!good || !terminate(path, block, stopped))
      return false;
  }
  return true;
}

/// Goes on to the next block, or sets `stopped` if the path does not go on.
bool WarpExecutor::terminate(Path &path, const BasicBlock &block,
                             bool &stopped) {
  const Terminator &end = block.terminator;
  switch (end.kind) {
  case TerminatorKind::FallThrough:
    path.block = end.target;
    return true;
  case TerminatorKind::Branch:
    return branch(path, end);
  case TerminatorKind::BranchIndexed:
    return branchIndexed(path, end);
  case TerminatorKind::Call:
    path.frame = enterFrame(path.frame, end.otherwise);
    path.block = end.target;
    return true;
  case TerminatorKind::FunctionEnd:
    if (path.frame != kNoFrame) {
      Frame frame = frames[static_cast<size_t>(path.frame)];
      path.block = frame.returnBlock;
      path.frame = frame.parent;
      return true;
    }
    [[fallthrough]]; // The end of a kernel is an exit.
  case TerminatorKind::Exit:
    stopped = true;
    if (warp.block->observer)
      warp.block->observer->exit(warp, path.mask);
    exitLanes(path.mask);
    faultSource = end.source;
    if (!warp.live && !warp.block->warpgroups->exit(warp))
      return false;
    return releaseCollectives();
  case TerminatorKind::Trap:
    return fault(end, FaultKind::Trap, path.mask);
  case TerminatorKind::Barrier:
    path.wait = Path::Wait::Barrier;
    path.arrived = false;
    paths.push_back(path);
    stopped = true;
    return true;
  case TerminatorKind::Collective:
    return collective(path, end, stopped);
  case TerminatorKind::Poll:
    return poll(path, end, stopped);
  }
  return true;
}

bool WarpExecutor::fault(const Terminator &end, FaultKind kind,
                         LaneMask lanes) {
  warp.fault = {};
  warp.fault.kind = kind;
  warp.fault.lane = static_cast<unsigned>(std::countr_zero(lanes));
  faultSource = end.source;
  return false;
}

int WarpExecutor::enterFrame(int parent, uint32_t returnBlock) {
  for (size_t i = 0; i < frames.size(); ++i)
    if (frames[i].parent == parent && frames[i].returnBlock == returnBlock)
      return static_cast<int>(i);
  frames.push_back({parent, returnBlock});
  return static_cast<int>(frames.size() - 1);
}

//===----------------------------------------------------------------------===//
// Divergence
//===----------------------------------------------------------------------===//

/// The join for lanes of `path` that part at `end`: their own one if it lies
/// at the same place (the next turn of a loop), else a new one.
int WarpExecutor::joinFor(const Path &path, const Terminator &end) {
  if (end.reconvergence == kNoBlock)
    return path.join;
  if (path.join != kNoJoin) {
    const Join &own = joins[static_cast<size_t>(path.join)];
    if (own.block == end.reconvergence && own.frame == path.frame)
      return path.join;
  }
  size_t index = 0;
  while (index < joins.size() && joins[index].block != kNoBlock)
    ++index;
  if (index == joins.size())
    joins.emplace_back();
  joins[index] = {end.reconvergence, path.join, path.frame, path.mask, 0};
  return static_cast<int>(index);
}

bool WarpExecutor::branch(Path &path, const Terminator &end) {
  LaneMask guard = warp.predicates[end.guard >> 1];
  LaneMask taken = path.mask & (end.guard & 1 ? ~guard : guard);
  if (taken == path.mask) {
    path.block = end.target;
    return true;
  }
  if (taken) {
    path.join = joinFor(path, end);
    Path other = path;
    other.block = end.target;
    other.mask = taken;
    paths.push_back(other);
    path.mask &= ~taken;
  }
  path.block = end.otherwise;
  return true;
}

bool WarpExecutor::branchIndexed(Path &path, const Terminator &end) {
  const auto *index = reinterpret_cast<const uint32_t *>(
      warp.registers + program.ops[end.op].r[0]);
  LaneMask left = path.mask;
  for (bool first = true; left; first = false) {
    unsigned lane = static_cast<unsigned>(std::countr_zero(left));
    if (index[lane] >= end.targets.size())
      return fault(end, FaultKind::BadIndex, left & (0u - left));
    uint32_t target = end.targets[index[lane]];
    LaneMask group = 0;
    for (unsigned i = 0; i < kWarpSize; ++i)
      if ((left >> i & 1) && index[i] < end.targets.size() &&
          end.targets[index[i]] == target)
        group |= LaneMask(1) << i;
    left &= ~group;
    if (first && left)
      path.join = joinFor(path, end);
    if (!left) {
      path.block = target;
      path.mask = group;
      return true;
    }
    Path other = path;
    other.block = target;
    other.mask = group;
    paths.push_back(other);
  }
  return true;
}

bool WarpExecutor::arrive(const Path &path) {
  joins[static_cast<size_t>(path.join)].arrived |= path.mask;
  settleJoin(path.join);
  return true;
}

/// If all that are expected have come, they go on together.
void WarpExecutor::settleJoin(int index) {
  Join &join = joins[static_cast<size_t>(index)];
  if (join.arrived != join.expected)
    return;
  Path path;
  path.block = join.block;
  path.mask = join.arrived;
  path.join = join.parent;
  path.frame = join.frame;
  join.block = kNoBlock;
  if (path.mask)
    paths.push_back(path);
}

bool WarpExecutor::releaseJoins() {
  bool any = false;
  for (Join &join : joins) {
    if (join.block == kNoBlock || !join.arrived)
      continue;
    Path path;
    path.block = join.block;
    path.mask = join.arrived;
    path.join = join.parent;
    path.frame = join.frame;
    join.expected &= ~join.arrived;
    join.arrived = 0;
    paths.push_back(path);
    any = true;
  }
  return any;
}

void WarpExecutor::exitLanes(LaneMask lanes) {
  warp.live &= ~lanes;
  leaveClusterBarrier(warp, lanes);
  for (size_t i = 0; i < joins.size(); ++i) {
    if (joins[i].block == kNoBlock)
      continue;
    joins[i].expected &= ~lanes;
    settleJoin(static_cast<int>(i));
  }
}

//===----------------------------------------------------------------------===//
// Polling
//===----------------------------------------------------------------------===//

/// Executes the operation; if its lanes would wait, the path stays where it is
/// until wakePolling or timeOutPolling.
bool WarpExecutor::poll(Path &path, const Terminator &end, bool &stopped) {
  const Op &op = program.ops[end.op];
  warp.wouldWait = false;
  warp.timedOut = path.timedOut;
  path.timedOut = false;
  if (!op.run.masked(warp, op, path.mask)) {
    faultSource = op.source;
    return false;
  }
  if (!warp.wouldWait) {
    path.block = end.otherwise;
    return true;
  }
  path.wait = Path::Wait::Poll;
  path.polledAt = warp.block->cluster->events;
  paths.push_back(path);
  stopped = true;
  return true;
}

/// A path that is ready again starts at its block's terminator.
bool WarpExecutor::wakePolling() {
  bool any = false;
  for (Path &path : paths)
    if (path.wait == Path::Wait::Poll &&
        path.polledAt != warp.block->cluster->events) {
      path.wait = Path::Wait::None;
      path.resumes = true;
      any = true;
    }
  return any;
}

bool WarpExecutor::timeOutPolling() {
  bool any = false;
  for (Path &path : paths)
    if (path.wait == Path::Wait::Poll) {
      path.wait = Path::Wait::None;
      path.resumes = path.timedOut = true;
      any = true;
    }
  return any;
}

//===----------------------------------------------------------------------===//
// Collectives
//===----------------------------------------------------------------------===//

bool WarpExecutor::collective(Path &path, const Terminator &end,
                              bool &stopped) {
  const Op &op = program.ops[end.op];
  const auto *members =
      reinterpret_cast<const uint32_t *>(warp.registers + op.r[5]);
  LaneMask named = members[static_cast<unsigned>(std::countr_zero(path.mask))];
  if (path.mask & ~named)
    return fault(end, FaultKind::BadCollective, path.mask & ~named);
  if (!(named & warp.live & ~path.mask)) {
    observeRegisters(end.op, path.mask);
    Handler run = path.mask == kAllLanes ? op.run.full : op.run.masked;
    if (!run(warp, op, path.mask)) {
      faultSource = op.source;
      return false;
    }
    path.block = end.otherwise;
    return true;
  }
  path.wait = Path::Wait::Collective;
  path.members = named;
  path.key = op.mode == kMeetsAnywhere ? ~uint32_t(0) : end.op;
  paths.push_back(path);
  stopped = true;
  return releaseCollectives();
}

/// Executes what all the lanes it names have come to.
bool WarpExecutor::releaseCollectives() {
  for (size_t i = 0; i < paths.size(); ++i) {
    const Path first = paths[i];
    if (first.wait != Path::Wait::Collective)
      continue;
    auto meets = [&](const Path &path) {
      return path.wait == Path::Wait::Collective &&
             path.members == first.members && path.key == first.key;
    };
    LaneMask together = 0;
    for (const Path &path : paths)
      together |= meets(path) ? path.mask : 0;
    if (first.members & warp.live & ~together)
      continue;
    const Terminator &end = program.blocks[first.block].terminator;
    const Op &op = program.ops[end.op];
    observeRegisters(end.op, together);
    if (!op.run.masked(warp, op, together)) {
      faultSource = op.source;
      return false;
    }
    for (Path &path : paths)
      if (meets(path)) {
        path.wait = Path::Wait::None;
        path.block = program.blocks[path.block].terminator.otherwise;
      }
  }
  return true;
}

} // namespace ctc::ptx
