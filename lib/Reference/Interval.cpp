//===- Interval.cpp - What a device may legitimately compute --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/Interval.h"

#include <algorithm>
#include <array>
#include <cmath>

using namespace ctc;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Relative error granted to the host's own double functions.
static constexpr double kHostError = 0x1p-50;
static constexpr Interval kAnything{-kInfinity, kInfinity, true};

Interval Interval::exactly(double value) { return between(value, value); }

Interval Interval::between(double lo, double hi, bool nan) {
  if (std::isnan(lo) || std::isnan(hi))
    return kAnything;
  return {lo, hi, nan};
}

Interval ctc::hull(Interval a, Interval b) {
  return {std::min(a.lo, b.lo), std::max(a.hi, b.hi), a.nan || b.nan};
}

Interval ctc::withRounding(Interval a, FloatFormat format) {
  return {std::min(a.lo, roundTo(a.lo, format)),
          std::max(a.hi, roundTo(a.hi, format)), a.nan};
}

static double inverseSqrt(double value) { return 1 / std::sqrt(value); }

std::span<const MathFunction> ctc::mathFunctions() {
  using Shape = MathFunction::Shape;
  constexpr double inf = kInfinity;
  static const std::array<MathFunction, 12> table{{
      {"math.exp", std::exp, Shape::Increasing, 2, -inf, 0, inf},
      {"math.exp2", std::exp2, Shape::Increasing, 2, -inf, 0, inf},
      {"math.expm1", std::expm1, Shape::Increasing, 1, -inf, -inf, inf},
      {"math.log", std::log, Shape::Increasing, 1, 0, -inf, inf},
      {"math.log2", std::log2, Shape::Increasing, 1, 0, -inf, inf},
      {"math.log1p", std::log1p, Shape::Increasing, 1, -1, -inf, inf},
      {"math.tanh", std::tanh, Shape::Increasing, 2, -inf, -inf, inf},
      {"math.erf", std::erf, Shape::Increasing, 2, -inf, -inf, inf},
      {"math.sqrt", std::sqrt, Shape::Increasing, 0, 0, 0, inf},
      {"math.rsqrt", inverseSqrt, Shape::Decreasing, 2, 0, 0, inf},
      {"math.sin", std::sin, Shape::Lipschitz1, 2, -inf, -inf, inf},
      {"math.cos", std::cos, Shape::Lipschitz1, 2, -inf, -inf, inf},
  }};
  return table;
}

/// Adds `ulps` f32 ulps around the roundings of [lo, hi].
static Interval widen(double lo, double hi, int ulps) {
  if (std::isfinite(lo)) {
    lo -= std::fabs(lo) * kHostError;
    lo = std::min(lo, roundTo(lo, kF32)) - ulps * ulpOf(lo, kF32);
  }
  if (std::isfinite(hi)) {
    hi += std::fabs(hi) * kHostError;
    hi = std::max(hi, roundTo(hi, kF32)) + ulps * ulpOf(hi, kF32);
  }
  return Interval::between(lo, hi);
}

/// |f(x) - f(m)| <= |x - m| around the middle m; f stays within [-1, 1].
static Interval lipschitzImage(const MathFunction &function, Interval a) {
  const double radius = (a.hi - a.lo) / 2;
  if (!std::isfinite(radius))
    return {-1, 1, true};
  const double center = function.evaluate(a.lo + radius);
  return widen(std::max(-1.0, center - radius), std::min(1.0, center + radius),
               function.ulps);
}

Interval ctc::apply(const MathFunction &function, Interval a) {
  using Shape = MathFunction::Shape;
  if (a.hi < function.domainLow)
    return kAnything;
  const bool nan = a.nan || a.lo < function.domainLow;
  a.lo = std::max(a.lo, function.domainLow);
  Interval result;
  if (function.shape == Shape::Lipschitz1) {
    result = lipschitzImage(function, a);
  } else {
    double lo = function.evaluate(a.lo), hi = function.evaluate(a.hi);
    if (function.shape == Shape::Decreasing)
      std::swap(lo, hi);
    result = widen(lo, hi, function.ulps);
  }
  return {std::clamp(result.lo, function.least, function.most),
          std::clamp(result.hi, function.least, function.most),
          nan || result.nan};
}

Interval ctc::negate(Interval a) { return {-a.hi, -a.lo, a.nan}; }

Interval ctc::absolute(Interval a) {
  if (a.lo >= 0)
    return a;
  if (a.hi <= 0)
    return negate(a);
  return {0, std::max(-a.lo, a.hi), a.nan};
}

Interval ctc::floorOf(Interval a) {
  return {std::floor(a.lo), std::floor(a.hi), a.nan};
}

Interval ctc::ceilOf(Interval a) {
  return {std::ceil(a.lo), std::ceil(a.hi), a.nan};
}

Interval ctc::add(Interval a, Interval b) {
  return Interval::between(a.lo + b.lo, a.hi + b.hi, a.nan || b.nan);
}

Interval ctc::subtract(Interval a, Interval b) { return add(a, negate(b)); }

/// The hull of the values at the four corners, for operations monotone in each
/// operand.
template <typename Operation>
static Interval corners(Interval a, Interval b, const Operation &operation) {
  const double values[] = {operation(a.lo, b.lo), operation(a.lo, b.hi),
                           operation(a.hi, b.lo), operation(a.hi, b.hi)};
  for (double value : values)
    if (std::isnan(value))
      return kAnything;
  const auto [least, most] =
      std::minmax_element(std::begin(values), std::end(values));
  return {*least, *most, a.nan || b.nan};
}

Interval ctc::multiply(Interval a, Interval b) {
  return corners(a, b, [](double x, double y) { return x * y; });
}

Interval ctc::divide(Interval a, Interval b) {
  if (b.lo <= 0 && b.hi >= 0)
    return {-kInfinity, kInfinity, a.nan || b.nan || (a.lo <= 0 && a.hi >= 0)};
  return corners(a, b, [](double x, double y) { return x / y; });
}

Interval ctc::power(Interval base, Interval exponent) {
  const bool integer = exponent.lo == exponent.hi && exponent.lo >= 0 &&
                       exponent.lo == std::floor(exponent.lo);
  if (base.lo < 0 && !integer)
    return kAnything;
  // An even power is one of |x|; an odd one is monotone.
  const bool even = integer && std::fmod(exponent.lo, 2) == 0;
  const Interval exact =
      corners(even ? absolute(base) : base, exponent,
              [](double x, double y) { return std::pow(x, y); });
  Interval result = widen(exact.lo, exact.hi, kPowUlps);
  result.nan |= exact.nan;
  if (even || base.lo >= 0)
    result.lo = std::max(0.0, result.lo);
  return result;
}

Interval ctc::copySign(Interval magnitude, Interval sign) {
  const Interval positive = absolute(magnitude);
  const bool mayBeNegative = sign.nan || std::signbit(sign.lo) || sign.lo == 0;
  const bool mayBePositive = sign.nan || !std::signbit(sign.hi) || sign.hi == 0;
  if (mayBeNegative && mayBePositive)
    return hull(positive, negate(positive));
  return mayBeNegative ? negate(positive) : positive;
}

Interval ctc::maximum(Interval a, Interval b) {
  return {std::max(a.lo, b.lo), std::max(a.hi, b.hi), a.nan || b.nan};
}

Interval ctc::minimum(Interval a, Interval b) {
  return {std::min(a.lo, b.lo), std::min(a.hi, b.hi), a.nan || b.nan};
}

/// Adds to `both`, the result for two numbers, what comes out where one of the
/// operands is NaN.
static Interval orOther(Interval both, Interval a, Interval b) {
  both.nan = a.nan && b.nan;
  if (a.nan)
    both = hull(both, {b.lo, b.hi, both.nan});
  if (b.nan)
    both = hull(both, {a.lo, a.hi, both.nan});
  return both;
}

Interval ctc::maximumNumber(Interval a, Interval b) {
  return orOther(maximum(a, b), a, b);
}

Interval ctc::minimumNumber(Interval a, Interval b) {
  return orOther(minimum(a, b), a, b);
}

std::optional<Predicate> ctc::parsePredicate(std::string_view name) {
  // Which of less, equal, greater, unordered each predicate accepts.
  static constexpr std::pair<std::string_view, Predicate> table[] = {
      {"false", {0, 0, 0, 0}}, {"oeq", {0, 1, 0, 0}}, {"ogt", {0, 0, 1, 0}},
      {"oge", {0, 1, 1, 0}},   {"olt", {1, 0, 0, 0}}, {"ole", {1, 1, 0, 0}},
      {"one", {1, 0, 1, 0}},   {"ord", {1, 1, 1, 0}}, {"ueq", {0, 1, 0, 1}},
      {"ugt", {0, 0, 1, 1}},   {"uge", {0, 1, 1, 1}}, {"ult", {1, 0, 0, 1}},
      {"ule", {1, 1, 0, 1}},   {"une", {1, 0, 1, 1}}, {"uno", {0, 0, 0, 1}},
      {"true", {1, 1, 1, 1}}};
  for (const auto &[spelling, predicate] : table)
    if (spelling == name)
      return predicate;
  return std::nullopt;
}

Interval ctc::compare(Predicate predicate, Interval a, Interval b) {
  const std::pair<bool, bool> possibleAndAccepted[] = {
      {a.lo < b.hi, predicate.less},
      {a.lo <= b.hi && b.lo <= a.hi, predicate.equal},
      {a.hi > b.lo, predicate.greater},
      {a.nan || b.nan, predicate.unordered}};
  bool canHold = false, canFail = false;
  for (const auto &[possible, accepted] : possibleAndAccepted) {
    canHold |= possible && accepted;
    canFail |= possible && !accepted;
  }
  return {canFail ? 0.0 : 1.0, canHold ? 1.0 : 0.0, false};
}

Interval ctc::select(Interval condition, Interval a, Interval b) {
  if (condition.lo == 1)
    return a;
  if (condition.hi == 0)
    return b;
  return hull(a, b);
}
