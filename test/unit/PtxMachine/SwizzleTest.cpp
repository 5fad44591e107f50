//===- SwizzleTest.cpp - Swizzling modes of shared memory -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Transfers/Swizzle.h"

#include <gtest/gtest.h>
#include <vector>

using namespace ctc::ptx;

namespace {

/// The chunk that each chunk of the pattern moves to, as the figures of the
/// PTX ISA draw it: rows of 128 bytes, chunks counted within the row.
std::vector<std::vector<unsigned>> pattern(Swizzle swizzle, unsigned rows) {
  std::vector<std::vector<unsigned>> result(rows);
  for (unsigned row = 0; row < rows; ++row)
    for (unsigned chunk = 0; chunk < 8; ++chunk) {
      uint64_t to = swizzleAddress(row * 128 + chunk * 16, swizzle);
      EXPECT_EQ(to / 128, row);
      result[row].push_back(static_cast<unsigned>(to % 128 / 16));
    }
  return result;
}

TEST(SwizzleTest, PatternsOfTheFigures) {
  using Rows = std::vector<std::vector<unsigned>>;
  EXPECT_EQ(pattern(Swizzle::None, 2),
            (Rows{{0, 1, 2, 3, 4, 5, 6, 7}, {0, 1, 2, 3, 4, 5, 6, 7}}));
  EXPECT_EQ(pattern(Swizzle::Bytes32, 3), (Rows{{0, 1, 2, 3, 4, 5, 6, 7},
                                                {1, 0, 3, 2, 5, 4, 7, 6},
                                                {0, 1, 2, 3, 4, 5, 6, 7}}));
  EXPECT_EQ(pattern(Swizzle::Bytes64, 5), (Rows{{0, 1, 2, 3, 4, 5, 6, 7},
                                                {1, 0, 3, 2, 5, 4, 7, 6},
                                                {2, 3, 0, 1, 6, 7, 4, 5},
                                                {3, 2, 1, 0, 7, 6, 5, 4},
                                                {0, 1, 2, 3, 4, 5, 6, 7}}));
  EXPECT_EQ(pattern(Swizzle::Bytes128, 9), (Rows{{0, 1, 2, 3, 4, 5, 6, 7},
                                                 {1, 0, 3, 2, 5, 4, 7, 6},
                                                 {2, 3, 0, 1, 6, 7, 4, 5},
                                                 {3, 2, 1, 0, 7, 6, 5, 4},
                                                 {4, 5, 6, 7, 0, 1, 2, 3},
                                                 {5, 4, 7, 6, 1, 0, 3, 2},
                                                 {6, 7, 4, 5, 2, 3, 0, 1},
                                                 {7, 6, 5, 4, 3, 2, 1, 0},
                                                 {0, 1, 2, 3, 4, 5, 6, 7}}));
}

TEST(SwizzleTest, IsItsOwnInverseAndKeepsBytesOfAChunk) {
  for (Swizzle swizzle :
       {Swizzle::None, Swizzle::Bytes32, Swizzle::Bytes64, Swizzle::Bytes128})
    for (uint64_t address = 0; address < 4096; ++address) {
      uint64_t to = swizzleAddress(address, swizzle);
      EXPECT_EQ(swizzleAddress(to, swizzle), address);
      EXPECT_EQ(to % 16, address % 16);
      EXPECT_EQ(to / swizzleRowBytes(swizzle),
                address / swizzleRowBytes(swizzle));
      EXPECT_EQ(swizzleAddress(address + swizzlePatternBytes(swizzle), swizzle),
                to + swizzlePatternBytes(swizzle));
    }
}

TEST(SwizzleTest, Sizes) {
  EXPECT_EQ(swizzleRowBytes(Swizzle::None), 16u);
  EXPECT_EQ(swizzleRowBytes(Swizzle::Bytes32), 32u);
  EXPECT_EQ(swizzleRowBytes(Swizzle::Bytes64), 64u);
  EXPECT_EQ(swizzleRowBytes(Swizzle::Bytes128), 128u);
  EXPECT_EQ(swizzlePatternBytes(Swizzle::Bytes128), 1024u);
}

} // namespace
