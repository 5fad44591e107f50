//===- LogicTest.cpp - logic and shifts -----------------------------------===//
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

TEST(LogicTest, Bitwise) {
  EXPECT_THAT(
      lanes<uint32_t>("and.b32 %r, %a, %b;", u32s{0b1100}, u32s{0b1010}),
      ElementsAre(0b1000));
  EXPECT_THAT(lanes<uint64_t>("xor.b64 %r, %a, -1;", u64s{0}),
              ElementsAre(~uint64_t(0)));
  EXPECT_THAT(lanes<uint16_t>("not.b16 %r, %a;", u16s{0x00ff}),
              ElementsAre(0xff00));
  EXPECT_THAT(lanes<uint32_t>("cnot.b32 %r, %a;", u32s{0, 7}),
              ElementsAre(1, 0));
}

TEST(LogicTest, ShiftsClampTheirAmount) {
  EXPECT_THAT(lanes<uint32_t>("shl.b32 %r, %a, %b;", u32s{1, 1, 1, 1},
                              u32s{0, 31, 32, 0x80000000}),
              ElementsAre(1, 0x80000000, 0, 0));
  EXPECT_THAT(lanes<uint32_t>("shr.u32 %r, %a, %b;",
                              u32s{0x80000000, 0x80000000}, u32s{31, 32}),
              ElementsAre(1, 0));
  EXPECT_THAT(
      lanes<int32_t>("shr.s32 %r, %a, %b;", s32s{-8, -8, 8}, u32s{1, 99, 99}),
      ElementsAre(-4, -1, 0));
  EXPECT_THAT(lanes<uint64_t>("shl.b64 %r, %a, 63;", u64s{3}),
              ElementsAre(uint64_t(1) << 63));
  EXPECT_THAT(lanes<uint16_t>("shr.s16 %r, %a, 4;", u16s{0x8000}),
              ElementsAre(0xf800));
}

TEST(LogicTest, FunnelShifts) {
  u32s low{0x89abcdef}, high{0x01234567};
  auto run = [&](const std::string &form, uint32_t n) {
    return lanes<uint32_t>("shf." + form + ".b32 %r, %a, %b, %c;", low, high,
                           u32s{n})[0];
  };
  EXPECT_EQ(run("l.wrap", 8), 0x23456789u);
  EXPECT_EQ(run("l.wrap", 40), 0x23456789u);
  EXPECT_EQ(run("l.clamp", 40), 0x89abcdefu);
  EXPECT_EQ(run("r.wrap", 8), 0x6789abcdu);
  EXPECT_EQ(run("r.clamp", 32), 0x01234567u);
}

TEST(LogicTest, Lookup3) {
  u32s a{0xf0}, b{0xcc}, c{0xaa};
  for (uint32_t table : {0x00u, 0x96u, 0xe8u, 0xcau, 0xffu})
    EXPECT_EQ(lanes<uint32_t>("lop3.b32 %r, %a, %b, %c, " +
                                  std::to_string(table) +
                                  "; and.b32 %r, %r, 255;",
                              a, b, c)[0],
              table);
}

TEST(LogicTest, Lookup3WithAPredicate) {
  // a & b, and whether it is not 0, combined with c != 0.
  u32s a{6, 6, 6, 6}, b{3, 3, 9, 9}, c{0, 1, 0, 1};
  auto run = [&](const std::string &form) {
    return lanes<uint32_t>("setp.ne.u32 %p0, %c, 0; mov.u32 %t0, 0;"
                           "lop3." +
                               form +
                               " selp.u32 %t1, 16, 0, %p1;"
                               "add.u32 %r, %t0, %t1;",
                           a, b, c);
  };
  EXPECT_THAT(run("or.b32 %t0|%p1, %a, %b, %a, 0xc0, %p0;"),
              ElementsAre(18, 18, 0, 16));
  EXPECT_THAT(run("and.b32 %t0|%p1, %a, %b, %a, 0xc0, %p0;"),
              ElementsAre(2, 18, 0, 0));
  EXPECT_THAT(run("and.b32 _|%p1, %a, %b, %a, 0xc0, !%p0;"),
              ElementsAre(16, 0, 0, 0));
  EXPECT_THAT(loadMessage(kernel("lop3.or.b32 %t0, %t1, %t2, %t3, 1, %p0;")),
              HasSubstr("unknown instruction"));
}

TEST(LogicTest, Predicates) {
  const std::string both = "setp.ne.u32 %p0, %a, 0; setp.ne.u32 %p1, %b, 0;";
  u32s a{0, 0, 1, 1}, b{0, 1, 0, 1};
  auto run = [&](const std::string &logic) {
    return lanes<uint32_t>(both + logic + "selp.u32 %r, 1, 0, %p2;", a, b);
  };
  EXPECT_THAT(run("and.pred %p2, %p0, %p1;"), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(run("or.pred %p2, %p0, %p1;"), ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(run("xor.pred %p2, %p0, %p1;"), ElementsAre(0, 1, 1, 0));
  EXPECT_THAT(run("not.pred %p2, %p1;"), ElementsAre(1, 0, 1, 0));
  EXPECT_THAT(run("mov.pred %p2, -1;"), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(run("mov.pred %p2, 0;"), ElementsAre(0, 0, 0, 0));
}

} // namespace
