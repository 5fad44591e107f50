//===- StorePlanTest.cpp --------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Tiles on their way through workgroup memory, lane by lane.

#include "TuningTesting.h"

#include "llvm/ADT/bit.h"
#include <gtest/gtest.h>
#include <numeric>

using namespace ctc;
using ctc::tuningtest::KernelSizes;
using ctc::tuningtest::makeKernel;
using ctc::tuningtest::wavefronts;

namespace {
/// Excess wavefronts of a warp that stages eight channels whose positions are
/// rows: lane 4g + t holds position g of channels 2t and 2t + 1, one after the
/// other, and all phases of it.
int64_t conflictsOfStagingRows(const StorePlan &plan) {
  const int64_t width = plan.run % 4 == 0 ? 4 : plan.run % 2 == 0 ? 2 : 1;
  int64_t conflicts = 0;
  for (int64_t q = 0; q < 2; ++q)
    for (int64_t i = 0; i < plan.run; i += width) {
      std::vector<int64_t> lanes;
      for (int64_t lane = 0; lane < 32; ++lane) {
        lanes.push_back((lane % 4 * 2 + q) * plan.pitch + lane / 4 * plan.run +
                        i);
        EXPECT_EQ(lanes.back() % width, 0);
      }
      conflicts += wavefronts(lanes, width) - width;
    }
  return conflicts;
}

/// The same where positions are columns: lane 4g + t holds two positions of
/// channel g, and all phases of both.
int64_t conflictsOfStaging(const StorePlan &plan) {
  const int64_t width = plan.run % 2 == 0 ? 4 : 2;
  int64_t conflicts = 0;
  for (int64_t i = 0; i < 2 * plan.run; i += width) {
    std::vector<int64_t> lanes;
    for (int64_t lane = 0; lane < 32; ++lane) {
      lanes.push_back(lane / 4 * plan.pitch + lane % 4 * 2 * plan.run + i);
      EXPECT_EQ(lanes.back() % width, 0);
    }
    conflicts += wavefronts(lanes, width) - width;
  }
  return conflicts;
}

/// Excess wavefronts of the first loads: neighbouring lanes take neighbouring
/// vectors of a channel, then of the next.
int64_t conflictsOfLoads(const StorePlan &plan, int64_t positions) {
  const int64_t vectors = positions * plan.run / plan.vector;
  const auto lanesOfRow =
      int64_t(llvm::bit_floor(uint64_t(std::min<int64_t>(vectors, 32))));
  const int64_t width = std::min<int64_t>(plan.vector, 4);
  int64_t conflicts = 0;
  for (int64_t i = 0; i < plan.vector; i += width) {
    std::vector<int64_t> lanes;
    for (int64_t lane = 0; lane < 32 && lane / lanesOfRow < 8; ++lane)
      lanes.push_back(lane / lanesOfRow * plan.pitch +
                      lane % lanesOfRow * plan.vector + i);
    const int64_t least = (int64_t(lanes.size()) * width + 31) / 32;
    conflicts += wavefronts(lanes, width) - least;
  }
  return conflicts;
}

/// Calls `body` for plans of a warp's positions, with outputs of all
/// alignments.
template <typename Body> void forEachPlan(ir::Lanes lanes, Body body) {
  for (int64_t run = 1; run <= 8; ++run)
    for (int64_t positions : {8, 16, 32, 64, 128})
      for (ElementType type : {ElementType::F32, ElementType::F16})
        for (int64_t boxWidth : {positions, positions - 1, positions / 2})
          for (int64_t outputWidth :
               {80 * run, 6 * run, 5 * run, 7 * run + 1}) {
            KernelSizes sizes;
            sizes.lanes = lanes;
            sizes.box = {boxWidth};
            sizes.phases = {run};
            sizes.taps = {run};
            sizes.workerTile = {positions, 16};
            body(planStore(makeKernel(sizes), type, /*channelsLast=*/false,
                           outputWidth, run),
                 type, positions, boxWidth, outputWidth);
          }
}

TEST(StorePlan, VectorsNeverLeaveARowOrABox) {
  int64_t staged = 0, direct = 0;
  forEachPlan(ir::Lanes::Positions,
              [&](const StorePlan &plan, ElementType type, int64_t positions,
                  int64_t boxWidth, int64_t outputWidth) {
                ASSERT_LE(plan.vector * byteWidth(type), 16);
                ASSERT_EQ(outputWidth % plan.vector, 0);
                if (plan.staged) {
                  ASSERT_EQ(boxWidth * plan.run % plan.vector, 0);
                  ASSERT_EQ(positions * plan.run % plan.vector, 0);
                  ASSERT_GE(plan.pitch, positions * plan.run);
                  ASSERT_EQ(plan.warpBytes(), 8 * plan.pitch * 4);
                } else {
                  // Both positions of a lane in one store, and whole sectors by
                  // four lanes of rows that begin with a sector.
                  ASSERT_EQ(boxWidth % 2, 0);
                  ASSERT_EQ(2 * plan.run, plan.vector);
                  ASSERT_GE(4 * plan.vector * byteWidth(type), 32);
                  ASSERT_EQ(outputWidth * byteWidth(type) % 32, 0);
                }
                ++(plan.staged ? staged : direct);
              });
  EXPECT_GT(staged, 100);
  EXPECT_GT(direct, 40);
}

TEST(StorePlan, StagingHasNoBankConflicts) {
  forEachPlan(ir::Lanes::Positions, [&](const StorePlan &plan, ElementType,
                                        int64_t positions, int64_t, int64_t) {
    if (!plan.staged)
      return;
    // Lanes with 8 phases are 16 words apart: two meet in a bank, each of the
    // 2 * 8 / 4 stores takes twice the least of 4 wavefronts.
    EXPECT_EQ(conflictsOfStaging(plan), plan.run == 8 ? 16 : 0)
        << "run " << plan.run << ", " << positions << " positions";
  });
}

void expectLoadsWithoutConflicts(ir::Lanes lanes) {
  forEachPlan(lanes, [&](const StorePlan &plan, ElementType, int64_t positions,
                         int64_t, int64_t) {
    // Longer vectors are two loads with a gap, shorter rows several at a time.
    if (!plan.staged || plan.vector > 4 ||
        positions * plan.run / plan.vector < 32)
      return;
    EXPECT_EQ(conflictsOfLoads(plan, positions), 0)
        << "run " << plan.run << ", " << positions << " positions, vector "
        << plan.vector;
  });
}

TEST(StorePlan, LoadsOfWholeRowsHaveNoBankConflicts) {
  expectLoadsWithoutConflicts(ir::Lanes::Positions);
  expectLoadsWithoutConflicts(ir::Lanes::Channels);
}

// Rows of positions: a lane stores one position of every eight, so what it
// stores is its phases, and eight lanes lie side by side.
TEST(StorePlan, OfRowsOfPositions) {
  int64_t staged = 0, direct = 0;
  forEachPlan(ir::Lanes::Channels,
              [&](const StorePlan &plan, ElementType type, int64_t positions,
                  int64_t boxWidth, int64_t outputWidth) {
                const int64_t bytes = byteWidth(type);
                ASSERT_LE(plan.vector * bytes, 16);
                ASSERT_EQ(outputWidth % plan.vector, 0);
                if (plan.staged) {
                  ASSERT_EQ(boxWidth * plan.run % plan.vector, 0);
                  ASSERT_EQ(positions * plan.run % plan.vector, 0);
                  ASSERT_GE(plan.pitch, positions * plan.run);
                } else {
                  // One store of a lane, and rows of the box that begin and end
                  // with a sector: eight lanes write whole ones only.
                  ASSERT_EQ(plan.run, plan.vector);
                  ASSERT_GE(8 * plan.vector * bytes, 32);
                  ASSERT_EQ(boxWidth * plan.run * bytes % 32, 0);
                  ASSERT_EQ(outputWidth * bytes % 32, 0);
                }
                ++(plan.staged ? staged : direct);
              });
  EXPECT_GT(staged, 100);
  EXPECT_GT(direct, 40);
}

TEST(StorePlan, StagingRowsHasNoBankConflicts) {
  forEachPlan(ir::Lanes::Channels, [&](const StorePlan &plan, ElementType,
                                       int64_t positions, int64_t, int64_t) {
    if (!plan.staged)
      return;
    // Neighbouring rows of 8 phases are 8 words apart, as two channels are: of
    // the 2 * 8 / 4 stores each takes twice the least of 4 wavefronts.
    EXPECT_EQ(conflictsOfStagingRows(plan), plan.run == 8 ? 16 : 0)
        << "run " << plan.run << ", " << positions << " positions";
  });
}

/// Every fragment of a tile is stored by one warp of a split, in whole units of
/// what lies side by side in the output.
void expectDivided(ir::KernelAttr kernel) {
  const ir::KernelAttr storing = kernel.getStoringKernel();
  const bool rows = kernel.getLanes() == ir::Lanes::Channels;
  ASSERT_EQ(storing.getSplit(), 1);
  ASSERT_EQ(storing.getThreads(), kernel.getThreads());
  ASSERT_EQ(storing.getPositions(), kernel.getPositions());
  ASSERT_EQ(storing.getChannels(), kernel.getChannels());
  for (int64_t i = 0; i < 2; ++i)
    ASSERT_EQ(kernel.getWorkerTile()[i] % storing.getWorkerTile()[i], 0);
  ASSERT_EQ(storing.getWorkerTile()[0] % (rows ? 16 : 8), 0);
  ASSERT_EQ(storing.getWorkerTile()[1] % (rows ? 8 : 16), 0);
  ASSERT_EQ(fragmentUnit(storing, rows), fragmentUnit(kernel, rows));
  // What does not lie side by side is divided as far as it goes.
  const int64_t apart = rows ? 0 : 1;
  ASSERT_EQ(kernel.getWorkerTile()[apart] / storing.getWorkerTile()[apart],
            std::gcd(kernel.getSplit(), kernel.getWorkerTile()[apart] / 16));
}

TEST(StorePlan, WarpsOfASplitStoreEqualParts) {
  int64_t divided = 0;
  for (ir::Lanes lanes : {ir::Lanes::Positions, ir::Lanes::Channels})
    for (int64_t positions : {8, 16, 32, 48, 64})
      for (int64_t channels : {8, 16, 24, 32, 48, 64})
        for (int64_t split : {2, 3, 4, 6, 8}) {
          const bool rows = lanes == ir::Lanes::Channels;
          KernelSizes sizes;
          sizes.lanes = lanes;
          sizes.workers = {2, 2};
          sizes.workerTile = {positions, channels};
          sizes.split = split;
          sizes.chunk = 8 * split;
          if (positions % (rows ? 16 : 8) || channels % (rows ? 8 : 16) ||
              !ir::KernelAttr::getStoredParts(lanes, sizes.workerTile, split))
            continue;
          SCOPED_TRACE(::testing::Message()
                       << positions << " by " << channels << ", " << split);
          ASSERT_NO_FATAL_FAILURE(expectDivided(makeKernel(sizes)));
          ++divided;
        }
  EXPECT_GT(divided, 40);
}

TEST(StorePlan, OfChannelsIsDirect) {
  KernelSizes sizes;
  sizes.lanes = ir::Lanes::Channels;
  sizes.workerTile = {16, 16};
  const StorePlan plan = planStore(makeKernel(sizes), ElementType::F32,
                                   /*channelsLast=*/true, 64, 1);
  EXPECT_FALSE(plan.staged);
  EXPECT_EQ(plan.warpBytes(), 0);
}
} // namespace
