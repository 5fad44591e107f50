//===- CompactTest.cpp - stream compaction by votes -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTesting.h"

#include <algorithm>

using namespace ctc::ptx::testing;

namespace {

std::vector<int> values(size_t count, int below) {
  std::mt19937 engine = generator(7);
  std::vector<int> result(count);
  for (int &value : result)
    value = static_cast<int>(engine() % below);
  return result;
}

std::vector<int> above(const std::vector<int> &in, int threshold) {
  std::vector<int> kept;
  std::copy_if(in.begin(), in.end(), std::back_inserter(kept),
               [&](int value) { return value > threshold; });
  return kept;
}

/// Launches `kernel` and gives back what it kept.
std::vector<int> compacted(const std::string &kernel,
                           const std::vector<int> &in, int threshold,
                           uint32_t blocks, bool ordered) {
  KernelRun run(readKernel("compact"), kernel);
  run.buffer(in);
  const size_t out = run.buffer(std::vector<int>(in.size() + 1, -1)),
               count = run.buffer(std::vector<int>{0});
  run.scalar(static_cast<int>(in.size()));
  run.scalar(threshold);
  run.config.grid.x = blocks;
  run.config.block.x = 256;
  if (!ordered)
    run.doNotRecord();
  EXPECT_TRUE(run.launch());
  std::vector<int> kept = run.read<int>(out);
  const auto size = static_cast<size_t>(run.read<int>(count)[0]);
  EXPECT_LE(size, in.size());
  // What lies behind is untouched.
  EXPECT_TRUE(std::all_of(kept.begin() + size, kept.end(),
                          [](int value) { return value == -1; }));
  kept.resize(size);
  return kept;
}

TEST(CompactTest, KeepsTheOrder) {
  for (size_t count : {1, 31, 256, 257, 1000, 5000})
    for (int threshold : {-1, 0, 49, 97, 99}) {
      const auto in = values(count, 100);
      EXPECT_EQ(compacted("compact_ordered", in, threshold, 1, true),
                above(in, threshold))
          << count << " values above " << threshold;
    }
}

TEST(CompactTest, WarpsTakePlacesAsTheyCome) {
  for (size_t count : {1, 33, 1000, 5000})
    for (int threshold : {-1, 49, 99}) {
      const auto in = values(count, 100);
      auto kept = compacted("compact_unordered", in, threshold,
                            static_cast<uint32_t>((count + 255) / 256), false);
      auto expected = above(in, threshold);
      std::sort(kept.begin(), kept.end());
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(kept, expected) << count << " values above " << threshold;
    }
}

TEST(CompactTest, HistogramByMatch) {
  for (int keys : {1, 3, 40}) {
    const auto in = values(3001, keys);
    std::vector<unsigned> expected(keys);
    for (int key : in)
      ++expected[key];
    unsigned uniform = 0;
    for (size_t first = 0; first < 3072; first += 32) {
      auto keyAt = [&](size_t i) { return i < in.size() ? in[i] : -1; };
      bool same = true;
      for (size_t i = first; i < first + 32; ++i)
        same = same && keyAt(i) == keyAt(first);
      uniform += same;
    }
    KernelRun run(readKernel("compact"), "histogram");
    run.buffer(in);
    const size_t counts = run.buffer(std::vector<unsigned>(keys)),
                 same = run.buffer(std::vector<unsigned>(1));
    run.scalar(static_cast<int>(in.size()));
    run.config.grid.x = 12;
    run.config.block.x = 256;
    ASSERT_TRUE(run.launch());
    EXPECT_EQ(run.read<unsigned>(counts), expected);
    EXPECT_EQ(run.read<unsigned>(same)[0], uniform) << keys;
  }
}

} // namespace
