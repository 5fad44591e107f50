//===- ConvertPackedTest.cpp - cvt of 8-bit floats, cvt.pack --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRun.h"
#include "PtxTesting.h"

#include <cmath>

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// The lower byte of the conversion of every value.
std::vector<unsigned> narrow(const std::string &form, const f32s &values) {
  u16s pairs = lanes<uint16_t>("cvt.rn.satfinite" + form + ".f32 %r, %b, %a;",
                               values, f32s{-2});
  std::vector<unsigned> result;
  for (uint16_t pair : pairs)
    result.push_back(pair & 0xff);
  return result;
}

TEST(ConvertPackedTest, FloatsToE4M3) {
  // The first source is the upper byte: -2 here, or 0 with .relu.
  EXPECT_THAT(lanes<uint16_t>("cvt.rn.satfinite.e4m3x2.f32 %r, %b, %a;",
                              f32s{1}, f32s{-2}),
              ElementsAre(0xc038));
  EXPECT_THAT(lanes<uint16_t>("cvt.rn.satfinite.relu.e4m3x2.f32 %r, %b, %a;",
                              f32s{1}, f32s{-2}),
              ElementsAre(0x0038));
  // Ties to even: 1 + 1/16, 1 + 3/16.
  EXPECT_THAT(narrow(".e4m3x2",
                     {1.0625f, 1.0625f + 0x1p-20f, 1.1875f, 1.9375f, -1.9375f}),
              ElementsAre(0x38, 0x39, 0x3a, 0x40, 0xc0));
  // The largest number is 448; everything above it is that.
  EXPECT_THAT(
      narrow(".e4m3x2", {448, 449, 464, 1e30f, kInfinity, -kInfinity, -500}),
      ElementsAre(0x7e, 0x7e, 0x7e, 0x7e, 0x7e, 0xfe, 0xfe));
  // Subnormals are multiples of 2^-9, numbers begin at 2^-6.
  EXPECT_THAT(narrow(".e4m3x2", {0x1p-9f, 0x1p-10f, 0x1.8p-10f, 0x1.8p-9f,
                                 0x1.ep-7f, 0x1p-6f, 0x1p-149f}),
              ElementsAre(1, 0, 1, 2, 8, 8, 0));
  EXPECT_THAT(
      narrow(".e4m3x2", {0.0f, -0.0f, -0x1p-11f, kNaN, fromBits(0xff800001)}),
      ElementsAre(0, 0x80, 0x80, 0x7f, 0x7f));
  EXPECT_THAT(narrow(".relu.e4m3x2", {-0.0f, -3, kNaN, 3, -kInfinity}),
              ElementsAre(0, 0, 0x7f, 0x44, 0));
}

TEST(ConvertPackedTest, FloatsToE5M2) {
  EXPECT_THAT(narrow(".e5m2x2", {1, 1.125f, 1.125f + 0x1p-20f, 1.375f, -3.5f}),
              ElementsAre(0x3c, 0x3c, 0x3d, 0x3e, 0xc3));
  EXPECT_THAT(narrow(".e5m2x2", {57344, 61440, 1e30f, kInfinity, -kInfinity}),
              ElementsAre(0x7b, 0x7b, 0x7b, 0x7b, 0xfb));
  EXPECT_THAT(narrow(".e5m2x2", {0x1p-16f, 0x1p-17f, 0x1.8p-17f, 0x1.8p-16f,
                                 0x1.cp-15f, 0x1p-14f, -0x1p-149f}),
              ElementsAre(1, 0, 1, 2, 4, 4, 0x80));
  EXPECT_THAT(narrow(".e5m2x2", {kNaN, fromBits(0xffc00000), -0.0f}),
              ElementsAre(0x7f, 0x7f, 0x80));
  EXPECT_THAT(narrow(".relu.e5m2x2", {kNaN, -1, 1}),
              ElementsAre(0x7f, 0, 0x3c));
}

TEST(ConvertPackedTest, HalvesToFloat8) {
  // 1 and -2; infinity and the largest f16; NaN and the least subnormal.
  u32s pairs{0x3c00c000, 0xfc007bff, 0xfe000001};
  EXPECT_THAT(lanes<uint16_t>("cvt.rn.satfinite.e4m3x2.f16x2 %r, %a;", pairs),
              ElementsAre(0x38c0, 0xfe7e, 0x7f00));
  EXPECT_THAT(lanes<uint16_t>("cvt.rn.satfinite.e5m2x2.f16x2 %r, %a;", pairs),
              ElementsAre(0x3cc0, 0xfb7b, 0x7f00));
  EXPECT_THAT(
      lanes<uint16_t>("cvt.rn.satfinite.relu.e5m2x2.f16x2 %r, %a;", pairs),
      ElementsAre(0x3c00, 0x007b, 0x7f00));
}

TEST(ConvertPackedTest, Float8ToHalves) {
  EXPECT_THAT(lanes<uint32_t>("cvt.rn.f16x2.e4m3x2 %r, %a;",
                              u16s{0x387e, 0x7fff, 0x8001, 0x08c0}),
              ElementsAre(0x3c005f00, 0x7fff7fff, 0x80001800, 0x2400c000));
  EXPECT_THAT(lanes<uint32_t>("cvt.rn.f16x2.e5m2x2 %r, %a;",
                              u16s{0x3c7b, 0x7cfc, 0x7dff, 0x8001}),
              ElementsAre(0x3c007b00, 0x7c00fc00, 0x7fff7fff, 0x80000100));
  EXPECT_THAT(lanes<uint32_t>("cvt.rn.relu.f16x2.e4m3x2 %r, %a;",
                              u16s{0xb880, 0x7fc0, 0x3801}),
              ElementsAre(0, 0x7fff0000, 0x3c001800));
  EXPECT_THAT(
      lanes<uint32_t>("cvt.rn.relu.f16x2.e5m2x2 %r, %a;", u16s{0xfc3c, 0xff00}),
      ElementsAre(0x00003c00, 0x7fff0000));
}

/// The value of a float of 8 bits that is a number.
double valueOf(unsigned code, bool isE4M3) {
  const int fraction = isE4M3 ? 3 : 2, bias = isE4M3 ? 7 : 15;
  const int field = static_cast<int>(code & 0x7f) >> fraction;
  const int units = static_cast<int>(code & ((1u << fraction) - 1));
  const int lead = field ? 1 << fraction : 0;
  return std::ldexp(units + lead, std::max(field, 1) - bias - fraction);
}

/// The nearest one, by trying all; of two equally near ones the even one.
unsigned nearest(double value, bool isE4M3) {
  unsigned best = 0;
  for (unsigned code = 1; code <= (isE4M3 ? 0x7eu : 0x7bu); ++code) {
    const double distance = std::fabs(valueOf(code, isE4M3) - value);
    const double least = std::fabs(valueOf(best, isE4M3) - value);
    if (distance < least || (distance == least && code % 2 == 0))
      best = code;
  }
  return best;
}

TEST(ConvertPackedTest, EveryPositiveHalf) {
  for (bool isE4M3 : {true, false}) {
    // Thread i converts the halves i and 0x8000 + i.
    KernelRun run(
        kernel("mov.u32 %t0, %ctaid.x; mov.u32 %t1, %ntid.x; mov.u32 %t2, "
               "%tid.x; mad.lo.u32 %t0, %t0, %t1, %t2;\nld.param.u64 %w0, [p]; "
               "mad.wide.u32 %w0, %t0, 2, %w0;\n.reg .b16 %h0;\n"
               "shl.b32 %t1, %t0, 16; or.b32 %t1, %t1, %t0; xor.b32 %t1, %t1, "
               "0x80000000;\ncvt.rn.satfinite." +
                   std::string(isE4M3 ? "e4m3x2" : "e5m2x2") +
                   ".f16x2 %h0, %t1;\nst.global.b16 [%w0], %h0;",
               ".param .u64 p"),
        "k");
    const size_t out = run.buffer(u16s(0x7c01));
    run.config.grid.x = 0x7c00 / 256;
    run.config.block.x = 256;
    ASSERT_TRUE(run.launch());
    const u16s pairs = run.read<uint16_t>(out);
    for (unsigned half = 0; half < 0x7c00; ++half) {
      const int field = static_cast<int>(half >> 10);
      const double value = std::ldexp((half & 0x3ff) + (field ? 0x400 : 0),
                                      std::max(field, 1) - 25);
      const unsigned expected = nearest(value, isE4M3);
      ASSERT_EQ(pairs[half], (expected | 0x80) << 8 | expected) << half;
    }
  }
}

TEST(ConvertPackedTest, PackIntegers) {
  s32s a{5, -5, 70000, -70000, 3}, b{-1, 200, -40000, 8, 1};
  u32s c{0xaabbccdd};
  auto run = [&](const std::string &form, const std::string &rest = "") {
    return lanes<uint32_t>("cvt.pack.sat." + form + " %r, %a, %b" + rest + ";",
                           a, b, c);
  };
  EXPECT_THAT(run("s16.s32"), ElementsAre(0x0005ffff, 0xfffb00c8, 0x7fff8000,
                                          0x80000008, 0x00030001));
  EXPECT_THAT(run("u16.s32"), ElementsAre(0x00050000, 0x000000c8, 0xffff0000,
                                          0x00000008, 0x00030001));
  EXPECT_THAT(
      run("s8.s32.b32", ", %c"),
      ElementsAre(0xccdd05ff, 0xccddfb7f, 0xccdd7f80, 0xccdd8008, 0xccdd0301));
  EXPECT_THAT(
      run("u8.s32.b32", ", %c"),
      ElementsAre(0xccdd0500, 0xccdd00c8, 0xccddff00, 0xccdd0008, 0xccdd0301));
  EXPECT_THAT(
      run("s4.s32.b32", ", %c"),
      ElementsAre(0xbbccdd5f, 0xbbccddb7, 0xbbccdd78, 0xbbccdd87, 0xbbccdd31));
  EXPECT_THAT(run("u4.s32.b32", ", 0"),
              ElementsAre(0x50, 0x0f, 0xf0, 0x08, 0x31));
  EXPECT_THAT(run("s2.s32.b32", ", 1"),
              ElementsAre(0x17, 0x19, 0x16, 0x19, 0x15));
  EXPECT_THAT(run("u2.s32.b32", ", 0"), ElementsAre(12, 3, 12, 3, 13));
}

TEST(ConvertPackedTest, WhatItRefuses) {
  auto load = [](const std::string &text) {
    return loadMessage(kernel(".reg .b16 %h<4>;\n" + text + ";"));
  };
  EXPECT_EQ(load("cvt.rn.satfinite.e4m3x2.f32 %h0, %t0, %t1"), "loaded");
  for (const char *text :
       {"cvt.rn.e4m3x2.f32 %h0, %t0, %t1",
        "cvt.rz.satfinite.e4m3x2.f32 %h0, "
        "%t0, %t1",
        "cvt.rn.satfinite.f16x2.e4m3x2 %t0, %h0",
        "cvt.rn.satfinite.e4m3x2.bf16x2 %h0, %t0",
        "cvt.rn.satfinite.e2m3x2.f32 %h0, %t0, %t1",
        "cvt.rz.ue8m0x2.f32 %h0, %t0, %t1",
        "cvt.rs.f16x2.f32 %t0, %t1, %t2, "
        "%t3",
        "cvt.rn.satfinite.e4m3x2.f32 %h0, %t0",
        "cvt.pack.s16.s32 %t0, %t1, %t2", "cvt.pack.sat.s16.u32 %t0, %t1, %t2",
        "cvt.pack.sat.s8.s32 %t0, %t1, %t2",
        "cvt.pack.sat.s16.s32.b32 %t0, %t1, %t2, %t3"})
    EXPECT_THAT(load(text),
                HasSubstr("unknown instruction '" + std::string(text)));
}

} // namespace
