//===- Cluster.cpp - mapa, getctarank, barrier.cluster --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions" (mapa, getctarank) and
// "Parallel Synchronization and Communication Instructions" (barrier.cluster).
//
//  * mapa gives the address that an address of the own shared memory has in
//    the block of a rank: Warp.h, "GenericWindows", says how it looks.
//  * barrier.cluster counts threads; the phase is complete when every thread of
//    the cluster has arrived or ended. A thread waits for the phase it arrived
//    at last. Arriving twice without a wait in between is undefined, so here it
//    is a fault, and so is a wait without an arrive.
//  * .release, .acquire and .relaxed mean the same here: see Memory.cpp.
//
//===----------------------------------------------------------------------===//

#include "Execution/GlobalMemory.h"
#include "Execution/Observer.h"
#include "Families/Families.h"
#include "Families/Lanes.h"

#include <string>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

//===----------------------------------------------------------------------===//
// mapa, getctarank
//===----------------------------------------------------------------------===//

constexpr unsigned kSlotBits = GenericWindows::kSlotBits;

/// Operands: row r[0] result, r[1] address, r[2] rank. op.immediate is where
/// the shared window begins for addresses of this kind.
template <class T> bool mapAddress(Warp &warp, const Op &op, LaneMask mask) {
  T *d = reinterpret_cast<T *>(warp.registers + op.r[0]);
  const T *a = reinterpret_cast<const T *>(warp.registers + op.r[1]);
  const uint32_t *rank = rowOf<uint32_t>(warp, op.r[2]);
  const unsigned size = warp.block->cluster->size;
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    if (rank[lane] >= size)
      return describeFault(warp, lane,
                           "rank " + std::to_string(rank[lane]) +
                               " is not in the cluster; legal are 0 to " +
                               std::to_string(size - 1));
    const uint64_t inWindow = a[lane] - static_cast<uint64_t>(op.immediate);
    if (inWindow >= GenericWindows::kSharedBytes)
      return describeFault(
          warp, lane, hexadecimal(a[lane]) + " is no address of shared memory");
    const uint64_t offset = inWindow % GenericWindows::kSlotBytes;
    d[lane] = static_cast<T>(static_cast<uint64_t>(op.immediate) + offset +
                             (uint64_t(rank[lane] + 1) << kSlotBits));
  }
  return true;
}

/// Operands: row r[0] result, r[1] address.
template <class T> bool rankOf(Warp &warp, const Op &op, LaneMask mask) {
  uint32_t *d = rowOf<uint32_t>(warp, op.r[0]);
  const T *a = reinterpret_cast<const T *>(warp.registers + op.r[1]);
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    const uint64_t inWindow = a[lane] - static_cast<uint64_t>(op.immediate);
    const uint64_t slot = inWindow >> kSlotBits;
    if (slot > warp.block->cluster->size)
      return describeFault(warp, lane,
                           hexadecimal(a[lane]) +
                               " is no address of the cluster's shared memory");
    d[lane] = slot ? static_cast<uint32_t>(slot - 1) : warp.block->rank;
  }
  return true;
}

int64_t windowStart(bool isShared) {
  return isShared ? 0 : static_cast<int64_t>(genericWindows().shared);
}

/// mapa{.shared::cluster}.{u32,u64} d, a, rank: without the space a and d are
/// generic addresses.
Decode decodeMapAddress(OpBuilder &b) {
  bool isShared = b.take("shared::cluster");
  auto type = b.takeType();
  if (!type || type->kind != TypeKind::Unsigned || type->bits < 32 ||
      (!isShared && type->bits != 64) || !b.allTaken() || b.operandCount() != 3)
    return Decode::NotMine;
  Handler run = type->bits == 64 ? mapAddress<uint64_t> : mapAddress<uint32_t>;
  Op &op =
      b.emit({run, run}, {b.def(0, *type), b.use(1, *type), b.use(2, kU32)});
  op.immediate = windowStart(isShared);
  return Decode::Done;
}

/// getctarank{.shared::cluster}.{u32,u64} d, a
Decode decodeRank(OpBuilder &b) {
  bool isShared = b.take("shared::cluster");
  auto type = b.takeType();
  if (!type || type->kind != TypeKind::Unsigned || type->bits < 32 ||
      (!isShared && type->bits != 64) || !b.allTaken() || b.operandCount() != 2)
    return Decode::NotMine;
  Handler run = type->bits == 64 ? rankOf<uint64_t> : rankOf<uint32_t>;
  Op &op = b.emit({run, run}, {b.def(0, kU32), b.use(1, *type)});
  op.immediate = windowStart(isShared);
  return Decode::Done;
}

//===----------------------------------------------------------------------===//
// barrier.cluster
//===----------------------------------------------------------------------===//

/// Op::mode of barrier.cluster.
constexpr uint16_t kAligned = 1, kRelaxed = 2;

/// With kAligned, all live lanes of the warp must come together.
bool isAligned(Warp &warp, const Op &op, LaneMask mask) {
  if (!(op.mode & kAligned) || mask == warp.live)
    return true;
  return describeFault(warp, lowestLane(mask),
                       "an aligned barrier needs all live threads of the warp "
                       "together; lanes " +
                           hexadecimal(mask) + " of " + hexadecimal(warp.live) +
                           " are here");
}

bool clusterArrive(Warp &warp, const Op &op, LaneMask mask) {
  if (!isAligned(warp, op, mask))
    return false;
  const uint32_t phase = warp.block->cluster->barrier.phase;
  for (LaneMask left = mask; left; left &= left - 1)
    if (warp.clusterArrivals[lowestLane(left)] > phase)
      return describeFault(warp, lowestLane(left),
                           "the thread arrives twice at the cluster's barrier; "
                           "a barrier.cluster.wait must come in between");
  if (warp.block->observer)
    warp.block->observer->arrive(warp, mask, kClusterBarrier,
                                 !(op.mode & kRelaxed));
  arriveAtClusterBarrier(warp, mask);
  return true;
}

bool clusterWait(Warp &warp, const Op &op, LaneMask mask) {
  if (!isAligned(warp, op, mask))
    return false;
  const uint32_t phase = warp.block->cluster->barrier.phase;
  for (LaneMask left = mask; left; left &= left - 1) {
    const uint32_t arrivals = warp.clusterArrivals[lowestLane(left)];
    if (arrivals == 0)
      return describeFault(warp, lowestLane(left),
                           "the thread waits at the cluster's barrier without "
                           "a barrier.cluster.arrive before");
    if (arrivals > phase) {
      warp.wouldWait = true; // It never times out.
      return true;
    }
  }
  if (warp.block->observer)
    warp.block->observer->leave(warp, mask, kClusterBarrier);
  return true;
}

/// barrier.cluster.arrive{.release,.relaxed}{.aligned};
/// barrier.cluster.wait{.acquire}{.aligned}
Decode decodeClusterBarrier(OpBuilder &b) {
  if (!b.take("cluster") || b.operandCount())
    return Decode::NotMine;
  int kind = b.takeOneOf({"arrive", "wait"});
  bool relaxed = kind == 0 && b.takeOneOf({"release", "relaxed"}) == 1;
  if (kind == 1)
    b.take("acquire");
  bool aligned = b.take("aligned");
  if (kind < 0 || !b.allTaken())
    return Decode::NotMine;
  Op &op = kind == 0 ? b.emit({clusterArrive, clusterArrive}, {})
                     : b.emitPolling({clusterWait, clusterWait}, {});
  op.mode = static_cast<uint16_t>((aligned ? kAligned : 0) |
                                  (relaxed ? kRelaxed : 0));
  return Decode::Done;
}

} // namespace

void addCluster(DecoderTable &table) {
  table.insert({"mapa", decodeMapAddress});
  table.insert({"getctarank", decodeRank});
  table.insert({"barrier", decodeClusterBarrier});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
