//===- MemoryChecker.cpp - Watches a launch for misuse of memory ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Check/MemoryChecker.h"

#include <algorithm>
#include <bit>

namespace ctc::ptx::check {

static Lanes lanesOf(const Warp &warp, LaneMask mask, uint32_t source = 0) {
  return {warp.block->rank, warp.index, mask, source};
}

MemoryChecker::MemoryChecker(const Program &program, const GlobalMemory &memory,
                             const LaunchConfig &config)
    : program(program), memory(memory), config(config),
      warpsPerBlock(
          (config.block.x * config.block.y * config.block.z + kWarpSize - 1) /
          kWarpSize),
      matrices(program), ranges(program.cacheSlots) {}

void MemoryChecker::beginCluster(const ClusterState &state) {
  cluster = &state;
  found.beginCluster(state.index);
  const uint64_t bytes = state.blocks[0]->sharedBytes;
  if (!detector || detector->isWornOut())
    detector = std::make_unique<RaceDetector>(
        RaceDetector::Shape{state.size, state.blocks[0]->threads, bytes},
        *this);
  sharedBits.resize(state.size);
  for (std::vector<uint64_t> &bits : sharedBits)
    bits.assign(bytes / 64 + 1, 0);
  detector->begin();
  matrices.begin(state.size * warpsPerBlock);
}

void MemoryChecker::endCluster(const ClusterState &) {
  found.nextExecution();
  detector->end();
}

void MemoryChecker::exit(Warp &warp, LaneMask mask) {
  detector->exit(lanesOf(warp, mask));
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

bool MemoryChecker::findShared(uint64_t host, SharedPlace &place) const {
  for (unsigned rank = 0; rank < cluster->size; ++rank) {
    const BlockState &block = *cluster->blocks[rank];
    const uint64_t offset = host - reinterpret_cast<uint64_t>(block.shared);
    if (offset >= block.sharedBytes)
      continue;
    place = {rank, static_cast<uint32_t>(offset)};
    return true;
  }
  return false;
}

SharedPlace MemoryChecker::placeOf(uint64_t mbarrier) const {
  SharedPlace place;
  findShared(mbarrier, place);
  return place;
}

/// The allocation an address is in; null for the launch's parameters and for
/// local memory, which generic addresses reach, too.
const InitializedRange *MemoryChecker::findGlobal(uint64_t host,
                                                  uint32_t cacheSlot) {
  if (ranges.size() <= cacheSlot)
    ranges.resize(cacheSlot + 1);
  InitializedRange &range = ranges[cacheSlot];
  if (host >= range.begin && host < range.end)
    return &range;
  return GlobalMemory::Impl::findInitialized(memory, host, range) ? &range
                                                                  : nullptr;
}

//===----------------------------------------------------------------------===//
// Accesses of threads
//===----------------------------------------------------------------------===//

static bool isRead(AccessKind kind) {
  return kind == AccessKind::Load || kind == AccessKind::Atomic ||
         kind == AccessKind::CopySource;
}

void MemoryChecker::access(Warp &warp, const Op &op, const LaneAccess &access) {
  if (access.space == Space::Local || access.space == Space::Param)
    return;
  found.nextExecution();
  const Lanes lanes = lanesOf(warp, access.mask, op.source);
  LaneMask left = access.mask;
  // The own block first, then its peers.
  for (unsigned i = 0; left && i < cluster->size; ++i) {
    if (access.space == Space::Global || access.space == Space::Const)
      break;
    SharedAccess place;
    place.rank = (lanes.rank + i) % cluster->size;
    const BlockState &block = *cluster->blocks[place.rank];
    const auto base = reinterpret_cast<uint64_t>(block.shared);
    for (unsigned lane = 0; lane < kWarpSize; ++lane) {
      const uint64_t offset = access.host->lane[lane] - base;
      place.offsets[lane] = static_cast<uint32_t>(offset);
      place.mask |= static_cast<LaneMask>(offset < block.sharedBytes) << lane;
    }
    place.mask &= left;
    left &= ~place.mask;
    if (place.mask)
      accessShared(lanes, access, place);
  }
  if (left)
    accessGlobal(lanes, access, left, op.cacheSlot);
  if (access.ordering == Ordering::Weak || access.kind == AccessKind::MBarrier)
    return;
  detector->order(lanes, access.host->lane, access.ordering,
                  access.kind != AccessKind::Store,
                  access.kind != AccessKind::Load);
}

void MemoryChecker::accessShared(const Lanes &all, const LaneAccess &access,
                                 const SharedAccess &place) {
  initializeShared(all, access, place);
  Lanes lanes = all;
  lanes.mask = place.mask;
  const bool isStrong = access.ordering != Ordering::Weak;
  Access how = Access::Read;
  switch (access.kind) {
  case AccessKind::Load:
    how = isStrong ? Access::StrongRead : Access::Read;
    break;
  case AccessKind::Store:
    how = isStrong ? Access::StrongWrite : Access::Write;
    break;
  case AccessKind::Atomic:
  case AccessKind::MBarrier:
    how = Access::StrongWrite;
    break;
  case AccessKind::CopyTarget:
    return detector->copy(lanes, place.rank, place.offsets, access.bytes);
  case AccessKind::CopySource:
    return;
  }
  if (access.host->shape == HostAddresses::Uniform && !isWrite(how))
    detector->accessOne(lanes, {place.rank, place.offsets[lowest(place.mask)]},
                        how, access.bytes);
  else
    detector->access(lanes, place.rank, how, place.offsets, access.bytes);
}

void MemoryChecker::initializeShared(const Lanes &lanes,
                                     const LaneAccess &access,
                                     const SharedAccess &place) {
  uint64_t *bits = sharedBits[place.rank].data();
  LaneMask missing = 0;
  for (LaneMask left = place.mask; left; left &= left - 1) {
    const uint32_t offset = place.offsets[lowest(left)];
    if (isRead(access.kind) && !allBits(bits, offset, access.bytes))
      missing |= left & (0u - left);
    else if (access.kind != AccessKind::Load)
      setBits(bits, offset, access.bytes);
  }
  if (missing)
    reportMissing(lanes, {lowest(missing), place.offsets[lowest(missing)],
                          access.bytes, 0, place.rank});
}

void MemoryChecker::accessGlobal(const Lanes &lanes, const LaneAccess &access,
                                 LaneMask mask, uint32_t cacheSlot) {
  const uint64_t *host = access.host->lane;
  LaneMask missing = 0;
  uint64_t run = access.bytes;
  const bool isOneRun =
      access.host->shape == HostAddresses::Consecutive && mask == kAllLanes;
  if (isOneRun)
    run *= kWarpSize;
  for (LaneMask left = isOneRun ? 1 : mask; left; left &= left - 1) {
    const unsigned lane = lowest(left);
    const InitializedRange *range = findGlobal(host[lane], cacheSlot);
    if (!range || !range->bits)
      continue;
    const uint64_t offset = host[lane] - range->begin;
    if (isRead(access.kind) && !allBits(range->bits, offset, run))
      missing |= isOneRun ? mask : LaneMask(1) << lane;
    else if (access.kind != AccessKind::Load &&
             access.kind != AccessKind::CopySource)
      setBits(range->bits, offset, run);
  }
  for (; missing; missing &= missing - 1) {
    const unsigned lane = lowest(missing);
    const InitializedRange *range = findGlobal(host[lane], cacheSlot);
    const uint64_t offset = host[lane] - range->begin;
    if (!allBits(range->bits, offset, access.bytes))
      return reportMissing(
          lanes, {lane, offset, access.bytes, range->end - range->begin, 0});
  }
}

//===----------------------------------------------------------------------===//
// Asynchronous operations
//===----------------------------------------------------------------------===//

void MemoryChecker::asynchronous(Warp &warp, const Op &op,
                                 const AsyncOperation &operation) {
  found.nextExecution();
  const Lanes lanes = lanesOf(warp, operation.mask, op.source);
  std::vector<RaceDetector::Range> shared;
  for (const AsyncRange &range : operation.ranges)
    if (range.bytes)
      checkRange(lanes, range, op.cacheSlot, shared);
  detector->asynchronous(lanes, operation.completion,
                         operation.completion == Completion::MBarrier
                             ? placeOf(operation.mbarrier)
                             : SharedPlace{},
                         shared);
}

/// Looks after the initialised bytes, and adds what lies in shared memory.
void MemoryChecker::checkRange(const Lanes &lanes, const AsyncRange &range,
                               uint32_t cacheSlot,
                               std::vector<RaceDetector::Range> &shared) {
  uint64_t *bits = nullptr;
  Missing missing{lowest(lanes.mask), 0, range.bytes, 0, 0};
  SharedPlace place;
  if (findShared(range.host, place)) {
    shared.push_back({place, range.bytes,
                      range.isAtomic  ? Access::StrongWrite
                      : range.isWrite ? Access::Write
                                      : Access::Read});
    bits = sharedBits[place.rank].data();
    missing.offset = place.offset;
    missing.rank = place.rank;
  } else if (const InitializedRange *global =
                 findGlobal(range.host, cacheSlot)) {
    bits = global->bits;
    missing.offset = range.host - global->begin;
    missing.within = global->end - global->begin;
  }
  if (!bits)
    return;
  const bool reads = !range.isWrite || range.isAtomic;
  if (reads && !allBits(bits, missing.offset, range.bytes))
    reportMissing(lanes, missing);
  else if (range.isWrite)
    setBits(bits, missing.offset, range.bytes);
}

void MemoryChecker::commit(Warp &warp, const Op &op, LaneMask mask,
                           Completion completion) {
  detector->commit(lanesOf(warp, mask, op.source), completion);
  if (completion == Completion::WgmmaGroup)
    matrices.commit(warpNumber(warp));
}

/// All that a group of bulk copies does to shared memory is to read it, so that
/// `.read` makes no difference here.
void MemoryChecker::wait(Warp &warp, const Op &op, LaneMask mask,
                         Completion completion, unsigned pending, bool) {
  detector->wait(lanesOf(warp, mask, op.source), completion, pending);
  if (completion == Completion::WgmmaGroup)
    matrices.wait(warpNumber(warp), pending);
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

void MemoryChecker::fence(Warp &warp, const Op &op, LaneMask mask,
                          FenceKind kind) {
  if (kind == FenceKind::Wgmma)
    matrices.fence(warpNumber(warp));
  else
    detector->fence(lanesOf(warp, mask, op.source), kind);
}

void MemoryChecker::warpBarrier(Warp &warp, const Op &op, LaneMask mask) {
  detector->warpBarrier(lanesOf(warp, mask, op.source));
}

void MemoryChecker::arrive(Warp &warp, LaneMask mask, unsigned barrier,
                           bool releases) {
  detector->arrive(lanesOf(warp, mask), barrier, releases);
}

void MemoryChecker::barrierComplete(const BlockState &block, unsigned barrier) {
  detector->complete(block.rank, barrier);
}

void MemoryChecker::leave(Warp &warp, LaneMask mask, unsigned barrier) {
  detector->leave(lanesOf(warp, mask), barrier);
}

void MemoryChecker::arriveAt(Warp &warp, const Op &op, LaneMask mask,
                             uint64_t mbarrier, Ordering ordering,
                             bool afterCopies) {
  detector->arriveAt(lanesOf(warp, mask, op.source), placeOf(mbarrier),
                     ordering, afterCopies);
}

void MemoryChecker::initialized(Warp &warp, const Op &op, LaneMask mask,
                                uint64_t mbarrier, bool valid) {
  found.nextExecution();
  detector->initialize(lanesOf(warp, mask, op.source), placeOf(mbarrier),
                       valid);
}

void MemoryChecker::phaseComplete(uint64_t mbarrier) {
  detector->phaseComplete(placeOf(mbarrier));
}

void MemoryChecker::phaseSeen(Warp &warp, const Op &op, LaneMask mask,
                              uint64_t mbarrier, Ordering ordering) {
  detector->phaseSeen(lanesOf(warp, mask, op.source), placeOf(mbarrier),
                      ordering);
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

void MemoryChecker::registers(Warp &warp, const Op &op, LaneMask mask) {
  const auto index = static_cast<uint32_t>(&op - program.ops.data());
  const RegisterConflict conflict = matrices.touch(warpNumber(warp), index);
  if (conflict.fault == RegisterFault::None)
    return;
  found.nextExecution();
  found.add({op.source, FindingKind::MatrixRegister, conflict.other}, [&] {
    Party party;
    party.rank = warp.block->rank;
    party.thread = warp.index * kWarpSize + lowest(mask);
    party.source = op.source;
    return describeStart(party) + describe(conflict);
  });
}

} // namespace ctc::ptx::check
