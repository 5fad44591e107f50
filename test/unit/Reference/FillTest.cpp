//===- FillTest.cpp - Inputs for a layer ----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/Fill.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace ctc;

namespace {
/// Layers from few products per output to more than the exact fill can make
/// dense, with lone input channels among them.
std::vector<Problem> layers() {
  std::vector<Problem> problems;
  for (ElementType type :
       {ElementType::F32, ElementType::F16, ElementType::BF16}) {
    auto add = [&](int64_t cin, int64_t cout, int64_t groups,
                   std::vector<SpatialDim> dims) {
      Problem problem{1, cin, cout, groups, std::move(dims), type};
      problem.bias = true;
      problems.push_back(problem);
    };
    add(1, 1, 1, {{5, 1, 1, 1, 0, 0, 0}});
    add(1, 4, 1, {{9, 3, 1, 1, 0, 0, 0}});
    add(6, 6, 6, {{8, 4, 2, 1, 1, 1, 0}, {8, 4, 2, 1, 1, 1, 0}});
    add(64, 8, 1, {{8, 3, 2, 1, 1, 1, 1}, {8, 3, 2, 1, 1, 1, 1}});
    add(512, 4, 1, {{6, 5, 1, 1, 0, 0, 0}, {6, 5, 1, 1, 0, 0, 0}});
    add(2048, 2, 2, {{40, 40, 1, 1, 0, 0, 0}});
    add(1, 1, 1, {{62, 62, 1, 2, 0, 0, 0}, {62, 62, 1, 1, 0, 0, 0}});
  }
  return problems;
}

bool needsAllBits(double value, int64_t full) {
  const double integer = std::fabs(value) * 0x1p10;
  return integer > double(full / 2) && std::fmod(integer, 2) == 1;
}
} // namespace

TEST(ExactFill, EverySumIsRepresentable) {
  for (const Problem &problem : layers()) {
    auto inputs = makeInputs(problem, {}, {Fill::Exact, 3, {}});
    ASSERT_TRUE(inputs) << inputs.error().message;
    const Accumulation result =
        accumulate(problem, *inputs, {.magnitude = true});
    const double most =
        *std::max_element(result.magnitude.begin(), result.magnitude.end());
    // 2^24 units of 2^-20.
    EXPECT_LT(most, 16.0) << problem.inputChannels << "x"
                          << problem.dims[0].kernel;
    for (double value : result.value)
      ASSERT_EQ(value, static_cast<float>(value));
  }
}

TEST(ExactFill, SomeValuesNeedFullPrecision) {
  for (const Problem &problem : layers()) {
    const int64_t full = problem.type == ElementType::BF16 ? 255 : 2047;
    const auto inputs = *makeInputs(problem, {}, {Fill::Exact, 3, {}});
    for (const Tensor *tensor : {&inputs.input, &inputs.weight}) {
      int64_t wide = 0;
      for (int64_t i = 0; i < tensor->count(); ++i) {
        wide += needsAllBits(tensor->get(i), full);
        ASSERT_NE(tensor->get(i), 0);
      }
      EXPECT_GT(wide, 0);
    }
  }
}

TEST(ExactFill, RefusesTooManyProducts) {
  Problem problem;
  problem.inputChannels = 1 << 12;
  problem.dims = {{1 << 12, 1 << 12, 1, 1, 0, 0, 0}};
  auto inputs = makeInputs(problem, {}, {Fill::Exact, 0, {}});
  ASSERT_FALSE(inputs);
  EXPECT_EQ(inputs.error().code, ErrorCode::InvalidProblem);
  EXPECT_EQ(inputs.error().message,
            "an output sums more than 7340032 products, too many for an exact "
            "fill; use a random one");
}

TEST(RandomFill, FollowsSeedTypeAndRange) {
  Problem problem;
  problem.inputChannels = 16;
  problem.dims = {{64, 3, 2, 1, 0, 0, 0}};
  const auto a = *makeInputs(problem, {}, {Fill::Random, 1, {}});
  const auto b = *makeInputs(problem, {}, {Fill::Random, 2, {}});
  EXPECT_NE(a.input, b.input);
  EXPECT_NE(a.input.bytes(), a.weight.bytes());
  double sum = 0, least = 1, most = -1;
  for (int64_t i = 0; i < a.input.count(); ++i) {
    const double value = a.input.get(i);
    sum += value;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  EXPECT_LT(std::fabs(sum / double(a.input.count())), 0.1);
  EXPECT_GE(least, -1);
  EXPECT_LT(least, -0.9);
  EXPECT_LT(most, 1);
  EXPECT_GT(most, 0.9);
}

TEST(Fill, ShapesAndNames) {
  Problem problem;
  problem.batch = 2;
  problem.outputChannels = 3;
  problem.bias = true;
  problem.type = ElementType::BF16;
  problem.dims = {{4, 3, 2, 1, 0, 0, 0}};
  Epilogue epilogue;
  epilogue.operands.push_back(
      {"z", ElementType::F16, {kDynamic, 3, 9}, {0, 1, 2}});
  const auto inputs =
      *makeInputs(problem, epilogue, {Fill::Exact, 0, ElementType::F32});
  EXPECT_EQ(inputs.bias->type(), ElementType::F32);
  EXPECT_EQ(inputs.bias->shape(), (std::vector<int64_t>{3}));
  EXPECT_EQ(inputs.operands[0].type(), ElementType::F16);
  EXPECT_EQ(inputs.operands[0].shape(), (std::vector<int64_t>{2, 3, 9}));
  EXPECT_EQ(parseFill("exact"), Fill::Exact);
  EXPECT_EQ(parseFill("zero"), std::nullopt);
}
