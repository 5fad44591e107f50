//===- MemoryChecker.h - Watches a launch for misuse of memory --*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The observer of a launch with LaunchConfig::checkMemory: it sorts accesses
// by the memory they go to, keeps which bytes are initialised, feeds the race
// detector, and puts what is found into words. docs/PtxMachine.md, "The
// checker", says what it finds and what it does not.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_CHECK_MEMORYCHECKER_H
#define CTC_LIB_PTXMACHINE_CHECK_MEMORYCHECKER_H

#include "Check/BitRange.h"
#include "Check/Findings.h"
#include "Check/MatrixRegisters.h"
#include "Check/RaceDetector.h"
#include "Execution/GlobalMemory.h"
#include "Execution/Observer.h"

namespace ctc::ptx::check {

/// Watches one cluster after the other, on one host thread.
class MemoryChecker final : public Observer, public RaceSink {
public:
  MemoryChecker(const Program &program, const GlobalMemory &memory,
                const LaunchConfig &config);

  const Findings &findings() const { return found; }

  void beginCluster(const ClusterState &) override;
  void endCluster(const ClusterState &) override;
  void exit(Warp &, LaneMask) override;
  void access(Warp &, const Op &, const LaneAccess &) override;
  void asynchronous(Warp &, const Op &, const AsyncOperation &) override;
  void commit(Warp &, const Op &, LaneMask, Completion) override;
  void wait(Warp &, const Op &, LaneMask, Completion, unsigned pending,
            bool readsOnly) override;
  void fence(Warp &, const Op &, LaneMask, FenceKind) override;
  void warpBarrier(Warp &, const Op &, LaneMask) override;
  void arrive(Warp &, LaneMask, unsigned barrier, bool releases) override;
  void barrierComplete(const BlockState &, unsigned barrier) override;
  void leave(Warp &, LaneMask, unsigned barrier) override;
  void arriveAt(Warp &, const Op &, LaneMask, uint64_t mbarrier, Ordering,
                bool afterCopies) override;
  void initialized(Warp &, const Op &, LaneMask, uint64_t mbarrier,
                   bool valid) override;
  void phaseComplete(uint64_t mbarrier) override;
  void phaseSeen(Warp &, const Op &, LaneMask, uint64_t mbarrier,
                 Ordering) override;
  void registers(Warp &, const Op &, LaneMask) override;

private:
  /// One instruction's accesses to one block's shared memory.
  struct SharedAccess {
    unsigned rank = 0;
    LaneMask mask = 0;
    uint32_t offsets[kWarpSize];
  };
  /// Bytes that were read although nothing wrote them.
  struct Missing {
    unsigned lane = 0;
    uint64_t offset = 0;
    uint64_t bytes = 0;
    uint64_t within = 0; ///< Bytes of the allocation; 0: shared memory.
    unsigned rank = 0;   ///< Of the shared memory's block.
  };

  void race(const Race &race) override;

  void accessShared(const Lanes &lanes, const LaneAccess &access,
                    const SharedAccess &place);
  void accessGlobal(const Lanes &lanes, const LaneAccess &access, LaneMask mask,
                    uint32_t cacheSlot);
  void initializeShared(const Lanes &lanes, const LaneAccess &access,
                        const SharedAccess &place);
  bool findShared(uint64_t host, SharedPlace &place) const;
  SharedPlace placeOf(uint64_t mbarrier) const;
  size_t warpNumber(const Warp &warp) const {
    return warp.block->rank * warpsPerBlock + warp.index;
  }
  const InitializedRange *findGlobal(uint64_t host, uint32_t cacheSlot);
  void checkRange(const Lanes &lanes, const AsyncRange &range,
                  uint32_t cacheSlot, std::vector<RaceDetector::Range> &shared);
  void reportMissing(const Lanes &lanes, const Missing &missing);

  // Words.
  std::string describeThread(unsigned rank, unsigned thread) const;
  std::string describeStart(const Party &party) const;
  std::string describeOther(const Race &race) const;
  std::string describe(const Race &race) const;
  std::string describe(const RegisterConflict &conflict) const;

  const Program &program;
  const GlobalMemory &memory;
  const LaunchConfig &config;
  const ClusterState *cluster = nullptr;
  const unsigned warpsPerBlock;
  std::unique_ptr<RaceDetector> detector;
  MatrixRegisters matrices;
  std::vector<std::vector<uint64_t>> sharedBits; ///< By rank.
  std::vector<InitializedRange> ranges;          ///< Last used, by cache slot.
  Findings found;
};

} // namespace ctc::ptx::check

#endif // CTC_LIB_PTXMACHINE_CHECK_MEMORYCHECKER_H
