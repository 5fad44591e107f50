//===- BlockExecutor.h - Runs thread blocks, one by one ---------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All warps of a block with their registers, its shared memory and its 16
// barriers. A warp runs until all its lanes wait; ClusterExecutor gives the
// blocks of a cluster their turns.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_EXECUTION_BLOCKEXECUTOR_H
#define CTC_LIB_PTXMACHINE_EXECUTION_BLOCKEXECUTOR_H

#include "Execution/Observer.h"
#include "Execution/WarpExecutor.h"
#include "Execution/WarpgroupLedger.h"

#include <array>
#include <memory>
#include <string>

namespace ctc::ptx {

/// PTX ISA, "barrier": arrivals are counted in whole warps.
struct BarrierState {
  uint32_t arrivedWarps = 0;
  uint32_t threads = 0; ///< As given by its instructions; 0: all of the block.
  uint32_t count = 0;   ///< Threads whose predicate holds, for a reduction.
  bool all = true;      ///< All predicates hold.
};

constexpr unsigned kBarriers = 16;

/// Zeroed memory, aligned for the host's vectors.
using Buffer = std::unique_ptr<char, void (*)(void *)>;

class BlockExecutor {
public:
  /// The block of this rank in `cluster`, watched by `observer` if not null.
  BlockExecutor(const Program &program, const GlobalMemory &memory,
                const LaunchConfig &config, ClusterState &cluster,
                unsigned rank, Observer *observer);

  /// Puts all threads of a block at the kernel's entry.
  void start(Dim3 blockIndex);
  /// Gives every warp that can run its turn and opens the barriers all have
  /// come to; sets `progress` if there was any. False on a fault.
  bool turn(bool &progress);
  bool releaseJoins();
  bool wakePolling();
  bool timeOutPolling();
  bool finished() const { return liveWarps() == 0; }

  /// Makes the deadlock the block's fault: `text` says who waits for what.
  void setDeadlock(const std::string &text);
  /// "warp 0 of block (0, 0, 0) at barrier 1 (PTX line 7)", for live warps.
  void describeWaiting(std::string &text) const;
  /// The fault as one sentence.
  std::string faultMessage() const;
  LaunchStatistics statistics() const;
  uint32_t threadCount() const { return threads; }

private:
  /// Sets the literals, once, and the special registers: those that differ
  /// from block to block, or the others.
  void fillConstants(unsigned warp);
  void fillSpecials(unsigned warp, bool ofBlock);
  uint64_t specialValue(SpecialRegister which, unsigned warp,
                        unsigned lane) const;
  uint64_t clusterValue(SpecialRegister which) const;
  bool arriveAtBarriers(WarpExecutor &warp);
  bool arriveAtBarrier(WarpExecutor &warp, Path &path);
  bool completeBarriers();
  void completeBarrier(unsigned id);
  uint32_t liveWarps() const;
  uint32_t barrierOf(const WarpExecutor &warp, const Path &path) const;
  std::string describeWait(const WarpExecutor &warp, const Path &path) const;
  std::string explain(const Fault &fault) const;

  const Program &program;
  const LaunchConfig &config;
  BlockState state;
  std::vector<WarpExecutor> warps;
  std::array<BarrierState, kBarriers> barriers;
  WarpgroupLedger warpgroups;
  Buffer registers, local, shared;
  std::vector<LaneMask> predicates;
  std::vector<RangeCache> caches;
  uint32_t threads = 0;
  uint32_t fixedBytes = 0; ///< Of each register file, that no block changes.
  uint64_t blocksRun = 0;
  size_t faultWarp = 0;
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_EXECUTION_BLOCKEXECUTOR_H
