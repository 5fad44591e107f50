//===- ReduceTest.cpp - reductions by shuffles and atomics ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTesting.h"

#include <climits>
#include <numeric>

using namespace ctc;
using namespace ctc::ptx::testing;

namespace {

std::vector<float> asFloats(const Numbers &values) {
  return {values.begin(), values.end()};
}

/// What sum_f32 does with one block of the grid, addition by addition.
float sumOfBlock(const std::vector<float> &in, size_t block, size_t blocks) {
  auto sumOfWarp = [](std::vector<float> lanes) {
    for (size_t distance = 16; distance > 0; distance /= 2) {
      std::vector<float> next(32);
      for (size_t i = 0; i < 32; ++i)
        next[i] = lanes[i] + lanes[i ^ distance];
      lanes = next;
    }
    return lanes[0];
  };
  std::vector<float> sums(32);
  for (size_t warp = 0; warp < 8; ++warp) {
    std::vector<float> lanes(32);
    for (size_t lane = 0; lane < 32; ++lane)
      for (size_t i = block * 256 + warp * 32 + lane; i < in.size();
           i += blocks * 256)
        lanes[lane] += in[i];
    sums[warp] = sumOfWarp(lanes);
  }
  return sumOfWarp(sums);
}

TEST(ReduceTest, FloatsInTheOrderOfTheShuffles) {
  for (size_t count : {1, 255, 1000, 20000}) {
    const auto in = asFloats(fill(Fill::Random, count, kF32, 3));
    constexpr uint32_t blocks = 5;
    KernelRun partial(readKernel("reduce"), "sum_f32");
    partial.buffer(in);
    const size_t out = partial.buffer(std::vector<float>(blocks, NAN));
    partial.scalar(static_cast<int>(count));
    partial.config.grid.x = blocks;
    partial.config.block.x = 256;
    ASSERT_TRUE(partial.launch());
    const auto sums = partial.read<float>(out);
    for (size_t block = 0; block < blocks; ++block)
      EXPECT_EQ(sums[block], sumOfBlock(in, block, blocks)) << block;

    KernelRun total(readKernel("reduce"), "sum_f32");
    total.buffer(sums);
    const size_t sum = total.buffer(std::vector<float>(1, NAN));
    total.scalar(static_cast<int>(blocks));
    total.config.block.x = 256;
    ASSERT_TRUE(total.launch());
    EXPECT_EQ(total.read<float>(sum)[0], sumOfBlock(sums, 0, 1));
  }
}

TEST(ReduceTest, FloatsByAtomics) {
  const Numbers in = fill(Fill::Integers, 10000, kF32, 4);
  KernelRun run(readKernel("reduce"), "sum_f32_atomic");
  run.buffer(asFloats(in));
  const size_t total = run.buffer(std::vector<float>{0.5f});
  run.scalar(static_cast<int>(in.size()));
  run.config.grid.x = 79;
  run.config.block.x = 128;
  ASSERT_TRUE(run.launch());
  EXPECT_EQ(run.read<float>(total)[0],
            std::accumulate(in.begin(), in.end(), 0.5));
}

TEST(ReduceTest, IntegersByRedux) {
  std::mt19937 engine = generator(5);
  for (size_t count : {1, 32, 50, 4000}) {
    std::vector<int> in(count);
    // Bits that are common to all, so that the conjunction is not zero.
    for (int &value : in)
      value = static_cast<int>(engine() | 0x00100400u);
    std::vector<int> expected = {0, INT_MAX, INT_MIN, -1, 0, -1, 0, 0};
    for (int value : in) {
      const auto bits = static_cast<unsigned>(value);
      expected[0] = static_cast<int>(static_cast<unsigned>(expected[0]) + bits);
      expected[1] = std::min(expected[1], value);
      expected[2] = std::max(expected[2], value);
      expected[3] =
          static_cast<int>(std::min(static_cast<unsigned>(expected[3]), bits));
      expected[4] =
          static_cast<int>(std::max(static_cast<unsigned>(expected[4]), bits));
      expected[5] &= value;
      expected[6] |= value;
      expected[7] ^= value;
    }
    KernelRun run(readKernel("reduce"), "reduce_int");
    run.buffer(in);
    const size_t out =
        run.buffer(std::vector<int>{0, INT_MAX, INT_MIN, -1, 0, -1, 0, 0});
    run.scalar(static_cast<int>(count));
    run.config.grid.x = static_cast<uint32_t>((count + 95) / 96);
    run.config.block.x = 96;
    ASSERT_TRUE(run.launch());
    EXPECT_EQ(run.read<int>(out), expected) << count;
  }
}

TEST(ReduceTest, ScanOf64Bits) {
  for (int count : {1, 31, 33, 700, 1024}) {
    std::mt19937 engine = generator(6);
    std::vector<int64_t> in(count), expected(count);
    for (int64_t &value : in)
      value = static_cast<int32_t>(engine()) * (int64_t(1) << 20) + 77;
    std::partial_sum(in.begin(), in.end(), expected.begin());
    KernelRun run(readKernel("reduce"), "scan_i64");
    run.buffer(in);
    const size_t out = run.buffer(std::vector<int64_t>(count));
    run.scalar(count);
    run.config.block.x = static_cast<uint32_t>((count + 31) / 32 * 32);
    ASSERT_TRUE(run.launch());
    EXPECT_EQ(run.read<int64_t>(out), expected) << count;
  }
}

} // namespace
