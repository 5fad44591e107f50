//===- BlockExecutor.cpp - Runs thread blocks on one host thread ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Execution/BlockExecutor.h"

#include "Execution/GlobalMemory.h"
#include "Program/SourceText.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

namespace ctc::ptx {

static Buffer makeBuffer(uint64_t bytes) {
  uint64_t size = (bytes + 127) / 64 * 64;
  void *place = std::aligned_alloc(64, size);
  if (!place)
    throw std::bad_alloc();
  std::memset(place, 0, size);
  return {static_cast<char *>(place), std::free};
}

BlockExecutor::BlockExecutor(const Program &program, const GlobalMemory &memory,
                             const LaunchConfig &config, ClusterState &cluster,
                             unsigned rank, Observer *observer)
    : program(program), config(config), warpgroups(program),
      registers(nullptr, std::free), local(nullptr, std::free),
      shared(nullptr, std::free), caches(program.cacheSlots) {
  threads = config.block.x * config.block.y * config.block.z;
  unsigned count = (threads + kWarpSize - 1) / kWarpSize;
  state.memory = &memory;
  state.threads = threads;
  state.cluster = &cluster;
  state.rank = rank;
  state.observer = observer;
  cluster.blocks[rank] = &state;
  state.sharedBytes =
      config.dynamicSharedBytes
          ? program.dynamicSharedOffset + uint64_t(config.dynamicSharedBytes)
          : program.info.staticSharedBytes;
  state.parameters = reinterpret_cast<const char *>(config.parameters.data());
  state.parameterBytes = config.parameters.size();
  state.caches = caches.data();
  state.wideOperands = program.wideOperands.data();
  // Literals and special registers lie below all others.
  for (const ConstantRow &row : program.constants)
    fixedBytes = std::max(fixedBytes, row.offset + row.bits / 8 * kWarpSize);
  for (const SpecialRow &row : program.specials)
    fixedBytes = std::max(fixedBytes, row.offset + row.bits / 8 * kWarpSize);
  uint64_t localBytes = uint64_t(program.localBytes) * kWarpSize;
  registers = makeBuffer(uint64_t(program.registerBytes) * count);
  local = makeBuffer(localBytes * count);
  shared = makeBuffer(state.sharedBytes);
  state.shared = shared.get();
  predicates.assign(size_t(program.predicates) * count, 0);
  warps.reserve(count);
  for (unsigned i = 0; i < count; ++i) {
    warps.emplace_back(program);
    Warp &warp = warps[i].warp;
    warp.index = i;
    warp.registers = registers.get() + uint64_t(program.registerBytes) * i;
    warp.predicates = predicates.data() + size_t(program.predicates) * i;
    warp.local = local.get() + localBytes * i;
    warp.localBytes = program.localBytes;
    fillConstants(i);
    fillSpecials(i, /*ofBlock=*/false);
  }
}

uint64_t BlockExecutor::specialValue(SpecialRegister which, unsigned warp,
                                     unsigned lane) const {
  using S = SpecialRegister;
  Dim3 thread = threadIndex(config.block, warp * kWarpSize + lane);
  uint32_t bit = uint32_t(1) << lane;
  switch (which) {
  case S::TidX:
    return thread.x;
  case S::TidY:
    return thread.y;
  case S::TidZ:
    return thread.z;
  case S::NtidX:
    return config.block.x;
  case S::NtidY:
    return config.block.y;
  case S::NtidZ:
    return config.block.z;
  case S::CtaidX:
    return state.blockIndex.x;
  case S::CtaidY:
    return state.blockIndex.y;
  case S::CtaidZ:
    return state.blockIndex.z;
  case S::NctaidX:
    return config.grid.x;
  case S::NctaidY:
    return config.grid.y;
  case S::NctaidZ:
    return config.grid.z;
  case S::LaneId:
    return lane;
  case S::WarpId:
    return warp;
  case S::NWarpId:
    return warps.size();
  case S::LaneMaskEq:
    return bit;
  case S::LaneMaskLt:
    return bit - 1;
  case S::LaneMaskLe:
    return bit | (bit - 1);
  case S::LaneMaskGe:
    return ~(bit - 1);
  case S::LaneMaskGt:
    return ~(bit | (bit - 1));
  case S::DynamicSmemSize:
    return config.dynamicSharedBytes;
  case S::TotalSmemSize:
    return state.sharedBytes;
  case S::NSmId:
    return 1;
  case S::SmId:
  case S::GridId:
  case S::CurrentGraphExec: // No launch is of a graph.
    return 0;
  default:
    return clusterValue(which);
  }
}

/// A launch without clusters is one of clusters of one block.
uint64_t BlockExecutor::clusterValue(SpecialRegister which) const {
  using S = SpecialRegister;
  const Dim3 shape = state.cluster->shape;
  switch (which) {
  case S::ClusterIdX:
    return state.blockIndex.x / shape.x;
  case S::ClusterIdY:
    return state.blockIndex.y / shape.y;
  case S::ClusterIdZ:
    return state.blockIndex.z / shape.z;
  case S::NClusterIdX:
    return config.grid.x / shape.x;
  case S::NClusterIdY:
    return config.grid.y / shape.y;
  case S::NClusterIdZ:
    return config.grid.z / shape.z;
  case S::ClusterCtaIdX:
    return state.blockIndex.x % shape.x;
  case S::ClusterCtaIdY:
    return state.blockIndex.y % shape.y;
  case S::ClusterCtaIdZ:
    return state.blockIndex.z % shape.z;
  case S::ClusterNCtaIdX:
    return shape.x;
  case S::ClusterNCtaIdY:
    return shape.y;
  case S::ClusterNCtaIdZ:
    return shape.z;
  case S::ClusterCtaRank:
    return state.rank;
  case S::ClusterNCtaRank:
    return state.cluster->size;
  default:
    return 0;
  }
}

/// Writes value(lane) to all lanes of a row.
template <class Value>
static void fillRow(Warp &warp, uint32_t offset, uint32_t bits, Value value) {
  char *row = warp.registers + offset;
  for (unsigned lane = 0; lane < kWarpSize; ++lane)
    if (bits == 64)
      reinterpret_cast<uint64_t *>(row)[lane] = value(lane);
    else
      reinterpret_cast<uint32_t *>(row)[lane] =
          static_cast<uint32_t>(value(lane));
}

void BlockExecutor::fillConstants(unsigned index) {
  for (const ConstantRow &row : program.constants)
    fillRow(warps[index].warp, row.offset, row.bits,
            [&row](unsigned) { return row.value; });
}

static bool differsByBlock(SpecialRegister which) {
  using S = SpecialRegister;
  return (which >= S::CtaidX && which <= S::CtaidZ) ||
         (which >= S::ClusterIdX && which <= S::ClusterIdZ) ||
         (which >= S::ClusterCtaIdX && which <= S::ClusterCtaIdZ);
}

void BlockExecutor::fillSpecials(unsigned index, bool ofBlock) {
  for (const SpecialRow &row : program.specials)
    if (differsByBlock(row.which) == ofBlock)
      fillRow(warps[index].warp, row.offset, row.bits, [&](unsigned lane) {
        return specialValue(row.which, index, lane);
      });
}

void BlockExecutor::start(Dim3 blockIndex) {
  state.blockIndex = blockIndex;
  barriers.fill({});
  warpgroups.start(static_cast<unsigned>(warps.size()));
  state.warpgroups = &warpgroups;
  state.freeRegisters = 0;
  for (unsigned i = 0; i < warps.size(); ++i) {
    // Here, not in the constructor: the executor may have been moved.
    Warp &warp = warps[i].warp;
    warp.block = &state;
    warp.registersPerThread = program.registersAtLaunch;
    std::memset(warp.registers + fixedBytes, 0,
                program.registerBytes - fixedBytes);
    std::fill_n(warp.predicates, program.predicates, 0);
    warp.predicates[kTruePredicate] = kAllLanes;
    fillSpecials(i, /*ofBlock=*/true);
    uint32_t lanes = std::min(kWarpSize, threads - i * kWarpSize);
    warps[i].start(kAllLanes >> (kWarpSize - lanes));
  }
  ++blocksRun;
}

bool BlockExecutor::turn(bool &progress) {
  const uint64_t limit =
      config.maxWarpInstructions ? config.maxWarpInstructions : ~uint64_t(0);
  for (size_t i = 0; i < warps.size(); ++i) {
    if (!warps[i].hasReadyPath())
      continue;
    progress = true;
    faultWarp = i;
    if (!warps[i].run(limit) ||
        (!warps[i].hasReadyPath() && !arriveAtBarriers(warps[i])))
      return false;
  }
  progress |= completeBarriers();
  return true;
}

bool BlockExecutor::releaseJoins() {
  for (WarpExecutor &warp : warps)
    if (warp.releaseJoins())
      return true;
  return false;
}

bool BlockExecutor::wakePolling() {
  bool any = false;
  for (WarpExecutor &warp : warps)
    any |= warp.wakePolling();
  return any;
}

bool BlockExecutor::timeOutPolling() {
  bool any = false;
  for (WarpExecutor &warp : warps)
    any |= warp.timeOutPolling();
  return any;
}

uint32_t BlockExecutor::liveWarps() const {
  uint32_t count = 0;
  for (const WarpExecutor &warp : warps)
    count += !warp.finished();
  return count;
}

LaunchStatistics BlockExecutor::statistics() const {
  LaunchStatistics sum;
  sum.blocks = blocksRun;
  for (const WarpExecutor &warp : warps) {
    sum.warpInstructions += warp.statistics.warpInstructions;
    sum.threadInstructions += warp.statistics.threadInstructions;
  }
  return sum;
}

} // namespace ctc::ptx
