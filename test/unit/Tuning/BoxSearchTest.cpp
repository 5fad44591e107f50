//===- BoxSearchTest.cpp --------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/BoxSearch.h"
#include "TuningTesting.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Support/WorkFactors.h"

#include <gtest/gtest.h>
#include <random>

using namespace ctc;

namespace {
int64_t volumeOf(const std::vector<int64_t> &box) {
  int64_t volume = 1;
  for (int64_t size : box)
    volume *= size;
  return volume;
}

TEST(BoxSearch, KeepsToThePositionsAndTheGrain) {
  std::mt19937_64 random(1);
  auto upTo = [&](int64_t most) { return int64_t(random() % most) + 1; };
  for (int turn = 0; turn < 2000; ++turn) {
    BoxSearch search;
    const int64_t rank = upTo(4);
    for (int64_t i = 0; i < rank; ++i) {
      search.sizes.push_back(turn % 3 ? upTo(40) : upTo(3000));
      search.reach.push_back(upTo(8) - 1);
    }
    search.grain = int64_t{1} << (random() % 4);
    search.alignment = int64_t{1} << (random() % 4);
    search.haloWeight = turn % 2 ? 0.05 : 0.4;
    const int64_t positions = int64_t{1} << (random() % 10);
    const std::vector<int64_t> box = search.best(positions);
    ASSERT_EQ(box.size(), search.sizes.size());
    ASSERT_LE(volumeOf(box), positions);
    for (size_t i = 0; i < box.size(); ++i) {
      ASSERT_GE(box[i], 1);
      const bool inner = i + 1 == box.size();
      ASSERT_LE(box[i], inner ? roundUp(search.sizes[i], search.grain)
                              : search.sizes[i]);
    }
    if (search.sizes.back() >= search.grain && positions >= search.grain) {
      ASSERT_EQ(box.back() % search.grain, 0);
    }
  }
}

TEST(BoxSearch, FindsTheCheapestOfItsShapes) {
  BoxSearch search;
  search.sizes = {1, 56, 56};
  search.reach = {0, 1, 1};
  search.grain = 8;
  // 56 x 56 in boxes of 64 positions without waste.
  const std::vector<int64_t> box = search.best(64);
  const std::vector<int64_t> expected{1, 8, 8};
  EXPECT_EQ(box, expected);
  EXPECT_LT(search.cost(box, 64), search.cost({1, 4, 16}, 64));
  EXPECT_LT(search.cost(box, 64), search.cost({1, 1, 56}, 64));
}
} // namespace
