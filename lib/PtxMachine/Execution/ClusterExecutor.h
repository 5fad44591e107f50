//===- ClusterExecutor.h - Runs clusters on one host thread -----*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The blocks of a cluster take turns on one host thread, so they may wait for
// each other; a launch without clusters is one of clusters of one block. When
// no warp of the cluster can go on although threads are left, that is a
// deadlock and a fault.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_EXECUTION_CLUSTEREXECUTOR_H
#define CTC_LIB_PTXMACHINE_EXECUTION_CLUSTEREXECUTOR_H

#include "Execution/BlockExecutor.h"

namespace ctc::ptx {

class ClusterExecutor {
public:
  ClusterExecutor(const Program &program, const GlobalMemory &memory,
                  const LaunchConfig &config, Observer *observer);

  /// Runs the cluster that the block of this linear index belongs to, as number
  /// `index` of the launch; false on a fault.
  bool run(uint64_t linearBlock, uint64_t index = 0);
  /// The fault as one sentence.
  std::string faultMessage() const;
  LaunchStatistics statistics() const;

private:
  void start(uint64_t linearBlock);
  bool turn(bool &progress);
  bool goOn();
  bool anyBlock(bool (BlockExecutor::*what)());
  bool deadlock();

  const LaunchConfig &config;
  Observer *observer;
  ClusterState state;
  std::vector<std::unique_ptr<BlockExecutor>> blocks;
  size_t faultBlock = 0;
  /// Times in a row that polling timed out although nothing had happened.
  unsigned fruitless = 0;
  uint64_t eventsAtTimeOut = 0;
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_EXECUTION_CLUSTEREXECUTOR_H
