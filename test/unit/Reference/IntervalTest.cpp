//===- IntervalTest.cpp - What a device may legitimately compute ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/Interval.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace ctc;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool contains(Interval interval, double value) {
  return std::isnan(value) ? interval.nan
                           : interval.lo <= value && value <= interval.hi;
}

/// Random intervals, wide and narrow, and points within.
class Sampler {
public:
  Interval interval() {
    const double a = number();
    const double width = std::ldexp(unit(), -static_cast<int>(random() % 30));
    return {a, a + std::fabs(a) * width + width * 0x1p-20, false};
  }
  double within(Interval interval) {
    const double at = unit();
    return static_cast<float>(
        std::clamp(interval.lo + (interval.hi - interval.lo) * at, interval.lo,
                   interval.hi));
  }

private:
  double unit() { return double(random() >> 11) * 0x1p-53; }
  double number() {
    const double magnitude = std::ldexp(unit(), int(random() % 12) - 6);
    return random() % 2 ? magnitude : -magnitude;
  }
  std::mt19937_64 random{42};
};

/// The bounds must hold the f32 value of every operation for points that are
/// f32 numbers within the operands.
template <typename OnIntervals, typename OnFloats>
void checkBinary(const OnIntervals &onIntervals, const OnFloats &onFloats) {
  Sampler sampler;
  for (int i = 0; i < 20000; ++i) {
    const Interval a = sampler.interval(), b = sampler.interval();
    const auto x = static_cast<float>(sampler.within(a));
    const auto y = static_cast<float>(sampler.within(b));
    if (!contains(a, x) || !contains(b, y))
      continue;
    const Interval result = withRounding(onIntervals(a, b), kF32);
    ASSERT_TRUE(contains(result, onFloats(x, y)))
        << x << " " << y << " -> " << onFloats(x, y) << " not in [" << result.lo
        << ", " << result.hi << "]";
  }
}
} // namespace

TEST(Interval, HoldsEveryPoint) {
  checkBinary(add, [](float x, float y) { return x + y; });
  checkBinary(subtract, [](float x, float y) { return x - y; });
  checkBinary(multiply, [](float x, float y) { return x * y; });
  checkBinary(divide, [](float x, float y) { return x / y; });
  checkBinary(power, [](float x, float y) { return std::pow(x, y); });
  checkBinary(maximum, [](float x, float y) { return std::max(x, y); });
  checkBinary(minimumNumber, [](float x, float y) { return std::fmin(x, y); });
  checkBinary(copySign, [](float x, float y) { return std::copysign(x, y); });
  checkBinary([](Interval a, Interval) { return absolute(a); },
              [](float x, float) { return std::fabs(x); });
  for (double exponent : {0.0, 1.0, 2.0, 3.0})
    checkBinary([&](Interval a,
                    Interval) { return power(a, Interval::exactly(exponent)); },
                [&](float x, float) { return std::pow(x, float(exponent)); });
}

TEST(Interval, HoldsTheHostsMathFunctions) {
  // The host's float functions err by about one ulp, like the device's.
  const std::pair<const char *, float (*)(float)> functions[] = {
      {"math.exp", std::exp},
      {"math.exp2", std::exp2},
      {"math.expm1", std::expm1},
      {"math.log", std::log},
      {"math.log2", std::log2},
      {"math.log1p", std::log1p},
      {"math.tanh", std::tanh},
      {"math.erf", std::erf},
      {"math.sqrt", std::sqrt},
      {"math.sin", std::sin},
      {"math.cos", std::cos},
      {"math.rsqrt", [](float x) { return 1 / std::sqrt(x); }}};
  for (const auto &[name, onFloat] : functions) {
    const MathFunction *found = nullptr;
    for (const MathFunction &function : mathFunctions())
      if (function.name == name)
        found = &function;
    ASSERT_NE(found, nullptr) << name;
    checkBinary([&](Interval a, Interval) { return apply(*found, a); },
                [&](float x, float) { return onFloat(x); });
  }
  EXPECT_EQ(mathFunctions().size(), std::size(functions));
}

TEST(Interval, IsTight) {
  // A point stays within the documented ulps.
  for (const MathFunction &function : mathFunctions()) {
    const Interval result = apply(function, Interval::exactly(0.75));
    const double exact = function.evaluate(0.75);
    const double allowed = (function.ulps + 1.5) * ulpOf(exact, kF32);
    EXPECT_LE(result.hi - exact, allowed) << function.name;
    EXPECT_LE(exact - result.lo, allowed) << function.name;
    EXPECT_FALSE(result.nan);
  }
  EXPECT_EQ(add(Interval::exactly(1), Interval::exactly(2)),
            Interval::exactly(3));
  EXPECT_EQ(withRounding(Interval::exactly(0.5), kF32), Interval::exactly(0.5));
  const double third = 1.0 / 3;
  const Interval rounded = withRounding(Interval::exactly(third), kF16);
  EXPECT_EQ(rounded.hi, third);
  EXPECT_EQ(rounded.lo, roundTo(third, kF16));
}

TEST(Interval, NaNsAndPoles) {
  const Interval across{-1, 1, false};
  const MathFunction &log = mathFunctions()[3];
  ASSERT_EQ(log.name, "math.log");
  EXPECT_TRUE(apply(log, across).nan);
  EXPECT_TRUE(apply(log, {-2, -1, false}).nan);
  EXPECT_EQ(apply(log, Interval::exactly(0)).hi, -kInfinity);
  EXPECT_TRUE(divide(across, across).nan);
  EXPECT_FALSE(divide(Interval::exactly(1), across).nan);
  EXPECT_EQ(divide(Interval::exactly(1), across).hi, kInfinity);
  EXPECT_TRUE(power(across, Interval::exactly(0.5)).nan);
  EXPECT_TRUE(add({kInfinity, kInfinity, false}, {-kInfinity, 0, false}).nan);
  const Interval maybe{0, 1, true};
  EXPECT_TRUE(maximum(maybe, across).nan);
  EXPECT_FALSE(maximumNumber(maybe, across).nan);
  EXPECT_EQ(maximumNumber(maybe, across).lo, -1);
}

TEST(Interval, Comparisons) {
  const Interval yes = Interval::exactly(1), no = Interval::exactly(0);
  const Interval open{0, 1, false};
  auto cmp = [](const char *predicate, Interval a, Interval b) {
    return compare(*parsePredicate(predicate), a, b);
  };
  EXPECT_EQ(cmp("ogt", {2, 3, false}, {0, 1, false}), yes);
  EXPECT_EQ(cmp("ogt", {0, 1, false}, {1, 3, false}), no);
  EXPECT_EQ(cmp("oge", {0, 1, false}, {1, 3, false}), open);
  EXPECT_EQ(cmp("oeq", yes, yes), yes);
  EXPECT_EQ(cmp("one", yes, yes), no);
  EXPECT_EQ(cmp("olt", {0, 1, true}, {2, 3, false}), open);
  EXPECT_EQ(cmp("ult", {0, 1, true}, {2, 3, false}), yes);
  EXPECT_EQ(cmp("ord", yes, yes), yes);
  EXPECT_EQ(cmp("uno", yes, yes), no);
  EXPECT_EQ(parsePredicate("gt").has_value(), false);
  EXPECT_EQ(select(open, yes, no), open);
  EXPECT_EQ(select(yes, {5, 6, false}, no), (Interval{5, 6, false}));
}
