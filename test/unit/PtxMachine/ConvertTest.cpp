//===- ConvertTest.cpp - cvt between all types ----------------------------===//
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

TEST(ConvertTest, IntegersExtendAndCut) {
  EXPECT_THAT(lanes<int64_t>("cvt.s64.s32 %r, %a;", s32s{-5}), ElementsAre(-5));
  EXPECT_THAT(lanes<uint64_t>("cvt.u64.u32 %r, %a;", u32s{0xffffffff}),
              ElementsAre(0xffffffff));
  EXPECT_THAT(lanes<uint32_t>("cvt.u32.u64 %r, %a;", u64s{0x123456789}),
              ElementsAre(0x23456789));
  EXPECT_THAT(lanes<int32_t>("cvt.s32.s8 %r, %a;", u32s{0x1ff, 0x17f}),
              ElementsAre(-1, 127));
  EXPECT_THAT(lanes<int32_t>("cvt.s8.s32 %r, %a;", u32s{0x180}),
              ElementsAre(-128));
  EXPECT_THAT(lanes<uint16_t>("cvt.u16.u32 %r, %a;", u32s{0x12345}),
              ElementsAre(0x2345));
  EXPECT_THAT(lanes<uint32_t>("cvt.u32.u16 %r, %a;", u16s{0xffff}),
              ElementsAre(0xffff));
  EXPECT_THAT(lanes<int32_t>("cvt.s32.s16 %r, %a;", u16s{0xffff}),
              ElementsAre(-1));
}

TEST(ConvertTest, IntegersSaturate) {
  EXPECT_THAT(lanes<int32_t>("cvt.sat.s8.s32 %r, %a;", s32s{300, -300, 5}),
              ElementsAre(127, -128, 5));
  EXPECT_THAT(lanes<uint32_t>("cvt.sat.u8.s32 %r, %a;", s32s{-1, 300}),
              ElementsAre(0, 255));
  EXPECT_THAT(lanes<int32_t>("cvt.sat.s32.u32 %r, %a;", u32s{0xffffffff}),
              ElementsAre(INT32_MAX));
  EXPECT_THAT(lanes<uint64_t>("cvt.sat.u64.s64 %r, %a;", s64s{-1, 7}),
              ElementsAre(0, 7));
}

TEST(ConvertTest, FloatToIntegerRounds) {
  f32s values{2.5f, -2.5f, 3.5f, 0.7f};
  auto run = [&](const std::string &mode) {
    return lanes<int32_t>("cvt." + mode + ".s32.f32 %r, %a;", values);
  };
  EXPECT_THAT(run("rni"), ElementsAre(2, -2, 4, 1));
  EXPECT_THAT(run("rzi"), ElementsAre(2, -2, 3, 0));
  EXPECT_THAT(run("rmi"), ElementsAre(2, -3, 3, 0));
  EXPECT_THAT(run("rpi"), ElementsAre(3, -2, 4, 1));
}

TEST(ConvertTest, FloatToIntegerClamps) {
  EXPECT_THAT(
      lanes<int32_t>("cvt.rzi.s32.f32 %r, %a;",
                     f32s{0x1p31f, -0x1p31f, -0x1p40f, kNaN, kInfinity}),
      ElementsAre(INT32_MAX, INT32_MIN, INT32_MIN, 0, INT32_MAX));
  EXPECT_THAT(lanes<uint32_t>("cvt.rzi.u32.f32 %r, %a;",
                              f32s{-1, 4294967040.0f, 0x1p32f}),
              ElementsAre(0, 4294967040u, 0xffffffff));
  EXPECT_THAT(lanes<int64_t>("cvt.rzi.s64.f64 %r, %a;", f64s{-1e300, 1e300}),
              ElementsAre(INT64_MIN, INT64_MAX));
  EXPECT_THAT(lanes<uint64_t>("cvt.rni.u64.f64 %r, %a;", f64s{0x1.8p63}),
              ElementsAre(uint64_t(3) << 62));
  EXPECT_THAT(lanes<int32_t>("cvt.rni.s32.f64 %r, %a;", f64s{1e10, -0.5}),
              ElementsAre(INT32_MAX, 0));
  EXPECT_THAT(lanes<uint16_t>("cvt.rzi.u16.f32 %r, %a;", f32s{70000, 5.9f}),
              ElementsAre(65535, 5));
}

TEST(ConvertTest, IntegerToFloatRounds) {
  // 2^24 + 1 is a tie, 2^24 + 3 too: to even.
  EXPECT_THAT(lanes<float>("cvt.rn.f32.s32 %r, %a;",
                           s32s{16777217, 16777219, -16777217}),
              ElementsAre(16777216.0f, 16777220.0f, -16777216.0f));
  EXPECT_THAT(lanes<float>("cvt.rz.f32.u32 %r, %a;", u32s{0xffffffff}),
              ElementsAre(4294967040.0f));
  EXPECT_THAT(lanes<float>("cvt.rp.f32.s32 %r, %a;", s32s{16777217}),
              ElementsAre(16777218.0f));
  EXPECT_THAT(
      lanes<float>("cvt.rm.f32.s64 %r, %a;", s64s{-(int64_t(1) << 62) - 1}),
      ElementsAre(-0x1.000002p62f));
  EXPECT_THAT(lanes<double>("cvt.rn.f64.u64 %r, %a;", u64s{~uint64_t(0)}),
              ElementsAre(0x1p64));
  EXPECT_THAT(lanes<double>("cvt.rz.f64.u64 %r, %a;", u64s{~uint64_t(0)}),
              ElementsAre(0x1.fffffffffffffp63));
  EXPECT_THAT(lanes<uint16_t>("cvt.rn.f16.s32 %r, %a;", s32s{2049, 70000}),
              ElementsAre(0x6800, 0x7c00));
}

TEST(ConvertTest, FloatToFloat) {
  EXPECT_THAT(lanes<float>("cvt.rn.f32.f64 %r, %a;", f64s{1 + 0x1p-24, 1e300}),
              ElementsAre(1, kInfinity));
  EXPECT_THAT(lanes<float>("cvt.rz.f32.f64 %r, %a;", f64s{-1 - 0x1p-24, 1e300}),
              ElementsAre(-1, 0x1.fffffep127f));
  EXPECT_THAT(lanes<float>("cvt.rm.f32.f64 %r, %a;", f64s{-1 - 0x1p-30}),
              ElementsAre(-0x1.000002p0f));
  EXPECT_THAT(lanes<double>("cvt.f64.f32 %r, %a;", f32s{0x1p-149f}),
              ElementsAre(0x1p-149));
  EXPECT_THAT(lanes<double>("cvt.ftz.f64.f32 %r, %a;", f32s{0x1p-149f}),
              ElementsAre(0));
  EXPECT_THAT(lanes<float>("cvt.rn.ftz.f32.f64 %r, %a;", f64s{0x1p-140}),
              ElementsAre(0));
  EXPECT_THAT(
      asBits(lanes<float>("cvt.rn.f32.f64 %r, %a;", f64s{__builtin_nan("7")})),
      ElementsAre(kCanonicalNaN));
}

TEST(ConvertTest, RoundsToAnIntegerInPlace) {
  EXPECT_THAT(lanes<float>("cvt.rni.f32.f32 %r, %a;", f32s{2.5f, 3.5f, -0.5f}),
              ElementsAre(2, 4, -0.0f));
  EXPECT_THAT(lanes<float>("cvt.rmi.f32.f32 %r, %a;", f32s{-2.5f, 1e30f}),
              ElementsAre(-3, 1e30f));
  EXPECT_THAT(lanes<double>("cvt.rpi.f64.f64 %r, %a;", f64s{-2.5, 2.1}),
              ElementsAre(-2, 3));
  EXPECT_THAT(asBits(lanes<float>("cvt.rzi.f32.f32 %r, %a;", f32s{-0.7f})),
              ElementsAre(0x80000000));
  EXPECT_THAT(lanes<float>("cvt.sat.f32.f32 %r, %a;", f32s{-1, 0.5f, 9, kNaN}),
              ElementsAre(0, 0.5f, 1, 0));
}

TEST(ConvertTest, Halves) {
  EXPECT_THAT(lanes<float>("cvt.f32.f16 %r, %a;",
                           u16s{0x3c00, 0x0001, 0x7bff, 0xfc00, 0x83ff}),
              ElementsAre(1, 0x1p-24f, 65504, -kInfinity, -0x1.ff8p-15f));
  EXPECT_THAT(asBits(lanes<float>("cvt.f32.f16 %r, %a;", u16s{0x7e00})),
              ElementsAre(kCanonicalNaN));
  EXPECT_THAT(
      lanes<uint16_t>("cvt.rn.f16.f32 %r, %a;",
                      f32s{1, 65504, 65519.996f, 65520, 0x1p-25f, 0x1.8p-25f,
                           -0x1p-14f, kNaN}),
      ElementsAre(0x3c00, 0x7bff, 0x7bff, 0x7c00, 0, 1, 0x8400, 0x7fff));
  EXPECT_THAT(lanes<uint16_t>("cvt.rz.f16.f32 %r, %a;", f32s{1e9f, -1.9999f}),
              ElementsAre(0x7bff, 0xbfff));
  EXPECT_THAT(lanes<uint16_t>("cvt.rn.bf16.f32 %r, %a;",
                              f32s{1, 0x1.01p0f, 0x1.03p0f, kNaN, 3.4e38f}),
              ElementsAre(0x3f80, 0x3f80, 0x3f82, 0x7fff, 0x7f80));
  EXPECT_THAT(lanes<float>("cvt.f32.bf16 %r, %a;", u16s{0x4049}),
              ElementsAre(3.140625f));
  EXPECT_THAT(
      lanes<uint16_t>("cvt.rn.f16.f64 %r, %a;", f64s{1 + 0x1p-11 + 0x1p-40}),
      ElementsAre(0x3c01)); // Rounded in two steps it would be 0x3c00.
}

TEST(ConvertTest, PackedPairs) {
  // The first source is the upper half.
  EXPECT_THAT(lanes<uint32_t>("cvt.rn.f16x2.f32 %r, %a, %b;", f32s{1}, f32s{2}),
              ElementsAre(0x3c004000));
  EXPECT_THAT(
      lanes<uint32_t>("cvt.rn.bf16x2.f32 %r, %a, %b;", f32s{1}, f32s{2}),
      ElementsAre(0x3f804000));
  EXPECT_THAT(
      lanes<uint32_t>("cvt.rn.relu.bf16x2.f32 %r, %a, %b;", f32s{-1}, f32s{2}),
      ElementsAre(0x00004000));
}

TEST(ConvertTest, NaNAsAnInteger) {
  EXPECT_THAT(lanes<uint32_t>("cvt.rni.s32.f32 %r, %a;", f32s{kNaN}),
              ElementsAre(0));
  EXPECT_THAT(lanes<uint64_t>("cvt.rzi.u64.f32 %r, %a;", f32s{kNaN}),
              ElementsAre(uint64_t(1) << 63));
  EXPECT_THAT(lanes<uint32_t>("cvt.rzi.s32.f64 %r, %a;", f64s{kNaN}),
              ElementsAre(0x80000000));
}

TEST(ConvertTest, SatfiniteClampsToFiniteNumbers) {
  EXPECT_THAT(lanes<uint16_t>("cvt.rn.satfinite.f16.f32 %r, %a;",
                              f32s{1e9f, -kInfinity, 1, kNaN}),
              ElementsAre(0x7bff, 0xfbff, 0x3c00, 0x7fff));
  EXPECT_THAT(lanes<uint32_t>("cvt.rn.satfinite.bf16x2.f32 %r, %a, %b;",
                              f32s{kInfinity}, f32s{-2}),
              ElementsAre(0x7f7fc000));
  EXPECT_THAT(lanes<uint32_t>("cvt.rz.f16x2.f32 %r, %a, %b;", f32s{1e9f},
                              f32s{0x1.ffffp0f}),
              ElementsAre(0x7bff3fff));
}

TEST(ConvertTest, TensorFloat) {
  // 10 bits of fraction; 1 + 2^-11 is a tie: .rna goes away from zero.
  f32s values{0x1.002p0f, -0x1.002p0f, 0x1.001ffep0f, 0x1.006p0f};
  EXPECT_THAT(lanes<float>("cvt.rna.tf32.f32 %r, %a;", values),
              ElementsAre(0x1.004p0f, -0x1.004p0f, 1, 0x1.008p0f));
  EXPECT_THAT(lanes<float>("cvt.rn.tf32.f32 %r, %a;", values),
              ElementsAre(1, -1, 1, 0x1.008p0f));
  EXPECT_THAT(lanes<float>("cvt.rz.tf32.f32 %r, %a;", values),
              ElementsAre(1, -1, 1, 0x1.004p0f));
}

TEST(ConvertTest, TensorFloatSaturatesAndClamps) {
  f32s values{-1.5f, kInfinity, 0x1.fffffep127f, kNaN, -0.0f};
  EXPECT_THAT(
      asBits(lanes<float>("cvt.rna.satfinite.tf32.f32 %r, %a;", values)),
      ElementsAre(bits(-1.5f), 0x7f7fe000, 0x7f7fe000, kCanonicalNaN,
                  0x80000000));
  EXPECT_THAT(asBits(lanes<float>("cvt.rn.relu.tf32.f32 %r, %a;", values)),
              ElementsAre(0, 0x7f800000, 0x7f800000, kCanonicalNaN, 0));
  EXPECT_THAT(asBits(lanes<float>("cvt.rz.relu.tf32.f32 %r, %a;", values)),
              ElementsAre(0, 0x7f800000, 0x7f7fe000, kCanonicalNaN, 0));
}

TEST(ConvertTest, PairsClampAndSaturate) {
  f32s a{-1, 1e9f, kNaN, -0.0f}, b{0x1.ffffp0f, -kInfinity, -1e9f, 1};
  auto run = [&](const std::string &form) {
    return lanes<uint32_t>("cvt." + form + ".f32 %r, %a, %b;", a, b);
  };
  EXPECT_THAT(run("rn.f16x2"),
              ElementsAre(0xbc004000, 0x7c00fc00, 0x7ffffc00, 0x80003c00));
  EXPECT_THAT(run("rn.relu.f16x2"),
              ElementsAre(0x00004000, 0x7c000000, 0x7fff0000, 0x00003c00));
  EXPECT_THAT(run("rz.relu.satfinite.f16x2"),
              ElementsAre(0x00003fff, 0x7bff0000, 0x7fff0000, 0x00003c00));
  EXPECT_THAT(run("rn.relu.bf16x2"),
              ElementsAre(0x00004000, 0x4e6e0000, 0x7fff0000, 0x00003f80));
  EXPECT_THAT(run("rz.satfinite.bf16x2"),
              ElementsAre(0xbf803fff, 0x4e6eff7f, 0x7fffce6e, 0x80003f80));
}

TEST(ConvertTest, WhatItRefuses) {
  // A rounding where nothing is rounded, or none where something is; and
  // modifiers of other types.
  auto load = [](const std::string &form) {
    return loadMessage(kernel(".reg .b16 %h<2>;\ncvt." + form + ";"));
  };
  EXPECT_EQ(load("f32.bf16 %t0, %h0"), "loaded");
  EXPECT_EQ(load("rz.f32.bf16 %t0, %h0"), "loaded");
  EXPECT_EQ(load("sat.f32.f32 %t0, %t1"), "loaded");
  for (const char *form :
       {"rn.u32.u32 %t0, %t1",           "rzi.s32.s64 %t0, %w1",
        "ftz.u32.s32 %t0, %t1",          "f32.s32 %t0, %t1",
        "rni.f32.u32 %t0, %t1",          "s32.f32 %t0, %t1",
        "rn.s32.f32 %t0, %t1",           "f32.f64 %t0, %w1",
        "rni.f32.f64 %t0, %w1",          "rn.f64.f32 %w0, %t1",
        "rn.f32.f32 %t0, %t1",           "f16.f32 %h0, %t1",
        "rni.f16.f32 %h0, %t1",          "rn.sat.bf16.f32 %h0, %t1",
        "rm.relu.f16.f32 %h0, %t1",      "rn.relu.f32.f64 %t0, %w1",
        "rn.satfinite.f16.f64 %h0, %w1", "rna.f16.f32 %h0, %t1",
        "rp.tf32.f32 %t0, %t1",          "tf32.f32 %t0, %t1",
        "rn.sat.tf32.f32 %t0, %t1",      "rna.relu.tf32.f32 %t0, %t1",
        "rp.f16x2.f32 %t0, %t1, %t2",    "rn.ftz.f16.f64 %h0, %w1"})
    EXPECT_THAT(load(form),
                HasSubstr("unknown instruction 'cvt." + std::string(form)));
}

} // namespace
