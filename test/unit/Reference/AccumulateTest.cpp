//===- AccumulateTest.cpp - The operator in float64 -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/Check.h"
#include "ctc/Reference/Fill.h"
#include "ctc/Reference/Geometry.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace ctc;

namespace {
/// A random legal problem with few outputs.
Problem randomProblem(std::mt19937 &random) {
  auto pick = [&](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  while (true) {
    Problem problem;
    problem.batch = pick(1, 2);
    problem.groups = pick(1, 3);
    problem.inputChannels = problem.groups * pick(1, 3);
    problem.outputChannels = problem.groups * pick(1, 11);
    problem.layout = pick(0, 1) ? Layout::ChannelsFirst : Layout::ChannelsLast;
    problem.precision = Precision::IEEE;
    problem.bias = pick(0, 1);
    const int64_t rank = pick(1, 3);
    for (int64_t i = 0; i < rank; ++i)
      problem.dims.push_back({pick(1, rank == 1 ? 300 : 6), pick(1, 5),
                              pick(1, 4), pick(1, 3), pick(-2, 3), pick(-2, 3),
                              pick(0, 3)});
    if (verify(problem))
      return problem;
  }
}

/// Asks every output for its sum the other way round: by walking all (i, k).
void checkOutput(const Problem &problem, const LayerInputs &inputs,
                 const Accumulation &result, int64_t n, int64_t co,
                 std::array<int64_t, 3> o) {
  const Geometry g(problem);
  const int64_t group = co / g.outputChannels;
  double sum = inputs.bias ? inputs.bias->get(co) : 0;
  double magnitude = std::fabs(sum);
  int64_t pairs = 0;
  for (int64_t i = 0; i < g.inputSpatial; ++i)
    for (int64_t k = 0; k < g.kernelSpatial; ++k) {
      bool meets = true;
      for (int64_t d = 2, restI = i, restK = k; d >= 0; --d) {
        const SpatialDim &dim = g.dims[d];
        meets &= restI % dim.input * dim.stride - dim.padLow +
                     restK % dim.kernel * dim.dilation ==
                 o[d];
        restI /= dim.input;
        restK /= dim.kernel;
      }
      if (!meets)
        continue;
      for (int64_t c = 0; c < g.inputChannels; ++c, ++pairs) {
        const int64_t ci = group * g.inputChannels + c;
        const double product =
            inputs.input.get(g.inputOrder.at(n, ci, i)) *
            inputs.weight.get((ci * g.outputChannels + co % g.outputChannels) *
                                  g.kernelSpatial +
                              k);
        sum += product;
        magnitude += std::fabs(product);
      }
    }
  const auto at = static_cast<size_t>(
      ((n * g.groups * g.outputChannels + co) * g.output[0] + o[0]) *
          g.output[1] * g.output[2] +
      o[1] * g.output[2] + o[2]);
  ASSERT_NEAR(result.value[at], sum, 1e-12);
  ASSERT_NEAR(result.magnitude[at], magnitude, 1e-12);
  ASSERT_EQ(g.inputChannels * result.pairs[0][o[0]] * result.pairs[1][o[1]] *
                result.pairs[2][o[2]],
            pairs);
}
} // namespace

TEST(Accumulate, EqualsTheDefinition) {
  std::mt19937 random(7);
  for (int round = 0; round < 150; ++round) {
    const Problem problem = randomProblem(random);
    auto inputs = makeInputs(problem, {}, {Fill::Random, random(), {}});
    ASSERT_TRUE(inputs);
    const Accumulation result =
        accumulate(problem, *inputs, {.magnitude = true, .threads = 2});
    const Geometry g(problem);
    for (int sample = 0; sample < 20 && g.outputSpatial > 0; ++sample) {
      auto below = [&](int64_t size) {
        return std::uniform_int_distribution<int64_t>(0, size - 1)(random);
      };
      checkOutput(problem, *inputs, result, below(problem.batch),
                  below(problem.outputChannels),
                  {below(g.output[0]), below(g.output[1]), below(g.output[2])});
      ASSERT_FALSE(HasFatalFailure()) << "round " << round;
    }
  }
}

TEST(Accumulate, LayoutAndThreadsChangeNothing) {
  std::mt19937 random(8);
  for (int round = 0; round < 30; ++round) {
    Problem problem = randomProblem(random);
    problem.layout = Layout::ChannelsFirst;
    auto inputs = *makeInputs(problem, {}, {Fill::Random, 1, {}});
    const Accumulation first =
        accumulate(problem, inputs, {.magnitude = true, .threads = 1});
    problem.layout = Layout::ChannelsLast;
    const auto again = *makeInputs(problem, {}, {Fill::Random, 1, {}});
    inputs.input = convertLayout(inputs.input, Layout::ChannelsFirst,
                                 Layout::ChannelsLast);
    EXPECT_EQ(inputs.input, again.input);
    EXPECT_EQ(
        convertLayout(again.input, Layout::ChannelsLast, Layout::ChannelsFirst),
        convertLayout(inputs.input, Layout::ChannelsLast,
                      Layout::ChannelsFirst));
    const Accumulation last =
        accumulate(problem, inputs, {.magnitude = true, .threads = 3});
    EXPECT_EQ(first.value, last.value);
    EXPECT_EQ(first.magnitude, last.magnitude);

    problem.weightLayout = WeightLayout::OutputKernelInput;
    const auto turned = *makeInputs(problem, {}, {Fill::Random, 1, {}});
    EXPECT_EQ(turned.weight.shape(), problem.weightShape());
    EXPECT_EQ(accumulate(problem, turned, {.magnitude = false}).value,
              first.value);
  }
}

TEST(Accumulate, RoundsOperandsAsThePrecisionSays) {
  Problem problem;
  problem.dims = {{1, 1, 1, 1, 0, 0, 0}};
  LayerInputs inputs{Tensor(ElementType::F32, {1, 1, 1}),
                     Tensor(ElementType::F32, {1, 1, 1}),
                     std::nullopt,
                     {}};
  inputs.input.set(0, 1 + 0x1p-11); // a tie of tf32
  inputs.weight.set(0, -(1 + 0x1p-11));
  problem.precision = Precision::TF32;
  EXPECT_EQ(accumulate(problem, inputs).value[0],
            -(1 + 0x1p-10) * (1 + 0x1p-10));
  for (Precision precision : {Precision::IEEE, Precision::TF32x3}) {
    problem.precision = precision;
    EXPECT_EQ(accumulate(problem, inputs).value[0],
              -(1 + 0x1p-11) * (1 + 0x1p-11));
  }
}

TEST(Accumulate, EmptyProblems) {
  Problem problem;
  problem.dims = {{0, 1, 1, 1, 0, 0, 3}};
  problem.bias = true;
  problem.outputChannels = 2;
  auto inputs = *makeInputs(problem, {}, {});
  // Output padding alone makes outputs that no tap reaches.
  const Accumulation result = accumulate(problem, inputs, {.magnitude = true});
  ASSERT_EQ(result.value.size(), 6u);
  EXPECT_EQ(result.value[0], inputs.bias->get(0));
  EXPECT_EQ(result.value[5], inputs.bias->get(1));
  problem.dims[0].outputPadding = 0;
  EXPECT_TRUE(accumulate(problem, inputs).value.empty());
  problem.dims = {{4, 3, 2, 1, 0, 0, 0}};
  problem.inputChannels = 0;
  inputs = *makeInputs(problem, {}, {});
  EXPECT_EQ(accumulate(problem, inputs).value[3], inputs.bias->get(0));
}
