//===- PhasePlanTest.cpp --------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/PhasePlan.h"
#include "SmallDims.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <numeric>
#include <tuple>

using namespace ctc;

namespace {
using Triples = std::vector<std::tuple<int64_t, int64_t, int64_t>>;

/// All (o, i, k) of the definition, sorted.
Triples byDefinition(const SpatialDim &dim) {
  Triples triples;
  const int64_t size = *outputSize(dim);
  for (int64_t i = 0; i < dim.input; ++i)
    for (int64_t k = 0; k < dim.kernel; ++k)
      if (int64_t o = i * dim.stride - dim.padLow + k * dim.dilation;
          o >= 0 && o < size)
        triples.emplace_back(o, i, k);
  std::sort(triples.begin(), triples.end());
  return triples;
}

/// The same from the plan; also checks that every output has one phase.
Triples byPhases(const SpatialDim &dim, const DimPhasePlan &plan) {
  Triples triples;
  std::vector<int> owners(plan.outputSize, 0);
  for (const Phase &phase : plan.phases)
    for (int64_t q = phase.qBegin; q < phase.qBegin + phase.qCount; ++q) {
      const int64_t o = q * dim.stride + phase.residue - dim.padLow;
      EXPECT_GE(o, 0);
      EXPECT_LT(o, plan.outputSize);
      ++owners[o];
      for (int64_t j = 0; j < phase.tapCount; ++j) {
        const int64_t i = q - phase.inputOffset - j * plan.inputStep;
        if (i >= 0 && i < dim.input)
          triples.emplace_back(o, i, phase.firstTap + j * plan.tapStep);
      }
    }
  EXPECT_TRUE(std::all_of(owners.begin(), owners.end(),
                          [](int count) { return count == 1; }));
  std::sort(triples.begin(), triples.end());
  return triples;
}

TEST(PhasePlan, WorkedExampleOfTheHeader) {
  auto plan = planPhases(SpatialDim{4, 3, 2, 1, 1, 1, 1});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->phases.size(), 2u);
  EXPECT_EQ(plan->phases[0].tapCount, 2);
  EXPECT_EQ(plan->phases[1].firstTap, 1);
  EXPECT_EQ(plan->phases[1].tapCount, 1);
}

TEST(PhasePlan, EqualsTheDefinition) {
  forEachSmallDim([](const SpatialDim &dim) {
    auto plan = planPhases(dim);
    ASSERT_TRUE(plan);
    const Triples expected = byDefinition(dim);
    ASSERT_EQ(byPhases(dim, *plan), expected);
    ASSERT_EQ(usefulPairs(dim), int64_t(expected.size()));
  });
}

TEST(PhasePlan, SlotsAreAPermutationInPhaseOrder) {
  for (int64_t kernel = 1; kernel <= 9; ++kernel)
    for (int64_t stride = 1; stride <= 6; ++stride)
      for (int64_t dilation = 1; dilation <= 4; ++dilation) {
        const SpatialDim dim{9, kernel, stride, dilation, 0, 0, 0};
        const auto taps = slotToTap(dim);
        ASSERT_EQ(int64_t(taps.size()), kernel);
        auto plan = planPhases(dim);
        ASSERT_TRUE(plan);
        int64_t seen = 0;
        for (const Phase &phase : plan->phases)
          for (int64_t j = 0; j < phase.tapCount; ++j, ++seen)
            ASSERT_EQ(taps[phase.firstSlot + j],
                      phase.firstTap + j * plan->tapStep);
        if (plan->outputSize >= stride) {
          ASSERT_EQ(seen, kernel);
        }
      }
}

TEST(PhasePlan, LargeStridesNeedNoSearch) {
  const int64_t s = (int64_t{1} << 31) - 1;
  auto plan = planPhases(SpatialDim{3, 5, s, s - 1, s * 2 - 4, 0, 0});
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("at most 65536"), std::string::npos);
}

TEST(OutputSize, RefusesWithTheValue) {
  EXPECT_EQ(outputSize(SpatialDim{0, 1, 1, 1, 0, 0, 0}).value(), 0);
  EXPECT_EQ(outputSize(SpatialDim{1, 1, 1, 1, 1, 1, 0}).error().message,
            "output size is -1, must be at least 0");
  EXPECT_EQ(outputSize(SpatialDim{1, 0, 1, 1, 0, 0, 0}).error().message,
            "kernel size is 0, must be at least 1");
  EXPECT_EQ(outputSize(SpatialDim{int64_t{1} << 62, 1, 8, 1, 0, 0, 0})
                .error()
                .message,
            "output size does not fit in 63 bits");
}
} // namespace
