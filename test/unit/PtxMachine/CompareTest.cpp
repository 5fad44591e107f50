//===- CompareTest.cpp - setp, set ----------------------------------------===//
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

std::vector<uint32_t> compare(const std::string &form, f32s a, f32s b) {
  return lanes<uint32_t>(
      "setp." + form + ".f32 %p0, %a, %b; selp.u32 %r, 1, 0, %p0;", a, b);
}

TEST(CompareTest, IntegersSignedAndUnsigned) {
  u32s a{0xffffffff, 1}, b{1, 1};
  auto run = [&](const std::string &form) {
    return lanes<uint32_t>(
        "setp." + form + " %p0, %a, %b; selp.u32 %r, 1, 0, %p0;", a, b);
  };
  EXPECT_THAT(run("lt.s32"), ElementsAre(1, 0));
  EXPECT_THAT(run("lt.u32"), ElementsAre(0, 0));
  EXPECT_THAT(run("hi.u32"), ElementsAre(1, 0));
  EXPECT_THAT(run("hs.u32"), ElementsAre(1, 1));
  EXPECT_THAT(run("ls.u32"), ElementsAre(0, 1));
  EXPECT_THAT(run("eq.b32"), ElementsAre(0, 1));
  EXPECT_THAT(lanes<uint32_t>("setp.ge.s16 %p0, %a, 0; selp.u32 %r, 1, 0, %p0;",
                              u16s{0x8000, 5}),
              ElementsAre(0, 1));
  EXPECT_THAT(
      lanes<uint32_t>("setp.gt.s64 %p0, %a, %b; selp.u32 %r, 1, 0, %p0;",
                      s64s{-1, int64_t(1) << 40}, s64s{0, 1}),
      ElementsAre(0, 1));
}

TEST(CompareTest, OrderedAndUnordered) {
  f32s a{1, 1, kNaN}, b{2, 1, 1};
  EXPECT_THAT(compare("eq", a, b), ElementsAre(0, 1, 0));
  EXPECT_THAT(compare("ne", a, b), ElementsAre(1, 0, 0));
  EXPECT_THAT(compare("lt", a, b), ElementsAre(1, 0, 0));
  EXPECT_THAT(compare("le", a, b), ElementsAre(1, 1, 0));
  EXPECT_THAT(compare("gt", b, a), ElementsAre(1, 0, 0));
  EXPECT_THAT(compare("ge", b, a), ElementsAre(1, 1, 0));
  EXPECT_THAT(compare("equ", a, b), ElementsAre(0, 1, 1));
  EXPECT_THAT(compare("neu", a, b), ElementsAre(1, 0, 1));
  EXPECT_THAT(compare("ltu", a, b), ElementsAre(1, 0, 1));
  EXPECT_THAT(compare("geu", a, b), ElementsAre(0, 1, 1));
  EXPECT_THAT(compare("num", a, b), ElementsAre(1, 1, 0));
  EXPECT_THAT(compare("nan", a, b), ElementsAre(0, 0, 1));
  EXPECT_THAT(compare("eq", {-0.0f}, {0.0f}), ElementsAre(1));
}

TEST(CompareTest, FlushComparesSubnormalsAsZero) {
  EXPECT_THAT(compare("gt", {0x1p-140f}, {0}), ElementsAre(1));
  EXPECT_THAT(compare("gt.ftz", {0x1p-140f}, {0}), ElementsAre(0));
}

TEST(CompareTest, CombinesWithAThirdPredicate) {
  u32s a{1, 1, 2, 2}, c{0, 1, 0, 1};
  auto run = [&](const std::string &form, const std::string &third) {
    return lanes<uint32_t>("setp.ne.u32 %p2, %b, 0; setp.eq." + form +
                               ".u32 %p0|%p1, %a, 1, " + third +
                               "; selp.u32 %r, 1, 0, %p0;"
                               "selp.u32 %t0, 2, 0, %p1; or.b32 %r, %r, %t0;",
                           a, c);
  };
  // Bit 0: (a == 1) op c; bit 1: not (a == 1) op c.
  EXPECT_THAT(run("and", "%p2"), ElementsAre(0, 1, 0, 2));
  EXPECT_THAT(run("or", "%p2"), ElementsAre(1, 3, 2, 3));
  EXPECT_THAT(run("xor", "%p2"), ElementsAre(1, 2, 2, 1));
  EXPECT_THAT(run("and", "!%p2"), ElementsAre(1, 0, 2, 0));
}

TEST(CompareTest, SetGivesOnesOrOne) {
  EXPECT_THAT(
      lanes<uint32_t>("set.lt.u32.f32 %r, %a, %b;", f32s{1, 2}, f32s{2, 1}),
      ElementsAre(0xffffffff, 0));
  EXPECT_THAT(
      lanes<float>("set.ge.f32.s32 %r, %a, %b;", s32s{1, -1}, s32s{0, 0}),
      ElementsAre(1, 0));
}

} // namespace
