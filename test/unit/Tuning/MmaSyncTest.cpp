//===- MmaSyncTest.cpp ----------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/MmaSync.h"
#include "TuningTesting.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Tuning/MmaCandidates.h"
#include "ctc/Tuning/TuningTable.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace ctc;
using ::testing::HasSubstr;
using tuningtest::context;

namespace {
/// A layer of odd sizes: every attribute, ranks 1 to 3.
Problem randomProblem(std::mt19937_64 &random) {
  auto between = [&](int64_t low, int64_t high) {
    return tuningtest::between(random, low, high);
  };
  Problem problem;
  problem.type = ElementType(between(0, 2));
  problem.layout = Layout(between(0, 1));
  if (problem.type == ElementType::F32 && random() % 2)
    problem.precision = Precision::TF32x3;
  problem.batch = random() % 8 ? between(1, 9) : kDynamic;
  problem.groups = random() % 3 ? 1 : between(2, 5);
  problem.inputChannels = problem.groups * between(1, 300);
  problem.outputChannels = problem.groups * between(1, 300);
  problem.dims = tuningtest::randomDims(random);
  return problem;
}

TEST(MmaSync, FitsEveryChipWhateverTheLayer) {
  std::mt19937_64 random(4);
  int64_t chosen = 0;
  for (int turn = 0; turn < 400; ++turn) {
    const Problem problem = randomProblem(random);
    if (!verify(problem) || !planPhases(problem))
      continue;
    const std::span<const Chip> chips = allChips();
    const Chip &chip = chips[turn % chips.size()];
    SCOPED_TRACE(::testing::Message() << "turn " << turn << ", " << chip.name);
    auto choice = chooseMmaSync(context(), problem, chip, ir::Family::MmaSync);
    ASSERT_TRUE(choice) << choice.error().message;
    ASSERT_TRUE(checkFits(choice->kernel, problem, chip));
    const std::vector<int64_t> halo =
        chunkHalo(choice->kernel, problem, *planPhases(problem));
    ASSERT_LE(dynamicSharedBytes(choice->kernel, problem, halo),
              chip.maxSharedPerBlock);
    ASSERT_LE(choice->kernel.getThreads(), 1024);
    ASSERT_LE(choice->kernel.getBoxVolume(), choice->kernel.getPositions());
    ++chosen;
  }
  EXPECT_GT(chosen, 300);
}

/// 64 samples of 4 x 4, 512 to 256 channels: a block for every multiprocessor
/// of an H200, and 2048 products an output.
Problem fewBlocks() {
  Problem problem;
  problem.batch = 64;
  problem.inputChannels = 512;
  problem.outputChannels = 256;
  problem.dims.assign(2, SpatialDim{4, 4, 2, 1, 1, 1, 0});
  return problem;
}

TEST(MmaSync, FewBlocksSplitTheirReduction) {
  const Chip chip = *findChip("sm_90a");
  Problem problem = fewBlocks();
  auto choice = chooseMmaSync(context(), problem, chip, ir::Family::MmaSync);
  ASSERT_TRUE(choice);
  EXPECT_GT(choice->kernel.getSplit(), 1);
  EXPECT_THAT(choice->reason,
              HasSubstr(", the reduction split between " +
                        std::to_string(choice->kernel.getSplit()) + " warps"));
  // With enough of them a split only costs its sum.
  problem.batch = 4096;
  choice = chooseMmaSync(context(), problem, chip, ir::Family::MmaSync);
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->kernel.getSplit(), 1);
  EXPECT_THAT(choice->reason, ::testing::Not(HasSubstr("split")));
}

TEST(MmaSync, EveryCandidateIsLegal) {
  const Problem problem = fewBlocks();
  const auto plans = planPhases(problem);
  ASSERT_TRUE(plans);
  std::set<int64_t> splits;
  for (const auto &[cost, tile] :
       rankTiles(problem, *plans, *findChip("sm_90a"),
                 {ir::Family::MmaSync, ir::Family::WgmmaRA})) {
    auto array = [](const std::vector<int64_t> &values) {
      return mlir::DenseI64ArrayAttr::get(context(), values);
    };
    auto emitError = [] {
      return mlir::emitError(mlir::UnknownLoc::get(context()));
    };
    ASSERT_TRUE(llvm::succeeded(ir::KernelAttr::verify(
        emitError, tile.family, tile.lanes, tile.batch, array(tile.box),
        array(tile.phases), array(tile.taps), tile.chunk,
        array({tile.warpsPositions, tile.warpsChannels}),
        array({tile.warpPositions, tile.warpChannels}), tile.stages, tile.clip,
        ir::ChoiceSource::Heuristic, /*groups=*/1, tile.split)));
    splits.insert(tile.split);
  }
  EXPECT_EQ(splits, (std::set<int64_t>{1, 2, 4}));
}

Problem smallLayer() {
  Problem problem;
  problem.inputChannels = 16;
  problem.outputChannels = 16;
  problem.dims = {SpatialDim{16, 2, 2, 1, 0, 0, 0}};
  return problem;
}

// Ranks count from 0 without gaps, and every one is another kernel.
TEST(MmaSync, RanksEndWithTheirNumber) {
  const Chip chip = *findChip("sm_90a");
  const Problem problem = smallLayer();
  std::set<const void *> kernels;
  int64_t rank = 0;
  Expected<KernelChoice> choice =
      chooseMmaSync(context(), problem, chip, ir::Family::MmaSync, 0);
  for (; choice; choice = chooseMmaSync(context(), problem, chip,
                                        ir::Family::MmaSync, ++rank)) {
    EXPECT_TRUE(kernels.insert(choice->kernel.getAsOpaquePointer()).second);
    ASSERT_LT(rank, 10000);
  }
  EXPECT_GT(rank, 1);
  EXPECT_EQ(choice.error().message,
            "candidate is " + std::to_string(rank) + ", must be less than " +
                std::to_string(rank) +
                ", the number of kernels of mma_sync that fit sm_90a");
}

TEST(MmaSync, WhatSpilledGivesWayUntilNothingIsLeft) {
  const Chip chip = *findChip("sm_120a");
  std::vector<ir::KernelAttr> spilled;
  for (;;) {
    auto choice = chooseKernel(context(), smallLayer(), chip, "mma_sync",
                               /*candidate=*/0, spilled);
    if (!choice)
      break;
    EXPECT_FALSE(llvm::is_contained(spilled, choice->kernel));
    spilled.push_back(choice->kernel);
    ASSERT_LT(spilled.size(), 10000u);
  }
  EXPECT_GT(spilled.size(), 1u);
}

TEST(MmaSync, WhatSpilledIsNotAskedOfTables) {
  const Chip chip = *findChip("sm_80");
  const auto first = chooseKernel(context(), smallLayer(), chip, "");
  ASSERT_TRUE(first);
  KernelRequest request;
  request.spilled = {first->kernel};
  const auto next = chooseKernel(context(), smallLayer(), chip, request);
  ASSERT_TRUE(next);
  EXPECT_NE(next->kernel, first->kernel);
  EXPECT_THAT(next->reason,
              HasSubstr("; the registers of 1 kernel before it did not fit"));
}

TEST(MmaSync, SimtHasOneCandidate) {
  auto choice =
      chooseKernel(context(), smallLayer(), *findChip("sm_90a"), "simt", 1);
  ASSERT_FALSE(choice);
  EXPECT_EQ(choice.error().message,
            "candidate is 1, must be 0 for family simt, which has one");
}

TEST(MmaSync, RefusalsNameTheFamilyThatCan) {
  const Chip chip = *findChip("sm_80");
  Problem problem = smallLayer();
  problem.precision = Precision::IEEE;
  auto forced = chooseKernel(context(), problem, chip, "mma_sync");
  ASSERT_FALSE(forced);
  EXPECT_THAT(forced.error().message, HasSubstr("its precision is ieee"));
  EXPECT_THAT(forced.error().message, HasSubstr("; simt can"));
  auto chosen = chooseKernel(context(), problem, chip, "");
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->kernel.getFamily(), ir::Family::Simt);

  problem.precision = Precision::TF32x3;
  forced = chooseKernel(context(), problem, chip, "simt");
  ASSERT_FALSE(forced);
  EXPECT_THAT(forced.error().message, HasSubstr("; mma_sync can"));
  EXPECT_TRUE(chooseKernel(context(), problem, chip, "mma_sync"));
}

/// The part of the tile factor that positions waste.
double positionWaste(const Problem &problem, ir::KernelAttr kernel) {
  auto work = workFactors(problem, tilingOf(kernel, problem));
  EXPECT_TRUE(work);
  auto rounding = [](int64_t size, int64_t tile) {
    return double(roundUp(size, tile)) / double(size);
  };
  return work->tile /
         rounding(problem.inputChannelsPerGroup(), kernel.getChunkChannels()) /
         rounding(problem.outputChannelsPerGroup(), kernel.getChannels());
}

// The bar: at most 1.15 where a row of a phase has 64 positions or more. Tiles
// of warpgroups are 64 positions at least, none of which may suit a layer; then
// the choice between both families keeps the bar.
TEST(MmaSync, LongRowsWasteFewPositions) {
  int64_t checked = 0;
  for (const auto &[layer, name, problem, kernel] :
       tuningtest::chosenKernels()) {
    const auto plans = planPhases(problem);
    ASSERT_TRUE(plans);
    if (plans->back().maxQCount < 64)
      continue;
    ir::KernelAttr taken = kernel;
    if (kernel.getFamily() == ir::Family::WgmmaRA &&
        positionWaste(problem, kernel) > 1.15) {
      auto choice = chooseMmaSync(context(), problem, *findChip("sm_90a"),
                                  {ir::Family::MmaSync, ir::Family::WgmmaRA});
      ASSERT_TRUE(choice) << name;
      taken = choice->kernel;
    }
    EXPECT_LE(positionWaste(problem, taken), 1.15) << name;
    ++checked;
  }
  EXPECT_GT(checked, 100);
}
} // namespace
