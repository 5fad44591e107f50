//===- AsyncTransfer.cpp - Bulk copies of one thread ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Transfers/AsyncTransfer.h"

#include "Execution/GlobalMemory.h"
#include "Transfers/MBarrier.h"

#include <cstring>

namespace ctc::ptx {

static constexpr unsigned kBulkUnit = 16; ///< Of addresses and sizes.
static constexpr unsigned kObjectBytes = 8;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

bool AsyncTransfer::fault(std::string text) {
  return describeFault(warp, lane, std::move(text));
}

bool AsyncTransfer::isAligned(const char *what, uint64_t value,
                              unsigned alignment) {
  if (value % alignment == 0)
    return true;
  return fault(std::string(what) + " " + hexadecimal(value) +
               "; it must be a multiple of " + std::to_string(alignment));
}

bool AsyncTransfer::findGlobal(const char *what, uint64_t address,
                               uint64_t bytes, bool forWriting) {
  RangeCache &cache = warp.block->caches[op.cacheSlot];
  if (address >= cache.begin && address <= cache.end &&
      bytes <= cache.end - address)
    return true;
  if (ptx::findGlobal(*warp.block, address, bytes, forWriting, cache))
    return true;
  return fault(std::string(what) + " " + hexadecimal(address) + " with " +
               std::to_string(bytes) +
               " bytes is outside every allocation of global memory");
}

bool AsyncTransfer::findShared(const char *what, uint64_t inWindow,
                               uint64_t bytes, unsigned alignment,
                               bool ownBlock, SharedPlace &place) {
  if (!isAligned(what, inWindow, alignment))
    return false;
  const BlockState *owner = sharedOwner(*warp.block, inWindow);
  const uint64_t offset = inWindow % GenericWindows::kSlotBytes;
  if (!owner || !sharedHost(*warp.block, inWindow, bytes))
    return fault(std::string(what) + " " + hexadecimal(inWindow) + " with " +
                 std::to_string(bytes) + " bytes is outside the " +
                 std::to_string(warp.block->sharedBytes) +
                 " bytes of shared memory");
  if (ownBlock && owner != warp.block)
    return fault(std::string(what) + " " + hexadecimal(inWindow) +
                 " is in block rank " + std::to_string(owner->rank) +
                 "; it must be in the own block, rank " +
                 std::to_string(warp.block->rank));
  place = {owner, offset};
  return true;
}

bool AsyncTransfer::findArrivals(const SharedTarget &target, uint64_t bytes,
                                 unsigned alignment, Arrivals &arrivals) {
  SharedPlace data, object;
  if (!findShared("destination", target.address, bytes, alignment,
                  target.ownBlock, data) ||
      !findShared("mbarrier", target.mbarrier, kObjectBytes, kObjectBytes,
                  target.ownBlock, object))
    return false;
  if (!target.multicast) {
    if (data.block != object.block)
      return fault("the destination is in block rank " +
                   std::to_string(data.block->rank) + " and the mbarrier in " +
                   std::to_string(object.block->rank) +
                   "; they must be in the same block");
    arrivals.places.push_back(data);
    arrivals.mbarriers.push_back(reinterpret_cast<uint64_t>(object.host()));
    return true;
  }
  const ClusterState &cluster = *warp.block->cluster;
  if (target.blockMask >> cluster.size)
    return fault("block mask " + hexadecimal(target.blockMask) +
                 " names blocks that the cluster does not have; legal are "
                 "ranks 0 to " +
                 std::to_string(cluster.size - 1));
  for (unsigned rank = 0; rank < cluster.size; ++rank)
    if (target.blockMask >> rank & 1) {
      const BlockState *block = cluster.blocks[rank];
      arrivals.places.push_back({block, data.offset});
      arrivals.mbarriers.push_back(
          reinterpret_cast<uint64_t>(block->shared + object.offset));
    }
  return true;
}

//===----------------------------------------------------------------------===//
// Observers
//===----------------------------------------------------------------------===//

void AsyncTransfer::reads(uint64_t host, uint64_t bytes) {
  if (!ranges.empty() && !ranges.back().isWrite &&
      ranges.back().host + ranges.back().bytes == host)
    ranges.back().bytes += bytes;
  else
    ranges.push_back({host, bytes, false, false});
}

void AsyncTransfer::writes(uint64_t host, uint64_t bytes, bool isAtomic) {
  if (!ranges.empty() && ranges.back().isWrite &&
      ranges.back().host + ranges.back().bytes == host)
    ranges.back().bytes += bytes;
  else
    ranges.push_back({host, bytes, true, isAtomic});
}

/// Each mbarrier hears of what was written into its block, and of all reads.
void AsyncTransfer::announce(const Arrivals &arrivals) {
  for (size_t i = 0; i < arrivals.places.size(); ++i) {
    const BlockState &block = *arrivals.places[i].block;
    std::vector<AsyncRange> own;
    for (const AsyncRange &range : ranges)
      if (!range.isWrite ||
          range.host - reinterpret_cast<uint64_t>(block.shared) <
              block.sharedBytes)
        own.push_back(range);
    warp.block->observer->asynchronous(warp, op,
                                       {Completion::MBarrier,
                                        LaneMask(1) << lane,
                                        arrivals.mbarriers[i], own});
  }
}

void AsyncTransfer::announceToGroup() {
  warp.block->observer->asynchronous(
      warp, op, {Completion::BulkGroup, LaneMask(1) << lane, 0, ranges});
}

bool AsyncTransfer::complete(const Arrivals &arrivals, uint32_t bytes) {
  for (uint64_t mbarrier : arrivals.mbarriers)
    if (!MBarrier(warp, lane, mbarrier).complete(bytes))
      return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Bulk copies
//===----------------------------------------------------------------------===//

bool bulkToShared(AsyncTransfer &transfer, const SharedTarget &target,
                  uint64_t source, bool fromShared, uint32_t size,
                  Reducer reducer) {
  Arrivals arrivals;
  if (!transfer.isAligned("size", size, kBulkUnit) ||
      !transfer.findArrivals(target, size, kBulkUnit, arrivals))
    return false;
  const char *from = reinterpret_cast<const char *>(source);
  if (fromShared) {
    SharedPlace place;
    if (!transfer.findShared("source", source, size, kBulkUnit,
                             /*ownBlock=*/true, place))
      return false;
    if (arrivals.places.front().block == place.block)
      return transfer.fault(
          "the destination is in the own block, rank " +
          std::to_string(place.block->rank) +
          "; from shared memory it must be in another block of the cluster");
    from = place.host();
  } else if (!transfer.isAligned("source", source, kBulkUnit) ||
             !transfer.findGlobal("source", source, size, false)) {
    return false;
  }
  if (transfer.isObserved()) {
    transfer.reads(reinterpret_cast<uint64_t>(from), size);
    for (const SharedPlace &place : arrivals.places)
      transfer.writes(reinterpret_cast<uint64_t>(place.host()), size,
                      reducer != nullptr);
    transfer.announce(arrivals);
  }
  for (const SharedPlace &place : arrivals.places)
    if (reducer)
      reducer(place.host(), from, size);
    else
      std::memcpy(place.host(), from, size);
  return transfer.complete(arrivals, size);
}

bool bulkToGlobal(AsyncTransfer &transfer, uint64_t target, uint64_t source,
                  uint32_t size, Reducer reducer) {
  SharedPlace place;
  if (!transfer.isAligned("size", size, kBulkUnit) ||
      !transfer.findShared("source", source, size, kBulkUnit,
                           /*ownBlock=*/true, place) ||
      !transfer.isAligned("destination", target, kBulkUnit) ||
      !transfer.findGlobal("destination", target, size, true))
    return false;
  if (transfer.isObserved()) {
    transfer.reads(reinterpret_cast<uint64_t>(place.host()), size);
    transfer.writes(target, size, reducer != nullptr);
    transfer.announceToGroup();
  }
  auto *to = reinterpret_cast<char *>(target);
  if (reducer)
    reducer(to, place.host(), size);
  else
    std::memcpy(to, place.host(), size);
  return true;
}

bool bulkPrefetch(AsyncTransfer &transfer, uint64_t source, uint32_t size) {
  return transfer.isAligned("size", size, kBulkUnit) &&
         transfer.isAligned("source", source, kBulkUnit);
}

} // namespace ctc::ptx
