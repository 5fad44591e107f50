//===- ChipsTest.cpp - the table against published numbers ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Chips/Chips.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ctc;

namespace {

/// Dense TFLOP/s of the boards' datasheets, rounded as there.
struct Published {
  const char *chip;
  double fp32, fp64, tf32, matrix16, matrix8;
};

const Published kPublished[] = {
    {"sm_80", 19.5, 9.7, 156, 312, 624},
    {"sm_86", 38.7, 0.6, 77.4, 154.8, 309.7},
    {"sm_89", 91.6, 1.4, 183, 362, 733},
    {"sm_90a", 67, 34, 494.7, 989.4, 1979},
    {"sm_100a", 75, 37, 1125, 2250, 4500},
    {"sm_120a", 125, 2, 251.9, 503.8, 1007.6},
};

TEST(ChipsTest, RatesAreThoseOfTheDatasheets) {
  for (const Published &row : kPublished) {
    SCOPED_TRACE(row.chip);
    const auto chip = findChip(row.chip);
    ASSERT_TRUE(chip);
    const Board &board = chip->board;
    auto tera = [&](int rate, double clock) {
      return 2. * rate * board.multiprocessors * clock / 1e12;
    };
    const ChipRates &rates = chip->rates;
    EXPECT_NEAR(tera(rates.fp32, board.clock) / row.fp32, 1, 0.02);
    EXPECT_NEAR(tera(rates.fp64, board.clock) / row.fp64, 1, 0.06);
    EXPECT_NEAR(tera(rates.matrixTf32, board.matrixClock) / row.tf32, 1, 0.02);
    EXPECT_NEAR(tera(rates.matrix16, board.matrixClock) / row.matrix16, 1,
                0.02);
    EXPECT_NEAR(tera(rates.matrix8, board.matrixClock) / row.matrix8, 1, 0.02);
  }
}

TEST(ChipsTest, EveryChipIsComplete) {
  ASSERT_EQ(allChips().size(), std::size(kPublished));
  for (const Chip &chip : allChips()) {
    SCOPED_TRACE(chip.name);
    EXPECT_GT(chip.rates.special, 0);
    EXPECT_GT(chip.rates.l2Bytes, 0);
    EXPECT_GT(chip.rates.mmaSyncShare, 0);
    EXPECT_LE(chip.rates.mmaSyncShare, 1);
    EXPECT_GT(chip.board.memoryBytes, 1e11);
    EXPECT_GE(chip.maxBlocksPerSM * 32 * 4, chip.maxThreadsPerSM);
    EXPECT_GT(chip.firstLevelPerSM, chip.maxSharedPerSM);
  }
}

TEST(ChipsTest, FindsByName) {
  EXPECT_EQ(findChip("sm_90a")->board.name, "H200");
  EXPECT_FALSE(findChip("sm_90"));
  EXPECT_EQ(listChips(), "sm_80, sm_86, sm_89, sm_90a, sm_100a, sm_120a");
}

} // namespace
