//===- FloatTest.cpp - Rounding to the types a layer may have -------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/Float.h"

#include <gtest/gtest.h>
#include <random>

using namespace ctc;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Every number of a 16-bit format decodes and encodes to itself, and between
/// two neighbours the rounding turns exactly at the middle, ties to even.
void checkAllBits(FloatFormat format) {
  const uint32_t infinity = ((1u << format.exponentBits) - 1)
                            << (format.precision - 1);
  for (uint32_t bits = 0; bits < infinity; ++bits) {
    const double value = decode(bits, format);
    ASSERT_EQ(encode(value, format), bits);
    ASSERT_EQ(encode(-value, format), bits | 0x8000);
    ASSERT_EQ(roundTo(value, format), value);
    if (bits + 1 == infinity)
      continue;
    const double next = decode(bits + 1, format);
    ASSERT_LT(value, next);
    ASSERT_EQ(ulpOf(value, format), next - value);
    const double middle = value + (next - value) / 2;
    const uint32_t even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(encode(middle, format), even);
    ASSERT_EQ(encode(std::nextafter(middle, 0), format), bits);
    ASSERT_EQ(encode(std::nextafter(middle, kInfinity), format), bits + 1);
    ASSERT_EQ(roundTo(middle, format, Rounding::NearestAway), next);
    ASSERT_EQ(roundTo(middle, format, Rounding::TowardZero), value);
  }
}
} // namespace

TEST(Float, HalfOverAllBits) { checkAllBits(kF16); }
TEST(Float, BFloatOverAllBits) { checkAllBits(kBF16); }

TEST(Float, SpecialValues) {
  for (FloatFormat format : {kF32, kF16, kBF16}) {
    const uint32_t infinity = encode(kInfinity, format);
    EXPECT_EQ(decode(infinity, format), kInfinity);
    EXPECT_TRUE(std::isnan(decode(encode(NAN, format), format)));
    const double largest = largestFinite(format);
    EXPECT_EQ(encode(largest, format), infinity - 1);
    const double tie = largest + ulpOf(largest, format) / 2;
    EXPECT_EQ(encode(tie, format), infinity);
    EXPECT_EQ(encode(std::nextafter(tie, 0), format), infinity - 1);
    EXPECT_EQ(roundTo(2 * largest, format, Rounding::TowardZero), largest);
    EXPECT_TRUE(std::signbit(decode(encode(-0.0, format), format)));
    EXPECT_TRUE(std::signbit(roundTo(-1e-300, format)));
  }
}

TEST(Float, SinglesAgreeWithTheHost) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200000; ++i) {
    const auto bits = static_cast<uint32_t>(random());
    const auto value = std::bit_cast<float>(bits);
    if (std::isnan(value))
      continue;
    ASSERT_EQ(encode(value, kF32), bits);
    ASSERT_EQ(decode(bits, kF32), value);
    const double between =
        value * (1 + std::ldexp(double(random() >> 11), -76));
    ASSERT_EQ(roundTo(between, kF32), static_cast<float>(between));
  }
}

TEST(Float, HalvesAgreeWithTheCompiler) {
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 4099) {
    const auto value = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (std::isnan(value))
      continue;
    ASSERT_EQ(encode(value, kF16),
              std::bit_cast<uint16_t>(static_cast<_Float16>(value)))
        << value;
  }
}

TEST(Float, RoundsOnce) {
  // A hair above a tie of f16 is a tie once it has been rounded to f32.
  const double value = 1 + 0x1p-11 + 0x1p-40;
  EXPECT_EQ(roundTo(value, kF16), 1 + 0x1p-10);
  EXPECT_EQ(roundTo(static_cast<float>(value), kF16), 1.0);
  const double bvalue = 1 + 0x1p-8 + 0x1p-40;
  EXPECT_EQ(roundTo(bvalue, kBF16), 1 + 0x1p-7);
  EXPECT_EQ(roundTo(static_cast<float>(bvalue), kBF16), 1.0);
}

TEST(Float, TF32RoundsTiesAway) {
  // The same on bits: add half of the dropped part and cut.
  std::mt19937 random(2);
  for (int i = 0; i < 200000; ++i) {
    uint32_t bits = random();
    if (i % 3 == 0)
      bits = (bits & ~0x1fffu) | 0x1000; // a tie
    const auto value = std::bit_cast<float>(bits);
    if (!std::isfinite(value))
      continue;
    const auto expected = std::bit_cast<float>((bits + 0x1000) & ~0x1fffu);
    ASSERT_EQ(roundToTF32(value), expected) << value;
  }
}
