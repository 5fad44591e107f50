//===- Warp.h - The state operations work on --------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plain data, with no member functions: the instruction families are compiled
// for several instruction sets of the host, and everything they share must
// mean the same in all of them.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_EXECUTION_WARP_H
#define CTC_LIB_PTXMACHINE_EXECUTION_WARP_H

#include "Program/Program.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace ctc::ptx {

class Observer;
class WarpgroupLedger;

/// The most blocks a cluster has (with the attribute for non-portable sizes).
constexpr unsigned kMaxClusterBlocks = 16;

/// PTX ISA, "State Spaces": generic addresses are host addresses, except in
/// two windows of the host's address space that nothing else can occupy (they
/// are reserved and never accessible), which stand for shared memory and for
/// the local memory of the own thread.
///
/// An address in the shared window (also a 32-bit address of .shared) has a
/// slot above its lower 24 bits: 0 is the own block (shared::cta), r + 1 the
/// block of rank r in the cluster (shared::cluster, made by mapa).
struct GenericWindows {
  uint64_t shared = 0;
  uint64_t local = 0;
  static constexpr unsigned kSlotBits = 24;
  static constexpr uint64_t kSlotBytes = uint64_t(1) << kSlotBits;
  static constexpr uint64_t kSharedBytes = (kMaxClusterBlocks + 1) * kSlotBytes;
  static constexpr uint64_t kLocalBytes = kSlotBytes;
};
const GenericWindows &genericWindows();

/// The allocation an operation last accessed; checked before the search.
struct RangeCache {
  uint64_t begin = 1, end = 0;
};

enum class FaultKind : uint8_t {
  None,
  Misaligned,
  OutsideGlobal,
  OutsideShared,
  OutsideLocal,
  OutsideParameters,
  Trap,
  DivergentBarrier,
  BadBarrier,
  BadCollective,
  BadIndex,
  Described,   ///< By Fault::description.
  PartialWarp, ///< address, bytes: the lanes that came, those that live.
};

/// What a handler reports; the executor makes a sentence of it.
struct Fault {
  FaultKind kind = FaultKind::None;
  unsigned lane = 0;
  uint64_t address = 0;
  uint64_t bytes = 0;
  const char *access = ""; ///< "load", "store", ...
  std::string description;
};

/// Where the lanes of an access are. Inactive lanes have the place of an
/// active one, so that a loop over all lanes may read them.
struct HostAddresses {
  enum Shape {
    Uniform,     ///< All the same.
    Consecutive, ///< Lane i is i accesses behind lane 0; all lanes active.
    Scattered,
  };
  uint64_t lane[kWarpSize];
  char *first; ///< Of the lowest active lane.
  Shape shape;
};

struct BlockState;

/// PTX ISA, "barrier.cluster": all threads of all blocks arrive, then wait.
/// Threads that have ended count as arrived.
struct ClusterBarrier {
  uint32_t phase = 0;   ///< Completed so far.
  uint32_t arrived = 0; ///< Threads, of the current phase.
  uint32_t threads = 0; ///< That the cluster has.
  uint32_t ended = 0;   ///< Of these, that have exited.
};

/// The blocks that run together on one host thread.
struct ClusterState {
  uint64_t index = 0; ///< In the order the launch runs its clusters.
  BlockState *blocks[kMaxClusterBlocks] = {}; ///< By rank.
  unsigned size = 1;
  Dim3 shape;
  ClusterBarrier barrier;
  /// Counts what a waiting thread may have waited for (arrivals, completed
  /// transactions), so that polling does not try in vain.
  uint64_t events = 0;
};

/// One thread block on one host thread.
struct BlockState {
  const GlobalMemory *memory = nullptr;
  char *shared = nullptr;
  uint64_t sharedBytes = 0;
  const char *parameters = nullptr;
  uint64_t parameterBytes = 0;
  RangeCache *caches = nullptr; ///< One for each Program::cacheSlots.
  const uint32_t *wideOperands = nullptr;
  Dim3 blockIndex;
  unsigned threads = 0;
  ClusterState *cluster = nullptr;
  unsigned rank = 0;            ///< In the cluster.
  Observer *observer = nullptr; ///< Null: nobody watches.
  WarpgroupLedger *warpgroups = nullptr;
  /// PTX ISA, "setmaxnreg": registers per thread in the block's pool, summed
  /// over the warps that gave them.
  uint32_t freeRegisters = 0;
};

struct Warp {
  char *registers = nullptr; ///< Program::registerBytes, 64-byte aligned.
  LaneMask *predicates = nullptr;
  char *local = nullptr;   ///< Of lane 0; lanes follow each other.
  uint64_t localBytes = 0; ///< Of one lane.
  BlockState *block = nullptr;
  unsigned index = 0;  ///< In the block.
  LaneMask live = 0;   ///< Lanes that have not exited.
  LaneMask active = 0; ///< Of the running path.
  /// Set by a polling operation whose lanes all would wait, unless `timedOut`
  /// says that they have waited as long as they may.
  bool wouldWait = false;
  bool timedOut = false;
  /// Instructions of the basic blocks before the running one; the warp's clock.
  uint64_t issued = 0;
  uint32_t registersPerThread = 0; ///< Of setmaxnreg; 0: not known.
  /// Phases of the cluster's barrier each lane has arrived at.
  uint32_t clusterArrivals[kWarpSize] = {};
  Fault fault;
};

/// Lanes arrive at the cluster's barrier, or end; completes its phase if they
/// were the last.
void arriveAtClusterBarrier(Warp &warp, LaneMask lanes);
void leaveClusterBarrier(Warp &warp, LaneMask lanes);

/// Sets a fault of its own words, for handlers to return: "what is wrong; what
/// is legal".
bool describeFault(Warp &warp, unsigned lane, std::string description);

/// The block whose shared memory an address of the shared window is in, or null
/// if the cluster has no such block.
const BlockState *sharedOwner(const BlockState &block, uint64_t inWindow);
/// The host address of [inWindow, inWindow + bytes) in the shared window; 0 if
/// it is not inside the shared memory of a block of the cluster.
uint64_t sharedHost(const BlockState &block, uint64_t inWindow, uint64_t bytes);

/// Finds the allocation of [address, address + bytes) and remembers it. False
/// if there is none. Reads may also touch the launch's parameters.
bool findGlobal(const BlockState &block, uint64_t address, uint64_t bytes,
                bool forWriting, RangeCache &cache);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_EXECUTION_WARP_H
