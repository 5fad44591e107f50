//===- WarpExecutor.h - Runs the paths of one warp --------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A warp is a set of paths: lanes that are at the same instruction. A branch
// whose lanes disagree parts a path in two and makes a join, at the branch's
// reconvergence point, that waits for all of them; lanes that exit are no
// longer waited for. One path runs until it waits, meets its join or ends;
// then another goes on, so lanes of one warp may wait for each other (PTX ISA,
// "Independent Thread Scheduling").
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_EXECUTION_WARPEXECUTOR_H
#define CTC_LIB_PTXMACHINE_EXECUTION_WARPEXECUTOR_H

#include "Execution/Warp.h"
#include "Program/Program.h"

#include <vector>

namespace ctc::ptx {

constexpr int kNoJoin = -1;
constexpr int kNoFrame = -1;

/// Lanes that execute together.
struct Path {
  enum class Wait : uint8_t { None, Collective, Barrier, Poll };
  uint32_t block = 0;
  LaneMask mask = 0;
  int join = kNoJoin;
  int frame = kNoFrame;
  Wait wait = Wait::None;
  bool arrived = false;  ///< Its warp has been counted by the barrier.
  bool resumes = false;  ///< At its block's terminator, to poll again.
  bool timedOut = false; ///< Has polled for as long as it may.
  uint64_t polledAt = 0; ///< ClusterState::events when it last did.
  LaneMask members = 0;  ///< Whom a Collective waits for.
  uint32_t key = 0;      ///< Collectives of one key meet.
};

class WarpExecutor {
public:
  explicit WarpExecutor(const Program &program) : program(program) {}

  /// Puts the lanes of `lanes` at the entry.
  void start(LaneMask lanes);
  /// Runs until no path is ready, a fault, or a share of time is used up (so
  /// that a warp that spins does not keep the others from what it waits for).
  /// False on a fault, which issuing more than `limit` instructions is.
  bool run(uint64_t limit);
  /// Lets lanes that wait at a join go on alone: those they wait for wait for
  /// something else. Whether there were any.
  bool releaseJoins();
  /// Lets paths that poll try again if something has happened since they last
  /// did. Whether there were any.
  bool wakePolling();
  /// Tells all paths that poll that they have waited long enough; whether there
  /// were any.
  bool timeOutPolling();
  bool finished() const { return warp.live == 0; }
  bool hasReadyPath() const;

  Warp warp;
  std::vector<Path> paths;
  LaunchStatistics statistics;
  uint32_t faultSource = 0; ///< Of the instruction that faulted.

private:
  /// Lanes that parted meet here again.
  struct Join {
    uint32_t block = kNoBlock; ///< kNoBlock: unused.
    int parent = kNoJoin;
    int frame = kNoFrame;
    LaneMask expected = 0;
    LaneMask arrived = 0;
  };
  struct Frame {
    int parent = kNoFrame;
    uint32_t returnBlock = 0;
  };

  bool runPath(size_t index, uint64_t &budget);
  bool runOperations(const BasicBlock &block, LaneMask mask);
  bool runObserved(uint32_t index, LaneMask mask);
  bool overLimit(uint64_t limit, const Path &path);
  void observeRegisters(uint32_t op, LaneMask lanes);
  bool poll(Path &path, const Terminator &end, bool &stopped);
  bool terminate(Path &path, const BasicBlock &block, bool &stopped);
  bool branch(Path &path, const Terminator &end);
  bool branchIndexed(Path &path, const Terminator &end);
  int joinFor(const Path &path, const Terminator &end);
  bool arrive(const Path &path);
  void exitLanes(LaneMask lanes);
  void settleJoin(int join);
  bool collective(Path &path, const Terminator &end, bool &stopped);
  bool releaseCollectives();
  int enterFrame(int parent, uint32_t returnBlock);
  bool fault(const Terminator &end, FaultKind kind, LaneMask lanes);

  const Program &program;
  std::vector<Join> joins;
  std::vector<Frame> frames;
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_EXECUTION_WARPEXECUTOR_H
