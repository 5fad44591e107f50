//===- MulticastTest.cpp - blocks that share their loads ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTesting.h"

using namespace ctc;
using namespace ctc::ptx;
using namespace ctc::ptx::testing;

namespace {

constexpr int kColumns = 64, kRows = 16, kTile = kRows * kColumns;

/// `clusters` of `blocks`, over tiles that a tensor of `width` columns fills
/// only in part.
void checkSharedTiles(int blocks, int clusters, int tiles, int width) {
  SCOPED_TRACE("clusters of " + std::to_string(blocks) + ", " +
               std::to_string(tiles) + " tiles");
  std::mt19937 engine = generator(9);
  const int rows = clusters * kRows, grid = clusters * blocks;
  std::vector<int> in(rows * width), factors(grid);
  for (int &value : in)
    value = static_cast<int>(engine() % 2001) - 1000;
  for (int &factor : factors)
    factor = static_cast<int>(engine() % 19) - 9;
  std::vector<int> sums(clusters * kTile), out(grid * kTile),
      total(clusters * kTile);
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < std::min(width, tiles * kColumns); ++column)
      sums[row * kColumns + column % kColumns] += in[row * width + column];
  for (int block = 0; block < grid; ++block)
    for (int i = 0; i < kTile; ++i) {
      const int cluster = block / blocks;
      out[block * kTile + i] = sums[cluster * kTile + i] * factors[block];
      total[cluster * kTile + i] += out[block * kTile + i];
    }

  KernelRun run(readKernel("cluster"), "shared_tiles");
  TensorLayout tensor;
  tensor.type = TensorType::S32;
  tensor.dims = {static_cast<uint64_t>(width), static_cast<uint64_t>(rows)};
  tensor.strides = {static_cast<uint64_t>(width) * 4};
  run.tensorMap(run.storage(in), tensor,
                {kColumns, static_cast<uint32_t>(kRows / blocks)});
  run.buffer(factors);
  const size_t own = run.buffer(std::vector<int>(out.size(), -1)),
               shared = run.buffer(std::vector<int>(total.size(), -1));
  run.scalar(tiles);
  run.config.grid.x = static_cast<uint32_t>(grid);
  run.config.cluster.x = static_cast<uint32_t>(blocks);
  run.config.block.x = 128;
  ASSERT_TRUE(run.launch());
  EXPECT_EQ(run.read<int>(own), out);
  EXPECT_EQ(run.read<int>(shared), total);
}

TEST(MulticastTest, MulticastAndRemoteSums) {
  for (int blocks : {1, 2, 4, 8})
    for (int tiles : {1, 2, 7})
      checkSharedTiles(blocks, 3, tiles, tiles * kColumns - 20);
}

TEST(MulticastTest, NumbersPassedAround) {
  for (int blocks : {2, 4, 8})
    for (int rounds : {1, 2, 5}) {
      constexpr int clusters = 2;
      KernelRun run(readKernel("cluster"), "pass_around");
      const size_t out = run.buffer(std::vector<int>(clusters * blocks, -1));
      run.scalar(rounds);
      run.config.grid.x = static_cast<uint32_t>(clusters * blocks);
      run.config.cluster.x = static_cast<uint32_t>(blocks);
      run.config.block.x = 32;
      ASSERT_TRUE(run.launch());
      // Every full round adds 1 + ... + blocks.
      std::vector<int> expected;
      for (int cluster = 0; cluster < clusters; ++cluster)
        for (int rank = 0; rank < blocks; ++rank)
          expected.push_back((rounds - 1) * blocks * (blocks + 1) / 2 +
                             rank * (rank + 1) / 2);
      EXPECT_EQ(run.read<int>(out), expected) << blocks << ", " << rounds;
    }
}

} // namespace
