//===- IntegerTest.cpp - integer arithmetic and bit fields ----------------===//
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

TEST(IntegerTest, AddAndSubWrap) {
  EXPECT_THAT(
      lanes<uint32_t>("add.s32 %r, %a, %b;", u32s{1, 0xffffffff}, u32s{2, 1}),
      ElementsAre(3, 0));
  EXPECT_THAT(lanes<uint64_t>("sub.u64 %r, %a, %b;", u64s{5, 0}, u64s{7, 1}),
              ElementsAre(uint64_t(-2), ~uint64_t(0)));
  EXPECT_THAT(lanes<uint16_t>("add.u16 %r, %a, %b;", u16s{0xffff}, u16s{3}),
              ElementsAre(2));
}

TEST(IntegerTest, SaturatedAddAndSub) {
  EXPECT_THAT(lanes<int32_t>("add.sat.s32 %r, %a, %b;",
                             s32s{INT32_MAX, INT32_MIN, 4}, s32s{1, -1, -5}),
              ElementsAre(INT32_MAX, INT32_MIN, -1));
  EXPECT_THAT(
      lanes<int32_t>("sub.sat.s32 %r, %a, %b;", s32s{INT32_MIN, 7}, s32s{1, 9}),
      ElementsAre(INT32_MIN, -2));
}

TEST(IntegerTest, MulLowHighWide) {
  EXPECT_THAT(lanes<uint32_t>("mul.lo.s32 %r, %a, %b;", u32s{0x10001, 3},
                              u32s{0x10001, uint32_t(-2)}),
              ElementsAre(0x20001, uint32_t(-6)));
  // 0xffffffff^2 = 0xfffffffe00000001; (-1)^2 = 1.
  EXPECT_THAT(lanes<uint32_t>("mul.hi.u32 %r, %a, %a;", u32s{0xffffffff}),
              ElementsAre(0xfffffffe));
  EXPECT_THAT(lanes<uint32_t>("mul.hi.s32 %r, %a, %b;",
                              u32s{0xffffffff, 0x80000000},
                              u32s{0xffffffff, 0x80000000}),
              ElementsAre(0, 0x40000000));
  EXPECT_THAT(lanes<uint64_t>("mul.hi.u64 %r, %a, %a;", u64s{~uint64_t(0)}),
              ElementsAre(~uint64_t(0) - 1));
  EXPECT_THAT(lanes<int64_t>("mul.hi.s64 %r, %a, %b;", s64s{-1}, s64s{1}),
              ElementsAre(-1));
  EXPECT_THAT(lanes<int64_t>("mul.wide.s32 %r, %a, %b;", s32s{INT32_MIN, -3},
                             s32s{INT32_MIN, 5}),
              ElementsAre(int64_t(1) << 62, -15));
  EXPECT_THAT(lanes<uint32_t>("mul.wide.u16 %r, %a, %a;", u16s{0xffff}),
              ElementsAre(0xfffe0001));
  EXPECT_THAT(lanes<uint16_t>("mul.lo.s16 %r, %a, %a;", u16s{0xffff, 300}),
              ElementsAre(1, 24464));
}

TEST(IntegerTest, MultiplyAdd) {
  EXPECT_THAT(lanes<uint32_t>("mad.lo.u32 %r, %a, %b, %c;", u32s{7}, u32s{6},
                              u32s{0xffffffff}),
              ElementsAre(41));
  EXPECT_THAT(lanes<uint32_t>("mad.hi.u32 %r, %a, %b, %c;", u32s{0x80000000},
                              u32s{6}, u32s{10}),
              ElementsAre(13));
  EXPECT_THAT(lanes<int32_t>("mad.hi.sat.s32 %r, %a, %b, %c;", s32s{INT32_MIN},
                             s32s{INT32_MIN}, s32s{INT32_MAX}),
              ElementsAre(INT32_MAX));
  EXPECT_THAT(lanes<int64_t>("mad.wide.s32 %r, %a, %b, %c;", s32s{-4}, s32s{4},
                             s64s{1}),
              ElementsAre(-15));
}

TEST(IntegerTest, DivisionTruncatesAndWraps) {
  EXPECT_THAT(lanes<int32_t>("div.s32 %r, %a, %b;", s32s{-7, 7, INT32_MIN},
                             s32s{2, -2, -1}),
              ElementsAre(-3, -3, INT32_MIN));
  EXPECT_THAT(lanes<int32_t>("rem.s32 %r, %a, %b;", s32s{-7, 7, INT32_MIN},
                             s32s{2, -2, -1}),
              ElementsAre(-1, 1, 0));
  EXPECT_THAT(
      lanes<uint32_t>("div.u32 %r, %a, %b;", u32s{0x80000000, 9}, u32s{2, 0}),
      ElementsAre(0x40000000, 0xffffffff));
  EXPECT_THAT(lanes<uint64_t>("rem.u64 %r, %a, %b;", u64s{10, 9}, u64s{4, 0}),
              ElementsAre(2, ~uint64_t(0)));
  EXPECT_THAT(lanes<uint32_t>("rem.u32 %r, %a, %b;", u32s{9}, u32s{0}),
              ElementsAre(~uint32_t(0)));
  EXPECT_THAT(lanes<int32_t>("rem.s32 %r, %a, %b;", s32s{-9}, s32s{0}),
              ElementsAre(-1));
}

TEST(IntegerTest, MinMaxAbsNegSad) {
  EXPECT_THAT(lanes<int32_t>("min.s32 %r, %a, %b;", s32s{-1}, s32s{1}),
              ElementsAre(-1));
  EXPECT_THAT(lanes<uint32_t>("max.u32 %r, %a, %b;", u32s{0xffffffff}, u32s{1}),
              ElementsAre(0xffffffff));
  EXPECT_THAT(lanes<int32_t>("abs.s32 %r, %a;", s32s{-5, INT32_MIN}),
              ElementsAre(5, INT32_MIN));
  EXPECT_THAT(lanes<int64_t>("neg.s64 %r, %a;", s64s{5}), ElementsAre(-5));
  EXPECT_THAT(lanes<int32_t>("sad.s32 %r, %a, %b, %c;", s32s{-3, 4},
                             s32s{4, -3}, s32s{100, 100}),
              ElementsAre(107, 107));
  EXPECT_THAT(lanes<uint32_t>("min.s16x2 %r, %a, %b;", u32s{0xffff0003},
                              u32s{0x00010002}),
              ElementsAre(0xffff0002));
}

TEST(IntegerTest, CarriesChain) {
  // 2^64 - 1 + 1 in words, and 0 - 1.
  EXPECT_THAT(lanes<uint64_t>("mov.b64 {%t0, %t1}, %a; mov.b64 {%t2, %t3}, %b;"
                              "add.cc.u32 %t4, %t0, %t2;"
                              "addc.u32 %t5, %t1, %t3; mov.b64 %r, {%t4, %t5};",
                              u64s{0x1ffffffff, 5}, u64s{1, 6}),
              ElementsAre(0x200000000, 11));
  EXPECT_THAT(lanes<uint64_t>("mov.b64 {%t0, %t1}, %a; mov.b64 {%t2, %t3}, %b;"
                              "sub.cc.u32 %t4, %t0, %t2;"
                              "subc.u32 %t5, %t1, %t3; mov.b64 %r, {%t4, %t5};",
                              u64s{0x100000000, 0}, u64s{1, 1}),
              ElementsAre(0xffffffff, ~uint64_t(0)));
  // (2^32 - 1)^2 + (2^32 - 1) = 2^64 - 2^32, low and high words.
  EXPECT_THAT(lanes<uint64_t>("mad.lo.cc.u32 %t0, %a, %a, %a;"
                              "madc.hi.u32 %t1, %a, %a, 0;"
                              "mov.b64 %r, {%t0, %t1};",
                              u32s{0xffffffff, 2}),
              ElementsAre(0xffffffff00000000, 6));
}

TEST(IntegerTest, DotProducts) {
  EXPECT_THAT(lanes<int32_t>("dp4a.s32.s32 %r, %a, %b, %c;", u32s{0xff020304},
                             u32s{0x02010101}, s32s{100}),
              ElementsAre(100 - 2 + 2 + 3 + 4));
  EXPECT_THAT(lanes<uint32_t>("dp4a.u32.u32 %r, %a, %b, %c;", u32s{0xff000001},
                              u32s{0xff000001}, u32s{0}),
              ElementsAre(255 * 255 + 1));
  // The signs of the two sources are separate: 0xff is 255 and -1.
  u32s a{0xff, 0xff00}, b{0xff, 0x0100};
  EXPECT_THAT(lanes<int32_t>("dp4a.u32.s32 %r, %a, %b, 7;", a, b),
              ElementsAre(-255 + 7, 255 + 7));
  EXPECT_THAT(lanes<int32_t>("dp4a.s32.u32 %r, %a, %b, 7;", a, b),
              ElementsAre(-255 + 7, -1 + 7));
  EXPECT_THAT(lanes<int32_t>("dp4a.s32.s32 %r, %a, %b, 0x7fffffff;", u32s{0x7f},
                             u32s{0x7f}),
              ElementsAre(INT32_MIN + 127 * 127 - 1));
  // Halves of a with the lower or the upper two bytes of b.
  u32s halves{0xfffe0003}, bytes{0x80040302};
  EXPECT_THAT(lanes<int32_t>("dp2a.lo.s32.s32 %r, %a, %b, 0;", halves, bytes),
              ElementsAre(3 * 2 - 2 * 3));
  EXPECT_THAT(lanes<int32_t>("dp2a.hi.s32.s32 %r, %a, %b, 0;", halves, bytes),
              ElementsAre(3 * 4 + 2 * 128));
  EXPECT_THAT(lanes<int32_t>("dp2a.hi.s32.u32 %r, %a, %b, 0;", halves, bytes),
              ElementsAre(3 * 4 - 2 * 128));
  EXPECT_THAT(lanes<uint32_t>("dp2a.hi.u32.u32 %r, %a, %b, 1;", halves, bytes),
              ElementsAre(3 * 4 + 65534 * 128 + 1));
}

TEST(IntegerTest, CountsAndPositions) {
  EXPECT_THAT(lanes<uint32_t>("popc.b32 %r, %a;", u32s{0, 0xff00ff00}),
              ElementsAre(0, 16));
  EXPECT_THAT(lanes<uint32_t>("popc.b64 %r, %a;", u64s{~uint64_t(0)}),
              ElementsAre(64));
  EXPECT_THAT(lanes<uint32_t>("clz.b32 %r, %a;", u32s{0, 1, 0x80000000}),
              ElementsAre(32, 31, 0));
  EXPECT_THAT(lanes<uint32_t>("clz.b64 %r, %a;", u64s{0, 1}),
              ElementsAre(64, 63));
  EXPECT_THAT(lanes<uint32_t>("bfind.u32 %r, %a;", u32s{0, 1, 0x80000000}),
              ElementsAre(0xffffffff, 0, 31));
  EXPECT_THAT(lanes<uint32_t>("bfind.s32 %r, %a;", s32s{-1, -2, 4}),
              ElementsAre(0xffffffff, 0, 2));
  EXPECT_THAT(
      lanes<uint32_t>("bfind.shiftamt.u32 %r, %a;", u32s{1, 0x80000000}),
      ElementsAre(31, 0));
  EXPECT_THAT(lanes<uint32_t>("brev.b32 %r, %a;", u32s{1, 0x12345678}),
              ElementsAre(0x80000000, 0x1e6a2c48));
  EXPECT_THAT(lanes<uint32_t>("fns.b32 %r, %a, %b, %c;",
                              u32s{0b10110, 0b10110, 0b10110}, u32s{0, 4, 1},
                              u32s{2, uint32_t(-2), 0}),
              ElementsAre(2, 2, 1));
  // The ISA's examples, and what is not found.
  EXPECT_THAT(lanes<uint32_t>("fns.b32 %r, 0xaaaaaaaa, %a, %b;",
                              u32s{3, 3, 2, 2, 2, 31},
                              s32s{1, -1, 1, -1, 0, 2}),
              ElementsAre(3, 3, 3, 1, 0xffffffff, 0xffffffff));
}

TEST(IntegerTest, BitFields) {
  EXPECT_THAT(lanes<uint32_t>("bfe.u32 %r, %a, %b, %c;",
                              u32s{0xabcd1234, 0xabcd1234, 0xf0000000},
                              u32s{8, 0, 28}, u32s{8, 0, 8}),
              ElementsAre(0x12, 0, 0xf));
  EXPECT_THAT(lanes<uint32_t>("bfe.s32 %r, %a, %b, %c;",
                              u32s{0x00000080, 0x80000000, 0x80000000},
                              u32s{4, 28, 40}, u32s{4, 8, 4}),
              ElementsAre(0xfffffff8, 0xfffffff8, 0xffffffff));
  EXPECT_THAT(
      lanes<uint64_t>("bfe.s64 %r, %a, 60, 4;", u64s{uint64_t(9) << 60}),
      ElementsAre(uint64_t(-7)));
  EXPECT_THAT(lanes<uint32_t>("bfi.b32 %r, %a, %b, 8, 12;", u32s{0xfffff},
                              u32s{0x12345678}),
              ElementsAre(0x123fff78));
  EXPECT_THAT(lanes<uint32_t>("bfi.b32 %r, %a, %b, 40, 4;", u32s{0xf}, u32s{7}),
              ElementsAre(7));
  EXPECT_THAT(lanes<uint32_t>("bmsk.clamp.b32 %r, %a, %b;", u32s{4, 0, 32},
                              u32s{8, 40, 3}),
              ElementsAre(0xff0, 0xffffffff, 0));
  EXPECT_THAT(lanes<uint32_t>("szext.clamp.s32 %r, %a, %b;", u32s{0xff, 0x7f},
                              u32s{8, 8}),
              ElementsAre(0xffffffff, 0x7f));
  EXPECT_THAT(lanes<uint32_t>("bmsk.wrap.b32 %r, %a, %b;", u32s{1, 30, 33, 0},
                              u32s{2, 4, 1, 32}),
              ElementsAre(6, 0xc0000000, 2, 0));
  EXPECT_THAT(lanes<uint32_t>("szext.clamp.u32 %r, %a, %b;",
                              u32s{0x1ff, 0x1ff, 0x1ff}, u32s{8, 0, 40}),
              ElementsAre(0xff, 0, 0x1ff));
  EXPECT_THAT(lanes<uint32_t>("szext.wrap.s32 %r, %a, %b;",
                              u32s{0x80, 0x80, 0xffffffff}, u32s{40, 39, 32}),
              ElementsAre(0xffffff80, 0, 0));
}

TEST(IntegerTest, Permute) {
  u32s a{0x33221100}, b{0x77665584};
  auto run = [&](const std::string &form, uint32_t c) {
    return lanes<uint32_t>("prmt.b32" + form + " %r, %a, %b, %c;", a, b,
                           u32s{c})[0];
  };
  EXPECT_EQ(run("", 0x3210), 0x33221100u);
  EXPECT_EQ(run("", 0x7654), 0x77665584u);
  EXPECT_EQ(run("", 0x0c04), 0x00ff0084u); // Byte 4 is negative: bit 3 repeats.
  EXPECT_EQ(run(".f4e", 1), 0x84332211u);
  EXPECT_EQ(run(".b4e", 0), 0x55667700u);
  EXPECT_EQ(run(".rc8", 2), 0x22222222u);
  EXPECT_EQ(run(".ecl", 2), 0x33222222u);
  EXPECT_EQ(run(".ecr", 1), 0x11111100u);
  EXPECT_EQ(run(".rc16", 1), 0x33223322u);
}

} // namespace
