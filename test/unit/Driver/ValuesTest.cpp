//===- ValuesTest.cpp - The values flags take -----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Values.h"

#include <gtest/gtest.h>

using namespace ctc;
using namespace ctc::driver;

namespace {
template <typename T> std::string errorOf(const Expected<T> &result) {
  if (result)
    return "no error";
  EXPECT_EQ(result.error().code, ErrorCode::Usage);
  return result.error().message;
}
} // namespace

TEST(Values, Shapes) {
  auto shape = parseTypedShape("--input", "1x256x64x64xf32");
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->sizes, (std::vector<int64_t>{1, 256, 64, 64}));
  EXPECT_EQ(shape->type, ElementType::F32);
  shape = parseTypedShape("--input", "?x8x4xbf16");
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->sizes, (std::vector<int64_t>{kDynamic, 8, 4}));
  for (const char *bad :
       {"", "f32", "1x2", "1xx2xf32", "1x?xf32", "-1x2xf32", "1x2xf64"})
    EXPECT_EQ(errorOf(parseTypedShape("--input", bad)),
              "--input is '" + std::string(bad) +
                  "', must be sizes and an element type of f32, f16, bf16, as "
                  "in 1x256x64x64xf32");
}

TEST(Values, OutOfRange) {
  const std::string huge = "99999999999999999999";
  const std::string tail = "', which is out of range of 63 bits";
  EXPECT_EQ(errorOf(parseTypedShape("--input", huge + "x2xf32")),
            "--input is '" + huge + "x2xf32" + tail);
  EXPECT_EQ(errorOf(parseInteger("--groups", "-" + huge, 1)),
            "--groups is '-" + huge + tail);
  EXPECT_EQ(errorOf(parsePerDimension("--stride", "1," + huge, 2)),
            "--stride is '1," + huge + tail);
  EXPECT_EQ(errorOf(parsePadding("--padding", "1:" + huge, 2)),
            "--padding is '1:" + huge + tail);
}

TEST(Values, PerDimension) {
  using Values = std::vector<int64_t>;
  EXPECT_EQ(parsePerDimension("--stride", "2", 3).value(), (Values{2, 2, 2}));
  EXPECT_EQ(parsePerDimension("--stride", "2,1,3", 3).value(),
            (Values{2, 1, 3}));
  EXPECT_EQ(errorOf(parsePerDimension("--stride", "2,1", 3)),
            "--stride is '2,1', must be one value or 3, one per spatial "
            "dimension");
  EXPECT_EQ(errorOf(parsePerDimension("--stride", "2,x", 2)),
            "--stride is '2,x', must be integers separated by commas");
  EXPECT_EQ(errorOf(parsePerDimension("--stride", "", 1)),
            "--stride is '', must be integers separated by commas");
}

TEST(Values, Padding) {
  auto sides = parsePadding("--padding", "-1:2,3", 2);
  ASSERT_TRUE(sides);
  EXPECT_EQ((*sides)[0].low, -1);
  EXPECT_EQ((*sides)[0].high, 2);
  EXPECT_EQ((*sides)[1].low, 3);
  EXPECT_EQ((*sides)[1].high, 3);
  EXPECT_EQ(errorOf(parsePadding("--padding", "1:", 2)),
            "--padding is '1:', must be integers or low:high pairs separated "
            "by commas");
  EXPECT_EQ(errorOf(parsePadding("--padding", "1:2:3", 2)),
            "--padding is '1:2:3', must be integers or low:high pairs "
            "separated by commas");
}

TEST(Values, Counts) {
  EXPECT_EQ(parseCount("--scale-to", "0.2G").value(), 0.2e9);
  EXPECT_EQ(parseCount("--scale-to", "3M").value(), 3e6);
  EXPECT_EQ(parseCount("--scale-to", "1e3").value(), 1000);
  for (const char *bad : {"", "G", "-1", "x", "inf", "nan"})
    EXPECT_EQ(errorOf(parseCount("--scale-to", bad)),
              "--scale-to is '" + std::string(bad) +
                  "', must be a number of at least 0, with K, M or G for "
                  "thousands, millions, billions");
}

TEST(Values, ChipsAndNames) {
  EXPECT_EQ(parseChips("").value().size(), 6u);
  EXPECT_EQ(parseChips("sm_90a,sm_80,sm_90a").value(),
            (std::vector<std::string>{"sm_90a", "sm_80"}));
  EXPECT_EQ(errorOf(parseChips("sm_80,sm_99")),
            "--chip is 'sm_99', must be one of sm_80, sm_86, sm_89, sm_90a, "
            "sm_100a, sm_120a");
  EXPECT_EQ(errorOf(parseNames("--dtype", "f32,f64", parseElementType,
                               kElementTypeNames)),
            "--dtype is 'f64', must be one of f32, f16, bf16");
  EXPECT_EQ(errorOf(parseFileReference("--input", "x.npy")),
            "--input is 'x.npy', must be a file's path behind '@', as in "
            "@x.npy");
  EXPECT_EQ(errorOf(parseInteger("--seed", "-1", 0)),
            "--seed is '-1', must be an integer of at least 0");
}
