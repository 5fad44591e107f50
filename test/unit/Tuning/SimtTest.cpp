//===- SimtTest.cpp -------------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/Simt.h"
#include "TuningTesting.h"
#include "ctc/Support/IntegerMath.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

using namespace ctc;
using ::testing::HasSubstr;
using tuningtest::context;

namespace {
/// Groups of up to 6 channels, channels last.
Problem randomGroups(std::mt19937_64 &random) {
  auto between = [&](int64_t low, int64_t high) {
    return tuningtest::between(random, low, high);
  };
  Problem problem;
  problem.type = ElementType(between(0, 2));
  problem.layout = Layout::ChannelsLast;
  problem.batch = random() % 8 ? between(1, 9) : kDynamic;
  problem.groups = between(2, random() % 2 ? 12 : 300);
  problem.inputChannels = problem.groups * between(1, 6);
  problem.outputChannels = problem.groups * between(1, 6);
  problem.dims = tuningtest::randomDims(random);
  return problem;
}

/// Calls `body` with legal layers among `turns` random ones, chip by chip, up
/// to the first fatal failure.
void forRandomGroups(
    uint64_t seed, int turns,
    llvm::function_ref<void(const Problem &, const Chip &)> body) {
  std::mt19937_64 random(seed);
  const std::span<const Chip> chips = allChips();
  for (int turn = 0; turn < turns && !::testing::Test::HasFatalFailure();
       ++turn) {
    const Problem problem = randomGroups(random);
    if (!verify(problem) || !planPhases(problem))
      continue;
    const Chip &chip = chips[turn % chips.size()];
    SCOPED_TRACE(::testing::Message() << "turn " << turn << ", " << chip.name);
    body(problem, chip);
  }
}

TEST(Simt, TakesNarrowGroupsTogetherWhateverTheLayer) {
  int64_t together = 0, apart = 0;
  forRandomGroups(7, 600, [&](const Problem &problem, const Chip &chip) {
    auto choice = chooseSimt(context(), problem, chip);
    ASSERT_TRUE(choice) << choice.error().message;
    const ir::KernelAttr kernel = choice->kernel;
    auto fits = checkFits(kernel, problem, chip);
    ASSERT_TRUE(fits) << fits.error().message;
    const int64_t inputs = problem.inputChannelsPerGroup();
    const int64_t outputs = problem.outputChannelsPerGroup();
    if (kernel.getGroups() == 1) {
      ++apart;
      return;
    }
    ++together;
    EXPECT_LE(std::max(inputs, outputs), 4);
    EXPECT_EQ(kernel.getChannels(), kernel.getGroups() * outputs);
    EXPECT_EQ(kernel.getChunkChannels(), inputs);
    EXPECT_EQ(kernel.getLanes(), ir::Lanes::Channels);
    // Whole vectors of the output, wherever they begin.
    EXPECT_EQ(problem.outputChannels % kernel.getWorkerTile()[1], 0);
    // Fewer idle groups than the lanes that round a block up to warps.
    const int64_t idle =
        roundUp(problem.groups, kernel.getGroups()) - problem.groups;
    EXPECT_LT(idle * outputs, 24 * kernel.getWorkerTile()[1] + outputs);
  });
  EXPECT_GT(together, 100);
  EXPECT_GT(apart, 100);
}

int64_t sumsOfAThread(ir::KernelAttr kernel) {
  return kernel.getWorkerTile()[0] * kernel.getWorkerTile()[1] *
         kernel.getPhaseCount();
}

TEST(Simt, WhatSpillsGivesWayToFewerSums) {
  int64_t next = 0;
  forRandomGroups(20261121, 300, [&](const Problem &problem, const Chip &chip) {
    std::vector<ir::KernelAttr> spilled;
    for (auto choice = chooseSimt(context(), problem, chip, spilled);;
         choice = chooseSimt(context(), problem, chip, spilled)) {
      if (!choice) {
        EXPECT_EQ(choice.error().message,
                  "every kernel of family simt that serves this layer spills");
        break;
      }
      auto fits = checkFits(choice->kernel, problem, chip);
      EXPECT_TRUE(fits) << fits.error().message;
      EXPECT_FALSE(llvm::is_contained(spilled, choice->kernel));
      if (!spilled.empty()) {
        EXPECT_LE(sumsOfAThread(choice->kernel), sumsOfAThread(spilled.back()));
        ++next;
      }
      spilled.push_back(choice->kernel);
      ASSERT_LT(spilled.size(), 10u);
    }
    EXPECT_FALSE(spilled.empty());
  });
  EXPECT_GT(next, 100);
}

Problem depthwise(int64_t channels) {
  Problem problem;
  problem.layout = Layout::ChannelsLast;
  problem.batch = 16;
  problem.groups = problem.inputChannels = problem.outputChannels = channels;
  problem.dims.assign(2, SpatialDim{64, 4, 2, 1, 1, 1, 0});
  return problem;
}

TEST(Simt, GroupsReadAndWriteNeighboursWithoutBankConflicts) {
  const Problem problem = depthwise(64);
  auto choice = chooseSimt(context(), problem, *findChip("sm_90a"));
  ASSERT_TRUE(choice);
  const ir::KernelAttr kernel = choice->kernel;
  EXPECT_EQ(kernel.getGroups(), 32);
  EXPECT_EQ(kernel.getWorkerTile()[1], 4);
  auto plans = planPhases(problem);
  ASSERT_TRUE(plans);
  const SharedLayout layout =
      sharedLayout(kernel, chunkWindow(kernel, problem, *plans), false);
  EXPECT_EQ(layout.stagingBytes, 0);
  EXPECT_EQ(layout.patchPitch, 1);
  EXPECT_EQ(layout.positionPitch, 32);
  EXPECT_EQ(layout.patchElements,
            32 * layout.window.front() * layout.window.back());
  // A warp reads a pixel: 8 lanes along channels, 4 positions of a row. Four
  // wavefronts are the least for 512 bytes.
  const int64_t lanes = kernel.getWorkers()[1];
  std::vector<int64_t> pixels;
  for (int64_t lane = 0; lane < 32; ++lane)
    pixels.push_back(lane / lanes * layout.positionPitch + lane % lanes * 4);
  EXPECT_EQ(tuningtest::wavefronts(pixels, 4), 4);
}

TEST(Simt, RowsOfAThreadAreNeighbours) {
  const Problem problem = depthwise(64);
  auto choice = chooseSimt(context(), problem, *findChip("sm_90a"));
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->kernel.getBox().asArrayRef().back(),
            choice->kernel.getWorkers()[0]);
  EXPECT_THAT(choice->reason, HasSubstr("32 groups"));
}

TEST(Simt, OddChannelsAreTakenOneByOne) {
  auto choice = chooseSimt(context(), depthwise(33), *findChip("sm_90a"));
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->kernel.getWorkerTile()[1], 1);
  EXPECT_EQ(choice->kernel.getThreads() % 32, 0);
}
} // namespace
