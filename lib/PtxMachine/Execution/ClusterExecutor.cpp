//===- ClusterExecutor.cpp - Runs clusters on one host thread -------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Execution/ClusterExecutor.h"

#include <bit>

namespace ctc::ptx {

/// How often polling may time out in a row, with nothing happening in between,
/// before it is called a deadlock: kernels may count their own time-outs.
static constexpr unsigned kFruitlessRounds = 64;

ClusterExecutor::ClusterExecutor(const Program &program,
                                 const GlobalMemory &memory,
                                 const LaunchConfig &config, Observer *observer)
    : config(config), observer(observer) {
  state.shape = config.cluster;
  state.size = config.cluster.x * config.cluster.y * config.cluster.z;
  for (unsigned rank = 0; rank < state.size; ++rank)
    blocks.push_back(std::make_unique<BlockExecutor>(program, memory, config,
                                                     state, rank, observer));
}

/// PTX ISA, "%cluster_ctarank": ranks go along x first.
void ClusterExecutor::start(uint64_t linear) {
  const Dim3 shape = state.shape;
  uint64_t x = linear % config.grid.x, y = linear / config.grid.x;
  uint64_t z = y / config.grid.y;
  y %= config.grid.y;
  state.barrier = {};
  state.events = 0;
  fruitless = 0;
  for (unsigned rank = 0; rank < state.size; ++rank) {
    blocks[rank]->start(
        {static_cast<uint32_t>(x / shape.x * shape.x + rank % shape.x),
         static_cast<uint32_t>(y / shape.y * shape.y +
                               rank / shape.x % shape.y),
         static_cast<uint32_t>(z / shape.z * shape.z +
                               rank / shape.x / shape.y)});
    state.barrier.threads += blocks[rank]->threadCount();
  }
}

bool ClusterExecutor::run(uint64_t linearBlock, uint64_t index) {
  state.index = index;
  start(linearBlock);
  if (observer)
    observer->beginCluster(state);
  bool good = true, left = true;
  while (good && left) {
    bool progress = false;
    good = turn(progress) && (progress || goOn());
    left = false;
    for (const auto &block : blocks)
      left |= !block->finished();
  }
  if (observer)
    observer->endCluster(state);
  return good;
}

bool ClusterExecutor::turn(bool &progress) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    faultBlock = i;
    if (!blocks[i]->turn(progress))
      return false;
  }
  progress |= anyBlock(&BlockExecutor::wakePolling);
  return true;
}

bool ClusterExecutor::anyBlock(bool (BlockExecutor::*what)()) {
  bool any = false;
  for (const auto &block : blocks)
    any |= (*block.*what)();
  return any;
}

/// Nobody can go on as things are: whether anybody can otherwise.
bool ClusterExecutor::goOn() {
  for (const auto &block : blocks)
    if (block->releaseJoins())
      return true;
  bool left = false;
  for (const auto &block : blocks)
    left |= !block->finished();
  if (!left)
    return true;
  fruitless = state.events == eventsAtTimeOut ? fruitless + 1 : 0;
  eventsAtTimeOut = state.events;
  if (fruitless < kFruitlessRounds && anyBlock(&BlockExecutor::timeOutPolling))
    return true;
  return deadlock();
}

//===----------------------------------------------------------------------===//
// The cluster's barrier
//===----------------------------------------------------------------------===//

static void countArrivals(ClusterState &cluster, LaneMask lanes) {
  ClusterBarrier &barrier = cluster.barrier;
  barrier.arrived += static_cast<uint32_t>(std::popcount(lanes));
  if (barrier.arrived < barrier.threads)
    return;
  ++barrier.phase;
  ++cluster.events;
  barrier.arrived = barrier.ended;
  const BlockState &first = *cluster.blocks[0];
  if (first.observer)
    first.observer->barrierComplete(first, kClusterBarrier);
}

void arriveAtClusterBarrier(Warp &warp, LaneMask lanes) {
  for (LaneMask left = lanes; left; left &= left - 1)
    ++warp.clusterArrivals[std::countr_zero(left)];
  countArrivals(*warp.block->cluster, lanes);
}

void leaveClusterBarrier(Warp &warp, LaneMask lanes) {
  ClusterBarrier &barrier = warp.block->cluster->barrier;
  LaneMask absent = 0;
  for (LaneMask left = lanes; left; left &= left - 1) {
    const auto lane = static_cast<unsigned>(std::countr_zero(left));
    if (warp.clusterArrivals[lane] <= barrier.phase)
      absent |= LaneMask(1) << lane;
  }
  barrier.ended += static_cast<uint32_t>(std::popcount(lanes));
  countArrivals(*warp.block->cluster, absent);
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

bool ClusterExecutor::deadlock() {
  std::string text;
  faultBlock = blocks.size();
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i]->finished())
      continue;
    blocks[i]->describeWaiting(text);
    if (faultBlock == blocks.size())
      faultBlock = i;
  }
  blocks[faultBlock]->setDeadlock(
      "deadlock, no warp of the " +
      std::string(blocks.size() > 1 ? "cluster" : "block") +
      " can go on; waiting are " + text);
  return false;
}

std::string ClusterExecutor::faultMessage() const {
  return blocks[faultBlock]->faultMessage();
}

LaunchStatistics ClusterExecutor::statistics() const {
  LaunchStatistics sum;
  for (const auto &block : blocks) {
    LaunchStatistics own = block->statistics();
    sum.blocks += own.blocks;
    sum.warpInstructions += own.warpInstructions;
    sum.threadInstructions += own.threadInstructions;
  }
  return sum;
}

} // namespace ctc::ptx
