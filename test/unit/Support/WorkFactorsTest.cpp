//===- WorkFactorsTest.cpp ------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/WorkFactors.h"

#include <gtest/gtest.h>

using namespace ctc;

namespace {
TEST(WorkFactors, EvenLayerHasNoOverhead) {
  Problem problem;
  problem.inputChannels = 8;
  problem.outputChannels = 16;
  problem.dims = {SpatialDim{16, 2, 2, 1, 0, 0, 0},
                  SpatialDim{16, 2, 2, 1, 0, 0, 0}};
  auto work = workFactors(problem, Tiling{1, {4, 16}, 64, 16, 8, {1, 1}});
  ASSERT_TRUE(work);
  EXPECT_EQ(work->usefulMacs, 16. * 16 * 4 * 8 * 16);
  EXPECT_EQ(work->holes, 1);
  EXPECT_EQ(work->border, 1);
  EXPECT_EQ(work->tile, 1);
  EXPECT_EQ(work->leastBytes, 4. * (8 * 256 + 8 * 16 * 4 + 16 * 1024));
  // Each of four phases reads x once; each of 16 blocks reads its tap's
  // weights.
  EXPECT_EQ(work->requestedBytes, 4. * (4 * 8 * 256 + 16 * 8 * 16 + 16 * 1024));
}

TEST(WorkFactors, GroupedPhasesReadTheInputOnce) {
  Problem problem;
  problem.dims = {SpatialDim{16, 4, 2, 1, 1, 1, 0}};
  Tiling tiling{1, {8}, 8, 1, 1, {4}};
  tiling.phases = {2};
  auto work = workFactors(problem, tiling);
  ASSERT_TRUE(work);
  // 16 positions of two phases of two taps, of which the first and the last
  // position each have one outside the input.
  EXPECT_EQ(work->usefulMacs, 62);
  EXPECT_DOUBLE_EQ(work->border, 64. / 62.);
  EXPECT_EQ(work->tile, 1);
  // Two blocks, each with a halo of 10 of which 9 are in range, and 4 weights.
  EXPECT_EQ(work->requestedBytes, 4. * (2 * 9 + 2 * 4 + 32));

  // In vectors of 4 halos begin at -4 and 4 and are 16 elements: 12 in range.
  tiling.vector = 4;
  tiling.row = 16;
  auto wide = workFactors(problem, tiling);
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->requestedBytes, 4. * (2 * 12 + 2 * 4 + 32));
}

TEST(WorkFactors, GroupsOfABlockAreRoundedToIt) {
  Problem problem;
  problem.groups = 6;
  problem.inputChannels = 6;
  problem.outputChannels = 12;
  problem.dims = {SpatialDim{16, 1, 1, 1, 0, 0, 0}};
  // Blocks of 4 groups: two, with weights for 8 groups of two channels.
  Tiling tiling{1, {16}, 16, 2, 1, {1}};
  tiling.groups = 4;
  auto work = workFactors(problem, tiling);
  ASSERT_TRUE(work);
  EXPECT_EQ(work->usefulMacs, 16 * 12);
  EXPECT_DOUBLE_EQ(work->tile, 8. / 6.);
  EXPECT_EQ(work->requestedBytes, 4. * (16 * 6 + 8 * 2 + 16 * 12));
}

TEST(WorkFactors, BorderCountsTapsOutsideTheInput) {
  Problem problem;
  problem.dims = {SpatialDim{4, 3, 1, 1, 1, 1, 0}};
  // Four outputs of three taps; the outer two reach one input fewer each.
  auto whole = workFactors(problem, Tiling{1, {4}, 4, 1, 1, {3}});
  ASSERT_TRUE(whole);
  EXPECT_DOUBLE_EQ(whole->border, 12. / 10.);
  // One block: the halo's four elements in range, three weights, four outputs.
  EXPECT_EQ(whole->requestedBytes, 4. * (4 + 3 + 4));
  // Blocks of one position clip every tap that falls outside.
  auto single = workFactors(problem, Tiling{1, {1}, 1, 1, 1, {1}});
  ASSERT_TRUE(single);
  EXPECT_EQ(single->border, 1);
}

TEST(WorkFactors, TileCountsRounding) {
  Problem problem;
  problem.outputChannels = 3;
  problem.dims = {SpatialDim{5, 1, 1, 1, 0, 0, 0}};
  auto work = workFactors(problem, Tiling{1, {4}, 4, 4, 1, {1}});
  ASSERT_TRUE(work);
  EXPECT_DOUBLE_EQ(work->tile, 8. / 5. * 4. / 3.);
}

TEST(WorkFactors, TileCountsIdlePositions) {
  Problem problem;
  problem.dims = {SpatialDim{6, 1, 1, 1, 0, 0, 0}};
  auto work = workFactors(problem, Tiling{1, {6}, 8, 1, 1, {1}});
  ASSERT_TRUE(work);
  EXPECT_DOUBLE_EQ(work->tile, 8. / 6.);
}

// The worked example of PhaseGroup.h: output 8, phases of two taps and of one.
TEST(WorkFactors, GroupedPhasesShareAHaloAndAllWeights) {
  Problem problem;
  problem.dims = {SpatialDim{4, 3, 2, 1, 1, 1, 1}};
  auto whole = workFactors(problem, Tiling{1, {4}, 4, 1, 1, {3}, {2}, false});
  ASSERT_TRUE(whole);
  // Only tap 0 of the last position of residue 0 falls outside.
  EXPECT_EQ(whole->usefulMacs, 11);
  EXPECT_EQ(whole->holes, 1);
  EXPECT_DOUBLE_EQ(whole->border, 12. / 11);
  EXPECT_EQ(whole->tile, 1);
  // One block: four inputs in range of the halo's five, three weights.
  EXPECT_EQ(whole->requestedBytes, 4. * (4 + 3 + 8));
  // Boxes of three: the second has one position of three, for every tap.
  auto parts = workFactors(problem, Tiling{1, {3}, 3, 1, 1, {3}, {2}, false});
  ASSERT_TRUE(parts);
  EXPECT_DOUBLE_EQ(parts->border, 12. / 11);
  EXPECT_DOUBLE_EQ(parts->tile, 18. / 12);
  EXPECT_EQ(parts->requestedBytes, 4. * (4 + 1 + 6 + 8));
}

TEST(WorkFactors, PhasesAreGroupedPerDimension) {
  Problem problem;
  problem.dims = {SpatialDim{4, 3, 2, 1, 1, 1, 1},
                  SpatialDim{4, 3, 2, 1, 1, 1, 1}};
  auto work =
      workFactors(problem, Tiling{1, {4, 4}, 16, 1, 1, {2, 3}, {1, 2}, false});
  ASSERT_TRUE(work);
  EXPECT_DOUBLE_EQ(work->border, 144. / 121);
  EXPECT_EQ(work->tile, 1);
  // Along the first, a block per phase: each loads all four inputs, and the
  // weights of two taps and of one.
  EXPECT_EQ(work->requestedBytes, 4. * (8 * 4 + 3 * 3 + 8 * 8));
}

TEST(WorkFactors, WithoutClippingAllTapsAreWalked) {
  Problem problem;
  problem.dims = {SpatialDim{4, 3, 1, 1, 1, 1, 0}};
  auto work = workFactors(problem, Tiling{1, {1}, 1, 1, 1, {3}, {1}, false});
  ASSERT_TRUE(work);
  EXPECT_DOUBLE_EQ(work->border, 12. / 10);
  // Four blocks, each with its halo in range and three weights.
  EXPECT_EQ(work->requestedBytes, 4. * (10 + 4 * 3 + 4));
  auto clipped = workFactors(problem, Tiling{1, {1}, 1, 1, 1, {3}, {1}, true});
  ASSERT_TRUE(clipped);
  EXPECT_EQ(clipped->border, 1);
}
} // namespace
