//===- FloatTest.cpp - f32 and f64 arithmetic -----------------------------===//
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

constexpr float kTiny = 0x1p-149f;

TEST(FloatTest, RoundingModes) {
  // 1 + 2^-24 lies halfway; 1 + 3 * 2^-25 lies above.
  f32s a{1, 1, -1}, b{0x1p-24f, 0x1.8p-24f, -0x1p-30f};
  auto run = [&](const std::string &form) {
    return lanes<float>("add" + form + ".f32 %r, %a, %b;", a, b);
  };
  constexpr float up = 0x1.000002p0f;
  EXPECT_THAT(run(""), ElementsAre(1, up, -1));
  EXPECT_THAT(run(".rn"), ElementsAre(1, up, -1));
  EXPECT_THAT(run(".rz"), ElementsAre(1, 1, -1));
  EXPECT_THAT(run(".rm"), ElementsAre(1, 1, -up));
  EXPECT_THAT(run(".rp"), ElementsAre(up, up, -1));
  EXPECT_THAT(lanes<double>("mul.rp.f64 %r, %a, %a;", f64s{1 + 0x1p-52}),
              ElementsAre(1 + 0x1.8p-51));
  EXPECT_THAT(lanes<float>("sqrt.rm.f32 %r, %a;", f32s{2}),
              ElementsAre(0x1.6a09e6p0f));
  EXPECT_THAT(lanes<float>("sqrt.rp.f32 %r, %a;", f32s{2}),
              ElementsAre(0x1.6a09e8p0f));
  EXPECT_THAT(lanes<float>("div.rz.f32 %r, %a, %b;", f32s{2}, f32s{3}),
              ElementsAre(0x1.555554p-1f));
  EXPECT_THAT(lanes<float>("rcp.rp.f32 %r, %a;", f32s{3}),
              ElementsAre(0x1.555556p-2f));
}

TEST(FloatTest, FmaRoundsOnce) {
  // (1 + 2^-23)^2 - (1 + 2^-22) = 2^-46, lost if the product were rounded.
  f32s a{0x1.000002p0f}, c{-0x1.000004p0f};
  EXPECT_THAT(lanes<float>("fma.rn.f32 %r, %a, %a, %b;", a, c),
              ElementsAre(0x1p-46f));
  EXPECT_THAT(lanes<float>("mul.f32 %t0, %a, %a; add.f32 %r, %t0, %b;", a, c),
              ElementsAre(0));
  EXPECT_THAT(lanes<double>("fma.rn.f64 %r, %a, %a, %b;", f64s{1 + 0x1p-52},
                            f64s{-1 - 0x1p-51}),
              ElementsAre(0x1p-104));
  EXPECT_THAT(
      asBits(lanes<float>("fma.rm.f32 %r, %a, %a, %b;", f32s{1}, f32s{-1})),
      ElementsAre(0x80000000)); // x - x is -0 when rounding down.
}

TEST(FloatTest, SubnormalsStayUnlessFlushed) {
  EXPECT_THAT(lanes<float>("add.f32 %r, %a, %b;", f32s{kTiny}, f32s{kTiny}),
              ElementsAre(2 * kTiny));
  EXPECT_THAT(asBits(lanes<float>("add.ftz.f32 %r, %a, %b;", f32s{-kTiny},
                                  f32s{-kTiny})),
              ElementsAre(0x80000000));
  // Both ways: a flushed input and a flushed result.
  EXPECT_THAT(lanes<float>("mul.ftz.f32 %r, %a, %b;", f32s{kTiny, 0x1p-100f},
                           f32s{0x1p100f, 0x1p-40f}),
              ElementsAre(0, 0));
  EXPECT_THAT(
      lanes<float>("mul.f32 %r, %a, %b;", f32s{0x1p-100f}, f32s{0x1p-40f}),
      ElementsAre(0x1p-140f));
}

TEST(FloatTest, NaNIsCanonical) {
  EXPECT_THAT(asBits(lanes<float>("add.f32 %r, %a, %b;",
                                  f32s{kInfinity, fromBits(0xffc12345)},
                                  f32s{-kInfinity, 1})),
              ElementsAre(kCanonicalNaN, kCanonicalNaN));
  EXPECT_THAT(asBits(lanes<float>("sqrt.rn.f32 %r, %a;", f32s{-1, -0.0f})),
              ElementsAre(kCanonicalNaN, 0x80000000));
  EXPECT_THAT(asBits(lanes<float>("div.rn.f32 %r, %a, %b;", f32s{0, 1, -1},
                                  f32s{0, 0, 0})),
              ElementsAre(kCanonicalNaN, 0x7f800000, 0xff800000));
}

TEST(FloatTest, Saturate) {
  EXPECT_THAT(asBits(lanes<float>("add.sat.f32 %r, %a, %b;",
                                  f32s{-3, 0.25f, 7, kNaN, -0.0f},
                                  f32s{1, 0.5f, 1, 1, -0.0f})),
              ElementsAre(0, bits(0.75f), bits(1.0f), 0, 0));
  EXPECT_THAT(lanes<float>("fma.rn.sat.f32 %r, %a, %a, %b;", f32s{2}, f32s{-1}),
              ElementsAre(1));
}

TEST(FloatTest, MinMax) {
  f32s a{-0.0f, 0.0f, 1, kNaN, kNaN}, b{0.0f, -0.0f, kNaN, 2, kNaN};
  EXPECT_THAT(asBits(lanes<float>("min.f32 %r, %a, %b;", a, b)),
              ElementsAre(0x80000000, 0x80000000, bits(1.0f), bits(2.0f),
                          kCanonicalNaN));
  EXPECT_THAT(asBits(lanes<float>("max.f32 %r, %a, %b;", a, b)),
              ElementsAre(0, 0, bits(1.0f), bits(2.0f), kCanonicalNaN));
  EXPECT_THAT(asBits(lanes<float>("max.NaN.f32 %r, %a, %b;", f32s{1, 3},
                                  f32s{kNaN, 2})),
              ElementsAre(kCanonicalNaN, bits(3.0f)));
  EXPECT_THAT(lanes<float>("min.xorsign.abs.f32 %r, %a, %b;", f32s{-2, -2},
                           f32s{3, -1}),
              ElementsAre(-2, 1));
  EXPECT_THAT(lanes<float>("max.f32 %r, %a, %b, 2.5;", f32s{1}, f32s{2}),
              ElementsAre(2.5f));
  EXPECT_THAT(lanes<double>("min.f64 %r, %a, %b;", f64s{1}, f64s{-1}),
              ElementsAre(-1));
}

TEST(FloatTest, SignsKeepPayloads) {
  EXPECT_THAT(
      asBits(lanes<float>("neg.f32 %r, %a;", f32s{1, 0, fromBits(0x7fc00001)})),
      ElementsAre(bits(-1.0f), 0x80000000, 0xffc00001));
  EXPECT_THAT(asBits(lanes<float>("abs.ftz.f32 %r, %a;", f32s{-2, -kTiny})),
              ElementsAre(bits(2.0f), 0));
  EXPECT_THAT(
      lanes<float>("copysign.f32 %r, %a, %b;", f32s{-1, 2}, f32s{3, -4}),
      ElementsAre(-3, 4));
  EXPECT_THAT(lanes<double>("abs.f64 %r, %a;", f64s{-2}), ElementsAre(2));
}

TEST(FloatTest, TestProperties) {
  f32s values{1, 0, kTiny, kInfinity, kNaN};
  auto run = [&](const std::string &property) {
    return lanes<uint32_t>(
        "testp." + property + ".f32 %p0, %a; selp.u32 %r, 1, 0, %p0;", values);
  };
  EXPECT_THAT(run("finite"), ElementsAre(1, 1, 1, 0, 0));
  EXPECT_THAT(run("infinite"), ElementsAre(0, 0, 0, 1, 0));
  EXPECT_THAT(run("number"), ElementsAre(1, 1, 1, 1, 0));
  EXPECT_THAT(run("notanumber"), ElementsAre(0, 0, 0, 0, 1));
  EXPECT_THAT(run("normal"), ElementsAre(1, 1, 0, 0, 0)); // Zero is.
  EXPECT_THAT(run("subnormal"), ElementsAre(0, 0, 1, 0, 0));
}

TEST(FloatTest, PackedPairs) {
  // {1, 2^-149} + {2^-24, 2^-149}: a tie to even, and a subnormal sum.
  const uint64_t a = uint64_t(1) << 32 | bits(1.0f);
  const uint64_t b = uint64_t(1) << 32 | bits(0x1p-24f);
  auto run = [&](const std::string &form) {
    return lanes<uint64_t>("add" + form + ".f32x2 %r, %a, %b;", u64s{a, b, a},
                           u64s{b, a, b})[0];
  };
  EXPECT_EQ(run(".rn"), uint64_t(2) << 32 | bits(1.0f));
  EXPECT_EQ(run(".rp"), uint64_t(2) << 32 | bits(0x1.000002p0f));
  EXPECT_EQ(run(".ftz"), bits(1.0f));
  // {2, 3} * {5, 7} + {1, NaN}.
  auto pair = [](float low, float high) {
    return uint64_t(bits(high)) << 32 | bits(low);
  };
  EXPECT_THAT(lanes<uint64_t>("fma.rn.f32x2 %r, %a, %b, %c;", u64s{pair(2, 3)},
                              u64s{pair(5, 7)}, u64s{pair(1, kNaN)}),
              ElementsAre(uint64_t(kCanonicalNaN) << 32 | bits(11.0f)));
  EXPECT_THAT(lanes<uint64_t>("sub.f32x2 %w0, %a, %b; mul.f32x2 %r, %w0, %b;",
                              u64s{pair(2, 3)}, u64s{pair(5, 7)}),
              ElementsAre(pair(-15, -28)));
}

TEST(FloatTest, MixedPrecision) {
  // f16 1 + 2^-10 and f32 2^-30: the sum is f32's.
  EXPECT_THAT(lanes<float>("add.rn.f32.f16 %r, %a, %b;", u16s{0x3c01, 0x7e00},
                           f32s{0x1p-20f, 1})[0],
              0x1.00401p0f);
  EXPECT_THAT(
      lanes<float>("sub.rz.f32.bf16 %r, %a, %b;", u16s{0x3f80}, f32s{0x1p-30f}),
      ElementsAre(0x1.fffffep-1f));
  EXPECT_THAT(lanes<float>("fma.rn.sat.f32.f16 %r, %a, %a, %b;",
                           u16s{0x3800, 0x4000}, f32s{0.5f, 0}),
              ElementsAre(0.75f, 1));
}

TEST(FloatTest, Approximations) {
  EXPECT_THAT(lanes<float>("ex2.approx.f32 %r, %a;", f32s{3, -149, -kInfinity}),
              ElementsAre(8, kTiny, 0));
  EXPECT_THAT(lanes<float>("ex2.approx.ftz.f32 %r, %a;", f32s{3, -149}),
              ElementsAre(8, 0));
  EXPECT_THAT(
      asBits(lanes<float>("lg2.approx.f32 %r, %a;", f32s{8, -0.0f, -1})),
      ElementsAre(bits(3.0f), bits(-kInfinity), kCanonicalNaN));
  EXPECT_THAT(lanes<float>("tanh.approx.f32 %r, %a;", f32s{0, kInfinity}),
              ElementsAre(0, 1));
  EXPECT_THAT(lanes<float>("cos.approx.f32 %r, %a;", f32s{0}), ElementsAre(1));
  EXPECT_THAT(asBits(lanes<float>("sin.approx.ftz.f32 %r, %a;",
                                  f32s{-0.0f, kInfinity})),
              ElementsAre(0x80000000, kCanonicalNaN));
  EXPECT_THAT(lanes<float>("rcp.approx.ftz.f32 %r, %a;", f32s{4, -0.0f}),
              ElementsAre(0.25f, -kInfinity));
  EXPECT_THAT(lanes<float>("rsqrt.approx.f32 %r, %a;", f32s{4, -0.0f}),
              ElementsAre(0.5f, -kInfinity));
  EXPECT_THAT(lanes<float>("sqrt.approx.f32 %r, %a;", f32s{9}), ElementsAre(3));
  EXPECT_THAT(lanes<float>("div.full.f32 %r, %a, %b;", f32s{1, 0x1p127f},
                           f32s{4, 0x1p127f}),
              ElementsAre(0.25f, 1));
  // div.approx multiplies by a reciprocal that is 0 for so large a divisor.
  EXPECT_THAT(asBits(lanes<float>("div.approx.f32 %r, %a, %b;",
                                  f32s{1, 0x1p127f, kInfinity},
                                  f32s{4, 0x1.8p126f, 0x1.8p126f})),
              ElementsAre(bits(0.25f), 0, kCanonicalNaN));
  EXPECT_THAT(lanes<double>("rcp.approx.ftz.f64 %r, %a;", f64s{4, 0x1p-1023}),
              ElementsAre(0.25, double(kInfinity)));
}

} // namespace
