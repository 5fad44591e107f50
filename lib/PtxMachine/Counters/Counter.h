//===- Counter.h - Counts what a launch does --------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A Counter watches the clusters of one host thread. Instructions are counted
// by basic block; requests to memory one by one.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_COUNTERS_COUNTER_H
#define CTC_LIB_PTXMACHINE_COUNTERS_COUNTER_H

#include "Counters/InstructionTraits.h"
#include "Counters/MemoryModel.h"
#include "Counters/SectorSets.h"
#include "Execution/Observer.h"
#include "ctc/PtxMachine/Counters.h"

namespace ctc::ptx {

/// The traits of all instructions of a program, by their index in
/// Program::sources.
std::vector<InstructionTraits> traitsOf(const Program &program);

class Counter final : public Observer {
public:
  /// `traits` must outlive it, as must the others.
  Counter(const Program &program, const GlobalMemory &memory,
          const std::vector<InstructionTraits> &traits);

  void beginCluster(const ClusterState &cluster) override;
  void block(Warp &warp, uint32_t index, LaneMask mask) override;
  void access(Warp &warp, const Op &op, const LaneAccess &access) override;
  void asynchronous(Warp &warp, const Op &op,
                    const AsyncOperation &operation) override;

  /// Adds what `other`, of the same launch, counted.
  void merge(const Counter &other);
  /// Sets instructions and buffers of `result`.
  void report(LaunchCounters &result) const;

private:
  struct BlockCount {
    uint64_t warps = 0, threads = 0;
  };
  struct Traffic {
    GlobalTraffic global, local;
    SharedTraffic shared;
    LastShape<Sectors, kSectorBytes> sectors;
    LastShape<Wavefronts, kWordBytes> wavefronts; ///< Banks turn along.
  };
  struct Buffer {
    Buffer(uint64_t begin, uint64_t end)
        : begin(begin), end(end), loaded((end - begin) / kSectorBytes + 1),
          stored((end - begin) / kSectorBytes + 1) {}

    uint64_t begin, end;
    uint64_t loads = 0, blockLoads = 0, stores = 0; ///< Sectors.
    SectorMap loaded, stored;
  };
  enum class Direction : uint8_t { Load, CachedLoad, Store, Both };

  void globalRequest(Warp &warp, const Op &op, const Request &request,
                     Direction direction);
  void localRequest(Warp &warp, const Op &op, const Request &request);
  void sharedRequest(const Op &op, const Request &request, SharedAccess access);
  void touch(Warp &warp, uint64_t sector, Direction direction);
  Buffer *bufferOf(uint64_t address);

  const Program &program;
  const GlobalMemory &memory;
  const std::vector<InstructionTraits> &traits;
  const ClusterState *cluster = nullptr;
  std::vector<BlockCount> blocks; ///< By Program::blocks.
  std::vector<Traffic> traffic;   ///< By Program::sources.
  std::vector<std::unique_ptr<Buffer>> buffers;
  Buffer *lastBuffer = nullptr;
  std::vector<SectorSet> firstLevel; ///< By rank in the cluster.
  /// Who announced an asynchronous operation last in the basic block: a
  /// multicast is announced once for every block it writes to.
  const Op *lastOperation = nullptr;
  const Warp *lastWarp = nullptr;
  LaneMask lastLanes = 0;
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_COUNTERS_COUNTER_H
