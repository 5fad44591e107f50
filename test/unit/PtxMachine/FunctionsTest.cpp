//===- FunctionsTest.cpp - libdevice's functions within their error -------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRun.h"
#include "PtxTesting.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <sstream>

using namespace ctc::ptx;
using namespace ctc::ptx::testing;

namespace {

std::string readInput(const std::string &name) {
  std::ifstream file(std::string(CTC_PTX_INPUTS) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class FunctionsTest : public ::testing::Test {
protected:
  template <class T>
  std::vector<T> run(const std::string &name, const std::vector<T> &x,
                     const std::vector<T> &y) {
    KernelRun run(functions, name + "_k");
    run.buffer(x);
    run.buffer(y);
    const size_t out = run.buffer(std::vector<T>(x.size()));
    run.scalar(static_cast<int>(x.size()));
    run.config.grid.x = static_cast<uint32_t>((x.size() + 127) / 128);
    run.config.block.x = 128;
    EXPECT_TRUE(run.launch());
    return run.read<T>(out);
  }

  /// `ulps` is the maximum error of the CUDA C++ Programming Guide, appendix
  /// "Mathematical Functions"; plus the half of rounding the reference.
  void
  check(const std::string &name, double ulps, const f32s &x, const f32s &y,
        const std::function<long double(long double, long double)> &exact) {
    f32s result = run(name, x, y);
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      long double want = exact(x[i], y[i]);
      auto rounded = static_cast<float>(want);
      if (std::isnan(rounded) || std::isinf(rounded) || rounded == 0) {
        EXPECT_EQ(std::isnan(rounded), std::isnan(result[i])) << name << x[i];
        if (!std::isnan(rounded)) {
          EXPECT_EQ(rounded, result[i]) << name << " of " << x[i];
        }
        continue;
      }
      double ulp = std::ldexp(1.0, std::max(std::ilogb(rounded), -126) - 23);
      double error = std::abs(double(result[i] - want)) / ulp;
      worst = std::max(worst, error);
      ASSERT_LE(error, ulps + 0.5)
          << name << " of " << x[i] << ", " << y[i] << " is " << result[i];
    }
    RecordProperty(name, std::to_string(worst));
  }

  const std::string functions = readInput("functions.ptx");
};

f32s range(float from, float to, size_t count = 1000) {
  f32s result;
  for (size_t i = 0; i < count; ++i)
    result.push_back(from + (to - from) * static_cast<float>(i) /
                                static_cast<float>(count - 1));
  return result;
}

/// All magnitudes of both signs, and the special values.
f32s everyMagnitude() {
  f32s result = {0.0f, -0.0f, kInfinity, -kInfinity, kNaN, 0x1p-149f};
  for (int exponent = -149; exponent < 128; exponent += 2)
    for (float fraction : {1.0f, 1.37f, 1.99f})
      for (float sign : {1.0f, -1.0f})
        result.push_back(sign * std::ldexp(fraction, exponent));
  return result;
}

TEST_F(FunctionsTest, Exponentials) {
  f32s x = range(-110, 95), all = everyMagnitude();
  for (const f32s &values : {x, all}) {
    check("exp", 1, values, values, [](auto a, auto) { return std::exp(a); });
    check("exp2", 2, values, values, [](auto a, auto) { return std::exp2(a); });
    check("expm1", 1, values, values,
          [](auto a, auto) { return std::expm1(a); });
  }
}

TEST_F(FunctionsTest, Logarithms) {
  f32s x = range(0.5f, 2.0f), all = everyMagnitude();
  for (const f32s &values : {x, all}) {
    check("log", 1, values, values, [](auto a, auto) { return std::log(a); });
    check("log2", 1, values, values, [](auto a, auto) { return std::log2(a); });
    check("log1p", 1, values, values,
          [](auto a, auto) { return std::log1p(a); });
  }
}

TEST_F(FunctionsTest, ErrorFunctionAndTanh) {
  f32s x = range(-6, 6), all = everyMagnitude();
  for (const f32s &values : {x, all}) {
    check("tanh", 2, values, values, [](auto a, auto) { return std::tanh(a); });
    check("erf", 2, values, values, [](auto a, auto) { return std::erf(a); });
  }
}

TEST_F(FunctionsTest, TrigonometricWithTheSlowPathInLocalMemory) {
  f32s x = range(-10, 10), all = everyMagnitude(); // Up to 2^127.
  for (const f32s &values : {x, all}) {
    check("sin", 2, values, values, [](auto a, auto) { return std::sin(a); });
    check("cos", 2, values, values, [](auto a, auto) { return std::cos(a); });
  }
}

TEST_F(FunctionsTest, PowersRootsAndQuotients) {
  f32s x = everyMagnitude(), y = range(-3, 3, x.size());
  for (size_t i = 0; i < x.size(); i += 3)
    y[i] = std::round(y[i]);
  check("pow", 4, x, y, [](auto a, auto b) { return std::pow(a, b); });
  check("sqrt", 0, x, y, [](auto a, auto) { return std::sqrt(a); });
  check("rsqrt", 2, x, y, [](auto a, auto) { return 1 / std::sqrt(a); });
  check("div", 0, x, y, [](auto a, auto b) { return a / b; });
}

TEST_F(FunctionsTest, DoublePrecision) {
  f64s x;
  for (int i = -700; i <= 700; ++i)
    x.push_back(i * 1.0007);
  x.push_back(1e22);
  x.push_back(-1e300); // The slow path.
  f64s exponentials = run("exp_f64", x, x), sines = run("sin_f64", x, x);
  for (size_t i = 0; i < x.size(); ++i) {
    double e = std::exp(x[i]), s = std::sin(x[i]);
    if (exponentials[i] != e) {
      EXPECT_LE(std::abs(exponentials[i] - e), 2 * std::ldexp(e, -52)) << x[i];
    }
    EXPECT_LE(std::abs(sines[i] - s), 3 * std::ldexp(std::abs(s), -52)) << x[i];
  }
}

} // namespace
