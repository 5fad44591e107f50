//===- SampleTest.cpp - Some outputs of a layer, in float64 ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/Sample.h"
#include "HostProducer.h"
#include "ctc/Reference/Fill.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace ctc;
using namespace ctc::test;

namespace {
/// Odd strides, dilation, groups, padding that is negative; bias; channels
/// last.
std::vector<Problem> layers() {
  Problem plane{2, 6, 8, 2, {{5, 3, 2, 1, 1, 0, 1}, {4, 3, 3, 2, -1, 1, 0}}};
  plane.bias = true;
  Problem ieee = plane;
  ieee.precision = Precision::IEEE;
  ieee.layout = Layout::ChannelsLast;
  Problem line{3, 4, 4, 4, {{7, 4, 5, 3, 1, 1, 0}}};
  Problem volume{
      1, 3, 2, 1, {{2, 3, 2, 1, 0, 0, 1}, {3, 2, 1, 1, 1, 1, 0}, {4, 3, 4}}};
  volume.type = ElementType::BF16;
  return {plane, ieee, line, volume};
}

/// Every output there is, in canonical order.
std::vector<OutputIndex> everything(const Problem &problem) {
  std::vector<int64_t> sizes = problem.outputSpatial();
  sizes.insert(sizes.begin(), 3 - sizes.size(), 1);
  std::vector<OutputIndex> all;
  for (int64_t n = 0; n < problem.batch; ++n)
    for (int64_t c = 0; c < problem.outputChannels; ++c)
      for (int64_t i = 0; i < sizes[0]; ++i)
        for (int64_t j = 0; j < sizes[1]; ++j)
          for (int64_t k = 0; k < sizes[2]; ++k)
            all.push_back({n, c, i, j, k});
  return all;
}

CheckOptions fmaBound(const Problem &problem) {
  CheckOptions options;
  options.error = accumulationError(Arithmetic::FMA, problem);
  return options;
}

TEST(Sample, AgreesWithTheScatterOnEveryOutput) {
  for (const Problem &problem : layers()) {
    ASSERT_TRUE(verify(problem));
    const auto inputs = *makeInputs(problem, {}, {Fill::Random, 3, {}});
    const Accumulation all = accumulate(problem, inputs, {.magnitude = true});
    const auto some = accumulateSamples(problem, inputs, everything(problem));
    ASSERT_EQ(some.outputs.size(), all.value.size());
    bool hasWithout = false;
    for (size_t i = 0; i < all.value.size(); ++i) {
      // Two orders of a sum of a few dozen products in float64.
      const double slack = all.magnitude[i] * 0x1p-46;
      EXPECT_NEAR(some.value[i], all.value[i], slack);
      EXPECT_NEAR(some.magnitude[i], all.magnitude[i], slack);
      hasWithout |= some.products[i] == 0;
      EXPECT_EQ(some.products[i] == 0,
                all.magnitude[i] ==
                    (inputs.bias
                         ? std::abs(inputs.bias->get(some.outputs[i][1]))
                         : 0));
    }
    EXPECT_EQ(hasWithout,
              problem.dims[0].stride > problem.dims[0].kernel ||
                  problem.dims.back().stride > problem.dims.back().kernel ||
                  problem.dims.back().padLow < 0);
  }
}

TEST(Sample, JudgesAsTheCheckOfEveryOutput) {
  for (const Problem &problem : layers()) {
    const auto inputs = *makeInputs(problem, {}, {Fill::Random, 3, {}});
    const auto some = accumulateSamples(problem, inputs, everything(problem));
    const Accumulation all = accumulate(problem, inputs, {.magnitude = true});
    for (Mutant mutant : {Mutant::None, Mutant::DroppedTap}) {
      const Tensor output = produce(problem, inputs, mutant);
      const auto whole =
          *check(problem, {}, all, {}, output, fmaBound(problem));
      const auto sampled =
          *checkSamples(problem, {}, some, {}, output, fmaBound(problem));
      EXPECT_EQ(sampled.outputs, whole.outputs);
      EXPECT_EQ(sampled.wrong, whole.wrong);
      EXPECT_EQ(sampled.summary(), whole.summary());
      EXPECT_EQ(sampled.passed(), mutant == Mutant::None);
    }
  }
}

TEST(Sample, HoldsTheCornersAndFollowsTheSeed) {
  const Problem problem = layers()[0];
  const auto spatial = problem.outputSpatial();
  const auto some = sampleOutputs(problem, 20, 1);
  EXPECT_GE(some.size(), 16u);
  EXPECT_LE(some.size(), 36u);
  EXPECT_EQ(some.front(), (OutputIndex{0, 0, 0, 0, 0}));
  EXPECT_EQ(some.back(),
            (OutputIndex{1, 7, 0, spatial[0] - 1, spatial[1] - 1}));
  EXPECT_TRUE(std::is_sorted(some.begin(), some.end()));
  EXPECT_EQ(std::adjacent_find(some.begin(), some.end()), some.end());
  EXPECT_EQ(some, sampleOutputs(problem, 20, 1));
  EXPECT_NE(some, sampleOutputs(problem, 20, 2));
}

TEST(Sample, OfAnEmptyOutputIsEmpty) {
  Problem problem{0, 1, 1, 1, {{4, 2, 2}}};
  EXPECT_TRUE(sampleOutputs(problem, 10, 0).empty());
}
} // namespace
