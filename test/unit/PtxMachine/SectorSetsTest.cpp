//===- SectorSetsTest.cpp - sets of sectors -------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Counters/SectorSets.h"

#include <gtest/gtest.h>
#include <set>

using namespace ctc::ptx;

namespace {

TEST(SectorSetsTest, SetKnowsWhatIsNew) {
  SectorSet sectors;
  std::set<uint64_t> expected;
  // Beyond several sizes of the table, and again after it was emptied.
  for (int round = 0; round < 2; ++round) {
    uint64_t sector = 12345;
    for (int i = 0; i < 10000; ++i) {
      sector = sector * 6364136223846793005u + 1442695040888963407u;
      const uint64_t value = (sector >> 40) % 7000;
      ASSERT_EQ(sectors.insert(value), expected.insert(value).second);
    }
    sectors.clear();
    expected.clear();
  }
}

TEST(SectorSetsTest, SectorZeroIsOne) {
  SectorSet sectors;
  EXPECT_TRUE(sectors.insert(0));
  EXPECT_FALSE(sectors.insert(0));
}

TEST(SectorSetsTest, MapCountsOnce) {
  // Three pieces of 32768 sectors, the middle one untouched.
  SectorMap map(3 << 15), other(3 << 15);
  EXPECT_EQ(map.count(), 0u);
  for (uint64_t sector : {0, 1, 63, 64, 1, 32767, 65536, 98303})
    map.insert(sector);
  EXPECT_EQ(map.count(), 7u);
  for (uint64_t sector : {1, 2, 32768})
    other.insert(sector);
  map.merge(other);
  EXPECT_EQ(map.count(), 9u);
  EXPECT_EQ(other.count(), 3u);
}

} // namespace
