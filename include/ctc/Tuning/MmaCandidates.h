//===- MmaCandidates.h - Tiles that mma_sync may take -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TUNING_MMACANDIDATES_H
#define CTC_TUNING_MMACANDIDATES_H

#include "ctc/Chips/Chips.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Support/PhasePlan.h"

namespace ctc {

/// A kernel of matrix instructions as plain numbers. Sizes as in #ctc.kernel.
struct MmaTile {
  ir::Family family = ir::Family::MmaSync;
  ir::Lanes lanes = ir::Lanes::Positions;
  int64_t batch = 1;
  std::vector<int64_t> box, phases, taps;
  int64_t chunk = 8;
  int64_t warpsPositions = 8, warpsChannels = 1;
  int64_t warpPositions = 64, warpChannels = 16;
  int64_t stages = 2;
  bool clip = false;
  int64_t split = 1;

  int64_t warps() const { return warpsPositions * warpsChannels * split; }
  int64_t positions() const { return warpsPositions * warpPositions; }
  int64_t channels() const { return warpsChannels * warpChannels; }
  int64_t phaseCount() const;
  bool usesWarpgroups() const { return family == ir::Family::WgmmaRA; }
  /// Positions of the part of a warp's tile that it stores; 0 if its split does
  /// not divide the tile.
  int64_t storedPositions() const;
  /// f32 sums that a lane holds.
  int64_t accumulators() const {
    return warpPositions * warpChannels * phaseCount() / 32;
  }
  /// Workgroup memory in which the warps of a split hand each other their sums;
  /// 0 without one.
  int64_t exchangedBytes() const {
    return split == 1 ? 0 : warps() * accumulators() * 32 * 4;
  }
};

/// Where the time of a kernel goes, in seconds on the chip's board. Estimates.
struct MmaCost {
  double matrix = 0; ///< Matrix instructions.
  double shared = 0; ///< Wavefronts of workgroup memory.
  double issue = 0;  ///< Instructions issued.
  double l2 = 0;     ///< Halos and weights from the second level.
  double dram = 0;   ///< Bytes that have to move at least.
  double chain = 0;  ///< Latency of blocks that follow each other.
  double total = 0;
  double registers = 0; ///< Of a lane.

  /// The largest part, for a remark.
  const char *bound() const;
};

/// Blocks of a launch; of one sample where the batch is known then.
double blockCount(const MmaTile &tile, const Problem &problem,
                  const std::vector<DimPhasePlan> &plans);

MmaCost estimateCost(const MmaTile &tile, const Problem &problem,
                     const std::vector<DimPhasePlan> &plans, const Chip &chip);

/// Tiles of the families worth considering, cheapest first.
std::vector<std::pair<MmaCost, MmaTile>>
rankTiles(const Problem &problem, const std::vector<DimPhasePlan> &plans,
          const Chip &chip, llvm::ArrayRef<ir::Family> families);

} // namespace ctc

#endif // CTC_TUNING_MMACANDIDATES_H
