//===- HalfTest.cpp - f16 and bf16 arithmetic -----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

// f16: 1 = 0x3c00, 2 = 0x4000, 65504 = 0x7bff, smallest = 0x0001.
TEST(HalfTest, RoundsToNearestEven) {
  // 1 + 2^-11 lies halfway between 1 and 1 + 2^-10, 1 + 3 * 2^-11 rounds up.
  EXPECT_THAT(lanes<uint16_t>("add.f16 %r, %a, %b;", u16s{0x3c00, 0x3c01},
                              u16s{0x1000, 0x1000}),
              ElementsAre(0x3c00, 0x3c02));
  EXPECT_THAT(lanes<uint16_t>("mul.f16 %r, %a, %b;", u16s{0x7bff, 0x4000},
                              u16s{0x4000, 0x4200}),
              ElementsAre(0x7c00, 0x4600)); // Overflow; 2 * 3 = 6.
  EXPECT_THAT(
      lanes<uint16_t>("sub.f16 %r, %a, %b;", u16s{0x3c00}, u16s{0x3c00}),
      ElementsAre(0));
}

TEST(HalfTest, FmaRoundsOnce) {
  // (1 + 2^-10)^2 - 1 = 2^-9 + 2^-20 = 2^-9 (1 + 2^-11): a tie to even. If the
  // product were rounded first, the result would be the same; with -(1 + 2^-9)
  // it is 2^-20, which would be lost.
  EXPECT_THAT(lanes<uint16_t>("fma.rn.f16 %r, %a, %a, %b;",
                              u16s{0x3c01, 0x3c01}, u16s{0xbc00, 0xbc02}),
              ElementsAre(0x1800, 0x0010));
  // 1 + 2^-10 + c: for c = 2^-11 a tie to even, for a little less not.
  EXPECT_THAT(lanes<uint16_t>("fma.rn.f16 %r, %a, %b, %c;",
                              u16s{0x3c01, 0x3c01}, u16s{0x3c00, 0x3c00},
                              u16s{0x1000, 0x0fff}),
              ElementsAre(0x3c02, 0x3c01));
}

TEST(HalfTest, SubnormalsAndFlush) {
  EXPECT_THAT(lanes<uint16_t>("add.f16 %r, %a, %a;", u16s{0x0001}),
              ElementsAre(0x0002));
  EXPECT_THAT(lanes<uint16_t>("add.ftz.f16 %r, %a, %a;", u16s{0x8001}),
              ElementsAre(0x8000));
  // 2^-14 * 0.5 = 2^-15, subnormal.
  EXPECT_THAT(
      lanes<uint16_t>("mul.f16 %r, %a, %b;", u16s{0x0400}, u16s{0x3800}),
      ElementsAre(0x0200));
}

TEST(HalfTest, NaNSatRelu) {
  EXPECT_THAT(
      lanes<uint16_t>("add.f16 %r, %a, %b;", u16s{0x7c00}, u16s{0xfc00}),
      ElementsAre(0x7fff));
  EXPECT_THAT(lanes<uint16_t>("add.sat.f16 %r, %a, %b;",
                              u16s{0x4000, 0xc000, 0x7e00},
                              u16s{0x3c00, 0x3c00, 0}),
              ElementsAre(0x3c00, 0, 0));
  EXPECT_THAT(lanes<uint16_t>("fma.rn.relu.f16 %r, %a, %b, %c;",
                              u16s{0xc000, 0x4000}, u16s{0x3c00, 0x3c00},
                              u16s{0x3c00, 0x3c00}),
              ElementsAre(0, 0x4200));
}

TEST(HalfTest, PackedHalvesAreIndependent) {
  EXPECT_THAT(lanes<uint32_t>("add.rn.f16x2 %r, %a, %b;", u32s{0x3c007bff},
                              u32s{0x40007bff}),
              ElementsAre(0x42007c00));
  EXPECT_THAT(lanes<uint32_t>("neg.f16x2 %r, %a;", u32s{0x3c00bc00}),
              ElementsAre(0xbc003c00));
  EXPECT_THAT(lanes<uint32_t>("max.bf16x2 %r, %a, %b;", u32s{0x3f80c000},
                              u32s{0x40003f80}),
              ElementsAre(0x40003f80));
}

TEST(HalfTest, BFloat) {
  // 1 = 0x3f80, 2^-8 = 0x3b80: a tie to even; 1 + 2^-7 + 2^-8 rounds up.
  EXPECT_THAT(lanes<uint16_t>("fma.rn.bf16 %r, %a, %b, %c;",
                              u16s{0x3f80, 0x3f81}, u16s{0x3f80, 0x3f80},
                              u16s{0x3b80, 0x3b80}),
              ElementsAre(0x3f80, 0x3f82));
  // 2^-126 * 2^-7 = 2^-133, the smallest; * 2^-8 is a tie with zero.
  EXPECT_THAT(lanes<uint16_t>("mul.bf16 %r, %a, %b;", u16s{0x0080, 0x0080},
                              u16s{0x3c00, 0x3b80}),
              ElementsAre(0x0001, 0x0000));
  EXPECT_THAT(
      lanes<uint16_t>("min.NaN.bf16 %r, %a, %b;", u16s{0x7fc1}, u16s{0}),
      ElementsAre(0x7fff));
}

TEST(HalfTest, MinMaxOrderZeros) {
  EXPECT_THAT(lanes<uint16_t>("min.f16 %r, %a, %b;", u16s{0, 0x7e00, 0x3c00},
                              u16s{0x8000, 0x3c00, 0xbc00}),
              ElementsAre(0x8000, 0x3c00, 0xbc00));
  EXPECT_THAT(lanes<uint16_t>("max.f16 %r, %a, %b;", u16s{0x8000}, u16s{0}),
              ElementsAre(0));
}

TEST(HalfTest, Approximations) {
  EXPECT_THAT(lanes<uint16_t>("ex2.approx.f16 %r, %a;", u16s{0x4000}),
              ElementsAre(0x4400));
  EXPECT_THAT(lanes<uint32_t>("tanh.approx.bf16x2 %r, %a;", u32s{0x7f800000}),
              ElementsAre(0x3f800000));
}

TEST(HalfTest, Comparisons) {
  EXPECT_THAT(
      lanes<uint32_t>("setp.lt.f16 %p0, %a, %b; selp.u32 %r, 1, 0, %p0;",
                      u16s{0xbc00, 0x7e00}, u16s{0x3c00, 0x3c00}),
      ElementsAre(1, 0));
  EXPECT_THAT(lanes<uint32_t>("setp.gt.f16x2 %p0|%p1, %a, %b;"
                              "selp.u32 %r, 1, 0, %p0; selp.u32 %t0, 2, 0, %p1;"
                              "or.b32 %r, %r, %t0;",
                              u32s{0x3c004000, 0x40003c00},
                              u32s{0x3c003c00, 0x3c003c00}),
              ElementsAre(1, 2));
}

} // namespace
