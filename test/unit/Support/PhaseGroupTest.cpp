//===- PhaseGroupTest.cpp -------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/PhaseGroup.h"
#include "SmallDims.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <tuple>

using namespace ctc;

namespace {
/// (output, input, tap), the input possibly outside.
using Triples = std::vector<std::tuple<int64_t, int64_t, int64_t>>;

/// All pairs (o, k) of the definition whose i*s - lo + k*d = o has a solution.
Triples byDefinition(const SpatialDim &dim) {
  Triples triples;
  const int64_t size = *outputSize(dim);
  for (int64_t o = 0; o < size; ++o)
    for (int64_t k = 0; k < dim.kernel; ++k)
      if (const int64_t distance = o + dim.padLow - k * dim.dilation;
          distance % dim.stride == 0)
        triples.emplace_back(o, distance / dim.stride, k);
  std::sort(triples.begin(), triples.end());
  return triples;
}

/// The same as blocks with grouped phases compute it: every position walks the
/// taps of all phases, and outputs past the end are not stored.
Triples byGroup(const SpatialDim &dim, const DimPhasePlan &plan,
                const PhaseGroup &group) {
  Triples triples;
  const std::vector<int64_t> taps = slotToTap(dim);
  for (int64_t x = 0; x < plan.maxQCount; ++x)
    for (int64_t slot = 0; slot < dim.kernel; ++slot) {
      const GroupedTap &tap = group.taps[slot];
      const int64_t output = tap.phase + x * dim.stride;
      if (tap.phase >= 0 && output < plan.outputSize)
        triples.emplace_back(output, group.inputBase + x + tap.shift,
                             taps[slot]);
    }
  std::sort(triples.begin(), triples.end());
  return triples;
}

/// The shifts run from 0 to the window, and phases are the first outputs.
void expectTight(const SpatialDim &dim, const DimPhasePlan &plan,
                 const PhaseGroup &group) {
  std::set<int64_t> shifts;
  for (const GroupedTap &tap : group.taps) {
    if (tap.phase < 0)
      continue;
    shifts.insert(tap.shift);
    ASSERT_LT(tap.phase, std::min(dim.stride, plan.outputSize));
  }
  ASSERT_EQ(shifts.empty() ? 0 : *shifts.begin(), 0);
  ASSERT_EQ(shifts.empty() ? 0 : *shifts.rbegin(), group.window);
}

TEST(PhaseGroup, WorkedExampleOfTheHeader) {
  const SpatialDim dim{4, 3, 2, 1, 1, 1, 1};
  const PhaseGroup group = groupPhases(dim, *planPhases(dim));
  EXPECT_EQ(group.inputBase, 0);
  EXPECT_EQ(group.window, 1);
  // Slots: taps 0 and 2 of residue 0, whose first output is 1, then tap 1.
  const std::vector<GroupedTap> taps{{1, 1}, {1, 0}, {0, 0}};
  EXPECT_EQ(group.taps, taps);
}

TEST(PhaseGroup, DroppedResiduesHaveNoTaps) {
  // One output: residue 0 alone, so tap 1 belongs to no phase.
  const SpatialDim dim{1, 2, 2, 1, 0, 1, 0};
  const PhaseGroup group = groupPhases(dim, *planPhases(dim));
  const std::vector<GroupedTap> taps{{0, 0}, {-1, 0}};
  EXPECT_EQ(group.taps, taps);
  EXPECT_EQ(group.window, 0);
}

TEST(PhaseGroup, EqualsTheDefinition) {
  int64_t checked = 0;
  forEachSmallDim([&](const SpatialDim &dim) {
    const auto plan = planPhases(dim);
    ASSERT_TRUE(plan);
    const PhaseGroup group = groupPhases(dim, *plan);
    ASSERT_EQ(byGroup(dim, *plan, group), byDefinition(dim));
    ASSERT_NO_FATAL_FAILURE(expectTight(dim, *plan, group));
    ++checked;
  });
  EXPECT_GT(checked, 10000);
}
} // namespace
