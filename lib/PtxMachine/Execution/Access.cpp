//===- Access.cpp - From PTX addresses to host addresses ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#define CTC_PTX_LEVEL baseline
#include "Families/Access.h"

#include <bit>

namespace ctc::ptx {

static const char *nameOf(AccessKind kind) {
  switch (kind) {
  case AccessKind::Load:
    return "load";
  case AccessKind::Store:
    return "store";
  case AccessKind::Atomic:
    return "atomic operation";
  case AccessKind::CopySource:
    return "asynchronous copy from global memory";
  case AccessKind::CopyTarget:
    return "asynchronous copy to shared memory";
  case AccessKind::MBarrier:
    return "mbarrier operation";
  }
  return "access";
}

namespace {

struct Access {
  Warp &warp;
  RangeCache &cache;
  unsigned bytes;
  AccessKind kind;

  bool isWrite() const {
    return kind != AccessKind::Load && kind != AccessKind::CopySource;
  }

  bool fault(FaultKind kind, unsigned lane, uint64_t address) const {
    warp.fault = {kind, lane, address, bytes, nameOf(this->kind), {}};
    return false;
  }

  /// `address` as a host address, or a fault.
  bool resolve(Space space, unsigned lane, uint64_t &address) const {
    if (address % bytes)
      return fault(FaultKind::Misaligned, lane, address);
    const GenericWindows &windows = genericWindows();
    uint64_t inShared = address - windows.shared;
    uint64_t inLocal = address - windows.local;
    const BlockState &block = *warp.block;
    switch (space) {
    case Space::Generic:
      if (inShared < GenericWindows::kSharedBytes)
        return placeShared(lane, address, inShared);
      if (inLocal < GenericWindows::kLocalBytes)
        return place(FaultKind::OutsideLocal, lane, address, inLocal,
                     warp.local + lane * warp.localBytes, warp.localBytes);
      [[fallthrough]];
    case Space::Global:
    case Space::Const:
      return (address >= cache.begin && address + bytes <= cache.end) ||
             findGlobal(block, address, bytes, isWrite(), cache) ||
             fault(FaultKind::OutsideGlobal, lane, address);
    case Space::Shared:
      return placeShared(lane, address, address);
    case Space::Local:
      return place(FaultKind::OutsideLocal, lane, address, address,
                   warp.local + lane * warp.localBytes, warp.localBytes);
    case Space::Param:
      return place(FaultKind::OutsideParameters, lane, address, address,
                   block.parameters, block.parameterBytes);
    }
    return false;
  }

  /// The own block or another one of the cluster.
  bool placeShared(unsigned lane, uint64_t &address, uint64_t inWindow) const {
    const BlockState *block = sharedOwner(*warp.block, inWindow);
    if (!block)
      return fault(FaultKind::OutsideShared, lane, address);
    return place(FaultKind::OutsideShared, lane, address,
                 inWindow % GenericWindows::kSlotBytes, block->shared,
                 block->sharedBytes);
  }

  bool place(FaultKind kind, unsigned lane, uint64_t &address, uint64_t offset,
             const char *start, uint64_t size) const {
    if (offset > size || bytes > size - offset)
      return fault(kind, lane, address);
    address = reinterpret_cast<uint64_t>(start) + offset;
    return true;
  }
};

} // namespace

const BlockState *sharedOwner(const BlockState &block, uint64_t inWindow) {
  const uint64_t slot = inWindow >> GenericWindows::kSlotBits;
  if (slot == 0)
    return &block;
  return slot <= block.cluster->size ? block.cluster->blocks[slot - 1]
                                     : nullptr;
}

uint64_t sharedHost(const BlockState &block, uint64_t inWindow,
                    uint64_t bytes) {
  const BlockState *owner = sharedOwner(block, inWindow);
  const uint64_t offset = inWindow % GenericWindows::kSlotBytes;
  if (!owner || offset > owner->sharedBytes ||
      bytes > owner->sharedBytes - offset)
    return 0;
  return reinterpret_cast<uint64_t>(owner->shared) + offset;
}

void observeAccess(Warp &warp, const Op &op, const LaneAccess &access) {
  warp.block->observer->access(warp, op, access);
}

bool resolveSlowly(Warp &warp, const Op &op, LaneMask mask, unsigned bytes,
                   Space space, AccessKind kind, HostAddresses &host) {
  RangeCache &cache = warp.block->caches[op.cacheSlot];
  Access checked{warp, cache, bytes, kind};
  if (space == Space::Param || space == Space::Global) {
    // One for all: parameters mostly, and the first access to an allocation.
    const auto leader = static_cast<unsigned>(std::countr_zero(mask));
    uint64_t address = host.lane[leader];
    bool same = true;
    for (unsigned lane = 0; lane < kWarpSize; ++lane)
      same &= host.lane[lane] == address;
    if (same) {
      if (!checked.resolve(space, leader, address))
        return false;
      for (uint64_t &lane : host.lane)
        lane = address;
      host.first = reinterpret_cast<char *>(address);
      host.shape = HostAddresses::Uniform;
      return true;
    }
  }
  for (unsigned lane = 0; lane < kWarpSize; ++lane)
    if ((mask >> lane & 1) && !checked.resolve(space, lane, host.lane[lane]))
      return false;
  auto firstLane = static_cast<unsigned>(std::countr_zero(mask));
  uint64_t first = host.lane[firstLane];
  bool uniform = true, consecutive = mask == kAllLanes;
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if (!(mask >> lane & 1))
      host.lane[lane] = first;
    uniform &= host.lane[lane] == first;
    consecutive &= host.lane[lane] == first + uint64_t(lane) * bytes;
  }
  host.shape = uniform       ? HostAddresses::Uniform
               : consecutive ? HostAddresses::Consecutive
                             : HostAddresses::Scattered;
  host.first = reinterpret_cast<char *>(first);
  return true;
}

} // namespace ctc::ptx
