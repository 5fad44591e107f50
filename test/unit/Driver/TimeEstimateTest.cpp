//===- TimeEstimateTest.cpp - estimates worked by hand --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TimeEstimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ctc;
using namespace ctc::driver;

namespace {

const Chip kHopper = *findChip("sm_90a"); // 132 at 1.98 GHz, 1.83 for matrices.

KernelResources withRegisters(uint32_t registers) {
  KernelResources resources;
  resources.registers = registers;
  return resources;
}

LaunchProfile launchOf(double blocks, uint32_t threads = 128,
                       uint32_t sharedBytes = 0) {
  LaunchProfile launch;
  launch.blocks = launch.executedBlocks = blocks;
  launch.threads = threads;
  launch.sharedBytes = sharedBytes;
  return launch;
}

InstructionProfile &add(LaunchProfile &launch, const char *kind, double warps,
                        std::array<unsigned, kPipes> pipes = {}) {
  InstructionProfile one;
  one.kind = kind;
  one.warps = warps;
  one.pipes = pipes;
  launch.instructions.push_back(one);
  return launch.instructions.back();
}

const UnitTime *find(const TimeEstimate &estimate, const std::string &unit) {
  for (const UnitTime &one : estimate.units)
    if (one.unit == unit)
      return &one;
  return nullptr;
}

double seconds(const TimeEstimate &estimate, const std::string &unit) {
  const UnitTime *found = find(estimate, unit);
  return found ? found->seconds : 0;
}

std::string binding(const TimeEstimate &estimate) {
  return estimate.binding < estimate.units.size()
             ? estimate.units[estimate.binding].unit
             : "none";
}

//===----------------------------------------------------------------------===//
// Occupancy
//===----------------------------------------------------------------------===//

TEST(TimeEstimateTest, OccupancyByRegisters) {
  // 123 registers: 3936 for a warp, rounded to 4096; 4 in each of the 4 parts.
  const KernelResources resources = withRegisters(123);
  Occupancy occupancy = occupancyOf(launchOf(1, 128), &resources, kHopper);
  EXPECT_EQ(occupancy.blocks, 4);
  EXPECT_EQ(occupancy.warps, 16);
  EXPECT_EQ(occupancy.mostWarps, 64);
  EXPECT_EQ(occupancy.limit, "registers");
  // 168: 5376 for a warp, 3 in each part, 12 warps: two blocks of 5 warps.
  const KernelResources more = withRegisters(168);
  occupancy = occupancyOf(launchOf(1, 160), &more, kHopper);
  EXPECT_EQ(occupancy.blocks, 2);
  EXPECT_EQ(occupancy.warps, 10);
}

TEST(TimeEstimateTest, OccupancyByTheRest) {
  const KernelResources few = withRegisters(16);
  // 100 KiB and the reserved one: two in 228.
  Occupancy occupancy =
      occupancyOf(launchOf(1, 128, 100 * 1024), &few, kHopper);
  EXPECT_EQ(occupancy.blocks, 2);
  EXPECT_EQ(occupancy.limit, "shared memory");
  occupancy = occupancyOf(launchOf(1, 512), &few, kHopper);
  EXPECT_EQ(occupancy.blocks, 4);
  EXPECT_EQ(occupancy.limit, "threads");
  occupancy = occupancyOf(launchOf(1, 32), &few, kHopper);
  EXPECT_EQ(occupancy.blocks, 32);
  EXPECT_EQ(occupancy.limit, "blocks");
  occupancy = occupancyOf(launchOf(1, 32), &few, *findChip("sm_86"));
  EXPECT_EQ(occupancy.blocks, 16);
  // Without ptxas's report registers are no limit.
  EXPECT_EQ(occupancyOf(launchOf(1, 1024), nullptr, kHopper).blocks, 2);
}

//===----------------------------------------------------------------------===//
// Units
//===----------------------------------------------------------------------===//

TEST(TimeEstimateTest, AFullBoardOfMultiplyAdds) {
  // Every multiprocessor issues 4 of the 132 * 4 * 1.98e6 in each clock.
  LaunchProfile launch = launchOf(132);
  add(launch, "fp32", 132 * 4 * 1.98e6, {1});
  const TimeEstimate estimate = estimateTime(launch, nullptr, kHopper);
  EXPECT_DOUBLE_EQ(estimate.tail, 1);
  EXPECT_NEAR(seconds(estimate, "issue"), 1e-3, 1e-12);
  // 128 lanes a clock are 4 warps, too.
  EXPECT_NEAR(seconds(estimate, "fp32"), 1e-3, 1e-12);
  EXPECT_EQ(find(estimate, "integer"), nullptr);
  EXPECT_NEAR(estimate.seconds, 1e-3 + kLaunchSeconds, 1e-12);
  EXPECT_EQ(find(estimate, "fp32")->of, "lanes");
  EXPECT_NEAR(find(estimate, "fp32")->rate, 132 * 128 * 1.98e9, 1);
}

TEST(TimeEstimateTest, TheLastRoundOfBlocks) {
  // 133 blocks: one multiprocessor has two of them.
  LaunchProfile launch = launchOf(133);
  add(launch, "integer", 133 * 2 * 1.98e6, {0, 1});
  const TimeEstimate estimate = estimateTime(launch, nullptr, kHopper);
  EXPECT_DOUBLE_EQ(estimate.tail, 264. / 133);
  EXPECT_NEAR(seconds(estimate, "integer"), 2e-3, 1e-12);
  EXPECT_EQ(binding(estimate), "integer");
  // A single block has one multiprocessor to itself.
  LaunchProfile single = launchOf(1);
  add(single, "special", 1.98e6, {0, 0, 0, 0, 1});
  EXPECT_NEAR(seconds(estimateTime(single, nullptr, kHopper), "special"), 2e-3,
              1e-12);
}

TEST(TimeEstimateTest, Matrices) {
  auto matrixSeconds = [](ctc_multiply_unit unit, const Chip &chip) {
    LaunchProfile launch = launchOf(chip.board.multiprocessors);
    InstructionProfile &one = add(launch, "mma", 1, {0, 0, 0, 0, 0, 0, 1});
    one.unit = unit;
    one.multiplyAdds = 1e12;
    return seconds(estimateTime(launch, nullptr, chip), "matrix");
  };
  EXPECT_NEAR(matrixSeconds(CTC_MULTIPLY_WGMMA_16, kHopper),
              1e12 / (132 * 2048 * 1.83e9), 1e-9);
  EXPECT_NEAR(matrixSeconds(CTC_MULTIPLY_WGMMA_TF32, kHopper),
              1e12 / (132 * 1024 * 1.83e9), 1e-9);
  EXPECT_NEAR(matrixSeconds(CTC_MULTIPLY_MMA_16, kHopper),
              1e12 / (132 * 2048 * 0.63 * 1.83e9), 1e-9);
  EXPECT_NEAR(matrixSeconds(CTC_MULTIPLY_MMA_8, *findChip("sm_80")),
              1e12 / (108 * 2048 * 1.41e9), 1e-9);
  // Where there are none in f64, FMA does it.
  EXPECT_NEAR(matrixSeconds(CTC_MULTIPLY_MMA_FP64, *findChip("sm_89")),
              1e12 / (142 * 2 * 2.52e9), 1e-3);
}

TEST(TimeEstimateTest, SharedMemoryAndFirstLevel) {
  LaunchProfile launch = launchOf(132);
  add(launch, "shared load", 1).shared = {1, 128, 3, 1};
  add(launch, "global load", 1).global = {1, 128, 4, 4};
  add(launch, "exchange", 5, {0, 0, 0, 0, 0, 1});
  // What goes past the first level is counted where it arrives.
  InstructionProfile &copy = add(launch, "async copy", 1);
  copy.global = {1, 512, 16, 16};
  copy.shared = {1, 512, 4, 4};
  const TimeEstimate estimate = estimateTime(launch, nullptr, kHopper);
  EXPECT_DOUBLE_EQ(find(estimate, "shared memory")->work,
                   3 * 128 + 4 * 32 + 5 * 128 + 4 * 128);
  EXPECT_NEAR(find(estimate, "shared memory")->rate, 132 * 128 * 1.98e9, 1);
}

TEST(TimeEstimateTest, MemoryIsSharedByAll) {
  LaunchProfile launch = launchOf(133);
  BufferProfile buffer;
  buffer.loaded = 9e9;
  buffer.blockLoaded = 5e9;
  buffer.stored = 2e9;
  buffer.distinctLoaded = 3e9;
  buffer.distinctStored = 1e9;
  launch.buffers = {buffer};
  const TimeEstimate estimate = estimateTime(launch, nullptr, kHopper);
  EXPECT_NEAR(seconds(estimate, "L2"), 7e9 / (33 * 132 * 1.98e9), 1e-9);
  EXPECT_NEAR(seconds(estimate, "DRAM"), 4e9 / 4.32e12, 1e-9);
  EXPECT_EQ(binding(estimate), "DRAM");
}

TEST(TimeEstimateTest, NothingToDo) {
  const TimeEstimate estimate = estimateTime(launchOf(0), nullptr, kHopper);
  EXPECT_TRUE(estimate.units.empty());
  EXPECT_EQ(binding(estimate), "none");
  EXPECT_DOUBLE_EQ(estimate.seconds, kLaunchSeconds);
}

TEST(TimeEstimateTest, OneInstructionAlone) {
  InstructionProfile one;
  one.warps = 132 * 1.98e6;
  one.pipes = {0, 3};
  // 96 lanes at 64 a clock bind, not 3 of 4 issue slots.
  EXPECT_NEAR(secondsAlone(one, kHopper), 1.5e-3, 1e-12);
  one.shared.units = 132 * 2 * 1.98e6;
  EXPECT_NEAR(secondsAlone(one, kHopper), 2e-3, 1e-12);
  EXPECT_EQ(secondsAlone({}, kHopper), 0);
}

} // namespace
