//===- BlockExecutor.h - Runs thread blocks on one host thread --*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All warps of a block with their registers, its shared memory and its 16
// barriers. A warp runs until all its lanes wait; when no warp of the block can
// go on although threads are left, that is a deadlock and a fault.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_BLOCKEXECUTOR_H
#define CTC_LIB_PTXMACHINE_BLOCKEXECUTOR_H

#include "WarpExecutor.h"

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

class BlockExecutor {
public:
  BlockExecutor(const Program &program, const GlobalMemory &memory,
                const LaunchConfig &config);

  /// Runs the block of this linear index; false on a fault.
  bool run(uint64_t linearIndex);
  /// The fault as one sentence.
  std::string faultMessage() const;
  LaunchStatistics statistics() const;

private:
  void start(uint64_t linearIndex);
  /// Sets the literals, once, and the special registers: those that differ
  /// from block to block, or the others.
  void fillConstants(unsigned warp);
  void fillSpecials(unsigned warp, bool ofBlock);
  uint64_t specialValue(SpecialRegister which, unsigned warp,
                        unsigned lane) const;
  Dim3 threadIndex(unsigned warp, unsigned lane) const;
  bool settleBarriers();
  bool arriveAtBarriers(WarpExecutor &warp);
  bool arriveAtBarrier(WarpExecutor &warp, Path &path);
  bool completeBarriers();
  void completeBarrier(unsigned id);
  bool deadlock();
  uint32_t liveWarps() const;
  uint32_t barrierOf(const WarpExecutor &warp, const Path &path) const;
  std::string describeFault(const Fault &fault) const;

  const Program &program;
  const LaunchConfig &config;
  BlockState state;
  std::vector<WarpExecutor> warps;
  std::array<BarrierState, kBarriers> barriers;
  std::unique_ptr<char, void (*)(void *)> registers, local, shared;
  std::vector<LaneMask> predicates;
  std::vector<RangeCache> caches;
  uint32_t threads = 0;
  uint32_t fixedBytes = 0; ///< Of each register file, that no block changes.
  uint64_t blocksRun = 0;
  size_t faultWarp = 0;
  std::string deadlockText;
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_BLOCKEXECUTOR_H
