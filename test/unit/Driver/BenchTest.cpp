//===- BenchTest.cpp - What ctc bench computes from times -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BenchReport.h"

#include <gtest/gtest.h>

using namespace ctc;
using namespace ctc::driver;

namespace {
TEST(SampleStatistics, MedianAndQuartilesBetweenRanks) {
  const auto four = SampleStatistics::of({4, 1, 3, 2});
  EXPECT_EQ(four.median, 2.5);
  EXPECT_EQ(four.lowerQuartile, 1.75);
  EXPECT_EQ(four.upperQuartile, 3.25);
  EXPECT_EQ(four.least, 1);
  EXPECT_EQ(four.count, 4u);
  const auto one = SampleStatistics::of({7});
  EXPECT_EQ(one.median, 7);
  EXPECT_EQ(one.lowerQuartile, 7);
  EXPECT_EQ(one.upperQuartile, 7);
}

TEST(Ceilings, MeasuredOnAnH200PublishedElsewhere) {
  const auto h200 = ceilingsOf("NVIDIA H200", 9, 0);
  ASSERT_TRUE(h200);
  EXPECT_EQ(h200->source, "measured on an H200");
  EXPECT_EQ(h200->memoryBytes, 4.3e12);
  EXPECT_EQ(2 * h200->tf32, 400e12);
  EXPECT_EQ(2 * h200->sixteen, 790e12);
  EXPECT_EQ(2 * h200->fp32, 67e12);
  const auto a100 = ceilingsOf("NVIDIA A100-SXM4-80GB", 8, 0);
  ASSERT_TRUE(a100);
  EXPECT_EQ(a100->source, "published for the A100, not measured");
  // The A100's datasheet: 156, 312 and 19.5 TFLOP/s.
  EXPECT_NEAR(2 * a100->tf32, 156e12, 0.5e12);
  EXPECT_NEAR(2 * a100->sixteen, 312e12, 0.5e12);
  EXPECT_NEAR(2 * a100->fp32, 19.5e12, 0.05e12);
  EXPECT_EQ(ceilingsOf("NVIDIA H100", 9, 0)->source,
            "published for the H200, not measured");
  EXPECT_FALSE(ceilingsOf("some GPU", 7, 5));
}

/// KernelBench's L1/57 in tf32: 618.4753 GFLOP, 4303511552 bytes.
Problem large() { return {8, 64, 64, 1, {{1024, 3, 1}, {1024, 3, 1}}}; }

TEST(Floor, IsTheLargerOfTheTwo) {
  const auto ceilings = *ceilingsOf("NVIDIA H200", 9, 0);
  Problem problem = large();
  WorkFactors work;
  work.usefulMacs = 309237645312;
  const Floor tf32 = floorOf(problem, work, false, ceilings);
  EXPECT_TRUE(tf32.isCompute);
  EXPECT_EQ(tf32.unit, "tf32");
  EXPECT_EQ(tf32.bytes, 4303511552);
  EXPECT_NEAR(tf32.seconds, 1.54619e-3, 1e-8);
  problem.precision = Precision::IEEE;
  EXPECT_NEAR(floorOf(problem, work, false, ceilings).seconds, 9.23097e-3,
              1e-8);
  problem.precision = Precision::TF32x3;
  EXPECT_NEAR(floorOf(problem, work, false, ceilings).seconds, 3 * 1.54619e-3,
              3e-8);
  problem.precision = Precision::TF32;
  work.usefulMacs /= 1000;
  const Floor memory = floorOf(problem, work, false, ceilings);
  EXPECT_FALSE(memory.isCompute);
  EXPECT_DOUBLE_EQ(memory.seconds, 4303511552 / 4.3e12);
  // Per sample, as an entry for any batch has it.
  work.usefulMacs = 309237645312.0 / 8;
  EXPECT_EQ(floorOf(problem, work, true, ceilings).seconds, tf32.seconds);
}

TEST(BufferSets, ExceedTwiceTheCacheAndFitIntoMemory) {
  ctc_cuda_info device{};
  device.l2_bytes = 60 << 20;
  device.free_bytes = uint64_t{100} << 30;
  EXPECT_EQ(bufferSetCount(uint64_t{4} << 30, device), 2u);
  // 120 MiB without any one of them.
  EXPECT_EQ(bufferSetCount(40 << 20, device), 4u);
  EXPECT_EQ(bufferSetCount(50 << 20, device), 4u);
  EXPECT_EQ(bufferSetCount(1, device), 512u);
  EXPECT_EQ(bufferSetCount(uint64_t{60} << 30, device), 1u);
  EXPECT_EQ(bufferSetCount(uint64_t{200} << 30, device), 1u);
}

BenchRow row(const std::string &name) {
  LayerBench bench;
  bench.batch = 1;
  bench.bufferSets = 2;
  bench.launch = SampleStatistics::of({12.5e-6, 12.5e-6});
  bench.prepare = SampleStatistics::of({3e-6});
  bench.check.outputs = 8;
  return {name, "sm_90a", "simt", "#ctc.kernel<>", bench};
}

TEST(BenchReport, AFailureIsARowAndTheRestStands) {
  BenchReport report;
  report.rows = {row("first"), row("second")};
  EXPECT_TRUE(report.outcome());
  report.rows[0].bench =
      makeError(ErrorCode::DeviceError, "allocating 8 bytes: no memory");
  std::string text;
  llvm::raw_string_ostream os(text);
  report.print(os);
  EXPECT_NE(text.find("not timed: allocating 8 bytes: no memory"),
            std::string::npos);
  EXPECT_NE(text.find("12.50"), std::string::npos);
  EXPECT_EQ(report.outcome().error().code, ErrorCode::DeviceError);
  EXPECT_EQ(report.outcome().error().message,
            "first: allocating 8 bytes: no memory");
  report.rows[1].bench->check.wrong = 1;
  EXPECT_EQ(report.outcome().error().code, ErrorCode::WrongResult);
}
} // namespace
