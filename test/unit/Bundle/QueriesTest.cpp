//===- QueriesTest.cpp - Questions about a manifest -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Bundle/Queries.h"
#include "SampleBundle.h"
#include "ctc/Chips/Chips.h"

#include <gtest/gtest.h>

using namespace ctc;

namespace {
template <typename T> std::string messageOf(const Expected<T> &value) {
  return value ? "no error" : value.error().message;
}

TEST(Queries, Blocks) {
  const Grid grid{6, 4};
  EXPECT_EQ(blocks(grid, 0), 0);
  EXPECT_EQ(blocks(grid, 1), 6);
  EXPECT_EQ(blocks(grid, 4), 6);
  EXPECT_EQ(blocks(grid, 5), 12);
  const Grid persistent{6, 0};
  EXPECT_EQ(blocks(persistent, 0), 0);
  EXPECT_EQ(blocks(persistent, 5), 6);
  EXPECT_EQ(blocks(Grid{1, 1}, kMaxGridX), kMaxGridX);
  EXPECT_EQ(messageOf(blocks(Grid{1, 1}, kMaxGridX + 1)),
            "a batch of 2147483648 needs 1 * 2147483648 blocks, a grid has at "
            "most 2147483647");
  EXPECT_FALSE(blocks(Grid{INT64_MAX, 1}, 2));
}

TEST(Queries, ByteSize) {
  const Argument argument{
      "x", ArgumentRole::Input, ElementType::BF16, {kDynamic, 3, 5}};
  EXPECT_EQ(byteSize(argument, 0), 0);
  EXPECT_EQ(byteSize(argument, 7), 210);
  EXPECT_EQ(messageOf(byteSize(argument, INT64_MAX)),
            "argument 'x' of shape ?x3x5 has more than 2^63 - 1 bytes for a "
            "batch of 9223372036854775807");
}

TEST(Queries, CheckBatch) {
  Entry entry = test::sampleEntry();
  EXPECT_TRUE(checkBatch(entry, 0));
  EXPECT_TRUE(checkBatch(entry, 5));
  EXPECT_EQ(messageOf(checkBatch(entry, -1)),
            "batch is -1, must be at least 0");
  EXPECT_EQ(messageOf(checkBatch(entry, kDynamic)),
            "batch is CTC_DYNAMIC, give the number of samples");
  entry.problem.batch = 2;
  EXPECT_TRUE(checkBatch(entry, 2));
  EXPECT_EQ(messageOf(checkBatch(entry, 3)),
            "batch is 3, entry 'up' was compiled for 2");
}

TEST(Queries, FindByName) {
  const Bundle bundle = test::sampleBundle();
  const Manifest &manifest = bundle.images[0].manifest;
  EXPECT_EQ(findEntry(manifest, "up"), 0u);
  EXPECT_EQ(messageOf(findEntry(manifest, "down")),
            "no entry 'down' in the bundle, which has 'up'");
  EXPECT_EQ(messageOf(findEntry(Manifest{}, "up")),
            "no entry 'up' in the bundle, which has none");
  EXPECT_EQ(findImage(bundle.images, "sm_90a"), 1u);
  EXPECT_EQ(messageOf(findImage(bundle.images, "sm_89")),
            "no image for 'sm_89' in the bundle, which has sm_80, sm_90a");
}

/// What pickImage takes for a device: "sm_80 cubin", "sm_80 ptx" or the error.
std::string picked(const std::vector<ChipImage> &images, int major, int minor) {
  const auto choice = pickImage(images, major, minor);
  if (!choice)
    return choice.error().message;
  return images[choice->image].chip + (choice->usesPtx ? " ptx" : " cubin");
}

TEST(Queries, PickImage) {
  std::vector<ChipImage> all;
  for (const Chip &chip : allChips())
    all.push_back(test::sampleImage(std::string(chip.name)));
  EXPECT_EQ(picked(all, 8, 0), "sm_80 cubin");
  EXPECT_EQ(picked(all, 8, 6), "sm_86 cubin");
  EXPECT_EQ(picked(all, 8, 7), "sm_86 cubin");
  EXPECT_EQ(picked(all, 8, 9), "sm_89 cubin");
  EXPECT_EQ(picked(all, 9, 0), "sm_90a cubin");
  EXPECT_EQ(picked(all, 10, 0), "sm_100a cubin");
  EXPECT_EQ(picked(all, 10, 3), "sm_89 ptx");
  EXPECT_EQ(picked(all, 12, 0), "sm_120a cubin");
  EXPECT_EQ(picked(all, 7, 5),
            "nothing in the bundle runs on compute capability 7.5: it has "
            "sm_80, sm_86, sm_89, sm_90a, sm_100a, sm_120a");

  std::vector<ChipImage> two = test::sampleBundle().images;
  EXPECT_EQ(picked(two, 9, 0), "sm_90a cubin");
  EXPECT_EQ(picked(two, 12, 0), "sm_80 ptx");
  two[1].cubin.clear();
  EXPECT_EQ(picked(two, 9, 0), "sm_90a ptx");
  two.erase(two.begin());
  EXPECT_EQ(picked(two, 10, 0), "nothing in the bundle runs on compute "
                                "capability 10.0: it has sm_90a");
  EXPECT_EQ(
      picked({}, 8, 0),
      "nothing in the bundle runs on compute capability 8.0: it has none");
}

TEST(Queries, ACubinOfAnOlderChipGoesBeforePtxOfANewerOne) {
  std::vector<ChipImage> images{test::sampleImage("sm_80"),
                                test::sampleImage("sm_86")};
  images[1].cubin.clear();
  EXPECT_EQ(picked(images, 8, 9), "sm_80 cubin");
}
} // namespace
